"""The nodule phantom: descriptors that the rule takes, dimensions that the pixels have, echoes in their order."""

from __future__ import annotations

import math

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from hounsfield.core.errors import UsageError
from hounsfield.measures import TiradsInputs, acr_tirads_2017
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.nodule_us import PIXEL_MM, RANGE_DB, UsNoduleParameters, make_us_nodule
from hounsfield.phantoms.soft_tissue_layers import MUSCLE_DB
from hounsfield.studies import read_study

CYST = {"composition": "cystic", "echogenicity": "anechoic"}


@pytest.fixture(scope="module")
def made():
    """Studies by their parameters, each made once."""
    studies = {}

    def made(**options):
        key = tuple(sorted(options.items()))
        if key not in studies:
            studies[key] = make_us_nodule(UsNoduleParameters(**options))
        return studies[key]

    return made


# Descriptors, points by the table of ACR TI-RADS summed by hand, and level.
CASES = [
    ({}, 2 + 2, "TR4"),
    ({"echogenicity": "isoechoic"}, 2 + 1, "TR3"),
    ({"composition": "mixed", "echogenicity": "isoechoic"}, 1 + 1, "TR2"),
    ({"composition": "spongiform"}, 0, "TR1"),
    (CYST, 0, "TR1"),
    ({"shape": "taller", "margin": "lobulated_irregular"}, 2 + 2 + 3 + 2, "TR5"),
    (
        {"margin": "extrathyroidal", "foci": ("punctate",), "echogenicity": "very_hypoechoic"},
        2 + 3 + 3 + 3,
        "TR5",
    ),
    ({"margin": "ill_defined", "foci": ("peripheral", "macrocalcification")}, 2 + 2 + 0 + 2 + 1, "TR5"),
]


@pytest.mark.parametrize(("descriptors", "points", "level"), CASES)
def test_descriptors_of_the_truth_give_their_points(made, descriptors, points, level):
    truth = made(**descriptors).truth
    said = {**truth["descriptors"], "foci": tuple(truth["descriptors"]["foci"])}
    outcome = acr_tirads_2017(
        TiradsInputs(**said, maximum_cm=truth["maximum_cm"], dimensions_cm=tuple(truth["dimensions_cm"]))
    )
    values = {one.name: one.value for one in outcome.measurements}
    assert values["tirads-points"] == points
    assert outcome.category("tirads-level") == level
    assert any(v == pytest.approx(truth["volume_ml"], rel=1e-6) for v in values.values())


@pytest.mark.parametrize("margin", ["smooth", "ill_defined", "lobulated_irregular", "extrathyroidal"])
def test_masks_have_the_area_of_their_axes(made, margin):
    study = made(margin=margin, largest_mm=15.0)
    across = {"transverse": 0, "longitudinal": 2}
    for plane, image in study.images.items():
        sizes_mm = [10 * cm for cm in study.truth["dimensions_cm"]]
        wanted_mm2 = math.pi / 4 * sizes_mm[across[plane]] * sizes_mm[1]
        assert image.masks["nodule"].sum() * PIXEL_MM**2 == pytest.approx(wanted_mm2, rel=0.01)
        assert ndimage.label(image.masks["nodule"])[1] == 1


@pytest.mark.parametrize(("shape", "is_taller"), [("wider", False), ("taller", True)])
def test_shape_is_that_of_the_transverse_plane(made, shape, is_taller):
    study = made(shape=shape, largest_mm=14.0)
    _, rows, columns = ndimage.find_objects(study.images["transverse"].masks["nodule"].astype(int))[0]
    assert ((rows.stop - rows.start) > (columns.stop - columns.start)) == is_taller
    assert study.truth["maximum_cm"] == pytest.approx(1.4)


def level_db(image, where):
    """Mean display level there, in decibels below white."""
    return float(image.array[where].mean()) / 255 * RANGE_DB - RANGE_DB


def inside_and_beside(image):
    core = ndimage.binary_erosion(image.masks["nodule"], iterations=12, structure=np.ones((1, 3, 3)))
    _, rows, _ = ndimage.find_objects(image.masks["nodule"].astype(int))[0]
    beside = np.zeros_like(core)
    beside[:, rows] = ~ndimage.binary_dilation(image.masks["nodule"], iterations=12)[:, rows]
    # Gland only: the middle 24 mm of the lobe.
    middle = image.array.shape[2] // 2
    beside[:, :, : middle - 150] = beside[:, :, middle + 150 :] = False
    return core, beside


@pytest.mark.parametrize(
    ("echogenicity", "difference_db"),
    [("hyperechoic", 6.0), ("isoechoic", 0.0), ("hypoechoic", -9.0), ("very_hypoechoic", -17.0)],
)
def test_echo_of_a_solid_nodule_against_the_gland(made, echogenicity, difference_db):
    image = made(echogenicity=echogenicity, largest_mm=14.0, seed=2).images["longitudinal"]
    core, beside = inside_and_beside(image)
    assert level_db(image, core) - level_db(image, beside) == pytest.approx(difference_db, abs=1.0)
    # By definition: very hypoechoic is darker than strap muscle, hypoechoic is not. Log speckle lies 2.5 dB lower.
    is_darker = level_db(image, core) < MUSCLE_DB - 2.5 - 1.0
    assert is_darker == (echogenicity == "very_hypoechoic")


