"""Units and values: Hounsfield units only where stated, SUV only by the recipe, padding, odd bits."""

from __future__ import annotations

import numpy as np
import pytest
from tests.studies.reading import codes, condition, only_series, save
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import StudyError

STORED = (1 + np.arange(32) + 32 * np.arange(24)[:, np.newaxis]).astype(np.uint16)


def slices(n=2, **attributes):
    """CT slices with attributes changed; None deletes one."""
    made = [ct_instance(k) for k in range(n)]
    for ds in made:
        for keyword, value in attributes.items():
            if value is None:
                delattr(ds, keyword)
            else:
                setattr(ds, keyword, value)
    return made


def test_hu_of_an_original_ct_that_states_no_rescale_type(tmp_path):
    assert only_series(save(tmp_path, slices(RescaleType=None))).unit == "HU"


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"RescaleType": "US"}, "Rescale Type (0028,1054) says US"),
        ({"RescaleType": "Z_EFF"}, "says Z_EFF"),
        ({"RescaleType": None, "ImageType": ["DERIVED", "SECONDARY"]}, "Image Type (0008,0008) is DERIVED"),
        ({"RescaleType": None, "ImageType": None}, "is absent"),
        ({"RescaleType": None, "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "says nothing"),
    ],
)
def test_ct_that_does_not_say_hu_has_no_unit(tmp_path, attributes, said):
    series = only_series(save(tmp_path, slices(**attributes)))
    assert series.unit is None
    warning = condition(series, "rescale-type-not-hu")
    assert warning.severity == "warning"
    assert said in warning.text
    assert series.image().unit == "1"


def test_ct_without_rescale_has_no_unit_and_stored_values(tmp_path):
    series = only_series(save(tmp_path, slices(RescaleSlope=None, RescaleIntercept=None)))
    assert series.unit is None
    assert "states no Rescale Slope and Intercept" in condition(series, "rescale-absent").text
    np.testing.assert_array_equal(series.image().array[0], STORED)


def test_each_slice_is_rescaled_by_its_own_slope(tmp_path):
    made = slices(3)
    for k, ds in enumerate(made):
        ds.RescaleSlope = k + 1
    series = only_series(save(tmp_path, made))
    array = series.image().array
    assert array.dtype == np.int16
    for k in range(3):
        np.testing.assert_array_equal(array[k], (STORED.astype(int) + 1024 * k) * (k + 1) - 1024)
    assert "3 pairs" in condition(series, "rescale-per-slice").text


def test_slope_that_is_no_whole_number_gives_float(tmp_path):
    array = only_series(save(tmp_path, slices(RescaleSlope="0.1", RescaleIntercept="-3"))).image().array
    assert array.dtype == np.float32
    np.testing.assert_allclose(array[0], STORED * 0.1 - 3, rtol=1e-6)


def test_values_beyond_16_bits_are_kept_in_32(tmp_path):
    made = slices(3, RescaleIntercept=0)
    made[1].PixelData = (STORED + 60000).astype("<u2").tobytes()
    array = only_series(save(tmp_path, made)).image().array
    assert array.dtype == np.int32
    np.testing.assert_array_equal(array[1], STORED.astype(np.int32) + 60000)
    np.testing.assert_array_equal(array[0], STORED)


def test_large_stored_values_that_fit_after_rescale_stay_int16(tmp_path):
    """Canon and Siemens store extended scales as unsigned with intercept -8192 or lower."""
    made = slices(2, RescaleIntercept=-32768)
    for ds in made:
        ds.PixelData = (STORED + 60000).astype("<u2").tobytes()
    array = only_series(save(tmp_path, made)).image().array
    assert array.dtype == np.int16
    np.testing.assert_array_equal(array[0], STORED.astype(int) + 60000 - 32768)


def test_signed_pixels(tmp_path):
    made = slices(2, PixelRepresentation=1, RescaleIntercept=0)
    signed = STORED.astype("<i2") - 500
    for ds in made:
        ds.PixelData = signed.tobytes()
    np.testing.assert_array_equal(only_series(save(tmp_path, made)).image().array[0], signed)


def test_rubbish_above_the_stored_bits_is_masked(tmp_path):
    made = slices(2, BitsStored=12, HighBit=11, RescaleIntercept=0)
    for ds in made:
        ds.PixelData = (STORED | 0xF000).astype("<u2").tobytes()
    np.testing.assert_array_equal(only_series(save(tmp_path, made)).image().array[0], STORED)


