"""The chest film phantom: what its truth says is what its pixels, masks and headers show."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from scipy.stats import truncnorm

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.chest_film import ChestFilmParameters, make_chest_film
from hounsfield.phantoms.film_frontal import NORMAL_RATIO, WIDTH_MM, cage_half_mm, draw_build
from hounsfield.studies import read_study


def film(**parameters):
    return make_chest_film(ChestFilmParameters(**{"matrix_px": 256, **parameters}))


def width_px(mask):
    columns = np.flatnonzero(mask[0].any(axis=0))
    return columns[-1] - columns[0] + 1


@pytest.mark.parametrize("ratio", [0.35, 0.48, 0.66])
def test_heart_and_thorax_have_the_widths_of_the_truth(ratio):
    made = film(seed=3, ctr=ratio, matrix_px=512)
    truth = made.truth
    assert truth["ctr"] == pytest.approx(ratio, abs=1e-9)
    assert width_px(made.masks["heart"]) == pytest.approx(
        truth["right_heart_px"] + truth["left_heart_px"], abs=2
    )
    fields = made.masks["right-lung"] | made.masks["left-lung"] | made.masks["heart"]
    assert width_px(fields) == pytest.approx(truth["thorax_px"], abs=3)


def test_thorax_is_widest_at_half_its_width():
    build = draw_build(np.random.default_rng(1), sex="F", view="PA", ratio=None)
    heights = np.linspace(-50, 400, 2000)[:, None]
    assert 2 * cage_half_mm(heights, build).max() == pytest.approx(build.width_mm, rel=1e-4)


def test_normal_films_vary_as_the_literature_says():
    drawn = [film(seed=seed, matrix_px=128).truth for seed in range(60)]
    for sex in ("M", "F"):
        own = [truth for truth in drawn if truth["sex"] == sex]
        width_mm, ratio = (np.array([truth[name] for truth in own]) for name in ("thorax_mm", "ctr"))
        mean_mm, deviation_mm = WIDTH_MM[sex]
        assert len(own) > 15
        assert width_mm.mean() == pytest.approx(mean_mm, abs=3 * deviation_mm / np.sqrt(len(own)))
        mean, deviation = NORMAL_RATIO[sex]
        drawn_mean = truncnorm((0.36 - mean) / deviation, (0.50 - mean) / deviation, mean, deviation).mean()
        assert ratio.mean() == pytest.approx(drawn_mean, abs=3 * deviation / np.sqrt(len(own)))
        assert 0.36 <= ratio.min() <= ratio.max() < 0.50 + 1e-9


@pytest.mark.parametrize(
    ("name", "size_mm", "brighter"),
    [
        ("nodule", 25.0, True),
        ("opacity", 70.0, True),
        ("effusion", 80.0, True),
        ("pneumothorax", 40.0, False),
    ],
)
def test_what_is_planted_changes_its_own_place_alone(name, size_mm, brighter):
    plain, planted = film(seed=4), film(seed=4, **{f"{name}_mm": size_mm})
    mask = planted.masks[name][0]
    change = planted.array[0].astype(float) - plain.array[0]
    told = planted.truth["planted"][name]
    y0, x0, y1, x1 = told["box_px_yxyx"]
    assert mask[y0 : y1 + 1, x0 : x1 + 1].sum() == mask.sum() > 0
    assert bool(change[mask].mean() > 0) is brighter
    assert abs(change[mask].mean()) > 3 * abs(change[~mask].mean())
    side = planted.masks[f"{told['side']}-lung"][0]
    assert (mask & side).sum() > 0.7 * mask.sum()


def test_area_of_the_nodule_follows_from_its_diameter():
    made = film(seed=5, nodule_mm=20.0, matrix_px=512)
    area_mm2 = made.masks["nodule"].sum() * made.truth["spacing_mm"] ** 2
    assert area_mm2 == pytest.approx(np.pi * 100.0, rel=0.05)


def test_noise_follows_the_dose():
    """Four times the photons halve the relative noise: Poisson."""
    noise = {}
    for index in (50, 200):
        pair = [
            film(seed=6, exposure_index=index, blur_mm=0.0),
            film(seed=6, exposure_index=5000.0, blur_mm=0.0),
        ]
        lung = pair[0].masks["right-lung"][0]
        noise[index] = np.std((pair[0].array[0].astype(float) - pair[1].array[0])[lung])
    assert noise[50] / noise[200] == pytest.approx(2.0, rel=0.15)


def test_monochrome1_is_the_same_picture_stored_the_other_way():
    one, two = (film(seed=7, photometric=kind).array.astype(int) for kind in ("MONOCHROME1", "MONOCHROME2"))
    np.testing.assert_array_equal(one, 4095 - two)


def test_left_of_the_patient_lies_at_the_right_of_the_picture():
    made = film(seed=8)
    places = {name: np.argwhere(made.masks[f"{name}-lung"][0])[:, 1].mean() for name in ("right", "left")}
    assert places["right"] < places["left"]
    assert made.truth["left_heart_px"] > made.truth["right_heart_px"]


@pytest.mark.parametrize("view", ["PA", "AP", "LL"])
def test_header_says_what_the_truth_says(view, tmp_path):
    phantom = write_phantom("chest-film", tmp_path, seed=2, view=view, exposure_index=500.0, matrix_px=128)
    ds = pydicom.dcmread(tmp_path / "dicom" / "00001.dcm")
    assert (ds.ViewPosition, ds.PatientSex) == (view, phantom.truth["sex"])
    assert int(ds.PatientAge[:3]) == phantom.truth["age_years"]
    assert float(ds.DeviationIndex) == pytest.approx(3.0103, abs=1e-3)
    (series,) = read_study(tmp_path).series
    np.testing.assert_array_equal(series.image().array, phantom.array)
    assert series.tags["View"] == view


def test_lateral_film_takes_no_finding():
    with pytest.raises(UsageError, match="nodule_mm can be chosen for frontal views only"):
        ChestFilmParameters(view="LL", nodule_mm=10.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ctr": 0.8}, r"ctr is 0\.8; choose 0\.3 to 0\.75"),
        ({"nodule_mm": 3.0}, "nodule_mm is 3.0; choose 5 to 40"),
        ({"view": "RL"}, "view is 'RL'; choose PA, AP, LL"),
        ({"age_years": 12}, "age_years is 12; choose 18 to 99"),
    ],
)
def test_values_outside_the_ranges_are_refused(changes, message):
    with pytest.raises(UsageError, match=message):
        ChestFilmParameters(**changes)
