"""Compressed slices decoded straight into their place are those of pydicom; the unusual is left to the general way."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import HounsfieldError
from hounsfield.studies import read_study
from hounsfield.studies.code_streams import JPEG_LS, decode_into, has_code_stream
from hounsfield.studies.instances import read_instance
from hounsfield.studies.sources import find_sources

ENCODERS = {
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_encode,
    "1.2.840.10008.1.2.4.90": lambda a: imagecodecs.jpeg2k_encode(
        a, codecformat="j2k", reversible=True, level=0
    ),
    "1.2.840.10008.1.2.4.201": imagecodecs.htj2k_encode,
}


def write(path, frame, syntax, *, k=0, n_fragments=1, stored=None, **changes):
    """A CT of one frame whose code stream holds `stored` (else the frame) in some fragments."""
    ds = ct_instance(k)
    ds.Rows, ds.Columns = frame.shape
    ds.PixelRepresentation = int(frame.dtype.kind == "i")
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    stream = bytes(ENCODERS[syntax](frame.view(np.uint16) if stored is None else stored))
    ds.PixelData = encapsulate([stream], fragments_per_frame=n_fragments)
    ds["PixelData"].VR = "OB"
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.save_as(path, enforce_file_format=True)
    return path


def instance_of(path):
    (source,) = find_sources(path)
    return read_instance(source)


def decoded(path):
    """What the straight way gives, None where it leaves the file to the general way."""
    instance = instance_of(path)
    values = np.full((instance.rows, instance.columns), -77, dtype=np.int16)
    assert has_code_stream(instance)
    return values if decode_into(values, instance) else None


def frame(dtype=np.uint16, bits=16, shape=(24, 31)):
    rng = np.random.default_rng(0)
    low, high = (0, 1 << bits) if dtype == np.uint16 else (-(1 << (bits - 1)), 1 << (bits - 1))
    return rng.integers(low, high, shape).astype(dtype)


@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.parametrize("n_fragments", [1, 3])
def test_values_are_those_of_pydicom(syntax, n_fragments, tmp_path):
    path = write(tmp_path / "a.dcm", frame(), syntax, n_fragments=n_fragments)
    expected = pydicom.dcmread(path).pixel_array
    assert np.array_equal(decoded(path).view(np.uint16), expected)
    assert np.array_equal(expected, frame())


def test_stored_bits_of_a_signed_frame_are_twos_complement(tmp_path):
    signed = frame(np.int16, bits=12)
    path = write(
        tmp_path / "a.dcm",
        signed,
        "1.2.840.10008.1.2.4.80",
        stored=(signed & 0xFFF).view(np.uint16),
        BitsStored=12,
        HighBit=11,
    )
    assert np.array_equal(decoded(path), signed)


@pytest.mark.parametrize("syntax", ENCODERS)
def test_series_is_read_as_without_the_straight_way(syntax, tmp_path, monkeypatch):
    for k in range(4):
        write(tmp_path / f"{k}.dcm", frame(bits=12) + np.uint16(k), syntax, k=k)
    straight = read_study(tmp_path).series[0].image()
    monkeypatch.setattr("hounsfield.studies.plain_slices.has_code_stream", lambda _: False)
    general = read_study(tmp_path).series[0].image()
    assert straight.array.dtype == general.array.dtype == np.int16
    assert np.array_equal(straight.array, general.array)


@pytest.mark.parametrize("syntax", ENCODERS)
def test_eight_bits_and_other_sizes_are_left_to_the_general_way(syntax, tmp_path):
    small = np.arange(24 * 31, dtype=np.uint8).reshape(24, 31)
    assert decoded(write(tmp_path / "8.dcm", frame(), syntax, stored=small)) is None
    assert decoded(write(tmp_path / "size.dcm", frame(), syntax, stored=frame(shape=(31, 24)))) is None


def outcome(path):
    """The array, or the error that names the file."""
    try:
        return read_study(path).series[0].image().array
    except HounsfieldError as error:
        return str(error)


@pytest.mark.parametrize("syntax", ENCODERS)
@pytest.mark.parametrize("n_bytes", [2, 40, 300, 1000])
def test_stream_that_was_cut_off_has_the_outcome_of_the_general_way(syntax, n_bytes, tmp_path, monkeypatch):
    path = write(tmp_path / "cut.dcm", frame(), syntax)
    ds = pydicom.dcmread(path)
    stream = next(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1))
    ds.PixelData = encapsulate([stream[:n_bytes]])
    ds["PixelData"].VR = "OB"
    ds.save_as(path)
    straight = outcome(path)
    monkeypatch.setattr("hounsfield.studies.plain_slices.has_code_stream", lambda _: False)
    general = outcome(path)
    assert type(straight) is type(general)
    assert np.array_equal(straight, general)


def test_jpeg_ls_that_was_cut_off_is_refused_before_a_decoder_reads_on(tmp_path):
    """300 bytes of this stream, which end in the middle of a marker, keep CharLS busy for ten seconds."""
    path = write(tmp_path / "cut.dcm", frame(), JPEG_LS)
    ds = pydicom.dcmread(path)
    stream = next(pydicom.encaps.generate_frames(ds.PixelData, number_of_frames=1))
    ds.PixelData = encapsulate([stream[:300]])
    ds["PixelData"].VR = "OB"
    ds.save_as(path)
    with pytest.raises(HounsfieldError, match=r"cut\.dcm.*cut off"):
        read_study(path).series[0].image()
