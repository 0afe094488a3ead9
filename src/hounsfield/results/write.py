"""Writing all that one reading leaves behind, together: begin here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hounsfield.core.errors import HounsfieldError, ResultError
from hounsfield.core.reading import RESEARCH_USE
from hounsfield.results.dicom_context import DicomSource, dicom_source
from hounsfield.results.folder import replaced_folder
from hounsfield.results.writer import Context, result_writers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from hounsfield.core import Image, Reading, Series, Study
    from hounsfield.results.documents import Documents


# What every derived object refers to; anonymisation may have removed them.
_NEEDED_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, and what was not. paths: files in `folder`, sorted; iterating gives them.

    left_out: writer to the reason why this reading has no such result.
    """

    folder: Path
    paths: tuple[Path, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


def write_reading(
    reading: Reading,
    *,
    series: Mapping[str, Series],
    study: Study,
    image: Image | None,
    documents: Documents,
    folder: Path,
    created: datetime,
) -> Written:
    """Write every result of `reading` into `folder`, all together or nothing.

    series: by role, the main role first (or that whose grid is the image's). image: the main series'
    pixels, None where a refused reading has none. folder: of this reading alone; an older result in it is replaced in one step. created: the
    time that the objects state; UIDs do not depend on it.
    Raises ResultError, naming the folder and the remedy, if anything could not be written; then
    nothing half-written is left and what was there before is untouched.
    """
    context = Context(
        reading,
        series,
        _main_series(series, image),
        study,
        image,
        documents,
        created,
        _dicom_source(reading, series, image, created),
    )
    left_out: dict[str, str] = {}
    with replaced_folder(folder) as scratch:
        names: list[Path] = []
        for writer in result_writers:
            reason = _run_writer(writer.name, context, scratch, names)
            if reason is not None:
                left_out[writer.name] = reason
        names.append(_write_readme(context, left_out, names, scratch))
        relative = sorted(path.relative_to(scratch) for path in names)
    return Written(folder, tuple(folder / path for path in relative), left_out)


def _run_writer(name: str, context: Context, scratch: Path, names: list[Path]) -> str | None:
    """Run one writer; its paths go to `names`. Returns why it was left out, or None."""
    writer = result_writers.get(name)
    try:
        reason = writer.left_out_because(context)
        if reason is None:
            names += writer.write(context, scratch)
    except (OSError, HounsfieldError):
        raise
    except Exception as error:
        # The text of a foreign error may quote the patient; its kind may not.
        raise ResultError(
            f"the result {name!r} of {context.reading.application!r} could not be made "
            f"({type(error).__name__}), so nothing was written. Please report this with `hu inspect` of "
            "the study."
        ) from error
    return reason


def _main_series(series: Mapping[str, Series], image: Image | None) -> Series:
    if not series:
        raise ResultError("a reading without any series has no results to write: give the series by role")
    if image is None:
        return next(iter(series.values()))
    fitting = (s for s in series.values() if s.grid is not None and s.grid.is_same_as(image.grid))
    return next(fitting, next(iter(series.values())))


def _dicom_source(
    reading: Reading, series: Mapping[str, Series], image: Image | None, created: datetime
) -> DicomSource | None:
    main = _main_series(series, image)
    headers = list(main.headers())
    if not headers or not all(header.get(keyword) for header in headers for keyword in _NEEDED_UIDS):
        return None
    study_uid = headers[0].get("StudyInstanceUID")
    others = {id(s): s for s in series.values() if s is not main}
    further = [
        h for other in others.values() for h in other.headers() if h.get("StudyInstanceUID") == study_uid
    ]
    return dicom_source(reading, headers, further, created)


def _write_readme(context: Context, left_out: Mapping[str, str], names: list[Path], scratch: Path) -> Path:
    """Say in the folder itself what lies in it, and what does not and why."""
    reading = context.reading
    lines = [f"Results of {reading.title or reading.application} ({reading.status}).", RESEARCH_USE, ""]
    lines += ["Here:", *(f"  {path.relative_to(scratch).as_posix()}" for path in sorted(names)), ""]
    if left_out:
        lines += ["Left out:", *(f"  {name}: {reason}." for name, reason in sorted(left_out.items())), ""]
    path = scratch / "README.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
