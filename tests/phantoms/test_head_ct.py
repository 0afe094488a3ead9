"""The head CT phantom: volumes, midline, HU, noise and blur are those that its truth states, and the rules find them."""

from __future__ import annotations

import json
import math
import subprocess
from functools import cache

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.measures.abc2 import HaemorrhageLengths, abc2
from hounsfield.measures.midline_shift import SeptumAndInnerTable, midline_shift
from hounsfield.phantoms import Trouble, write_phantom
from hounsfield.phantoms.ct_scanner import KERNELS, noise_gain
from hounsfield.phantoms.head_anatomy import MONRO_Y_MM
from hounsfield.phantoms.head_ct import HeadCtParameters, make_head_ct
from hounsfield.phantoms.truth_files import read_masks
from hounsfield.studies import read_study

SMALL = {"matrix_px": 128, "noise_hu": 0.0}
KINDS = ("intraparenchymal", "subdural", "epidural", "subarachnoid", "intraventricular")


@cache
def head(**parameters):
    return make_head_ct(HeadCtParameters(**{**SMALL, **parameters}))


def voxel_ml(phantom):
    return phantom.grid.voxel_volume_mm3 / 1000


@pytest.mark.parametrize("kind", KINDS)
def test_blood_has_the_volume_that_was_asked_for(kind):
    phantom = head(bleed=kind, bleed_ml=12.0, seed=4)
    bleed = phantom.truth["bleed"]
    assert bleed["volume_ml"] == 12.0
    assert bleed["counted_volume_ml"] == pytest.approx(12.0, rel=0.005)
    assert sum(bleed["slice_areas_cm2"]) * bleed["slice_spacing_cm"] == pytest.approx(12.0, rel=0.005)
    assert phantom.masks["bleed"].sum() * voxel_ml(phantom) == pytest.approx(bleed["mask_volume_ml"])
    # A thin sheet fills many voxels by less than half.
    assert bleed["mask_volume_ml"] == pytest.approx(12.0, rel=0.05 if kind == "intraparenchymal" else 0.3)


@pytest.mark.parametrize(("ml", "matrix_px"), [(1.0, 128), (5.0, 64), (60.0, 64)])
def test_small_bleeds_and_large_pixels_keep_the_volume(ml, matrix_px):
    assert head(bleed_ml=ml, matrix_px=matrix_px).truth["bleed"]["counted_volume_ml"] == pytest.approx(
        ml, rel=0.01
    )


@pytest.mark.parametrize("kind", KINDS)
def test_blood_lies_where_its_name_says(kind):
    phantom, without = head(bleed=kind, bleed_ml=12.0, side="right"), head(bleed_ml=0.0, side="right")
    blood = phantom.masks["bleed"]
    assert not (blood & ~phantom.masks["intracranial"]).any()
    x_mm = phantom.grid.index_to_mm(np.argwhere(blood))[:, 0]
    table_mm = ndimage.distance_transform_edt(without.masks["intracranial"], phantom.grid.spacing_mm)[blood]
    if kind in {"subdural", "epidural"}:
        assert x_mm.max() < 0
        assert np.median(table_mm) < 9.0
    if kind == "intraparenchymal":
        assert x_mm.max() < 0
        assert table_mm.min() > 3.0
    if kind == "subarachnoid":
        assert (blood & without.masks["csf"]).sum() > 0.8 * blood.sum()
    if kind == "intraventricular":
        assert (blood & without.masks["ventricles"]).sum() > 0.8 * blood.sum()


# Of an ellipsoid the sections above 75 % of the largest lie within half its height, those from 25 % on within
# sqrt(3)/2 of it: C counts (1 + sqrt(3)) / 4 of the height, and A B C / 2 that part of 3 / pi of the volume.
KOTHARI_OF_AN_ELLIPSOID = 3 / math.pi * (1 + math.sqrt(3)) / 4