def test_sign_is_extended_from_the_high_bit(tmp_path):
    """12 bits in 16, signed, upper bits zero: 0xFFF is -1."""
    made = slices(2, BitsStored=12, HighBit=11, PixelRepresentation=1, RescaleIntercept=0)
    values = STORED.astype(int) - 700
    for ds in made:
        ds.PixelData = (values & 0x0FFF).astype("<u2").tobytes()
    np.testing.assert_array_equal(only_series(save(tmp_path, made)).image().array[0], values)


def test_high_bit_at_the_top_shifts(tmp_path):
    """ACR-NEMA times: 12 bits stored in the upper part of 16."""
    made = slices(2, BitsStored=12, HighBit=15, RescaleIntercept=0)
    for ds in made:
        ds.PixelData = (STORED << 4).astype("<u2").tobytes()
    np.testing.assert_array_equal(only_series(save(tmp_path, made)).image().array[0], STORED)


def test_padding_is_marked_in_stored_values(tmp_path):
    made = slices(2)
    for ds in made:
        ds.add_new("PixelPaddingValue", "US", 5)
    image = only_series(save(tmp_path, made)).image()
    assert image.padding.sum() == 1
    assert image.padding[0, 0, 4]
    assert image.array[0, 0, 4] == 5 - 1024


def test_padding_of_wrong_sign_is_understood(tmp_path):
    """-2000 written as 63536, as implicit VR readers meet it."""
    made = slices(2, PixelRepresentation=1)
    signed = STORED.astype("<i2")
    signed[0, 0] = -2000
    for ds in made:
        ds.PixelData = signed.tobytes()
        ds.add_new("PixelPaddingValue", "US", 63536)
    assert only_series(save(tmp_path, made)).image().padding[0, 0, 0]


def test_padding_range(tmp_path):
    made = slices(2)
    for ds in made:
        ds.add_new("PixelPaddingValue", "US", 3)
        ds.add_new("PixelPaddingRangeLimit", "US", 6)
    assert only_series(save(tmp_path, made)).image().padding[0].sum() == 4


def test_file_without_padding_has_no_mask(tmp_path):
    assert only_series(save(tmp_path, slices())).image().padding is None


def test_eight_bit_picture_stays_eight_bit(tmp_path):
    ds = projection(BitsAllocated=8, BitsStored=8, HighBit=7)
    ds.PixelData = (STORED % 251).astype(np.uint8).tobytes()
    assert only_series(save(tmp_path, [ds])).image().array.dtype == np.uint8


def projection(**attributes):
    """A radiograph of the tiny slice, without any place in the patient."""
    ds = ct_instance(0)
    ds.Modality = "DX"
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.1"
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleType"):
        delattr(ds, keyword)
    ds.RescaleIntercept = 0
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def test_radiograph_has_no_place_and_says_what_is_unstated(tmp_path):
    series = only_series(save(tmp_path, [projection(PhotometricInterpretation="MONOCHROME1")]))
    assert not series.grid.has_millimetres
    assert series.unit == "1"
    assert codes(series) == ["monochrome1", "spacing-uncalibrated", "view-unstated"]
    image = series.image()
    np.testing.assert_array_equal(image.array[0], STORED)
    assert image.plane_spacing is None


@pytest.mark.parametrize(
    ("attributes", "row_mm", "kind"),
    [
        ({"ImagerPixelSpacing": [0.2, 0.1]}, 0.2, "detector"),
        ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.2, 0.1]}, 0.2, "detector"),
        ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.15, 0.07]}, 0.15, "calibrated"),
        (
            {"ImagerPixelSpacing": [0.2, 0.1], "EstimatedRadiographicMagnificationFactor": 1.25},
            0.16,
            "calibrated",
        ),
        ({"PixelSpacing": [0.15, 0.07], "PixelSpacingCalibrationType": "FIDUCIAL"}, 0.15, "calibrated"),
        ({"PixelSpacing": [0.15, 0.07]}, 0.15, "detector"),
    ],
)
def test_spacing_of_a_radiograph_says_what_it_refers_to(tmp_path, attributes, row_mm, kind):
    spacing = only_series(save(tmp_path, [projection(**attributes)])).image().plane_spacing
    assert spacing.row_mm == pytest.approx(row_mm)
    assert spacing.kind == kind


def test_raw_detector_values_are_told(tmp_path):
    assert "for-processing" in codes(
        only_series(save(tmp_path, [projection(PresentationIntentType="FOR PROCESSING")]))
    )


def test_mammogram_without_side_is_told(tmp_path):
    assert "laterality-unstated" in codes(only_series(save(tmp_path, [projection(Modality="MG")])))


