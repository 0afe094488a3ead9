"""Files re-encoded by dcmtk in every way it knows: the values are those it was given, or those it decodes itself."""

from __future__ import annotations

import subprocess

import numpy as np
import pydicom
import pytest
from tests.studies.reading import condition, only_series
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import RefusedInput, StudyError
from hounsfield.studies import read_studies


def written(path, *, colour=False):
    """A CT slice, or a colour picture of smooth ramps, which lossy encoders keep nearly."""
    ds = ct_instance(0, shape_yx=(64, 64))
    if colour:
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.6.1"
        y, x = np.mgrid[:64, :64]
        ds.Modality, ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = (
            "US",
            3,
            "RGB",
            0,
        )
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        ds.PixelData = np.stack([3 * x + 20, 3 * y + 10, x + y], axis=-1).astype(np.uint8).tobytes()
        for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "ImagePositionPatient"):
            delattr(ds, keyword)
    ds.save_as(path, enforce_file_format=True)
    return path


def run(program, *arguments):
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, timeout=60)


@pytest.mark.peer
@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        *("dcmconv +te", "dcmconv +ti", "dcmconv +tb", "dcmconv +td", "dcmconv -F", "dcmconv -F +ti"),
        *("dcmconv -F +tb", "dcmconv +g", "dcmconv +te -e", "dcmconv +p 512 512", "dcmcrle"),
        *("dcmcjpls", "dcmcjpeg +el", "dcmcjpeg +e1"),
    ],
)
def test_lossless_encodings_hold_the_same_values(tmp_path, peer_program, words, colour):
    name, *options = words.split()
    plain = written(tmp_path / "plain.dcm", colour=colour)
    run(peer_program(name), *options, plain, tmp_path / "packed.dcm")
    truth = only_series(plain).image().array
    np.testing.assert_array_equal(only_series(tmp_path / "packed.dcm").image().array, truth)


@pytest.mark.peer
@pytest.mark.parametrize("option", ["+eb", "+ee", "+es", "+ep"])
def test_lossy_encodings_decode_as_dcmtk_decodes_them(tmp_path, peer_program, option):
    run(
        peer_program("dcmcjpeg"),
        option,
        written(tmp_path / "plain.dcm", colour=True),
        tmp_path / "packed.dcm",
    )
    run(peer_program("dcmdjpeg"), "+ca", tmp_path / "packed.dcm", tmp_path / "unpacked.dcm")
    theirs = only_series(tmp_path / "unpacked.dcm").image().array.astype(int)
    ours = only_series(tmp_path / "packed.dcm").image().array.astype(int)
    # Colour that was halved is spread by one method or another.
    assert np.abs(ours - theirs).max() <= 4
    assert ours.std() > 20


@pytest.mark.parametrize("is_signed", [False, True])
def test_cells_of_twelve_bits_without_gaps(tmp_path, is_signed):
    """Two values in three bytes: 0xABC and 0xDEF are BC FA DE."""
    ds = ct_instance(0)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 12, 11, int(is_signed)
    ds.PixelData = b"\xbc\xfa\xde" * (24 * 32 // 2)
    pydicom.dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    values = only_series(tmp_path / "a.dcm").image().array
    sign = 4096 if is_signed else 0
    np.testing.assert_array_equal(values.ravel()[:4] + 1024, [0xABC - sign, 0xDEF - sign] * 2)
    assert values.shape == (1, 24, 32)


def test_cells_of_another_size_are_refused_by_name(tmp_path):
    ds = ct_instance(0)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 10, 10, 9
    pydicom.dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    with pytest.raises(StudyError, match="states 10 Bits Allocated"):
        read_studies(tmp_path / "a.dcm")


def test_values_above_bits_stored_are_kept_in_code_streams(tmp_path):
    """The stream is right and the header too narrow: no value may wrap round to a small one."""
    ds = ct_instance(0, shape_yx=(64, 64))
    stored = np.frombuffer(ds.PixelData, "<u2").copy()
    stored[:5] = [4095, 4096, 4100, 5000, 60000]
    ds.PixelData = stored.tobytes()
    ds.compress("1.2.840.10008.1.2.4.80", generate_instance_uid=False)
    ds.BitsStored, ds.HighBit = 12, 11
    pydicom.dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    values = only_series(tmp_path / "a.dcm").image().array
    np.testing.assert_array_equal(values.ravel()[:5] + 1024, [4095, 4096, 4100, 5000, 60000])


def test_slope_of_zero_is_refused(tmp_path):
    ds = ct_instance(0)
    ds.RescaleSlope = 0
    pydicom.dcmwrite(tmp_path / "a.dcm", ds, enforce_file_format=True)
    series = only_series(tmp_path / "a.dcm")
    assert condition(series, "rescale-slope-zero").severity == "refusal"
    with pytest.raises(RefusedInput, match="every pixel the same"):
        series.image()
