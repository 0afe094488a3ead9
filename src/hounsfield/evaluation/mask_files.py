"""Folders of outlines, true and found, put side by side by name: what is read, and what is refused.

A folder holds one file a case (NIfTI, NRRD, MetaImage, PNG, DICOM SEG: whatever `studies` reads), or one folder a case.
Label maps hold whole numbers, 0 for nothing; SEG holds named segments.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import GeometryError, StudyError, UsageError
from hounsfield.evaluation.by_structure import MaskEvaluation, evaluate_masks
from hounsfield.evaluation.overlaps import Overlap, Scale, overlap_of
from hounsfield.studies import read_studies, read_study

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.core import Grid, Series
    from hounsfield.core.progress import Progress
    from hounsfield.evaluation.mask_sections import Volumes

_ENDINGS = (".nii.gz", ".nii", ".seg.nrrd", ".nrrd", ".nhdr", ".mha", ".mhd", ".dcm", ".zip")
_PICTURE_ENDINGS = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
# What lies beside a header and is no case of its own.
_BESIDE = (".raw", ".zraw", ".raw.gz", ".txt", ".json", ".csv", ".md")
# More values than this are an image, not a label map.
MOST_LABELS = 512
SAME_GRID_MM = 0.01
DEFAULT_TOLERANCE_MM, DEFAULT_TOLERANCE_PX = 2.0, 2.0
_WHOLE_PICTURE = 255


@dataclass(frozen=True, slots=True, eq=False)
class MaskFile:
    """The outlines of one case. grid: where they lie. boxes: the smallest box of each structure by its name.

    labels: (z, y, x) with `values` by name; or masks by name where structures may overlap.
    """

    grid: Grid
    boxes: Mapping[str, tuple[slice, ...]]
    labels: NDArray[Any] | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    masks: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    def mask(self, name: str, box: tuple[slice, ...]) -> NDArray[np.bool_]:
        """The structure within `box`; empty if the case has none of that name."""
        if name in self.masks:
            return self.masks[name][box]
        if self.labels is not None and name in self.values:
            return np.asarray(self.labels[box] == self.values[name])
        return np.zeros([part.stop - part.start for part in box], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class PairedMasks:
    """Files of cases that both folders hold, and what was left out, in sentences.

    truth, found: by case; found is None for a case that counts as empty. images: by case, where a folder was given.
    names: of labels, by their number.
    """

    truth: Mapping[str, Path]
    found: Mapping[str, Path | None]
    images: Mapping[str, Path] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def pair_masks(
    found: Path,
    truth: Path,
    *,
    images: Path | None = None,
    names: Mapping[str, str] | None = None,
    missing_as_empty: bool = False,
) -> PairedMasks:
    """Files of both folders with the same name, endings apart.

    names: of labels, by their number. missing_as_empty: a case without prediction counts as one where nothing was found. Raises UsageError for a folder
    that is not there, for names that do not meet, and, unless missing_as_empty, for a case without prediction: to leave
    out the cases on which a program failed would flatter it.
    """
    true, said = _by_name(truth, "truth"), _by_name(found, "masks")
    shared = [case for case in true if case in said]
    if not shared:
        raise UsageError(
            f"no name is in both folders. {truth.name}: {_some(list(true))}; {found.name}: {_some(list(said))}. Name a "
            "case's files alike in both."
        )
    without = [case for case in true if case not in said]
    left_out = []
    if without and not missing_as_empty:
        raise UsageError(
            f"{len(without)} of {len(true)} cases in {truth.name} have no partner in {found.name}: {_some(without)}. Add "
            "them, or count them as found empty with --missing-as-empty."
        )
    if without:
        left_out.append(f"{len(without)} cases without prediction count as found empty: {_some(without)}")
    extra = [case for case in said if case not in true]
    if extra:
        left_out.append(f"{len(extra)} predictions without truth were left out: {_some(extra)}")
    pictures = _by_name(images, "images") if images is not None else {}
    own = {case: path for case in true if (path := pictures.get(case) or pictures.get(f"{case}_0000"))}
    return PairedMasks(true, {case: said.get(case) for case in true}, own, names or {}, tuple(left_out))


def judge_masks(
    pairs: PairedMasks,
    *,
    tolerance_mm: float = DEFAULT_TOLERANCE_MM,
    patients: Mapping[str, str] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    progress: Progress | None = None,
) -> MaskEvaluation:
    """Figures of all pairs. patients: of each case; each its own if None.

    Without stated spacing lengths are in pixels, and so is the tolerance. Raises GeometryError naming the case whose
    grids differ, StudyError for a file that holds no outlines, UsageError for files with and without spacing together.
    """
    from hounsfield.core.progress import Silent, step

    progress, patients = progress or Silent(), patients or {case: case for case in pairs.truth}
    rows: list[Overlap] = []
    scale: Scale | None = None
    for number, case in enumerate(pairs.truth):
        step(progress, "measuring outlines", number / len(pairs.truth))
        true, said = read_pair(pairs, case)
        if case in pairs.images:
            _image_series(pairs.images[case], true.grid)
        own = scale_of(true.grid, tolerance_mm)
        if scale is not None and own.length != scale.length:
            raise UsageError(
                f"case {case} states {'no ' * (own.length == 'px')}spacing, others do otherwise. Judge them apart."
            )
        scale = own
        rows += _overlaps(true, said, own, case, patients[case])
    step(progress, "measuring outlines", 1.0)
    if scale is None:
        raise UsageError("there is no pair of outlines to judge.")
    return evaluate_masks(rows, scale, patients=dict(patients), n_resamples=n_resamples, seed=seed)


def read_pair(pairs: PairedMasks, case: str) -> tuple[MaskFile, MaskFile]:
    """The outlines of one case, true and found, on one grid."""
    true = read_masks(pairs.truth[case], pairs.names)
    path = pairs.found[case]
    if path is None:
        return true, MaskFile(true.grid, {})
    said = read_masks(path, pairs.names)
    if true.grid.shape != said.grid.shape or not _same_place(true.grid, said.grid):
        raise GeometryError(
            f"the grids of case {case} differ: {_told(true.grid)} in truth, {_told(said.grid)} in the prediction. "
            "Resample the prediction to the grid of the truth (nearest neighbour)."
        )
    return true, said


def volume_of(pairs: PairedMasks, case: str, structure: str) -> Volumes:
    """Picture (None without images), truth and found of one structure, read again for the page, and the spacing."""
    true, said = read_pair(pairs, case)
    whole = tuple(slice(0, n) for n in true.grid.shape)
    spacing = true.grid.spacing_mm if true.grid.has_millimetres else (1.0, 1.0, 1.0)
    picture = None
    if case in pairs.images:
        picture = _image_series(pairs.images[case], true.grid).image().array
    return picture, true.mask(structure, whole), said.mask(structure, whole), spacing


def _image_series(path: Path, grid: Grid) -> Series:
    """The image of a case; raises GeometryError unless it lies on the grid of the outlines."""
    found = [
        one for one in read_study(path).series if one.kind in {"image", "raster"} and one.grid is not None
    ]
    if len(found) != 1 or found[0].grid is None or found[0].grid.shape != grid.shape:
        shapes = ", ".join(" x ".join(map(str, one.grid.shape)) for one in found if one.grid) or "no image"
        raise GeometryError(
            f"{path.name} holds {shapes}, the outlines have {' x '.join(map(str, grid.shape))} voxels. Give images on the "
            "grid of the outlines, or leave --images out."
        )
    return found[0]


def _overlaps(true: MaskFile, said: MaskFile, scale: Scale, case: str, patient: str) -> list[Overlap]:
    """Figures of every structure that either holds."""
    made = []
    for name in dict.fromkeys([*true.boxes, *said.boxes]):
        box = _around([one.boxes[name] for one in (true, said) if name in one.boxes])
        masks = [one.mask(name, box) for one in (true, said)]
        if true.grid.shape[0] == 1:
            masks = [mask[0] for mask in masks]
        one = overlap_of(masks[0], masks[1], scale, case=case, patient=patient, structure=name)
        made += [one] if one is not None else []
    return made


def read_masks(path: Path, names: Mapping[str, str]) -> MaskFile:
    """The outlines in a file, or in a folder of one case. names: of labels, by their number."""
    stem = case_name(path)
    stated = dict.fromkeys((stem, path.name.split(".")[0]), ("OT", "1"))
    series = [one for study in read_studies(path, stated=stated).studies for one in study.series]
    regions = [one for one in series if one.kind == "regions" and one.grid is not None]
    if regions:
        return _of_regions(path, regions, names)
    pictures = [one for one in series if one.kind in {"image", "raster"}]
    if len(pictures) != 1:
        raise StudyError(f"{path.name} holds {len(pictures)} images; one label map is needed.")
    image = pictures[0].image()
    labels = image.array
    if labels.ndim != 3:
        raise StudyError(
            f"{path.name} holds values of shape {labels.shape}; a label map has one number a voxel. Save it as grey values."
        )
    values = np.unique(labels)
    if len(values) > MOST_LABELS or values[0] < 0 or not (values == np.rint(values)).all():
        raise StudyError(
            f"{path.name} holds {len(values)} values from {values[0]:g} to {values[-1]:g} and is no label map: whole "
            f"numbers from 0, at most {MOST_LABELS} of them, are taken. Round or threshold it first."
        )
    whole = labels.astype(np.int32)
    if values[-1] == _WHOLE_PICTURE and len(values) <= 2:
        whole = (whole > 0).astype(np.int32)  # black and white is 0 and 255 in pictures
    return _of_labels(whole, image.grid, names)


def _of_labels(labels: NDArray[np.int32], grid: Grid, names: Mapping[str, str]) -> MaskFile:
    from scipy.ndimage import find_objects

    boxes, values = {}, {}
    for number, box in enumerate(find_objects(labels), start=1):
        if box is not None:
            name = names.get(str(number), str(number))
            boxes[name], values[name] = box, number
    return MaskFile(grid, boxes, labels=labels, values=values)


def _of_regions(path: Path, series: Sequence[Series], names: Mapping[str, str]) -> MaskFile:
    from scipy.ndimage import find_objects

    grid = series[0].grid
    if grid is None or any(one.grid is None or not _same_place(grid, one.grid) for one in series):
        raise GeometryError(f"{path.name} holds segmentations on several grids. Give one a case.")
    masks = {
        names.get(region.name, region.name): np.asarray(region.mask)
        for one in series
        for region in one.regions(grid)
    }
    boxes = {name: find_objects(mask.view(np.uint8))[0] for name, mask in masks.items() if mask.any()}
    return MaskFile(grid, boxes, masks=masks)


def scale_of(grid: Grid, tolerance_mm: float) -> Scale:
    """Units of a case: mL of volumes, square millimetres of single slices, pixels where no spacing is stated."""
    is_flat = grid.shape[0] == 1
    n_axes = 2 if is_flat else 3
    if not grid.has_millimetres:
        return Scale((1.0,) * n_axes, "px", 1.0, "px" if is_flat else "voxels", DEFAULT_TOLERANCE_PX)
    if is_flat:
        rows, columns = grid.spacing_mm[1:]
        return Scale((rows, columns), "mm", rows * columns, "mm\u00b2", tolerance_mm)
    return Scale(grid.spacing_mm, "mm", grid.voxel_volume_mm3 / 1000, "mL", tolerance_mm)


def case_name(path: Path) -> str:
    """The name of a file or folder without its ending: what pairs it."""
    lower = path.name.lower()
    ending = next((end for end in (*_ENDINGS, *_PICTURE_ENDINGS) if lower.endswith(end)), "")
    return path.name[: len(path.name) - len(ending)] if ending else path.name


def _by_name(folder: Path, word: str) -> dict[str, Path]:
    """Files and folders by the name of their case, sorted."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder} of {word}. Give a folder with one file a case.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower().endswith(_BESIDE):
            continue
        case = case_name(path)
        if case in found:
            raise UsageError(
                f"{folder.name} holds {found[case].name} and {path.name} for one case. Keep one of them."
            )
        found[case] = path
    if not found:
        raise UsageError(f"the folder {folder} of {word} is empty.")
    return found


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _around(boxes: Sequence[tuple[slice, ...]]) -> tuple[slice, ...]:
    """The smallest box that holds all."""
    return tuple(
        slice(min(part.start for part in along), max(part.stop for part in along))
        for along in zip(*boxes, strict=True)
    )


def _same_place(grid: Grid, other: Grid) -> bool:
    """Whether both hold the same voxels; files that are not DICOM state no frame of reference, so none is asked."""
    from dataclasses import replace

    return replace(grid, frame_of_reference_uid=None).is_same_as(
        replace(other, frame_of_reference_uid=None), tolerance_mm=SAME_GRID_MM
    )


def _told(grid: Grid) -> str:
    size = " x ".join(map(str, grid.shape))
    if not grid.has_millimetres:
        return f"{size} voxels without spacing"
    spacing = " x ".join(f"{step:.3g}" for step in grid.spacing_mm)
    place = ", ".join(f"{part:.1f}" for part in grid.origin_mm)
    return f"{size} voxels of {spacing} mm from ({place})"
