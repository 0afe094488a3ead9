"""The mammogram phantom: density, texture, noise and specks are what physics and parameters say; sides never swap."""

from __future__ import annotations

import csv
import math
import subprocess
from dataclasses import replace
from itertools import product

import numpy as np
import PIL.Image
import pydicom
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.breast_lesions import FINER, Speck, speck_thickness_mm
from hounsfield.phantoms.breast_shape import BreastView
from hounsfield.phantoms.mammogram import VIEWS, MammogramParameters, make_mammogram
from hounsfield.phantoms.mammogram_view import GLAND_PER_CM, GREY_PER_UNIT, SKIN_MM, ViewMaker
from hounsfield.phantoms.power_law import power_law_field
from hounsfield.phantoms.side_marker import marker
from hounsfield.studies import read_study

COARSE = {"pixel_mm": 0.4}
NAMES = [f"{side}-{view}" for side, view in VIEWS]


@pytest.fixture(scope="module")
def made():
    """Exams by their parameters, each made once."""
    exams = {}

    def made(**options):
        key = tuple(sorted(options.items()))
        if key not in exams:
            exams[key] = make_mammogram(MammogramParameters(**options))
        return exams[key]

    return made


def exponent_of(picture, pixel_mm, low_per_mm=0.15, high_per_mm=0.7):
    """Exponent of the radially averaged power spectrum under a Hann window (Burgess 2001)."""
    window = np.outer(np.hanning(picture.shape[0]), np.hanning(picture.shape[1]))
    power = np.abs(np.fft.fft2((picture - picture.mean()) * window)) ** 2
    frequency = np.hypot(
        *np.meshgrid(*(np.fft.fftfreq(n, pixel_mm) for n in picture.shape), indexing="ij")
    ).ravel()
    edges = np.geomspace(low_per_mm, high_per_mm, 12)
    bins = np.digitize(frequency, edges)
    means = [power.ravel()[bins == k].mean() for k in range(1, 12)]
    slope, _ = np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(means), 1)
    return -slope


@pytest.mark.parametrize("exponent", [2.5, 3.0, 3.5])
def test_texture_has_its_exponent(exponent):
    field = power_law_field(np.random.Generator(np.random.PCG64(1)), (900, 700), 0.2, exponent)
    assert exponent_of(field, 0.2) == pytest.approx(exponent, abs=0.15)
    assert (field.mean(), field.std()) == pytest.approx((0.0, 1.0), abs=1e-3)


def test_exponent_of_the_picture_is_that_of_mammograms(made):
    exam = made(density="c", mass="none", n_calcifications=0, seed=2, photons_per_mm2=5e6)
    found = [
        exponent_of(exam.images[f"{side}-CC"].array[0, 500:1012, 200:712].astype(float), 0.1) for side in "LR"
    ]
    assert 2.6 < np.mean(found) < 3.4  # Burgess 2001: 2.8 on average, 0.4 either way between women


@pytest.mark.slow
@pytest.mark.real_data
def test_exponent_of_the_picture_is_that_of_real_films(made, real_data):
    """127 normal patches of mini-MIAS (0.2 mm) against patches of the same size of four phantoms a density."""
    folder = real_data / "mias_mammography"
    with (folder / "patches.csv").open(encoding="utf-8") as lines:
        normal = [row["file"] for row in csv.DictReader(lines) if row["type"] == "NORM"]
    films = [
        exponent_of(np.asarray(PIL.Image.open(folder / name).convert("L"), dtype=float), 0.2)
        for name in normal
    ]
    phantoms = []
    for seed, density in product(range(4), "abcd"):
        exam = made(seed=seed, density=density, pixel_mm=0.2, mass="none", n_calcifications=0)
        phantoms += [
            exponent_of(exam.images["L-CC"].array[0, row : row + 128, 122:250].astype(float), 0.2)
            for row in (300, 400)
        ]
    assert np.mean(phantoms) == pytest.approx(np.mean(films), abs=0.25)
    assert np.std(phantoms) < np.std(films)


@pytest.mark.parametrize("density", ["a", "b", "c", "d"])
@pytest.mark.parametrize("view", ["CC", "MLO"])
def test_fibroglandular_part_of_the_volume_is_the_density(density, view):
    muscle = (40.0, 0.0) if view == "MLO" else None
    breast = BreastView(view, 74.0, 80.0, 66.0, 50.0, muscle)
    wanted = {"a": 3.0, "b": 6.0, "c": 12.0, "d": 25.0}[density]
    maker = ViewMaker(
        MammogramParameters(**COARSE), "L", breast, wanted, np.random.Generator(np.random.PCG64(3))
    )
    inside_mm = breast.inside_mm(maker.depth, maker.height)
    thickness_mm = breast.thickness_at(inside_mm)
    muscle_mm = breast.muscle_inside_mm(maker.depth, maker.height)
    gland = maker.gland(inside_mm, thickness_mm, muscle_mm)
    # Without what blurs in from muscle: where it begins, tissue counts as both.
    counted = (inside_mm > SKIN_MM) & (muscle_mm < -1.0)
    found = 100 * (gland * thickness_mm)[counted].sum() / thickness_mm[counted].sum()
    assert found == pytest.approx(wanted, rel=0.01)