def test_sides_that_contradict_are_told(tmp_path):
    ds = projection(Modality="MG", ImageLaterality="L", Laterality="R", ViewPosition="CC")
    assert "laterality-contradictory" in codes(only_series(save(tmp_path, [ds])))


def pet(n=3, **attributes):
    """A PET series of 1000 Bq/ml per stored count times the slice's slope."""
    from pydicom.dataset import Dataset

    made = slices(n, RescaleType=None, RescaleIntercept=0)
    injection = Dataset()
    injection.RadiopharmaceuticalStartTime = "090000"
    injection.RadionuclideTotalDose, injection.RadionuclideHalfLife = 370e6, 6586.2
    for k, ds in enumerate(made):
        ds.Modality, ds.SOPClassUID = "PT", "1.2.840.10008.5.1.4.1.1.128"
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
        ds.Units, ds.DecayCorrection, ds.CorrectedImage = "BQML", "START", ["DECY", "ATTN"]
        ds.PatientWeight, ds.SeriesTime, ds.AcquisitionTime = 70, "100000", "100000"
        ds.RadiopharmaceuticalInformationSequence = [injection]
        ds.RescaleSlope = k + 0.5
        for keyword, value in attributes.items():
            setattr(ds, keyword, value)
    return made


def test_pet_becomes_suv_by_the_recipe_and_each_slices_slope(tmp_path):
    """B11a.1 of the rules: 3600 s after 370 MBq, 70 kg: 5000 Bq/ml is SUV 1.381683."""
    series = only_series(save(tmp_path, pet()))
    assert series.unit == "SUVbw"
    image = series.image()
    assert image.array.dtype == np.float32
    for k in range(3):
        activity = (STORED.astype(float) + 1024 * k) * (k + 0.5)
        np.testing.assert_allclose(image.array[k], activity * 1.381683 / 5000, rtol=1e-5)
    assert "rescale-per-slice" in codes(series)
    assert "suv-injection-date-concluded" in codes(series)


def test_pet_without_weight_stays_activity(tmp_path):
    series = only_series(save(tmp_path, pet(PatientWeight=None)))
    assert series.unit == "Bq/ml"
    warning = condition(series, "suv-weight")
    assert "PatientWeight (0010,1030) is absent" in warning.text
    image = series.image()
    assert image.unit == "Bq/ml"
    np.testing.assert_allclose(image.array[0], STORED * 0.5)


def test_pet_in_unknown_units_has_none(tmp_path):
    series = only_series(save(tmp_path, pet(Units="PROPCPS")))
    assert series.unit is None
    assert "suv-units" in codes(series)


def test_philips_counts_use_the_private_factor(tmp_path):
    made = pet(Units="CNTS")
    for ds in made:
        ds.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.002")
    series = only_series(save(tmp_path, made))
    assert series.unit == "SUVbw"
    np.testing.assert_allclose(series.image().array[0], STORED * 0.5 * 0.002, rtol=1e-5)


def test_ge_scan_time_saves_a_post_processed_series(tmp_path):
    made = pet(SeriesTime="113000")
    for ds in made:
        ds.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20240102100000.00")
    series = only_series(save(tmp_path, made))
    assert series.unit == "SUVbw"
    assert "suv-reference-time-concluded" in codes(series)
    assert series.image().array[0, 0, 0] == pytest.approx(0.5 * 1.381683 / 5000, rel=1e-5)


def test_mr_has_no_unit(tmp_path):
    made = slices(2, Modality="MR", RescaleType=None)
    for ds in made:
        ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    assert only_series(save(tmp_path, made)).unit == "1"


def test_pixels_that_end_early_name_the_file(tmp_path):
    ds = ct_instance(0)
    ds.PixelData = ds.PixelData[:-2]
    with pytest.raises(
        StudyError, match=r"0000\.dcm holds 1534 bytes of pixels and its header declares 1536"
    ):
        only_series(save(tmp_path, [ds]))


def test_modality_lookup_table_takes_the_place_of_the_rescale(tmp_path):
    from pydicom.dataset import Dataset

    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [4, 2, 16], "US"
    item.add_new("LUTData", "OW", np.array([10, 20, 30, 40], "<u2").tobytes())
    ds = projection(ModalityLUTSequence=[item])
    array = only_series(save(tmp_path, [ds])).image().array
    # Stored 1 lies below the table, 2 to 5 in it, 6 above: ends repeat.
    assert array[0, 0, :6].tolist() == [10, 10, 20, 30, 40, 40]
