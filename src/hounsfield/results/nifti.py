"""masks/*.nii.gz and maps/*.nii.gz; PNG where the source states no millimetres.

The only place that turns LPS into the RAS of NIfTI, and arrays (z, y, x) into (x, y, z).
"""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.results.writer import Context, file_stems, result_writer

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.core import Grid

SCANNER_COORDINATES = 1  # NIFTI_XFORM_SCANNER_ANAT
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _nothing_drawn(context: Context) -> str | None:
    if any(region.kind == "mask" for region in context.reading.regions) or context.reading.maps:
        return None
    return "the reading holds no mask and no map"


@result_writer("nifti", left_out_because=_nothing_drawn)
def write_nifti(context: Context, folder: Path) -> list[Path]:
    """Write each mask as uint8 (0, 1) and each map as float32, on the grid of the source.

    Without an affine a NIfTI would state an invented spacing, so PNGs are written then: 0 and 255 for
    masks, 0 to 255 for maps, one a slice.
    """
    paths: list[Path] = []
    regions = [region for region in context.reading.regions if region.mask is not None]
    for stem, region in zip(file_stems([r.name for r in regions]), regions, strict=True):
        mask: NDArray[Any] = np.asarray(region.mask)
        paths += write_volume(folder / "masks", stem, mask.view(np.uint8), region.grid)
    maps = context.reading.maps
    for stem, item in zip(file_stems([m.name for m in maps]), maps, strict=True):
        paths += write_volume(folder / "maps", stem, item.values.astype(np.float32, copy=False), item.grid)
    return paths


def write_volume(folder: Path, stem: str, values: NDArray[Any], grid: Grid) -> list[Path]:
    """Write values (z, y, x) in [0, 1] as `stem.nii.gz`, or as PNG on a grid without millimetres."""
    folder.mkdir(exist_ok=True)
    if grid.affine is None:
        return _write_pngs(folder, stem, values)
    path = folder / f"{stem}.nii.gz"
    # mtime and name in the gzip header would make two equal runs differ.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as file:
        nifti_of(values.transpose(2, 1, 0), grid).to_stream(file)
    return [path]


def ras_affine(grid: Grid) -> NDArray[np.float64]:
    """4x4: index (x, y, z) to RAS millimetres, from a grid whose affine is (z, y, x) to LPS.

    Raises GeometryError for a grid without millimetres.
    """
    origin = np.append(grid.origin_mm, 1.0)
    steps = grid.directions * grid.spacing_mm
    affine = np.eye(4)
    affine[:3, :3] = steps[:, ::-1]
    affine[:, 3] = origin
    turned: NDArray[np.float64] = _LPS_TO_RAS @ affine
    return turned


def nifti_of(values: NDArray[Any], grid: Grid) -> Any:
    """The NIfTI image of values (x, y, z) or (x, y, z, t) on `grid`, in memory; for writers of files.

    Raises GeometryError for a grid without millimetres.
    """
    import nibabel

    affine = ras_affine(grid)
    image = nibabel.Nifti1Image(values, affine)
    image.set_sform(affine, code=SCANNER_COORDINATES)
    # A quaternion cannot hold shear (gantry tilt): better none than one that contradicts the sform.
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    is_sheared = not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4)
    image.set_qform(None if is_sheared else affine, code=0 if is_sheared else SCANNER_COORDINATES)
    image.header.set_xyzt_units("mm")
    return image


def _write_pngs(folder: Path, stem: str, values: NDArray[Any]) -> list[Path]:
    from PIL import Image as Raster

    paths = []
    for k, plane in enumerate(values, start=1):
        path = folder / (f"{stem}.png" if len(values) == 1 else f"{stem}-{k:04d}.png")
        levels = np.round(np.clip(plane, 0.0, 1.0).astype(np.float32) * 255)
        Raster.fromarray(levels.astype(np.uint8)).save(path)
        paths.append(path)
    return paths