@pytest.mark.parametrize("seed", range(1, 4))
def test_ellipsoid_follows_its_formula_and_abc2_finds_what_it_must(seed):
    thin = {"n_slices": 80, "thickness_mm": 1.25}
    bleed = head(seed=seed, bleed_ml=35.0, **thin).truth["bleed"]
    assert 4 / 3 * math.pi * math.prod(bleed["half_axes_mm"]) / 1000 == pytest.approx(35.0, rel=1e-9)
    assert bleed["abc2_of_axes_ml"] == pytest.approx(35.0 * 3 / math.pi, rel=1e-9)
    lengths = HaemorrhageLengths(
        a_cm=bleed["a_cm"],
        b_cm=bleed["b_cm"],
        slice_areas_cm2=tuple(bleed["slice_areas_cm2"]),
        slice_spacing_cm=bleed["slice_spacing_cm"],
    )
    found = {m.name: m.value for m in abc2(lengths).measurements}
    assert found["c"] * 10 == pytest.approx(bleed["half_axes_mm"][2] * (1 + math.sqrt(3)) / 2, abs=1.3)
    assert found["abc2-volume"] == pytest.approx(35.0 * KOTHARI_OF_AN_ELLIPSOID, rel=0.05)


def test_lengths_of_the_truth_are_those_of_the_mask():
    phantom = head(bleed_ml=40.0, matrix_px=256)
    bleed, mask = phantom.truth["bleed"], phantom.masks["bleed"]
    section = mask[int(np.argmax(bleed["slice_areas_cm2"]))]
    points = np.argwhere(section) * phantom.grid.spacing_mm[1]
    angles = np.radians(np.arange(0.0, 180.0, 2.0))
    widths = [np.ptp(points @ np.array([np.sin(a), np.cos(a)])) for a in angles]
    longest = int(np.argmax(widths))
    assert widths[longest] / 10 == pytest.approx(bleed["a_cm"], abs=0.2)
    assert widths[(longest + 45) % 90] / 10 == pytest.approx(bleed["b_cm"], abs=0.2)


def measured_midline(phantom):
    """Inner-table width and distance of the septum from the right table, in mm, from the masks alone."""
    k = int(
        np.argmin(np.abs(phantom.grid.index_to_mm(np.argwhere(np.ones((phantom.grid.shape[0], 1, 1))))[:, 2]))
    )
    pixel_mm = phantom.grid.spacing_mm[2]
    j = int(np.rint(phantom.grid.mm_to_index(np.array([0.0, MONRO_Y_MM, 0.0]))[1]))
    inside = np.flatnonzero(phantom.masks["intracranial"][k, j])
    horns, n = ndimage.label(phantom.masks["ventricles"][k, j])
    assert n == 2, "the septum parts two frontal horns"
    septum = (np.flatnonzero(horns == 1).max() + np.flatnonzero(horns == 2).min()) / 2
    width_mm = (inside.max() - inside.min() + 1) * pixel_mm
    # Columns run towards the patient's left: the right table comes first.
    return width_mm, (septum - inside.min() + 0.5) * pixel_mm


@pytest.mark.parametrize(("shift_mm", "side"), [(0.0, "left"), (3.0, "left"), (6.0, "right"), (10.0, "left")])
def test_septum_deviates_by_the_shift_away_from_the_side(shift_mm, side):
    phantom = head(shift_mm=shift_mm, side=side, matrix_px=256, n_slices=55, thickness_mm=2.5, bleed_ml=5.0)
    truth, pixel_mm = phantom.truth["midline"], phantom.grid.spacing_mm[2]
    width_mm, distance_mm = measured_midline(phantom)
    assert width_mm == pytest.approx(truth["inner_table_width_mm"], abs=1.5 * pixel_mm)
    assert distance_mm == pytest.approx(truth["inner_table_to_septum_mm"], abs=1.5 * pixel_mm)
    of_masks = midline_shift(
        SeptumAndInnerTable(inner_table_width_mm=width_mm, inner_table_to_septum_mm=distance_mm)
    )
    assert of_masks.measurements[0].value == pytest.approx(shift_mm, abs=pixel_mm)
    of_truth = midline_shift(
        SeptumAndInnerTable(
            inner_table_width_mm=truth["inner_table_width_mm"],
            inner_table_to_septum_mm=truth["inner_table_to_septum_mm"],
        )
    )
    assert of_truth.measurements[0].value == pytest.approx(shift_mm, abs=1e-4)
    assert of_truth.categories[0].value == ("above 5 mm" if shift_mm > 5 else "not above 5 mm")
    assert truth["towards"] == ("none" if shift_mm == 0 else {"left": "right", "right": "left"}[side])


