"""NIfTI files, packed or not: one folder is one study; RAS is turned to LPS here and nowhere else.

A file states neither modality nor unit. Whether it is a mask is decided in volume_studies.py.
"""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from hounsfield.core import Condition, Grid
from hounsfield.core.errors import GeometryError, RefusedInput, StudyError
from hounsfield.imaging.affine import lps_zyx_from_ras_xyz
from hounsfield.studies import limits
from hounsfield.studies.volume_files import unplaced

if TYPE_CHECKING:
    from typing import BinaryIO

    from numpy.typing import NDArray

    from hounsfield.studies.sources import Source

_HEADER_BYTES = 544
# Header and extensions together; extensions hold text of some kilobytes.
_MOST_OFFSET_BYTES = 1024**3
_HEADER_ERRORS = (
    *(OSError, EOFError, zlib.error, ValueError, KeyError, OverflowError, TypeError),
    *(HeaderDataError, ImageFileError, WrapStructError),
)
_NIFTI2 = b"n+2\0"
# xyzt_units: what one unit of the affine is in millimetres (nifti1.h).
_MM_PER_UNIT = {1: 1000.0, 2: 1.0, 3: 0.001}
_SPATIAL_UNIT_MASK = 0x07
# Corners of the two affines further apart than this are told.
_FORMS_AGREE_MM = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class NiftiFile:
    """The header of one file, understood. shape_zyx: three axes; n_times: fourth, 1 for none.

    slope, intercept: None where values are as stored. is_packed: gzip.
    """

    source: Source
    is_packed: bool
    dtype: np.dtype[Any]
    shape_zyx: tuple[int, int, int]
    n_times: int
    data_offset_bytes: int
    slope: float | None
    intercept: float | None
    grid: Grid
    conditions: tuple[Condition, ...]

    @property
    def format_name(self) -> str:
        """NIfTI."""
        return "NIfTI"

    @property
    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self.source.name,)

    @property
    def is_colour(self) -> bool:
        """Whether each voxel holds red, green and blue."""
        return self.dtype.names is not None

    def array(self) -> NDArray[Any]:
        """The values (z, y, x) or (t, z, y, x), colour with a last axis of 3. Raises StudyError if cut off."""
        n_values = math.prod(self.shape_zyx) * self.n_times
        content = self._content(n_values * self.dtype.itemsize)
        values = np.frombuffer(content, self.dtype)
        if self.dtype.names is not None:
            values = values.view(np.uint8).reshape(n_values, len(self.dtype.names))[:, :3]
        shape: tuple[int, ...] = self.shape_zyx if self.n_times == 1 else (self.n_times, *self.shape_zyx)
        stored = values.reshape(*shape, *values.shape[1:])
        if self.slope is not None:
            return stored.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept or 0.0)
        return stored.astype(self.dtype.newbyteorder("=")) if self.dtype.names is None else stored.copy()

    def _content(self, n_bytes: int) -> bytes:
        try:
            with self.source.open() as stream:
                unpacked: BinaryIO = gzip.GzipFile(fileobj=stream) if self.is_packed else stream  # type: ignore[assignment]
                unpacked.seek(self.data_offset_bytes)
                content = unpacked.read(n_bytes)
        except (OSError, EOFError, zlib.error) as error:
            raise StudyError(f"{self.source.name} cannot be unpacked ({error}). Copy it again.") from error
        if len(content) != n_bytes:
            raise StudyError(
                f"{self.source.name} holds {len(content)} bytes of values and its header declares {n_bytes}: it was "
                "cut off. Copy it again."
            )
        return content


