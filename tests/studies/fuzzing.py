"""Damage small files in every way and read them: the program behind test_fuzzing.py.

    python -m tests.studies.fuzzing FOLDER FIRST LAST

Prints the number of each damaged file before it is read, so that a crash or a hang names it. The number alone decides
what is damaged and how.
"""

from __future__ import annotations

import gzip
import io
import random
import re
import resource
import signal
import sys
import traceback
import warnings
import zipfile
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image as PillowImage
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import HounsfieldError
from hounsfield.studies import read_studies

FAULT = "FAULT"
LONGEST_S = 20
# Address space: what numpy and the decoders take at start, and two arrays of the largest size a tiny file may claim.
MOST_BYTES = 4 * 1024**3
_SWAPPED = (
    b"\x28\x00\x10\x00",  # Rows
    b"\x28\x00\x11\x00",  # Columns
    b"\x28\x00\x00\x01",  # Bits Allocated
    b"\x28\x00\x02\x00",  # Samples per Pixel
    b"\x20\x00\x32\x00",  # Image Position (Patient)
    b"\x20\x00\x37\x00",  # Image Orientation (Patient)
    b"\x28\x00\x30\x00",  # Pixel Spacing
    b"\x08\x00\x16\x00",  # SOP Class UID
    b"\xe0\x7f\x10\x00",  # Pixel Data
)


def _written(ds: Dataset) -> bytes:
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _packed(syntax: str) -> bytes:
    ds = ct_instance(1, shape_yx=(64, 64))
    ds.compress(syntax, generate_instance_uid=False)
    return _written(ds)


def _jpeg(syntax: str) -> bytes:
    """JPEG of 8 bits, or lossless JPEG of 16, which pydicom does not write."""
    import imagecodecs

    ds = ct_instance(1, shape_yx=(64, 64))
    values = np.frombuffer(ds.PixelData, "<u2").reshape(64, 64)
    if syntax == JPEGBaseline8Bit:
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        stream = imagecodecs.jpeg8_encode((values >> 4).astype(np.uint8))
    else:
        stream = imagecodecs.ljpeg_encode(values)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([stream])
    ds["PixelData"].VR = "OB"
    return _written(ds)


def _cine() -> bytes:
    ds = ct_instance(0, shape_yx=(16, 16))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    ds.Modality, ds.NumberOfFrames, ds.FrameTime, ds.FrameIncrementPointer = "US", 4, 40, 0x00181063
    ds.PixelData = bytes(range(256)) * 8
    del ds.ImagePositionPatient
    return _written(ds)


def _bare(implicit: bool) -> bytes:
    ds = Dataset(ct_instance(2))
    stream = io.BytesIO()
    ds.save_as(stream, implicit_vr=implicit, little_endian=True)
    return stream.getvalue()


def _enhanced() -> bytes:
    ds = ct_instance(0, shape_yx=(16, 16))
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    ds.NumberOfFrames = 3
    groups = []
    for k in range(3):
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = [0.0, 0.0, 2.0 * k]
        group.PlanePositionSequence = [place]
        groups.append(group)
    shared, turned, measures, rescale = Dataset(), Dataset(), Dataset(), Dataset()
    turned.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    measures.PixelSpacing, measures.SliceThickness = [0.5, 0.5], 2.0
    rescale.RescaleIntercept, rescale.RescaleSlope, rescale.RescaleType = -1024, 1, "HU"
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [turned], [measures]
    shared.PixelValueTransformationSequence = [rescale]
    ds.SharedFunctionalGroupsSequence, ds.PerFrameFunctionalGroupsSequence = [shared], groups
    ds.PixelData = bytes(16 * 16 * 2 * 3)
    return _written(ds)