def test_a_cyst_is_black_and_tissue_behind_it_bright(made):
    image = made(**CYST, subject="breast", largest_mm=10.0, seed=4).images["transverse"]
    core, _ = inside_and_beside(image)
    assert level_db(image, core) < -45.0
    row, column = (int(v) for v in image.truth["centre_px"])
    half_y, half_x = (int(v) for v in image.truth["half_axes_px"])
    behind = image.array[0, row + half_y + 8 : row + half_y + 24, column - half_x // 2 : column + half_x // 2]
    aside = image.array[0, row + half_y + 8 : row + half_y + 24, column + half_x + 20 : column + 2 * half_x]
    assert behind.mean() > aside.mean() + 10


def test_a_macrocalcification_casts_a_shadow_and_specks_do_not(made):
    for foci, has_shadow in ((("macrocalcification",), True), (("punctate",), False)):
        image = made(foci=foci, largest_mm=14.0, seed=3).images["longitudinal"]
        row, _ = image.truth["centre_px"]
        bottom = int(row + image.truth["half_axes_px"][0])
        columns = slice(int(image.truth["centre_px"][1]) - 80, int(image.truth["centre_px"][1]) + 80)
        below = ndimage.uniform_filter1d(image.array[0, bottom + 8 : bottom + 50, columns].mean(axis=0), 9)
        assert (below.min() < below.mean() - 40) == has_shadow


def test_an_ill_defined_border_is_wider_than_a_smooth_one(made):
    def width_px(margin):
        """From a quarter to three quarters of the step, averaged along the border."""
        image = made(margin=margin, echogenicity="very_hypoechoic", largest_mm=16.0, seed=5).images[
            "longitudinal"
        ]
        mask = image.masks["nodule"][0]
        inward = ndimage.distance_transform_edt(mask) - ndimage.distance_transform_edt(~mask)
        places = np.arange(-37, 38, 2)
        greys = np.array([image.array[0][np.abs(inward - at) < 1.0].mean() for at in places])
        low, high = greys[-6:].mean(), greys[:6].mean()
        part = (greys - low) / (high - low)
        return np.interp(-0.25, -part, places) - np.interp(-0.75, -part, places)

    assert width_px("ill_defined") > 2.0 * width_px("smooth")


def test_callipers_are_burned_in_at_the_ends_of_the_axes_and_nowhere_else(tmp_path, made):
    plain, marked = made(), write_phantom("us-nodule", tmp_path, callipers=True)
    image = marked.images["transverse"]
    row, column = image.truth["centre_px"]
    down, right = image.truth["half_axes_px"]
    changed = image.array[0] != plain.images["transverse"].array[0]
    for y, x in ((row + down, column), (row - down, column), (row, column + right), (row, column - right)):
        assert image.array[0, round(y), round(x)] == 255
        changed[round(y) - 8 : round(y) + 9, round(x) - 8 : round(x) + 9] = False
    assert not changed.any()
    for path in (tmp_path / "dicom").iterdir():
        assert pydicom.dcmread(path).BurnedInAnnotation == "YES"


@pytest.mark.parametrize("subject", ["thyroid", "breast"])
def test_it_is_read_with_its_calibrated_region(tmp_path, subject):
    study = write_phantom("us-nodule", tmp_path, subject=subject)
    series = {one.description.split()[-1]: one for one in read_study(tmp_path).series}
    assert set(series) == {"transverse", "longitudinal"}
    for plane, one in series.items():
        image = one.image()
        assert not one.conditions
        np.testing.assert_array_equal(image.array, study.images[plane].array)
        assert image.plane_spacing.row_mm == image.plane_spacing.column_mm == pytest.approx(PIXEL_MM)
        first_row, last_row, first_column, last_column = study.images[plane].truth["region_box_yx"]
        [region] = one.tags["UltrasoundRegions"]
        assert region["box_yx"] == (first_row, first_column, last_row, last_column)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"echogenicity": "anechoic"}, "anechoic and cystic go together"),
        ({"foci": ("none", "punctate")}, "give foci, or `none` alone"),
        ({"margin": "spiculated"}, "a spiculated margin is for the breast"),
        ({"subject": "breast", "margin": "extrathyroidal"}, "is for the thyroid"),
        ({"shape": "taller", "largest_mm": 22.0}, "outside 4 to 18"),
        ({"foci": ("rim",)}, "foci is 'rim'; choose one of none, comet_tail"),
    ],
)
def test_what_no_nodule_is_is_refused(options, says):
    with pytest.raises(UsageError, match=says):
        UsNoduleParameters(**options)
