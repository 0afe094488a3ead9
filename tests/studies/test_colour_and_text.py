"""Colours, lookup tables and names as files hold them: by formula and by known letters."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from tests.studies.reading import codes, condition, only_series, save
from tests.tiny_dicom import ct_instance

from hounsfield.studies import read_study

ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"


def picture(pixels, photometric, samples):
    """A single ultrasound picture of 8 bits, 4 rows of 6 columns."""
    ds = ct_instance(0, shape_yx=(4, 6))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = ULTRASOUND
    ds.Modality = "US"
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope"):
        delattr(ds, keyword)
    del ds.RescaleIntercept, ds.RescaleType
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
    ds.SamplesPerPixel, ds.PhotometricInterpretation = samples, photometric
    if samples == 3:
        ds.PlanarConfiguration = 0
    ds.PixelData = pixels.astype(np.uint8).tobytes()
    return ds


def test_palette_gives_the_colours_of_its_tables(tmp_path):
    ds = picture(np.arange(24), "PALETTE COLOR", 1)
    for name, table in (
        ("Red", np.arange(256) * 256),
        ("Green", 65535 - np.arange(256) * 257),
        ("Blue", np.full(256, 0x0A0A)),
    ):
        setattr(ds, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(ds, f"{name}PaletteColorLookupTableData", table.astype("<u2").tobytes())
    # The low bytes of red are zero and those of green repeat the high ones: both are eight bits in sixteen.
    array = only_series(save(tmp_path, [ds])).image().array
    assert array.shape == (1, 4, 6, 3)
    red, green, blue = (np.unique(array[..., k] >> (8 if array.dtype == np.uint16 else 0)) for k in range(3))
    assert red.tolist() == list(range(24))
    assert green.tolist() == list(range(232, 256))
    assert blue.tolist() == [10]


def test_full_range_luminance_becomes_red_green_blue(tmp_path):
    """PS3.3 C.7.6.3.1.2: R = Y + 1.402 (Cr - 128), B = Y + 1.772 (Cb - 128)."""
    y, cb, cr = 100, 150, 90
    ds = picture(np.tile([y, cb, cr], 24), "YBR_FULL", 3)
    array = only_series(save(tmp_path, [ds])).image().array
    expected = [
        y + 1.402 * (cr - 128),
        y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128),
        y + 1.772 * (cb - 128),
    ]
    np.testing.assert_allclose(array[0, 0, 0], expected, atol=1)


def test_halved_colour_is_spread_over_two_pixels(tmp_path):
    """YBR_FULL_422 holds Y Y Cb Cr for two pixels; without colour both are their own grey."""
    pairs = np.array([[10, 20, 128, 128]] * 12)
    ds = picture(pairs, "YBR_FULL_422", 3)
    array = only_series(save(tmp_path, [ds])).image().array
    np.testing.assert_array_equal(array[0, 0, :2].reshape(2, 3), [[10] * 3, [20] * 3])


def test_planes_of_colour_are_put_together(tmp_path):
    planes = np.stack([np.full(24, 200), np.full(24, 100), np.arange(24)])
    ds = picture(planes, "RGB", 3)
    ds.PlanarConfiguration = 1
    array = only_series(save(tmp_path, [ds])).image().array
    np.testing.assert_array_equal(array[0, 2, 3], [200, 100, 15])


@pytest.mark.parametrize(
    ("charset", "name", "written"),
    [
        ("ISO_IR 100", "Prüfung^Größe", "Prüfung^Größe".encode("latin-1")),
        ("ISO_IR 144", "Проверка^Юля", "Проверка^Юля".encode("iso8859-5")),
        ("ISO_IR 192", "試驗^一=", "試驗^一=".encode()),
        ("GB18030", "试验^一", "试验^一".encode("gb18030")),
        ("\\ISO 2022 IR 87", "Synthetic^Test=試験", b"Synthetic^Test=" + "試験".encode("iso2022_jp")),
        # Nobody defines this one: the letters that all sets share stay what they are.
        ("ISO-8859-ONE", "Synthetic^Test", b"Synthetic^Test"),
        ("", "Synthetic^Test", b"Synthetic^Test"),
    ],
)
def test_names_are_read_in_their_character_set(tmp_path, charset, name, written):
    ds = ct_instance(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds.SpecificCharacterSet = charset
        ds.PatientName = "@" * (len(written) + len(written) % 2)
        folder = save(tmp_path, [ds])
    content = (folder / "0000.dcm").read_bytes()
    placeholder = b"@" * (len(written) + len(written) % 2)
    (folder / "0000.dcm").write_bytes(content.replace(placeholder, written.ljust(len(placeholder))))
    study = read_study(folder)
    assert study.tags["PatientName"].rstrip("=") == name.rstrip("=")
    assert study.series[0].image().array.shape == (1, 24, 32)


def test_bytes_that_are_no_text_do_not_stop_the_image(tmp_path):
    ds = ct_instance(0)
    ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 192", "@@@@"
    folder = save(tmp_path, [ds])
    content = (folder / "0000.dcm").read_bytes()
    (folder / "0000.dcm").write_bytes(content.replace(b"@@@@", b"\xff\xfe\x80\x81"))
    assert read_study(folder).series[0].image().array.shape == (1, 24, 32)


def without_uids(n, keep_frame=True):
    slices = [ct_instance(k) for k in range(n)]
    for ds in slices:
        del ds.StudyInstanceUID
        ds.SeriesInstanceUID = ""
        if not keep_frame:
            del ds.FrameOfReferenceUID
    return slices


def test_slices_whose_uids_were_removed_are_gathered_by_their_frame_of_reference(tmp_path):
    series = only_series(save(tmp_path, without_uids(4)))
    assert series.image().array.shape == (4, 24, 32)
    assert "4 files state no Series Instance UID" in condition(series, "series-uid-unstated").text
    assert series.series_instance_uid is None


def test_slices_that_share_nothing_stay_single(tmp_path):
    from hounsfield.studies import read_studies

    studies = read_studies(save(tmp_path, without_uids(3, keep_frame=False))).studies
    assert len(studies) == 3
    assert all("single-slice" in codes(study.series[0]) for study in studies)


def test_blank_instance_uid_is_told_and_given_no_source(tmp_path):
    slices = [ct_instance(k) for k in range(3)]
    for ds in slices:
        ds.SOPInstanceUID = ""
        del ds.file_meta.MediaStorageSOPInstanceUID
    folder = tmp_path
    for k, ds in enumerate(slices):
        ds.save_as(folder / f"{k}.dcm", enforce_file_format=False)
    series = only_series(folder)
    assert series.image().array.shape == (3, 24, 32)
    assert "uid-unstated" in codes(series)
    assert series.source == ()