def _structure_set() -> bytes:
    ds = ct_instance(0)
    for keyword in ("PixelData", "Rows", "Columns", "BitsAllocated"):
        delattr(ds, keyword)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.481.3"
    ds.Modality = "RTSTRUCT"
    roi, contours, contour = Dataset(), Dataset(), Dataset()
    roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = 1, "lesion", ds.FrameOfReferenceUID
    contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", 3
    contour.ContourData = [-5, -15, 30, 5, -15, 30, 5, -5, 30]
    contours.ReferencedROINumber, contours.ContourSequence = 1, [contour]
    ds.StructureSetROISequence, ds.ROIContourSequence = [roi], [contours]
    return _written(ds)


def _structured_report() -> bytes:
    ds = ct_instance(0)
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(ds, keyword)
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    ds.Modality, ds.ValueType = "SR", "CONTAINER"
    number, value, name, unit = Dataset(), Dataset(), Dataset(), Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = "118565006", "SCT", "Volume"
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "ml", "UCUM", "ml"
    value.NumericValue, value.MeasurementUnitsCodeSequence = 12.5, [unit]
    number.ValueType, number.ConceptNameCodeSequence, number.MeasuredValueSequence = "NUM", [name], [value]
    ds.ContentSequence = [number]
    return _written(ds)


def _directory() -> bytes:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    ds.file_meta.MediaStorageSOPInstanceUID = "2.25.7"
    record = Dataset()
    record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", ["A", "B"]
    ds.DirectoryRecordSequence = [record]
    return _written(ds)


def _nifti() -> bytes:
    image = nibabel.Nifti1Image(
        np.arange(8 * 7 * 6, dtype=np.int16).reshape(8, 7, 6), np.diag([2.0, 3.0, 4.0, 1.0])
    )
    image.header.set_xyzt_units("mm")
    return image.to_bytes()


def _nrrd(encoding: str) -> bytes:
    values = np.arange(6 * 5 * 4, dtype="<i2").tobytes()
    lines = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 6 5 4\nendian: little\n"
        f"encoding: {encoding}\nspace directions: (1,0,0) (0,1,0) (0,0,2)\nspace origin: (0,0,0)\n\n"
    )
    return lines.encode() + (gzip.compress(values) if encoding == "gzip" else values)


def _metaimage() -> bytes:
    lines = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
        "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 1 1 2\nDimSize = 6 5 4\n"
        "ElementType = MET_SHORT\nElementDataFile = LOCAL\n"
    )
    return lines.encode() + np.arange(120, dtype="<i2").tobytes()


def _picture(kind: str) -> bytes:
    stream = io.BytesIO()
    y, x = np.mgrid[:24, :20]
    PillowImage.fromarray((7 * y + 3 * x).astype(np.uint8)).save(stream, kind)
    return stream.getvalue()


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(2):
            archive.writestr(f"a/{k}.dcm", _written(ct_instance(k, shape_yx=(8, 8))))
        archive.writestr("inner.zip", b"PK\x05\x06" + bytes(18))
    return stream.getvalue()


def whole_files() -> list[bytes]:
    """One small file of each kind, undamaged."""
    return [
        _written(ct_instance(0)),
        _bare(implicit=True),
        _bare(implicit=False),
        _packed(RLELossless),
        _packed(JPEG2000Lossless),
        _packed(JPEGLSLossless),
        *(_jpeg(syntax) for syntax in (JPEGBaseline8Bit, JPEGLosslessSV1)),
        *(_other_syntax(syntax) for syntax in (ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian)),
        *(_cine(), _enhanced(), _structure_set(), _structured_report(), _directory()),
        *(_nifti(), gzip.compress(_nifti()), _nrrd("raw"), _nrrd("gzip"), _metaimage()),
        *(_picture("PNG"), _picture("JPEG"), _picture("TIFF"), _zip()),
    ]


def _other_syntax(syntax: str) -> bytes:
    ds = ct_instance(1)
    ds.file_meta.TransferSyntaxUID = syntax
    return _written(ds)