def test_a_rotated_head_keeps_its_shift_and_the_rule_refuses_it():
    truth = head(rotation_deg=8.0).truth["midline"]
    places = {name: np.array(truth[f"{name}_inner_table"]["centre_mm"]) for name in ("left", "right")}
    septum = np.array(truth["septum"]["centre_mm"])
    along = places["left"] - places["right"]
    assert np.linalg.norm(along) == pytest.approx(truth["inner_table_width_mm"], abs=0.01)
    assert math.degrees(math.atan2(along[1], along[0])) == pytest.approx(8.0, abs=0.01)
    assert np.linalg.norm(septum - places["right"]) == pytest.approx(
        truth["inner_table_to_septum_mm"], abs=0.01
    )
    with pytest.raises(RefusedInput, match="rotated by 8 degrees"):
        midline_shift(
            SeptumAndInnerTable(
                inner_table_width_mm=truth["inner_table_width_mm"],
                inner_table_to_septum_mm=truth["inner_table_to_septum_mm"],
                rotation_deg=truth["rotation_deg"],
            )
        )


# HU of B23 of the domain reference; grey and white matter as 37 and 30 with 3 between people.
RANGES_HU = {
    "grey-matter": (34, 43),
    "white-matter": (27, 36),
    "csf": (0, 15),
    "ventricles": (0, 15),
    "bleed": (50, 90),
}


@pytest.mark.parametrize("seed", range(1, 5))
def test_tissues_have_their_hu(seed):
    phantom = head(seed=seed, matrix_px=256)
    means = {}
    for name, (low, high) in RANGES_HU.items():
        inner = ndimage.binary_erosion(phantom.masks[name], np.ones((1, 5, 5)))
        if inner.sum() < 30:  # sulci are thin
            continue
        means[name] = phantom.array[inner].mean()
        assert low <= means[name] <= high, name
    assert 5 <= means["grey-matter"] - means["white-matter"] <= 10
    assert means["bleed"] == pytest.approx(phantom.truth["bleed"]["hu"], abs=1.0)
    assert phantom.array.max() > 800
    assert phantom.array[:, :4].mean() == pytest.approx(-1000, abs=1)


@pytest.mark.parametrize("side", ["left", "right"])
def test_an_infarct_has_its_volume_and_is_darker_than_the_other_side(side):
    plain = head(bleed_ml=0.0, shift_mm=0.0, side=side)
    phantom = head(bleed_ml=0.0, shift_mm=0.0, side=side, infarct_ml=40.0, infarct_drop_hu=8.0)
    told, mask = phantom.truth["infarct"], phantom.masks["infarct"]
    assert (told["side"], told["volume_ml"], phantom.truth["bleed"]) == (side, 40.0, None)
    assert told["counted_volume_ml"] == pytest.approx(40.0, rel=0.005)
    assert mask.sum() * voxel_ml(phantom) == pytest.approx(40.0, rel=0.06)
    x_mm = phantom.grid.index_to_mm(np.argwhere(mask))[:, 0]
    assert (x_mm > 0).all() if side == "left" else (x_mm < 0).all()
    inner = ndimage.binary_erosion(mask, np.ones((1, 3, 3)))
    drop = plain.array[inner].astype(float) - phantom.array[inner]
    assert np.median(drop) == pytest.approx(8.0, abs=1.0)
    away = ~ndimage.binary_dilation(mask, np.ones((3, 5, 5)))
    assert np.abs(plain.array[away].astype(float) - phantom.array[away]).mean() < 0.01
    assert "infarct" not in plain.masks


