"""The brain tumour phantom: signals by their equations, nested parts, noise and shading as stated, one grid for all."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import Trouble, write_phantom
from hounsfield.phantoms.brain_tumour_mr import SEQUENCES, BrainTumourMrParameters, make_brain_tumour_mr
from hounsfield.phantoms.mr_signal import MrSequence, Tissue, coil_shading, rician
from hounsfield.phantoms.truth_files import read_masks
from hounsfield.phantoms.tumour_head import TISSUES, midline_shift_mm
from hounsfield.studies import read_study

SMALL = {"n_slices": 32, "slice_mm": 4.8, "matrix_px": 64, "pixel_mm": 3.3}
NAMES = [sequence.name for sequence in SEQUENCES]
PARTS = ("necrotic-core", "enhancing-tumour", "oedema")


@pytest.fixture(scope="module")
def made():
    """Studies by their parameters, each made once."""
    studies = {}

    def made(**options):
        key = tuple(sorted(options.items()))
        if key not in studies:
            studies[key] = make_brain_tumour_mr(BrainTumourMrParameters(**options))
        return studies[key]

    return made


def test_signals_are_those_of_the_equations():
    """By hand: TR 500, TE 12, T1 1084, T2 69, PD 0.7: 0.7 x (1 - e^-0.4613) x e^-0.1739 = 0.7 x 0.3695 x 0.8404."""
    t1, t1c, _, flair = SEQUENCES
    white, fluid = TISSUES["white"], TISSUES["fluid"]
    assert t1.signal(white) == pytest.approx(0.7 * 0.3695 * 0.8404, rel=1e-3)
    # TI is where fluid passes through zero: T1 ln 2 less what a TR of 9 s leaves.
    assert flair.signal(fluid) < 0.02 * flair.signal(white)
    # 1/T1' = 1/1 s + 4.5 x 0.5 /s: T1 308 ms.
    tissue = Tissue(1000.0, 1e9, 1.0, 0.5)
    assert t1c.signal(tissue) == pytest.approx(1 - math.exp(-500 / 307.69), rel=1e-3)
    assert MrSequence("x", "x", 500.0, 12.0).signal(tissue) == pytest.approx(1 - math.exp(-0.5), rel=1e-6)


@pytest.mark.parametrize(
    ("sequence", "from_dark_to_bright"),
    [
        ("t1", ("fluid", "necrosis", "grey", "white")),
        ("t1c", ("fluid", "necrosis", "grey", "white", "vessel", "enhancing")),
        ("t2", ("white", "grey", "enhancing", "oedema", "necrosis", "fluid")),
        ("flair", ("fluid", "white", "grey", "oedema")),
    ],
)
def test_tissues_stand_in_the_order_of_their_contrast(sequence, from_dark_to_bright):
    [made] = [one for one in SEQUENCES if one.name == sequence]
    signals = [made.signal(TISSUES[name]) for name in from_dark_to_bright]
    assert all(brighter > 1.05 * darker for darker, brighter in pairwise(signals))


def test_contrast_agent_shows_in_vessels_and_plexus_of_every_head():
    """So a study with T1 before and after exchanged can be told."""
    t1, t1c = SEQUENCES[:2]
    for name in ("vessel", "plexus", "enhancing"):
        assert t1c.signal(TISSUES[name]) > 1.5 * t1.signal(TISSUES[name])
    assert t1c.signal(TISSUES["white"]) < 1.05 * t1.signal(TISSUES["white"])


def test_parts_are_nested_and_apart(made):
    for seed in (1, 2, 3):
        masks = made(seed=seed, **SMALL).images["t1"].masks
        parts = np.stack([masks[name] for name in PARTS]).astype(int)
        assert parts.sum(axis=0).max() == 1
        np.testing.assert_array_equal(parts[:2].sum(axis=0) > 0, masks["tumour-core"])
        np.testing.assert_array_equal(parts.sum(axis=0) > 0, masks["whole-tumour"])
        assert masks["brain"][masks["whole-tumour"]].mean() > 0.97
        assert all(masks[name].any() for name in PARTS)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_masks_have_the_volumes_of_the_truth(made, seed):
    study = made(seed=seed)
    volumes_ml = study.truth["tumour"]["volumes_ml"]
    voxel_ml = study.images["t1"].grid.voxel_volume_mm3 / 1000
    for name in ("tumour-core", "whole-tumour"):
        assert study.images["t1"].masks[name].sum() * voxel_ml == pytest.approx(volumes_ml[name], rel=0.03)
    assert sum(volumes_ml[name] for name in PARTS) == pytest.approx(volumes_ml["whole-tumour"], rel=1e-5)
    # A ball of 34 mm is 20.6 ml; where the border meets the surface or fluid some of it is missing.
    assert 14.0 < volumes_ml["tumour-core"] < 24.0
    assert 1000.0 < study.truth["brain_volume_ml"] < 1500.0


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_tumour_lies_on_its_side(made, seed):
    study = made(seed=seed, **SMALL)
    image, tumour = study.images["flair"], study.truth["tumour"]
    middle_mm = image.grid.index_to_mm(np.argwhere(image.masks["tumour-core"])).mean(axis=0)
    assert middle_mm == pytest.approx(tumour["centre_mm"], abs=6.0)
    assert (middle_mm[0] > 0) == (tumour["side"] == "L")


def test_necrosis_lies_within_a_rim_that_enhances(made):
    study = made(noise=0.0, bias=0.0)
    pre, post = (
        study.images[name].array / study.images[name].truth["white_matter_signal"] for name in ("t1", "t1c")
    )
    masks = study.images["t1c"].masks
    assert (post - pre)[masks["enhancing-tumour"]].mean() > 0.5
    assert abs((post - pre)[masks["oedema"]].mean()) < 0.15
    assert post[masks["enhancing-tumour"]].mean() > 1.5 * post[masks["necrotic-core"]].mean()


def test_noise_is_rician():
    """In air the magnitude is Rayleigh distributed, mean sigma sqrt(pi/2); in bright tissue all but Gaussian."""
    rng = np.random.Generator(np.random.PCG64(2))
    air = rician(rng, np.zeros((40, 40, 40), dtype=np.float32), 20.0)
    assert air.mean() == pytest.approx(20.0 * math.sqrt(math.pi / 2), rel=0.01)
    assert air.std() == pytest.approx(20.0 * math.sqrt(2 - math.pi / 2), rel=0.02)
    bright = rician(rng, np.full((40, 40, 40), 600.0, dtype=np.float32), 20.0)
    assert bright.mean() == pytest.approx(math.sqrt(600.0**2 + 20.0**2), rel=1e-3)
    assert bright.std() == pytest.approx(20.0, rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_air_of_a_series_has_the_noise_that_is_stated(made, name):
    image = made(noise=0.04).images[name]
    corner = image.array[20:, :8, :8].astype(float)
    assert corner.mean() == pytest.approx(image.truth["noise_deviation"] * math.sqrt(math.pi / 2), rel=0.03)


@pytest.mark.parametrize("largest", [0.0, 0.3])
def test_shading_is_smooth_and_as_large_as_stated(largest):
    shading = coil_shading(np.random.Generator(np.random.PCG64(3)), (30, 40, 40), largest)
    assert (shading.min(), shading.max()) == pytest.approx((1 - largest, 1 + largest), abs=1e-5)
    assert max(np.abs(np.diff(shading, axis=axis)).max() for axis in range(3)) < 0.05


def test_thick_slices_mix_what_thin_ones_keep_apart(made):
    """Partial volume: in thick slices more voxels hold a number that neither white nor grey matter has."""
    [t2] = [one for one in SEQUENCES if one.name == "t2"]
    grey = t2.signal(TISSUES["grey"]) / t2.signal(TISSUES["white"])

    def mixed(slice_mm, n_slices):
        image = made(slice_mm=slice_mm, n_slices=n_slices, noise=0.0, bias=0.0, whole_mm=0.0).images["t2"]
        values = image.array[image.masks["brain"]] / image.truth["white_matter_signal"]
        return float(np.mean((np.abs(values - 1.0) > 0.02) & (np.abs(values - grey) > 0.02)))

    assert mixed(6.0, 24) > 1.15 * mixed(1.2, 120)


@pytest.mark.parametrize("push_mm", [0.0, 5.0, 10.0])
def test_the_midline_is_shifted_as_stated_and_away_from_the_tumour(made, push_mm):
    """Middle between the fluid of both ventricles at the septum, on a noiseless fine slice."""
    study = made(
        push_mm=push_mm,
        whole_mm=20.0,
        core_mm=10.0,
        necrosis_mm=0.0,
        matrix_px=220,
        pixel_mm=1.0,
        n_slices=24,
        slice_mm=1.2,
        noise=0.0,
        bias=0.0,
        seed=4,
    )
    image = study.images["t2"]
    k, row, _ = np.rint(image.grid.mm_to_index(np.array([0.0, -6.0, 12.0]))).astype(int)
    columns = np.arange(80, 140)
    is_fluid = image.array[k, row, columns] > 3.0 * image.truth["white_matter_signal"]
    places_mm = image.grid.index_to_mm(
        np.stack([np.full(60, k), np.full(60, row), columns], axis=1)[is_fluid]
    )[:, 0]
    gap = int(np.argmax(np.diff(places_mm)))
    middle_mm = (places_mm[: gap + 1].mean() + places_mm[gap + 1 :].mean()) / 2
    away = -1.0 if study.truth["tumour"]["side"] == "L" else 1.0
    assert middle_mm * away == pytest.approx(study.truth["midline_shift_mm"], abs=1.0)
    assert midline_shift_mm(push_mm) == pytest.approx(study.truth["midline_shift_mm"])
    assert 0.9 * push_mm <= study.truth["midline_shift_mm"] <= push_mm


def test_a_head_without_tumour_has_none(made):
    study = made(whole_mm=0.0, **SMALL)
    assert study.truth["tumour"] is None
    assert study.truth["midline_shift_mm"] == 0.0
    assert not study.images["t1"].masks["whole-tumour"].any()
    assert study.images["t1"].masks["brain"].any()


@pytest.mark.parametrize(
    "trouble",
    [{}, {"flip": True}, {"oblique_deg": 20.0}, {"shuffle": True, "compression": "rle"}, {"gap": (10, 11)}],
)
def test_four_series_are_read_on_the_grid_of_the_truth(tmp_path, trouble):
    study = write_phantom("brain-tumour-mr", tmp_path, trouble=Trouble(**trouble), **SMALL)
    series = {one.description: one for one in read_study(tmp_path).series}
    assert set(series) == {f"Synthetic head {one.description}" for one in SEQUENCES}
    for sequence in SEQUENCES:
        image, truth = series[f"Synthetic head {sequence.description}"].image(), study.images[sequence.name]
        told = {c.code for c in series[f"Synthetic head {sequence.description}"].conditions}
        assert told == ({"slices-missing"} if "gap" in trouble else set())
        rng = np.random.default_rng(0)
        for index in rng.integers((12, 0, 0), truth.grid.shape, (20, 3)):
            at = image.grid.mm_to_index(truth.grid.index_to_mm(index))
            assert np.abs(at - np.rint(at)).max() < 0.02
            assert image.array[tuple(np.rint(at).astype(int))] == truth.array[tuple(index)]
        assert image.grid.frame_of_reference_uid == study.images["t1"].grid.frame_of_reference_uid
        # The middle of the core lies where the truth has the tumour, however the head lies.
        middle_mm = truth.grid.index_to_mm(np.argwhere(truth.masks["tumour-core"])).mean(axis=0)
        assert middle_mm == pytest.approx(study.truth["tumour"]["centre_mm"], abs=6.0)
    assert set(read_masks(tmp_path, "flair")) == set(study.images["flair"].masks)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"core_mm": 50.0}, "core_mm is 50.0, outside 10 to 48"),
        ({"slice_mm": 8.0}, "slice_mm is 8.0, outside 0.8 to 6"),
        ({"matrix_px": 64}, "the head would not fit"),
    ],
)
def test_what_no_such_head_is_is_refused(options, says):
    with pytest.raises(UsageError, match=says):
        BrainTumourMrParameters(**options)