def damaged(content: bytes, dice: random.Random) -> bytes:
    """`content` with one to four kinds of damage."""
    found = bytearray(content)
    for _ in range(dice.randint(1, 4)):
        dice.choice((_flip, _flip, _truncate, _enlarge, _enlarge, _swap_tags, _repeat, _empty))(found, dice)
    return bytes(found)


def _flip(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 4, 32))):
        if content:
            # Headers lie at the start and are what a reader believes.
            end = len(content) if dice.random() < 0.5 else min(len(content), 1600)
            content[dice.randrange(end)] ^= 1 << dice.randrange(8)


def _truncate(content: bytearray, dice: random.Random) -> None:
    if dice.random() < 0.3 and content:
        del content[dice.randrange(len(content)) :]


def _enlarge(content: bytearray, dice: random.Random) -> None:
    """Put a large or negative number where a length or a size may be."""
    if len(content) > 8:
        at = dice.randrange(min(len(content), 1600) - 4)
        content[at : at + 4] = dice.choice(
            (
                b"\xff\xff\xff\xff",
                b"\xff\xff\xff\x7f",
                b"\x00\x00\x00\x80",
                b"\xff\xff",
                b"\x00\x00\x00\x00",
                b"9999",
            )
        )


def _swap_tags(content: bytearray, dice: random.Random) -> None:
    first, second = dice.sample(_SWAPPED, 2)
    at = content.find(first)
    if at >= 0:
        content[at : at + 4] = second
    elif len(content) > 64:
        i, j = dice.randrange(len(content) - 8), dice.randrange(len(content) - 8)
        content[i : i + 8], content[j : j + 8] = content[j : j + 8], content[i : i + 8]


def _repeat(content: bytearray, dice: random.Random) -> None:
    if content:
        at, n = dice.randrange(len(content)), dice.randint(1, 64)
        content[at:at] = content[at : at + n] * dice.choice((1, 2, 50))


def _empty(content: bytearray, dice: random.Random) -> None:
    if content:
        at, n = dice.randrange(len(content)), dice.randint(1, 200)
        content[at : at + n] = bytes(len(content[at : at + n]))


def read_whole(path: Path) -> str:
    """Read everything of a file: headers, pixels, regions. An error of the package is an answer."""
    try:
        found = read_studies(path)
    except HounsfieldError as error:
        return type(error).__name__
    for study in found.studies:
        for series in study.series:
            try:
                series.headers()
                if series.kind == "regions" and series.grid is not None:
                    series.regions(series.grid)
                elif series.load_image is not None:
                    series.image()
            except HounsfieldError:
                continue
    return "read"


def _too_long(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"reading took longer than {LONGEST_S} s")


def _peak_mib() -> int:
    """The largest resident memory of this program; ru_maxrss would hold that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    return int(re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)[1]) // 1024


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def main(folder: Path, first: int, last: int) -> int:
    """Read the damaged files first..last - 1; the number of those that ended in no answer."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGALRM, _too_long)
    warnings.simplefilter("ignore")
    whole, n_faults = whole_files(), 0
    for k in (1, 3):
        # Damaged slices of a CT lie beside two that are whole.
        (folder / "ct").mkdir(exist_ok=True)
        (folder / "ct" / f"{k}.dcm").write_bytes(_written(ct_instance(k)))
    for number in range(first, last):
        _say(number)
        content = damaged(whole[number % len(whole)], random.Random(number))
        is_slice = number % len(whole) == 0
        path = folder / "ct" / "damaged.dcm" if is_slice else folder / "damaged"
        path.write_bytes(content)
        signal.alarm(LONGEST_S)
        try:
            read_whole(path.parent if is_slice else path)
        except BaseException:  # noqa: BLE001  whatever it is, it is to be told
            n_faults += 1
            _say(f"{FAULT} {number}\n{traceback.format_exc()}")
        finally:
            signal.alarm(0)
    _say(f"peak {_peak_mib()} MiB, {n_faults} faults")
    return 1 if n_faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