def middle(array, half=20):
    """A square of the middle of a slice."""
    y, x = (n // 2 for n in array.shape[-2:])
    return array[..., y - half : y + half, x - half : x + half]


@pytest.mark.parametrize("kernel", ["soft", "sharp"])
def test_noise_is_as_strong_as_stated_and_stronger_in_the_middle(kernel):
    given = {"bleed_ml": 0.0, "matrix_px": 256, "kernel": kernel}
    plain, noisy = head(**given), head(noise_hu=4.0, **given)
    noise = noisy.array[8:14].astype(float) - plain.array[8:14]
    stated_hu = noisy.truth["noise"]["middle_of_head_hu"]
    assert middle(noise).std() == pytest.approx(stated_hu, rel=0.1)
    assert (stated_hu == 4.0) == (kernel == "soft")
    in_air = noise[:, 100:150, 4:20].std()
    assert in_air < 0.6 * middle(noise).std()  # rays beside the head lose few photons
    # The ramp of back-projection leaves no coarse grain.
    window = np.hanning(40)[:, None] * np.hanning(40)[None, :]
    power = np.abs(np.fft.fft2(middle(noise) * window)) ** 2
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(40, 1 / 40)] * 2))
    coarse, finer = (power[:, (radius >= low) & (radius < low + 2)].mean() for low in (1, 6))
    assert coarse < 0.65 * finer


def test_a_sharp_kernel_brings_noise():
    gain = noise_gain((256, 256), KERNELS["sharp"], 240 / 256)
    assert 2.0 < gain < 6.0
    assert noise_gain((256, 256), KERNELS["soft"], 1.0) == 1.0


def test_kernels_have_the_resolution_that_the_truth_states():
    soft, sharp = (head(kernel=name, matrix_px=256, bleed_ml=0.0) for name in ("soft", "sharp"))

    def mtf(phantom, frequency_per_mm):
        told = phantom.truth["kernel"]
        x = (frequency_per_mm / told["s_per_mm"]) ** 2
        return (1 + told["b"] * x) * np.exp(-x)

    for told, half in ((soft, 0.36), (sharp, 0.80)):
        assert mtf(told, half) == pytest.approx(0.5, abs=0.01)
    # The anatomy is the same: the ratio of the spectra is that of the kernels.
    k, pixel_mm = 12, soft.grid.spacing_mm[1]
    spectra = [np.abs(np.fft.fft2(p.array[k] + 1000.0)) for p in (soft, sharp)]
    frequencies = np.fft.fftfreq(256, pixel_mm)
    radius = np.hypot(frequencies[:, None], frequencies[None, :])
    for low in (0.05, 0.1, 0.2, 0.3, 0.4):
        ring = (radius >= low) & (radius < low + 0.02)
        found = spectra[1][ring].sum() / spectra[0][ring].sum()
        assert found == pytest.approx(mtf(sharp, low + 0.01) / mtf(soft, low + 0.01), rel=0.06)


def test_cupping_lowers_the_middle_of_the_brain_and_leaves_the_rest():
    plain, cupped = head(bleed_ml=0.0), head(bleed_ml=0.0, cupping_hu=10.0)
    difference = cupped.array[12].astype(float) - plain.array[12]
    assert middle(difference, 3).mean() == pytest.approx(-10.0, abs=0.5)
    assert difference[
        ~ndimage.binary_dilation(plain.masks["intracranial"][12], iterations=3)
    ].mean() == pytest.approx(0.0, abs=0.01)
    rim = plain.masks["intracranial"][12] & ~ndimage.binary_erosion(
        plain.masks["intracranial"][12], iterations=2
    )
    assert -2.5 < difference[rim].mean() < 0.0