def test_denser_breasts_are_whiter(made):
    greys = []
    for density in "abcd":
        image = made(density=density, **COARSE).images["R-CC"]
        greys.append(image.array[image.masks["breast"]].mean())
    assert greys == sorted(greys)
    assert greys[3] - greys[0] > 100


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", [1, 2])
def test_side_and_view_can_be_read_from_the_picture(made, name, seed):
    """The chest wall lies where the side has it, and the letters are not mirrored."""
    image = made(seed=seed, **COARSE).images[name]
    breast, side = image.masks["breast"][0], image.truth["side"]
    wall, front = breast[:, -1 if side == "R" else 0], breast[:, 0 if side == "R" else -1]
    assert wall.mean() > 0.5
    assert not front.any()
    assert (image.truth["nipple_px"][1] < breast.shape[1] / 2) == (side == "R")
    letters = marker(name.replace("-", " "), round(5.0 / 0.4))
    top = image.array[0, : letters.shape[0] + 20]
    spots = np.argwhere(top == 3600)
    (row, column), (last_row, last_column) = spots.min(axis=0), spots.max(axis=0)
    drawn = top[row : last_row + 1, column : last_column + 1] == 3600
    assert (column > breast.shape[1] / 2) == (side == "L")
    assert np.array_equal(drawn, letters)
    assert not np.array_equal(drawn[:, ::-1], letters)


def test_a_finding_lies_as_far_behind_the_nipple_in_both_views(made):
    exam = made(**COARSE)
    for name in ("L-CC", "L-MLO"):
        truth = exam.images[name].truth
        behind_mm = abs(truth["mass"]["centre_px"][1] - truth["nipple_px"][1]) * 0.4
        assert behind_mm == pytest.approx(exam.truth["mass"]["from_nipple_mm"]["behind"])
        at = np.rint(truth["mass"]["centre_px"]).astype(int)
        assert exam.images[name].masks["mass"][0][tuple(at)]
    assert exam.images["R-CC"].truth["mass"] is None
    assert "mass" not in exam.images["R-MLO"].masks


@pytest.mark.parametrize("margin", ["round", "spiculated"])
def test_core_of_a_mass_has_its_area(made, margin):
    image = made(mass=margin, mass_diameter_mm=16.0, pixel_mm=0.2).images["L-CC"]
    area_mm2 = image.masks["mass"].sum() * 0.2**2
    assert area_mm2 == pytest.approx(math.pi * 8.0**2, rel=0.01)


def test_spicules_reach_beyond_the_core(made):
    """Against the same breast without the mass, what is brighter around a spiculated core and not around a round one."""
    options = {"pixel_mm": 0.2, "photons_per_mm2": 1e7, "density": "a"}
    plain = made(mass="none", **options).images["L-CC"].array[0].astype(float)

    def ring_grey(margin):
        image = made(mass=margin, **options).images["L-CC"]
        rows, columns = np.indices(image.array.shape[1:])
        row, column = image.truth["mass"]["centre_px"]
        reach_mm = np.hypot(rows - row, columns - column) * 0.2
        ring = (reach_mm > 9.0) & (reach_mm < 11.0)
        return (image.array[0] - plain)[ring].mean()

    assert ring_grey("spiculated") > ring_grey("round") + 8.0
    assert ring_grey("round") == pytest.approx(0.0, abs=1.0)


def test_thickness_of_a_speck_adds_up_to_its_volume():
    speck = Speck((0.0, 0.0, 0.0), (0.21, 0.15, 0.15), 0.4)
    for at in ((40.0, 40.0), (40.37, 39.81)):
        _, thickness = speck_thickness_mm((80, 80), 0.1, speck, at)
        assert thickness.sum() * 0.1**2 == pytest.approx(4 / 3 * math.pi * 0.21 * 0.15 * 0.15, rel=0.03)
    assert FINER >= 4


