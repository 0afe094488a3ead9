"""`hu convert`: DICOM series to NIfTI, and volumes without DICOM to DICOM, by the geometry of `studies`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hounsfield import __version__
from hounsfield.core import Condition, Silent
from hounsfield.core.errors import HounsfieldError, ResultError, UsageError
from hounsfield.core.progress import step
from hounsfield.results import (
    UNITS,
    SeriesOrigin,
    write_image_nifti,
    write_image_series,
    write_side_file,
)
from hounsfield.studies import read_studies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hounsfield.core import Image, Progress, Series, Study

# What the side file tells of a series besides geometry; nothing in it is the patient's.
_TOLD_TAGS = (
    *("ImageType", "BodyPartExamined", "ConvolutionKernel", "SliceThickness", "SpacingBetweenSlices", "KVP"),
    *("ContrastBolusAgent", "EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "DiffusionBValue"),
    *("MagneticFieldStrength", "Manufacturer", "ManufacturerModelName", "GantryDetectorTilt", "Units"),
    *("PhotometricInterpretation", "LossyImageCompression", "FrameTime"),
)


@dataclass(frozen=True, slots=True)
class AsDicom:
    """How volumes without DICOM are to be written as DICOM.

    modality: CT, MR or PT. unit: of the values, None where the modality has only one (CT: HU, MR: 1).
    like: a study whose patient and study attributes are taken over, None for placeholders.
    """

    modality: str
    unit: str | None = None
    like: Path | None = None


@dataclass(frozen=True, slots=True)
class ConvertedSeries:
    """What came of one series. path: the file or folder written, None if it was not; `reason` says why."""

    series: str
    description: str
    path: Path | None
    conditions: tuple[Condition, ...] = ()
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """The form printed by `hu convert --json`."""
        return {
            "series": self.series,
            "description": self.description,
            "path": None if self.path is None else str(self.path),
            "reason": self.reason,
            "conditions": [condition.to_json() for condition in self.conditions],
        }


@dataclass(frozen=True, slots=True)
class Conversion:
    """What came of every series below a path, and the files that could not be read."""

    converted: tuple[ConvertedSeries, ...]
    refused: tuple[Condition, ...]

    def to_json(self) -> dict[str, Any]:
        """`{"converted": [...], "refused": [...]}`."""
        return {
            "converted": [one.to_json() for one in self.converted],
            "refused": [condition.to_json() for condition in self.refused],
        }


def convert(
    path: Path | str, out: Path | str, *, as_dicom: AsDicom | None = None, progress: Progress | None = None
) -> Conversion:
    """Write every DICOM image series below `path` as .nii.gz with a side file, every other volume as DICOM.

    out: folder for the results. as_dicom: needed for volumes without DICOM (NIfTI), which state neither
    modality nor unit; without it they are listed with that reason. What cannot be converted is listed, never
    guessed. Raises StudyError if nothing can be read, UsageError for words that do not fit, ResultError if
    the results cannot be written.
    """
    out, progress = Path(out), progress or Silent()
    writer = None if as_dicom is None else _DicomWriter(as_dicom, datetime.now(UTC))
    found = read_studies(path, progress=progress)
    every = [series for study in found.studies for series in study.series]
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(
            f"cannot make the folder {out}: {error.strerror}. Name another with --out."
        ) from error
    stems, done = _stems(every), []
    for number, (series, stem) in enumerate(zip(every, stems, strict=True)):
        step(progress, f"series {number + 1} of {len(every)}", number / len(every))
        done.append(_converted(series, out / stem, writer))
    return Conversion(tuple(done), found.refused)


def _converted(series: Series, place: Path, writer: _DicomWriter | None) -> ConvertedSeries:
    try:
        if series.kind not in {"image", "raster"}:
            return _not_written(series, f"This is no image ({series.kind}); images are converted.")
        if series.load_headers is not None:
            return _as_nifti(series, place)
        if writer is None:
            text = "It states neither modality nor unit. Give --modality (and --unit for PT) to write it as DICOM."
            return _not_written(series, text)
        conditions = writer.write(series, place)
    except (ResultError, UsageError):
        raise
    except HounsfieldError as error:
        return _not_written(series, str(error))
    return ConvertedSeries(series.key, series.description, place, conditions)


def _not_written(series: Series, reason: str) -> ConvertedSeries:
    return ConvertedSeries(series.key, series.description, None, series.conditions, reason)


def _as_nifti(series: Series, place: Path) -> ConvertedSeries:
    image = series.image()
    path = place.with_name(f"{place.name}.nii.gz")
    write_image_nifti(image, path)
    tags = {
        "modality": series.modality,
        "series_instance_uid": series.series_instance_uid,
        "n_instances": len(series.sop_instance_uids) or len(series.files),
        "made_by": f"hounsfield {__version__}",
        "tags": {name: series.tags[name] for name in _TOLD_TAGS if series.tags.get(name) is not None},
    }
    write_side_file(place.with_name(f"{place.name}.json"), image, tags, series.conditions)
    return ConvertedSeries(series.key, series.description, path, series.conditions)


class _DicomWriter:
    """Writes volumes as the series that `AsDicom` asks for. Raises UsageError if its words do not fit."""

    def __init__(self, asked: AsDicom, created: datetime) -> None:
        units = UNITS.get(asked.modality)
        if units is None:
            raise UsageError(f"--modality {asked.modality!r} is none of {', '.join(UNITS)}")
        if asked.unit is None and len(units) > 1:
            raise UsageError(
                f"a {asked.modality} volume may be in {' or '.join(units)}: say which with --unit"
            )
        if asked.unit is not None and asked.unit not in units:
            raise UsageError(
                f"--unit {asked.unit!r} does not belong to {asked.modality}: {' or '.join(units)}"
            )
        self._modality, self._unit, self._created = asked.modality, asked.unit or units[0], created
        self._like = None if asked.like is None else _dicom_study(asked.like)

    def write(self, series: Series, folder: Path) -> tuple[Condition, ...]:
        """Write one volume; returns all conditions that concern it."""
        image = replace(series.image(), unit=self._unit)
        header, frame_uid = self._home(image)
        origin = SeriesOrigin(series.description or "volume", self._created, __version__, header, frame_uid)
        said = Condition(
            "unit-stated-by-user",
            "note",
            f"The file itself states neither modality nor unit; modality {self._modality} and unit {self._unit} are "
            "what the user stated.",
            series.files[:1],
        )
        kept = (c for c in series.conditions if c.code != "unit-unstated")
        return (*kept, said, *write_image_series(image, self._modality, folder, origin))

    def _home(self, image: Image) -> tuple[Any, str | None]:
        """Header of the study to be like, and its frame of reference if the volume lies on one of its grids."""
        if self._like is None:
            return None, None
        images = [s for s in self._like.series if s.load_headers is not None]
        for series in images:
            grid = series.grid
            if grid is not None and grid.has_millimetres and _same_place(image, grid):
                return series.headers()[0], grid.frame_of_reference_uid
        return images[0].headers()[0], None


def _same_place(image: Image, grid: Any) -> bool:
    unframed = replace(grid, frame_of_reference_uid=image.grid.frame_of_reference_uid)
    return image.grid.is_same_as(unframed, tolerance_mm=0.05)


def _dicom_study(path: Path) -> Study:
    studies = [s for s in read_studies(path).studies if any(one.load_headers for one in s.series)]
    if len(studies) != 1:
        raise UsageError(f"--like {path} holds {len(studies)} DICOM studies, one is needed")
    return studies[0]


def _stems(every: Sequence[Series]) -> list[str]:
    """Names of the results: number and description of the series, or the name of the file; unique."""
    stems: list[str] = []
    for series in every:
        number = series.tags.get("SeriesNumber")
        words = [series.modality or "", "" if number is None else f"{number}", series.description]
        name = "-".join(word for word in words if word) if series.load_headers else series.description
        stem = re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:60] or "series"
        count, unique = 1, stem
        while unique.lower() in {taken.lower() for taken in stems}:
            count += 1
            unique = f"{stem}-{count}"
        stems.append(unique)
    return stems