@pytest.mark.parametrize("trouble", [{}, {"tilt_deg": 15.0}, {"flip": True, "shuffle": True}])
def test_it_is_read_back_onto_the_grid_of_its_truth(trouble, tmp_path):
    phantom = write_phantom("head-ct", tmp_path, trouble=Trouble(**trouble), **SMALL)
    (series,) = read_study(tmp_path).series
    assert {c.code for c in series.conditions} == ({"gantry-tilt"} if "tilt_deg" in trouble else set())
    assert series.description == "Synthetic head CT"
    image = series.image()
    centre = np.array(phantom.truth["bleed"]["centre_mm"])
    there = tuple(np.rint(image.grid.mm_to_index(centre)).astype(int))
    assert image.array[there] == pytest.approx(65.0, abs=2.0)
    if "tilt_deg" not in trouble:
        truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
        assert image.unit == "HU"
        masks, found = read_masks(tmp_path), image.array
        assert found.shape == tuple(truth["grid"]["shape_zyx"])
        if "flip" not in trouble:
            assert image.grid.affine == pytest.approx(
                np.array(truth["grid"]["affine_zyx_to_lps_mm"]), abs=1e-3
            )
            inner = ndimage.binary_erosion(masks["bleed"], np.ones((1, 3, 3)))
            assert found[inner].mean() == pytest.approx(65.0, abs=2.0)


@pytest.mark.peer
def test_dciodvfy_finds_no_error(tmp_path, peer_program):
    write_phantom(
        "head-ct",
        tmp_path,
        trouble=Trouble(tilt_deg=-12.0),
        kernel="sharp",
        bleed="subdural",
        bleed_ml=20.0,
        **SMALL,
    )
    path = tmp_path / "dicom" / "00014.dcm"
    done = subprocess.run([peer_program("dciodvfy"), str(path)], capture_output=True, check=False, timeout=60)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    assert [line for line in lines if line.startswith(("Error", "Warning"))] == []
    ds = pydicom.dcmread(path, stop_before_pixels=True)
    assert (ds.BodyPartExamined, ds.ConvolutionKernel, ds.ContrastBolusAgent) == ("HEAD", "BONE", "NONE")
    assert "Synthetic" in ds.SeriesDescription


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"bleed": "thalamic"}, "choose one of intraparenchymal, subdural"),
        ({"side": "middle"}, "choose one of left, right"),
        ({"kernel": "H31s"}, "choose one of soft, sharp"),
        ({"bleed": "intraventricular", "bleed_ml": 40.0}, "that is intraventricular is 40, outside 0 to 15"),
        ({"blood_hu": 95.0}, "outside 50 to 90"),
        ({"shift_mm": -3.0}, "outside 0 to 15"),
        ({"infarct_ml": 20.0}, "exclude each other"),
        ({"n_slices": 10, "thickness_mm": 2.0}, "length of the scan"),
    ],
)
def test_what_no_head_shows_is_refused(parameters, says):
    with pytest.raises(UsageError, match=says):
        HeadCtParameters(**parameters)


def test_a_bleed_that_reaches_out_of_the_scan_is_refused():
    with pytest.raises(UsageError, match="lie in the brain and in the scan"):
        head(bleed_ml=60.0, n_slices=8)


def test_what_turns_out_not_to_fit_leaves_nothing_behind(tmp_path):
    with pytest.raises(UsageError, match="lie in the brain and in the scan"):
        write_phantom("head-ct", tmp_path / "new", bleed_ml=60.0, **{**SMALL, "n_slices": 8})
    assert not (tmp_path / "new").exists()
    write_phantom("head-ct", tmp_path / "new", bleed_ml=10.0, **SMALL)
    with pytest.raises(UsageError, match="lie in the brain and in the scan"):
        write_phantom("head-ct", tmp_path / "new", bleed_ml=60.0, **{**SMALL, "n_slices": 8})
    assert not (tmp_path / "new").exists()
