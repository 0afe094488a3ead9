"""The gates on real films: the half of the patients on which no limit was set, one film a patient."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks._chest_films import grey, read_films
from benchmarks.radiograph_quality import CROPS, one_a_patient, read_picture, verdict_of, with_text

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
N_FILMS = 40


@pytest.fixture(scope="module")
def films(real_data):
    """Forty films of each large set."""
    found = one_a_patient(read_films(real_data, "report", ("nih", "covid")))
    sets = {name: [f.picture for f in found if f.set_name == name][:N_FILMS] for name in ("nih", "covid")}
    assert {len(one) for one in sets.values()} == {N_FILMS}
    return sets


def share(pictures, verdicts):
    said = [verdict_of(read_picture(picture)) for picture in pictures]
    return sum(one in verdicts for one in said) / len(said)


def test_few_good_films_are_stopped_or_doubted(films):
    """Films cut from articles (covid) are often close-cropped: more of them are doubted."""
    assert share(films["nih"], {"doubtful", "not usable"}) <= 0.15
    assert share(films["covid"], {"doubtful", "not usable"}) <= 0.35
    assert share([*films["nih"], *films["covid"]], {"not usable"}) <= 0.05


@pytest.mark.parametrize(
    "spoil", [lambda p: 1 - p, np.rot90, lambda p: np.rot90(p, 2), lambda p: np.rot90(p, 3)]
)
def test_inverted_and_turned_films_are_stopped(spoil, films):
    every = [*films["nih"], *films["covid"]]
    assert share([spoil(picture) for picture in every], {"not usable"}) >= 0.95


@pytest.mark.parametrize("side", ["left", "right", "top"])
def test_films_cut_by_a_third_are_doubted_or_stopped(side, films):
    every = [*films["nih"], *films["covid"]]
    assert share([CROPS[side](picture, 0.3) for picture in every], {"doubtful", "not usable"}) >= 0.85


def test_text_over_the_chest_is_found(films):
    rng = np.random.default_rng(5)
    spoiled = [with_text(picture, rng, 255) for picture in films["nih"]]
    assert share(spoiled, {"doubtful", "not usable"}) >= 0.85


@pytest.mark.parametrize(
    "folder",
    ["breast_us/images", "mias_mammography/images", "brain_tumour_mri/images", "head_ct_haemorrhage/images"],
)
def test_other_pictures_are_stopped(folder, real_data):
    files = sorted((real_data / folder).iterdir())[::10][:30]
    assert share([grey(file) for file in files], {"not usable"}) >= 0.85
