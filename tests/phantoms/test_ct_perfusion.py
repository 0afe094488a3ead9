"""The perfusion phantom: curves follow their formula, regions have their volume, times are told, rules find the mismatch."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from hounsfield.core.errors import UsageError
from hounsfield.measures.defuse3_mismatch import CoreAndHypoperfusion, defuse3_mismatch
from hounsfield.phantoms import Trouble, write_phantom
from hounsfield.phantoms.ct_perfusion import CtPerfusionParameters, make_ct_perfusion
from hounsfield.phantoms.perfusion_curves import (
    DENSITY_G_PER_ML,
    HAEMATOCRIT_FACTOR,
    Flow,
    arterial_hu,
    tissue_hu,
    venous_hu,
)
from hounsfield.studies import read_study

BOLUS = {"arrival_s": 8.0, "peak_hu": 280.0}
FINE_S = np.arange(0.0, 200.0, 0.05)


@cache
def study(**parameters):
    return make_ct_perfusion(CtPerfusionParameters(**{"noise_hu": 0.0, **parameters}))


def stack(made):
    """HU over time, float (t, z, y, x)."""
    return np.stack([image.array for image in made.images.values()]).astype(float)


def masks_of(made):
    return next(iter(made.images.values())).masks


def test_the_artery_peaks_where_the_gamma_variate_says():
    curve = arterial_hu(FINE_S, **BOLUS)
    assert curve.max() == pytest.approx(280.0, rel=1e-4)
    assert FINE_S[curve.argmax()] == pytest.approx(8.0 + 3.0 * 1.5, abs=0.06)
    assert not curve[FINE_S <= 8.0].any()
    # Area of a gamma variate: peak (e / a)^a b Gamma(a + 1).
    area = 280.0 * (math.e / 3.0) ** 3 * 1.5 * math.gamma(4.0)
    assert curve.sum() * 0.05 == pytest.approx(area, rel=1e-3)


@pytest.mark.parametrize("flow", [Flow(60.0, 4.0, 0.5), Flow(24.0, 5.0, 1.0), Flow(9.0, 8.0, 11.0)])
def test_area_of_a_tissue_is_its_blood_volume_and_delay_only_moves_it(flow):
    curve, artery = tissue_hu(FINE_S, flow, **BOLUS), arterial_hu(FINE_S, **BOLUS)
    expected = flow.cbf * flow.mtt_s / 6000.0 * DENSITY_G_PER_ML / HAEMATOCRIT_FACTOR
    assert curve.sum() / artery.sum() == pytest.approx(expected, rel=2e-3)
    prompt = tissue_hu(FINE_S, Flow(flow.cbf, flow.mtt_s, 0.0), **BOLUS)
    n = round(flow.delay_s / 0.05)
    np.testing.assert_allclose(curve[n:], prompt[: prompt.size - n], atol=1e-3)
    vein = venous_hu(FINE_S, delay_s=4.0, mtt_s=5.0, **BOLUS)
    assert vein.sum() == pytest.approx(artery.sum(), rel=2e-3)


@pytest.mark.parametrize(
    ("core_ml", "penumbra_ml", "side"), [(20.0, 45.0, "left"), (0.0, 30.0, "right"), (8.0, 0.0, "left")]
)
def test_core_and_penumbra_have_their_volumes_on_their_side(core_ml, penumbra_ml, side):
    made = study(core_ml=core_ml, penumbra_ml=penumbra_ml, side=side, n_times=5)
    image = next(iter(made.images.values()))
    for name, ml in (("core", core_ml), ("penumbra", penumbra_ml)):
        assert made.truth["counted_ml"][name] == pytest.approx(ml, rel=2e-3, abs=1e-6)
        mask_ml = image.masks[name].sum() * image.grid.voxel_volume_mm3 / 1000
        assert mask_ml == pytest.approx(ml, rel=0.1)
        if ml:
            x_mm = image.grid.index_to_mm(np.argwhere(image.masks[name]))[:, 0]
            assert (x_mm > 0).all() if side == "left" else (x_mm < 0).all()
    assert not (image.masks["core"] & image.masks["penumbra"]).any()


def pure(made, tissue, state):
    """Voxels well inside a tissue in a state."""
    masks = masks_of(made)
    ill = masks["core"] | masks["penumbra"]
    where = masks[tissue] & (
        masks[state] if state != "normal" else ~ndimage.binary_dilation(ill, iterations=2)
    )
    return ndimage.binary_erosion(where, np.ones((1, 3, 3)), iterations=2 if state != "core" else 1)


@pytest.mark.parametrize("state", ["normal", "penumbra", "core"])
def test_voxels_follow_the_curve_of_their_tissue(state):
    made = study()
    hu, where = stack(made), pure(made, "white-matter", state)
    assert where.sum() > 20
    found = hu[:, where].mean(axis=1)
    told = made.truth["flows"][f"white-{state}"]
    flow = Flow(told["cbf_ml_per_100g_min"], told["mtt_s"], told["delay_s"])
    expected = tissue_hu(np.array(made.truth["times_s"]), flow, **BOLUS)
    np.testing.assert_allclose(found - found[0], expected, atol=0.7)


def deconvolved(curve, artery, interval_s):
    """Residue function times flow by a block-circulant matrix of singular values above 2 % (Wu 2003)."""
    n = 2 * curve.size
    circulant = np.stack([np.roll(np.pad(artery, (0, curve.size)), k) for k in range(n)], axis=1) * interval_s
    u, s, v = np.linalg.svd(circulant)
    kept = s > 0.02 * s[0]
    return v.T[:, kept] @ ((u.T @ np.pad(curve, (0, curve.size)))[kept] / s[kept])


def test_deconvolution_finds_flow_and_tmax_on_the_right_side_of_the_limits():
    made = study(interval_s=1.0, n_times=64)
    hu, times_s = stack(made), np.array(made.truth["times_s"])
    artery, per_cbf = arterial_hu(times_s, **BOLUS), DENSITY_G_PER_ML / HAEMATOCRIT_FACTOR / 6000.0
    cbf, tmax_s = {}, {}
    for state in ("normal", "penumbra", "core"):
        told = made.truth["flows"][f"white-{state}"]
        flow = Flow(told["cbf_ml_per_100g_min"], told["mtt_s"], told["delay_s"])
        where = pure(made, "white-matter", state)
        of_image = deconvolved(hu[:, where].mean(axis=1) - hu[:8, where].mean(), artery, 1.0)[:64]
        of_formula = deconvolved(tissue_hu(times_s, flow, **BOLUS), artery, 1.0)[:64]
        cbf[state], tmax_s[state] = of_image.max() / per_cbf, times_s[of_image.argmax()]
        # What singular values leave of a sharp residue function is smoother, and largest about 2 s later.
        assert tmax_s[state] == pytest.approx(times_s[of_formula.argmax()], abs=1.01)
        assert tmax_s[state] == pytest.approx(told["tmax_s"], abs=3.01)
        # Voxels of white matter hold some grey, and those of the core some of its rim, which has most of the contrast.
        assert state == "core" or cbf[state] == pytest.approx(of_formula.max() / per_cbf, rel=0.25)
        assert of_formula.max() / per_cbf == pytest.approx(flow.cbf, rel=0.25)
    assert tmax_s["normal"] < 6.0 < tmax_s["penumbra"] < tmax_s["core"]
    assert cbf["core"] < 0.3 * cbf["normal"] < cbf["penumbra"]


def test_the_volumes_of_the_truth_make_a_target_mismatch():
    made, outcomes = study(), {}
    p = made.parameters
    scan = {
        "acquisition_time_s": p["n_times"] * p["interval_s"],
        "sampling_interval_s": p["interval_s"],
        "coverage_cm": p["n_slices"] * p["thickness_mm"] / 10,
    }
    for name, core_ml in (("of truth", made.truth["core_ml"]), ("of masks", masks_ml(made, "core"))):
        both_ml = (
            made.truth["hypoperfused_ml"] if name == "of truth" else core_ml + masks_ml(made, "penumbra")
        )
        found = defuse3_mismatch(CoreAndHypoperfusion(core_ml=core_ml, tmax_gt6_ml=both_ml, **scan))
        outcomes[name] = {m.name: m.value for m in found.measurements}
    assert outcomes["of truth"]["mismatch"] == pytest.approx(45.0)
    assert outcomes["of truth"]["mismatch-ratio"] == pytest.approx(65.0 / 20.0)
    assert outcomes["of masks"]["mismatch"] == pytest.approx(45.0, rel=0.1)


def masks_ml(made, name):
    image = next(iter(made.images.values()))
    return float(image.masks[name].sum() * image.grid.voxel_volume_mm3 / 1000)


def test_a_delay_of_normal_tissue_changes_when_but_not_how_much():
    """As methods that are sensitive to delay are told from those that are not."""
    prompt, late = (study(normal_delay_s=delay_s, interval_s=1.0, n_times=60) for delay_s in (0.0, 3.0))
    for told in ("cbf_ml_per_100g_min", "mtt_s", "cbv_ml_per_100g"):
        assert prompt.truth["flows"]["grey-normal"][told] == late.truth["flows"]["grey-normal"][told]
    where = pure(prompt, "white-matter", "normal")
    early, later = (stack(made)[:, where].mean(axis=1) for made in (prompt, late))
    np.testing.assert_allclose(later[3:], early[:-3], atol=0.6)


def test_arteries_and_veins_show_their_curves():
    made = study()
    hu, masks, times_s = stack(made), masks_of(made), np.array(made.truth["times_s"])
    for name, curve in (
        ("artery", arterial_hu(times_s, **BOLUS)),
        ("vein", venous_hu(times_s, delay_s=4.0, mtt_s=5.0, **BOLUS)),
    ):
        found = hu[:, masks[name]].mean(axis=1)
        assert (found - found[0]).argmax() == curve.argmax()
        # The scanner blurs thin vessels.
        assert 0.75 * curve.max() < (found - found[0]).max() <= 1.02 * curve.max()


@pytest.mark.parametrize(("dose_mas", "noise_hu"), [(150.0, 6.0), (600.0, 3.0)])
def test_noise_goes_with_the_root_of_the_dose(dose_mas, noise_hu):
    noisy = study(noise_hu=6.0, dose_mas=dose_mas, n_times=5)
    noise = stack(noisy) - stack(study(n_times=5))
    assert noisy.truth["noise_hu"] == pytest.approx(noise_hu)
    assert noise[:, 3:5, 54:74, 54:74].std() == pytest.approx(noise_hu, rel=0.1)


def test_the_reader_gives_one_series_a_time_in_their_order(tmp_path):
    small = {"n_times": 6, "interval_s": 2.5, "matrix_px": 64, "n_slices": 4}
    made = write_phantom("ct-perfusion", tmp_path, trouble=Trouble(flip=True), **small)
    series = [one for one in read_study(tmp_path).series if one.kind == "image"]
    assert len(series) == 6
    assert len({one.series_instance_uid for one in series}) == 1
    for one in series:
        assert {c.code for c in one.conditions} == {"series-split"}
        assert "temporal position" in one.conditions[0].text
    by_time = sorted(series, key=lambda one: one.tags["TemporalPositionIdentifier"])
    assert [one.tags["AcquisitionTime"] for one in by_time[:3]] == [
        "101500.000000",
        "101502.500000",
        "101505.000000",
    ]
    for one, phantom in zip(by_time, made.images.values(), strict=True):
        image = one.image()
        for index in ((0, 30, 20), (3, 32, 32), (1, 10, 50)):
            at = image.grid.mm_to_index(phantom.grid.index_to_mm(np.array(index, dtype=float)))
            assert image.array[tuple(np.rint(at).astype(int))] == phantom.array[index]


def test_without_temporal_positions_times_tell_the_volumes_apart(tmp_path):
    write_phantom("ct-perfusion", tmp_path, n_times=5, matrix_px=64, n_slices=3)
    for path in (tmp_path / "dicom").rglob("*.dcm"):
        ds = pydicom.dcmread(path)
        del ds.TemporalPositionIdentifier, ds.NumberOfTemporalPositions, ds.AcquisitionNumber
        ds.save_as(path)
    series = read_study(tmp_path).series
    assert len(series) == 5
    assert "acquisition time" in series[0].conditions[0].text


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"core_relative_cbf": 0.4}, "core_relative_cbf is 0.4, outside 0.02 to 0.29"),
        ({"penumbra_delay_s": 5.0}, "outside 6.1 to 20"),
        ({"side": "both"}, "choose one of left, right"),
        ({"n_slices": 1}, "n_slices is 1"),
    ],
)
def test_what_no_such_study_shows_is_refused(parameters, says):
    with pytest.raises(UsageError, match=says):
        CtPerfusionParameters(**parameters)


def test_a_core_that_does_not_fit_the_slab_is_refused():
    with pytest.raises(UsageError, match="a core in the slab of 100 ml does not fit"):
        study(core_ml=100.0, penumbra_ml=150.0, n_slices=2)