def read_nifti(source: Source, *, is_packed: bool) -> NiftiFile:
    """Read and judge the header. Raises StudyError or RefusedInput with file, fault and remedy."""
    try:
        with source.open() as stream:
            unpacked: Any = gzip.GzipFile(fileobj=stream) if is_packed else stream
            head = unpacked.read(_HEADER_BYTES)
        # Only the fixed part: extensions that follow it hold remarks of the program that wrote the file.
        is_second = head[4:7] == _NIFTI2[:3]
        kind, n_bytes = (nib.Nifti2Header, 540) if is_second else (nib.Nifti1Header, 348)
        header = kind(head[:n_bytes], check=False)
        shape = tuple(int(n) for n in header.get_data_shape())
        dtype = header.get_data_dtype()
        slope, intercept = header.get_slope_inter()
        offset_bytes = int(header.get_data_offset())
    except _HEADER_ERRORS as error:
        raise StudyError(
            f"{source.name} begins like NIfTI but its header cannot be read ({str(error)[:120]}). Copy it again."
        ) from error
    _check(source, head, shape, dtype)
    if not 0 <= offset_bytes <= _MOST_OFFSET_BYTES:
        raise StudyError(
            f"{source.name} declares that its values begin at byte {offset_bytes}, which no program writes. Copy it "
            "again."
        )
    spatial = (*shape[:3], 1, 1, 1)[:3]
    shape_zyx = (spatial[2], spatial[1], spatial[0])
    grid, conditions = _grid(source, header, shape_zyx)
    is_plain = slope is None or (slope == 1.0 and not intercept)
    return NiftiFile(
        source,
        is_packed,
        dtype,
        shape_zyx,
        math.prod(shape[3:]),
        offset_bytes,
        None if is_plain else float(slope),
        None if is_plain else float(intercept or 0.0),
        grid,
        tuple(conditions),
    )


def _check(source: Source, head: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if head[344:348] == b"ni1\0" or head[4:8] == b"ni2\0":
        raise RefusedInput(
            f"{source.name} is the header of a pair of files (.hdr and .img). Convert it to one .nii file."
        )
    if not shape or min(shape) < 1 or len(shape) > 7:
        raise StudyError(f"{source.name} declares the shape {shape}, which is no image. Copy it again.")
    if sum(n > 1 for n in shape[3:]) > 1:
        raise RefusedInput(
            f"{source.name} has {len(shape)} axes {shape}; at most four are read. Split it into volumes."
        )
    if dtype.kind not in "iuf" and dtype.names is None:
        raise RefusedInput(
            f"{source.name} holds values of type {dtype}, which no measure can use. Convert them."
        )
    declared = math.prod(shape) * dtype.itemsize
    if declared > limits.MAX_PIXEL_BYTES_OF_SERIES:
        raise RefusedInput(
            f"{source.name} declares {declared / limits.GIB:.0f} GiB, the limit is "
            f"{limits.MAX_PIXEL_BYTES_OF_SERIES // limits.GIB}. Check its header, or give a part of it."
        )


def _grid(source: Source, header: Any, shape_zyx: tuple[int, int, int]) -> tuple[Grid, list[Condition]]:
    """The grid by sform, else qform; without both, a grid without millimetres."""
    where = (source.name,)
    sform = header.get_sform() if int(header["sform_code"]) > 0 else None
    try:
        qform = header.get_qform() if int(header["qform_code"]) > 0 else None
    except (HeaderDataError, ValueError, np.linalg.LinAlgError):
        qform = None
    affine = sform if sform is not None else qform
    if affine is None:
        return Grid(shape_zyx), [unplaced(where, "states neither sform nor qform (both codes are 0)")]
    found = []
    spatial_unit = int(header["xyzt_units"]) & _SPATIAL_UNIT_MASK
    scale = np.diag([*[_MM_PER_UNIT.get(spatial_unit, 1.0)] * 3, 1.0])
    if spatial_unit not in _MM_PER_UNIT:
        text = "The file states no unit of length (xyzt_units); millimetres were taken, as the format's users do."
        found.append(Condition("length-unit-unstated", "note", text, where))
    if sform is not None and qform is not None:
        found += _disagreement(sform, qform, shape_zyx, where)
    try:
        return Grid(shape_zyx, lps_zyx_from_ras_xyz(scale @ affine)), found
    except GeometryError as error:
        return Grid(shape_zyx), [unplaced(where, f"states an affine that is none ({error})")]


def _disagreement(
    sform: NDArray[np.float64],
    qform: NDArray[np.float64],
    shape_zyx: tuple[int, int, int],
    where: tuple[str, ...],
) -> list[Condition]:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in reversed(shape_zyx)])).reshape(3, -1)
    apart = (sform - qform)[:3, :3] @ corners + (sform - qform)[:3, 3:]
    apart_mm = float(np.linalg.norm(apart, axis=0).max())
    if apart_mm <= _FORMS_AGREE_MM:
        return []
    text = f"sform and qform of the file place its corners up to {apart_mm:.1f} mm apart; sform was taken."
    return [Condition("nifti-forms-disagree", "warning", text, where)]
