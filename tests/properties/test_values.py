"""What the stored numbers mean scales as physics says, through the files."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.measures.volumes import everything
from tests.studies.reading import only_series
from tests.tiny_dicom import ct_instance

from hounsfield.measures import laa950, mean_attenuation, perc15, suv_max, suv_mean

HALF_LIFE_S = 6586.2
QUICK = settings(max_examples=20, deadline=None)


def image_of(slices):
    """The image of slices written as files."""
    with tempfile.TemporaryDirectory() as folder:
        for number, ds in enumerate(slices):
            ds.save_as(Path(folder) / f"{number}.dcm", enforce_file_format=True)
        return only_series(Path(folder)).image()


def ct(slope=1.0, intercept=-1024.0):
    slices = [ct_instance(k) for k in range(2)]
    for ds in slices:
        ds.RescaleSlope, ds.RescaleIntercept = f"{slope:.10g}", f"{intercept:.10g}"
    return image_of(slices)


def pet(*, slope=1.0, weight_kg=70.0, dose_bq=370e6, waited_s=3600.0):
    from pydicom.dataset import Dataset

    scan = datetime(2024, 1, 2, 20, 0, 0)  # noqa: DTZ001 - DICOM states local time
    injection = Dataset()
    injection.RadiopharmaceuticalStartDateTime = (scan - timedelta(seconds=waited_s)).strftime(
        "%Y%m%d%H%M%S.%f"
    )
    injection.RadionuclideTotalDose, injection.RadionuclideHalfLife = f"{dose_bq:.10g}", f"{HALF_LIFE_S}"
    slices = [ct_instance(k) for k in range(2)]
    for ds in slices:
        ds.Modality, ds.SOPClassUID = "PT", "1.2.840.10008.5.1.4.1.1.128"
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.Units, ds.DecayCorrection, ds.CorrectedImage = "BQML", "START", ["DECY", "ATTN"]
        ds.PatientWeight, ds.RescaleSlope, ds.RescaleIntercept = f"{weight_kg:.8g}", f"{slope:.10g}", 0
        del ds.RescaleType
        ds.SeriesDate = ds.AcquisitionDate = "20240102"
        ds.SeriesTime = ds.AcquisitionTime = scan.strftime("%H%M%S")
        ds.RadiopharmaceuticalInformationSequence = [injection]
    return image_of(slices)


@QUICK
@given(st.integers(1, 4), st.integers(-2000, 500))
def test_hu_is_slope_times_stored_plus_intercept(slope, intercept):
    stored = ct(1.0, 0.0).array.astype(np.int64)
    np.testing.assert_array_equal(ct(slope, intercept).array, slope * stored + intercept)


@QUICK
@given(st.integers(-300, 300))
def test_shifted_scale_shifts_every_density_by_as_much(shift_hu):
    plain, shifted = ct(), ct(intercept=-1024.0 + shift_hu)
    for rule in (mean_attenuation, perc15):
        one, other = rule(plain, everything(plain)), rule(shifted, everything(shifted))
        assert other.value - one.value == pytest.approx(shift_hu, abs=0.01)
    below = 100.0 * float((plain.array + shift_hu < -950).mean())
    assert laa950(shifted, everything(shifted)).value == pytest.approx(below)


factors = st.floats(0.25, 4.0).map(lambda value: round(value, 3))


@QUICK
@given(factors, factors, factors)
def test_suv_grows_with_counts_and_weight_and_falls_with_dose(counts, weight, dose):
    plain, changed = pet(), pet(slope=counts, weight_kg=70.0 * weight, dose_bq=370e6 * dose)
    assert changed.unit == plain.unit == "SUVbw"
    np.testing.assert_allclose(changed.array, plain.array * counts * weight / dose, rtol=1e-5)
    for rule in (suv_max, suv_mean):
        one, other = (rule(image, everything(image)).value for image in (plain, changed))
        assert other == pytest.approx(one * counts * weight / dose, rel=1e-5)


@QUICK
@given(st.floats(0.0, 4.0).map(lambda value: round(value, 3)))
def test_suv_doubles_with_each_half_life_waited(half_lives):
    plain, later = pet(waited_s=0.0), pet(waited_s=half_lives * HALF_LIFE_S)
    np.testing.assert_allclose(later.array, plain.array * 2**half_lives, rtol=1e-5)


def test_suv_of_even_activity_is_one():
    """70 kg that hold the whole dose evenly, at 1 g/ml: every voxel has SUV 1 (the meaning of SUV)."""
    image = pet(slope=370e6 / 70e3, waited_s=0.0)
    assert image.array[0, 0, 0] == pytest.approx(1.0, rel=1e-5)  # stored 1