def test_specks_absorb_as_much_as_their_volume_does(made):
    """The logarithm, summed over a speck against the same breast without: attenuation x volume / area of a pixel."""
    options = {"photons_per_mm2": 1e7, "mass": "none", "seed": 4}
    with_specks, without = made(n_calcifications=12, **options), made(n_calcifications=0, **options)
    difference = with_specks.images["R-CC"].array[0].astype(float) - without.images["R-CC"].array[0]
    per_mm = (with_specks.truth["cluster"]["attenuation_per_cm"] - GLAND_PER_CM) / 10.0
    specks = with_specks.images["R-CC"].truth["specks"]
    found, wanted = [], []
    for speck in specks:
        row, column = np.rint(speck["centre_px"]).astype(int)
        others = [
            np.hypot(*(np.array(one["centre_px"]) - speck["centre_px"])) for one in specks if one is not speck
        ]
        if min(others) > 12:  # pixels
            patch = difference[row - 6 : row + 7, column - 6 : column + 7]
            found.append(patch.sum() / GREY_PER_UNIT)
            wanted.append(per_mm * math.pi / 6 * speck["diameter_mm"] ** 3 / 0.1**2)
    assert len(found) >= 4
    # Blur acts on photons, not on their logarithm: a dense speck loses a few percent.
    assert sum(found) == pytest.approx(sum(wanted), rel=0.10)


def test_specks_lie_at_the_same_millimetres_whatever_the_pixel(made):
    fine, coarse = made(pixel_mm=0.1).images["R-MLO"].truth, made(pixel_mm=0.2).images["R-MLO"].truth
    for one, other in zip(fine["specks"], coarse["specks"], strict=True):
        assert np.array(one["centre_px"]) * 0.1 == pytest.approx(np.array(other["centre_px"]) * 0.2, abs=0.11)
    assert all(0.09 < one["diameter_mm"] < 0.51 for one in fine["specks"])


def test_noise_is_that_of_the_photons(made):
    """Difference of two exposures of the same breast: the variance of a logarithm of n photons is 1/n."""
    few, many = (made(mass="none", n_calcifications=0, photons_per_mm2=n, pixel_mm=0.2) for n in (5e5, 1e7))
    difference = few.images["L-CC"].array[0].astype(float) - many.images["L-CC"].array[0]
    middle = few.images["L-CC"].masks["breast"][0][300:500, 50:250]
    assert middle.all()
    # Photons are as chosen behind the average of the full thickness; this part is near it.
    expected = GREY_PER_UNIT * math.sqrt((1 / 5e5 + 1 / 1e7) / 0.2**2)
    assert difference[300:500, 50:250].std() == pytest.approx(expected, rel=0.10)


def test_the_same_exam_as_three_vendors_store_it(made):
    plain, inverted, sigmoid = (made(vendor=v, **COARSE) for v in ("plain", "inverted", "sigmoid"))
    for name in NAMES:
        one = plain.images[name]
        np.testing.assert_array_equal(4095 - inverted.images[name].array, one.array)
        breast = one.masks["breast"]
        np.testing.assert_array_equal(sigmoid.images[name].array[breast], one.array[breast])
        assert np.median(one.array[~breast]) == 0 < np.median(sigmoid.images[name].array[~breast])


@pytest.mark.parametrize("vendor", ["plain", "inverted", "sigmoid"])
def test_it_is_read_with_view_and_side(tmp_path, vendor):
    exam = write_phantom("mammogram", tmp_path, vendor=vendor, **COARSE)
    series = {f"{one.tags['Side']}-{one.tags['View']}": one for one in read_study(tmp_path).series}
    assert set(series) == set(NAMES)
    for name, one in series.items():
        image = one.image()
        np.testing.assert_array_equal(image.array, exam.images[name].array)
        assert image.plane_spacing.kind == "detector"
        assert image.plane_spacing.row_mm == pytest.approx(0.4)
        assert {c.code for c in one.conditions} - {"monochrome1"} == {"spacing-uncalibrated"}


@pytest.mark.peer
@pytest.mark.parametrize("vendor", ["inverted", "sigmoid"])
def test_dciodvfy_finds_no_error_whatever_the_vendor(tmp_path, vendor, peer_program):
    write_phantom("mammogram", tmp_path, vendor=vendor, **COARSE)
    for path in sorted((tmp_path / "dicom").iterdir()):
        done = subprocess.run(
            [peer_program("dciodvfy"), str(path)], capture_output=True, check=False, timeout=60
        )
        lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
        assert [line for line in lines if line.startswith("Error")] == [], path.name
    assert pydicom.dcmread(path).BitsStored == 12


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n_calcifications": 1}, "a cluster has 2 or more; give 0 for none"),
        ({"density": "e"}, "choose one of a, b, c, d"),
        ({"pixel_mm": 0.6}, "pixel_mm is 0.6, outside 0.05 to 0.4"),
    ],
)
def test_what_no_mammogram_shows_is_refused(options, says):
    with pytest.raises(UsageError, match=says):
        replace(MammogramParameters(), **options)
