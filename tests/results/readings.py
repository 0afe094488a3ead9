"""Readings on tiny DICOM series, built by hand from the core types, for the tests of the writers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from tests.tiny_dicom import AXIAL, ct_instance

from hounsfield.core import (
    Code,
    Condition,
    ExplanationMap,
    Finding,
    Grid,
    Image,
    InputReference,
    Measurement,
    ModelReference,
    Provenance,
    Reading,
    Region,
    Series,
    SourceFrame,
    Study,
)
from hounsfield.core.code import (
    GLIOMA,
    GRAD_CAM,
    LAA_950,
    LEFT,
    LUNG,
    MEAN,
    MEAN_ATTENUATION,
    RIGHT,
    VOLUME,
)
from hounsfield.results import Documents, Picture

if TYPE_CHECKING:
    from pathlib import Path

CREATED = datetime(2024, 3, 4, 5, 6, 7)  # noqa: DTZ001 - what the objects state is local time
DIGEST = "ab" * 32
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"  # 69 bytes: odd


def headers_of(orientation=AXIAL, *, n: int = 6, name: str = "tiny", **options) -> list:
    """Headers without pixels in array order, that is along row x column."""
    headers = [ct_instance(k, name=name, orientation=orientation, **options) for k in range(n)]
    for header in headers:
        del header.PixelData
    return headers


def grid_of(headers) -> Grid:
    """The grid of sorted single-frame headers by the formula of PS3.3 C.7.6.2.1.1."""
    first, last = headers[0], headers[-1]
    cosines = np.array(first.ImageOrientationPatient, dtype=float)
    row_mm, column_mm = (float(v) for v in first.PixelSpacing)
    origin, end = (np.array(h.ImagePositionPatient, dtype=float) for h in (first, last))
    step = (
        (end - origin) / max(len(headers) - 1, 1) if len(headers) > 1 else np.cross(cosines[:3], cosines[3:])
    )
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = step, cosines[3:] * row_mm, cosines[:3] * column_mm
    affine[:3, 3] = origin
    return Grid((len(headers), first.Rows, first.Columns), affine, str(first.FrameOfReferenceUID))


def series_of(headers, grid: Grid | None = None) -> Series:
    """A DICOM image series over those headers."""
    return Series(
        key=str(headers[0].SeriesInstanceUID),
        kind="image",
        modality="CT",
        series_instance_uid=str(headers[0].SeriesInstanceUID),
        unit="HU",
        grid=grid or grid_of(headers),
        source=tuple(SourceFrame(str(h.SOPInstanceUID)) for h in headers),
        load_headers=lambda: headers,
    )


def raster_series(shape=(1, 20, 30)) -> Series:
    """A PNG: no modality, no geometry, no DICOM."""
    return Series(key="picture.png", kind="raster", grid=Grid(shape), unit="1", files=("picture.png",))


def nifti_series(grid: Grid) -> Series:
    return Series(key="ct.nii.gz", kind="image", unit="1", grid=grid, files=("ct.nii.gz",))


def letter_f(shape) -> np.ndarray:
    """A mask without any symmetry: a letter F on the slices, of another height on each."""
    mask = np.zeros(shape, dtype=bool)
    for k in range(1, shape[0] - 1):
        mask[k, 3 : 12 + k, 5:7] = True
        mask[k, 3:5, 5:14] = True
        mask[k, 7:9, 5:11] = True
    return mask


def regions_on(grid: Grid) -> tuple[Region, ...]:
    """A letter F (left), and three voxels (right)."""
    other = np.zeros(grid.shape, dtype=bool)
    if grid.shape[0] > 2:
        other[2, 15, 20:22] = other[3, 16, 20] = True
    else:
        other[0, 15, 20:22] = True
    left = letter_f(grid.shape) if grid.shape[0] > 2 else letter_f((3, *grid.shape[1:]))[1:2]
    return (
        Region("left-lung", LUNG, grid, left, laterality=LEFT),
        Region("right-lung", LUNG, grid, other, laterality=RIGHT),
    )


def measurements() -> tuple[Measurement, ...]:
    return (
        Measurement("volume", VOLUME, 1.2345678901234567, "ml", "sum-of-voxels", "1.0", 0.25, ("left-lung",)),
        Measurement(
            "mean",
            MEAN_ATTENUATION,
            -812.5,
            "[hnsf'U]",
            "mean",
            "1.0",
            None,
            ("left-lung",),
            MEAN,
            'a, "note"',
        ),
        Measurement("laa-950", LAA_950, 12.5, "%", "laa", "1.0", None, ("left-lung", "right-lung")),
    )


def findings() -> tuple[Finding, ...]:
    return (
        Finding(
            *("glioma", GLIOMA, "present", "The network says so, with a margin."),
            *(0.875, "temperature", 3.2),
            regions=("right-lung",),
            site=LUNG,
            laterality=RIGHT,
        ),
        Finding("other", Code("4147007", "SCT", "Mass"), "absent", "Nothing was seen."),
    )


def reading_of(series: Series, *, method: str = "rule", **parts) -> Reading:
    """A reading as the pipeline hands it on: with inputs, provenance and UID."""
    grid = series.grid
    values = {
        "regions": regions_on(grid),
        "findings": findings(),
        "measurements": measurements(),
        "maps": (ExplanationMap("why-glioma", GRAD_CAM, "glioma", grid, ramp(grid.shape), "Weak evidence."),),
        "conditions": (
            Condition("contrast-unstated", "warning", "Contrast is not stated; 3 mm² asked.", ("1.2",)),
        ),
    } | parts
    reading = Reading.complete(**values)
    models = (ModelReference("tumour-net", "1.0", DIGEST),) if method == "model" else ()
    uids = series.sop_instance_uids
    reference = InputReference(
        *("thorax", series.key, series.modality, None, series.series_instance_uid),
        *(uids, series.files, "cd" * 32),
    )
    return replace(
        reading,
        application="lung_ct",
        title="Lungs on CT",
        uid="2.25.1",
        inputs=(reference,),
        provenance=Provenance("lung_ct", "1.0", "0.1.0", method, models, {"run": 1.5}),
    )


def ramp(shape) -> np.ndarray:
    return (np.arange(np.prod(shape), dtype=np.float32) / np.prod(shape)).reshape(shape).astype(np.float32)


def documents(series: Series) -> Documents:
    rgb = np.zeros((21, 33, 3), dtype=np.uint8)
    rgb[3, 5] = (255, 10, 1)
    source = series.source[1] if len(series.source) > 1 else None
    return Documents(
        b"<html>page</html>",
        PDF,
        (Picture("axial", "Axial plane", rgb, source), Picture("mip", "MIP", rgb[:, :20])),
    )


def write_all(folder: Path, series: Series | None = None, reading: Reading | None = None, **changes):
    """`write_reading` with everything that a test does not say."""
    from hounsfield.results import write_reading

    series = series or series_of(headers_of())
    grid = series.grid
    keywords = {
        "series": {"thorax": series},
        "study": Study("study", (series,)),
        "image": Image(np.zeros(grid.shape, dtype=np.int16), grid, series.unit or "1", series.source),
        "documents": documents(series),
        "folder": folder,
        "created": CREATED,
    } | changes
    return write_reading(reading or reading_of(series), **keywords)
