"""The lung application on phantoms: known numbers, every refusal and warning, nothing taken for granted."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.small_chest import MATRIX_PX, N_SLICES, chest

import hounsfield
from hounsfield.applications.lung_ct import extent_warnings, is_sharp, lung_regions, read_lung_ct
from hounsfield.core import Grid, Image, Inputs, Series, Study
from hounsfield.imaging.lungs import LEFT, RIGHT, LungSegmentation, segment_lungs
from hounsfield.phantoms import ChestCtParameters, Trouble, make_chest_ct, write_phantom

UNENHANCED = {
    "ContrastBolusAgent": "NONE",
    "ConvolutionKernel": "STANDARD",
    "SliceThickness": 1.0,
    "KVP": 120.0,
}
SIDES = ("right-lung", "left-lung")


def read(array, grid, **tags):
    """The reading of a series; a tag given as None is left out."""
    image = Image(array, grid, "HU")
    stated = {name: value for name, value in {**UNENHANCED, **tags}.items() if value is not None}
    series = Series(
        "ct",
        "image",
        "CT",
        unit="HU",
        grid=grid,
        tags=stated,
        files=("ct-001.dcm", "ct-002.dcm"),
        load_image=lambda: image,
    )
    return read_lung_ct(Inputs(Study("study", (series,)), {"thorax": series}))


def codes(reading):
    return {condition.code for condition in reading.conditions}


def values(reading, side):
    return {m.name: m.value for m in reading.measurements if m.regions == (side,)}


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "fraction"), [(1, 0.12), (2, 0.03), (4, 0.30), (5, 0.0)])
def test_chosen_emphysema_comes_back_within_half_a_point(seed, fraction):
    phantom = make_chest_ct(
        ChestCtParameters(seed=seed, n_slices=120, matrix_px=256, emphysema_fraction=fraction)
    )
    reading = read(phantom.array, phantom.grid, SliceThickness=1.0)
    assert reading.status == "complete"
    found = {side: values(reading, side) for side in SIDES}
    volume = {side: found[side]["volume"] for side in SIDES}
    both = sum(found[side]["laa-950"] * volume[side] for side in SIDES) / sum(volume.values())
    assert both == pytest.approx(100 * fraction, abs=0.5)
    for side in SIDES:
        truth = phantom.truth[side]
        assert volume[side] == pytest.approx(truth["volume_ml"], rel=0.01)
        assert found[side]["mean-density"] == pytest.approx(truth["mean_hu"], abs=6.0)
        assert found[side]["laa-950"] == pytest.approx(truth["laa_950_percent"], abs=0.6)


def test_numbers_are_those_of_the_mask_that_is_given_out():
    phantom = chest()
    reading = read(phantom.array, phantom.grid)
    for region in reading.regions:
        inside = phantom.array[region.mask].astype(float)
        found = values(reading, region.name)
        assert found["volume"] == pytest.approx(inside.size * phantom.grid.voxel_volume_mm3 / 1000)
        assert found["mean-density"] == pytest.approx(inside.mean())


def test_laterality_follows_the_patient():
    phantom = chest()
    reading = read(phantom.array, phantom.grid)
    for region in reading.regions:
        x_mm = phantom.grid.index_to_mm(np.argwhere(region.mask)).mean(axis=0)[0]
        assert (x_mm > 0) == (region.laterality.meaning == "Left")


@cache
def thin_chest():
    """Array and grid of a phantom said to be 2 mm apart, and its lungs."""
    phantom = chest()
    affine = np.array(phantom.grid.affine)
    affine[:3, 0] *= 2.0 / phantom.grid.spacing_mm[0]
    grid = Grid(phantom.array.shape, affine)
    return phantom.array, grid, segment_lungs(phantom.array, grid)


def shown_as_thin(**tags):
    """A reading of it in which only `tags` stand in the way of an index; the lungs are found once for all."""
    array, grid, lungs = thin_chest()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hounsfield.imaging.lungs.segment_lungs", lambda *_: lungs)
        return read(array, grid, **tags)


def test_a_well_described_series_leaves_nothing_to_say():
    reading = shown_as_thin()
    assert codes(reading) == {"slices-thick"}
    assert set(values(reading, "left-lung")) == {"volume", "mean-density", "laa-950", "laa-910", "perc15"}


@pytest.mark.parametrize(
    ("tags", "word"),
    [
        ({"ContrastBolusAgent": "Iohexol 300"}, "contrast"),
        ({"SliceThickness": 5.0}, "5 mm"),
        ({"ConvolutionKernel": "B70f"}, "B70F"),
        ({"ConvolutionKernel": ("BONEPLUS", "3")}, "BONEPLUS"),
    ],
)
def test_indices_are_left_out_where_they_are_not_valid(tags, word):
    reading = shown_as_thin(**tags)
    (refusal,) = [c for c in reading.conditions if c.code == "lung-density-invalid"]
    assert word in refusal.text
    assert refusal.instances == ("ct-001.dcm",)
    assert set(values(reading, "left-lung")) == {"volume", "mean-density"}
    assert reading.status == "complete"


def test_every_reason_is_told_not_only_the_first():
    reading = shown_as_thin(ContrastBolusAgent="Iohexol", SliceThickness=5.0, ConvolutionKernel="FC52")
    assert [c.code for c in reading.conditions].count("lung-density-invalid") == 3


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"ContrastBolusAgent": None}, "contrast-unstated"),
        ({"ConvolutionKernel": None}, "kernel-unstated"),
        ({"SliceThickness": None}, "thickness-unstated"),
        ({"KVP": 80.0}, "tube-voltage"),
        ({"SliceThickness": 2.5}, "slices-thick"),
    ],
)
def test_what_is_unstated_or_unusual_is_told_and_does_not_refuse(tags, code):
    reading = shown_as_thin(**tags)
    assert code in codes(reading)
    assert "laa-950" in values(reading, "left-lung")


def test_shifted_calibration_shows_in_the_trachea():
    phantom = chest()
    assert "air-off-calibration" in codes(read(phantom.array + np.int16(60), phantom.grid))
    assert "air-off-calibration" not in codes(read(phantom.array, phantom.grid))


def test_cut_lung_makes_the_reading_partial_and_its_volume_stays_what_is_imaged():
    phantom = chest()
    array = phantom.array[:35]
    reading = read(array, Grid(array.shape, phantom.grid.affine))
    assert reading.status == "partial"
    (cut,) = [c for c in reading.conditions if c.code == "lung-cut-off"]
    assert "head" in cut.text
    assert "feet" not in cut.text
    for region in reading.regions:
        true_ml = phantom.masks[region.name][:35].sum() * phantom.grid.voxel_volume_mm3 / 1000
        assert values(reading, region.name)["volume"] == pytest.approx(true_ml, rel=0.02)


def test_a_single_lung_is_measured_and_told():
    phantom = chest()
    array = phantom.array.copy()
    array[phantom.masks["left-lung"]] = 30
    reading = read(array, phantom.grid)
    assert [region.name for region in reading.regions] == ["right-lung"]
    assert "one-lung" in codes(reading)


def test_lung_at_the_sides_of_the_image_is_told_and_does_not_count_as_absent():
    phantom = chest()
    array = np.ascontiguousarray(phantom.array[:, :, 40:])
    reading = read(array, Grid(array.shape, phantom.grid.affine))
    assert reading.status == "partial"
    texts = {condition.code: condition.text for condition in reading.conditions}
    assert "slices in which lung reaches the edge hold none of it" in texts["lung-cut-at-side"]
    assert "is cut by the image's edge" in texts.get("one-lung", "is cut by the image's edge")


@pytest.mark.parametrize(
    ("found", "n_regions", "expected"),
    [
        ({}, 2, {}),
        ({"cut_at_head": True}, 2, {"lung-cut-off": "end towards the head:"}),
        (
            {"cut_at_head": True, "cut_at_feet": True},
            2,
            {"lung-cut-off": "end towards the head and end towards the feet:"},
        ),
        ({"cut_at_side": True}, 2, {"lung-cut-at-side": "at its side"}),
        ({}, 1, {"one-lung": "Only the right lung was found; the other side holds no aerated lung."}),
        (
            {"cut_at_side": True},
            1,
            {"lung-cut-at-side": "", "one-lung": "is cut by the image's edge or holds"},
        ),
        ({"separated_by_plane": True}, 2, {"lungs-cut-in-midline": "cut in the midline"}),
    ],
)
def test_what_is_missing_of_the_lungs_is_told_each_by_its_code(found, n_regions, expected):
    grid = Grid((1, 1, 2), np.eye(4))
    labels = np.array([[[RIGHT, LEFT if n_regions == 2 else 0]]], dtype=np.uint8)
    segmentation = LungSegmentation(labels, **found)
    regions = lung_regions(Image(np.zeros(grid.shape, np.int16), grid, "HU"), segmentation)
    told = {condition.code: condition.text for condition in extent_warnings(segmentation, regions)}
    assert told.keys() == expected.keys()
    assert all(words in told[code] for code, words in expected.items())


def test_a_body_without_lungs_is_refused_by_name():
    phantom = chest()
    array = np.full(phantom.array.shape, -1000, dtype=np.int16)
    array[:, 30:100, 20:110] = 40
    reading = read(array, phantom.grid)
    assert reading.status == "refused"
    assert codes(reading) == {"no-lung-found"}
    assert not reading.measurements


@pytest.mark.parametrize(
    ("kernel", "sharp"),
    [
        *[(k, True) for k in ("BONE", "LUNG", "EDGE", "B60F", "B80S", "BR64", "FC50", "FC81")],
        *[(k, False) for k in ("STANDARD", "SOFT", "B30F", "B45F", "BR40", "FC08", "FC13", "")],
    ],
)
def test_kernels_that_enhance_edges_are_known_by_name(kernel, sharp):
    assert is_sharp(kernel) is sharp


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (Trouble(flip=True), "complete"),
        (Trouble(shuffle=True), "complete"),
        (Trouble(enhanced=True), "complete"),
        (Trouble(oblique_deg=10.0), "complete"),
        # A tilted scan of the same length cuts the lungs at front and back.
        (Trouble(tilt_deg=12.0), "partial"),
        (Trouble(gap=(28, 29)), "partial"),
    ],
    ids=["flip", "shuffle", "enhanced", "oblique", "tilt", "gap"],
)
def test_trouble_in_the_files_changes_no_number(tmp_path, monkeypatch, trouble, status):
    monkeypatch.setattr(
        "hounsfield.phantoms.kinds.chest_ct.make_chest_ct",
        lambda *_, tilt_deg, **__: chest(tilt_deg=tilt_deg),
    )
    phantom = write_phantom("chest-ct", tmp_path, n_slices=N_SLICES, matrix_px=MATRIX_PX, trouble=trouble)
    (reading,) = hounsfield.read(tmp_path, applications=["lung_ct"])
    assert reading.status == status, codes(reading)
    imaged = [k for k in range(N_SLICES) if k not in trouble.left_out(N_SLICES)]
    for side in SIDES:
        true_ml = phantom.masks[side][imaged].sum() * phantom.grid.voxel_volume_mm3 / 1000
        assert values(reading, side)["volume"] == pytest.approx(true_ml, rel=0.02)
