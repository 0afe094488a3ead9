"""Write docs/reference/files-read.md: every odd file that is at hand, and what became of it.

    HOUNSFIELD_DATA=../shared/data .venv/bin/python docs/verdicts.py

Needs the folder of real images; the test files of pydicom come with it. A test marked real_data writes the page
again, compares, and fails where a file ends in anything but an answer or an error of the package.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom.data

from hounsfield.core.errors import HounsfieldError
from hounsfield.studies import read_studies
from hounsfield.studies.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hounsfield.core import Series, Study
    from hounsfield.studies.read_study import StudiesRead

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "files-read.md"
NOT_ANSWERED = "fault"
_LONGEST_REASON = 300
_MEDICAL = frozenset({"dicom", "nifti", "nifti-gz", "nrrd", "metaimage"})

HEAD = """# What became of every file

<!-- Written by docs/verdicts.py: change the code, then run that. -->

Each file below was given to the reader alone (folders of slices: as a folder), its headers read and all its pixels,
masks or contours decoded. **read**: pixels with their unit. **regions**: masks or contours. **listed**: no image, but
named with what it is. **passed over**: not a medical image by its content. **refused**: with this reason. Codes in
brackets are [conditions](conditions.md): what was found on the way and told.

The files of the first and third list are not part of this repository; research use only, not a medical device.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row: name of file or folder below its set, verdict, and why."""

    name: str
    verdict: str
    reason: str


def judge(path: Path, name: str) -> list[Verdict]:
    """What reading `path` gives, one row a series, a refused file, or a kind of file passed over."""
    try:
        found = read_studies(path)
    except HounsfieldError as error:
        kind = "refused" if "by their content" not in str(error) or "refused" in str(error) else "passed over"
        return [Verdict(name, kind, str(error))]
    except Exception as error:  # the one place where every fault is to be seen
        return [_fault(name, error)]
    rows = [_of_series(study, series, name) for study in found.studies for series in study.series]
    return rows + _of_refused(found, name)


def _of_refused(found: StudiesRead, name: str) -> list[Verdict]:
    return [Verdict(f"{name}: {', '.join(c.instances[:1])}", "refused", c.text) for c in found.refused]


def _of_series(study: Study, series: Series, name: str) -> Verdict:
    codes = list(dict.fromkeys(c.code for c in (*study.conditions, *series.conditions)))
    told = f" [{', '.join(codes)}]" if codes else ""
    what = series.modality or "no modality"
    refusals = [c.text for c in series.conditions if c.severity == "refusal"]
    try:
        series.headers()
        if series.kind == "regions":
            regions = series.regions(series.grid) if series.grid is not None else ()
            return Verdict(name, "regions", f"{what}, {len(regions)} regions{told}")
        if refusals:
            return Verdict(name, "refused", f"{refusals[0]}{told}")
        if series.load_image is None:
            return Verdict(name, "listed", f"{what}{told}")
        image = series.image()
    except HounsfieldError as error:
        return Verdict(name, "refused", str(error))
    except Exception as error:  # as above
        return _fault(name, error)
    size = " x ".join(str(n) for n in image.array.shape)
    return Verdict(name, "read", f"{what}, {size}, unit {image.unit or 'unstated'}{told}")


def _fault(name: str, error: Exception) -> Verdict:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Verdict(
        name, NOT_ANSWERED, f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    )


def odd_files(data: Path) -> Iterator[tuple[Path, str]]:
    """Single files and small series of odd_dicom."""
    folder = data / "odd_dicom"
    for path in sorted((folder / "files").iterdir()) + sorted((folder / "series").iterdir()):
        yield path, path.relative_to(folder).as_posix()


def pydicom_files(_data: Path) -> Iterator[tuple[Path, str]]:
    """Every file in the data folders of the pydicom package."""
    folder = Path(pydicom.data.__file__).parent
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in {".py", ".pyc"}:
            yield path, path.relative_to(folder).as_posix()


def medical_folders(data: Path) -> Iterator[tuple[Path, str]]:
    """Folders with DICOM slices, and single volume files, of every other part of the data."""
    for folder in sorted(path for path in data.iterdir() if path.is_dir() and path.name != "odd_dicom"):
        slices = set()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            with path.open("rb") as stream:
                kind = kind_of(stream.read(4096))
            if kind == "dicom":
                slices.add(path.parent)
            elif kind in _MEDICAL:
                yield path, path.relative_to(data).as_posix()
        for parent in sorted(slices):
            yield parent, parent.relative_to(data).as_posix() + "/"


SETS = (
    ("odd_dicom", odd_files),
    ("Test files of pydicom", pydicom_files),
    ("Other volumes and series", medical_folders),
)


def all_rows(data: Path) -> dict[str, list[Verdict]]:
    """Verdicts by title of the set."""
    return {title: [row for path, name in found(data) for row in judge(path, name)] for title, found in SETS}


def page(rows: dict[str, list[Verdict]]) -> str:
    """The page; files of one folder with one verdict and reason share a row."""
    parts = [HEAD]
    for title, found in rows.items():
        counts = defaultdict(int)
        for row in found:
            counts[row.verdict] += 1
        said = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
        parts.append(f"## {title}\n\n{said}.\n\n| file | verdict | reason |\n| --- | --- | --- |")
        parts += [_line(list(same)) for _, same in groupby(found, key=_alike)]
        parts.append("")
    return "\n".join(parts)


def _alike(row: Verdict) -> tuple[str, str, str]:
    name = row.name.rstrip("/")
    return name.rpartition("/")[0], row.verdict, row.reason.replace(name.rpartition("/")[2], "...")


def _line(rows: list[Verdict]) -> str:
    first = rows[0]
    name = first.name if len(rows) == 1 else f"{first.name} and {len(rows) - 1} like it"
    reason = " ".join(first.reason.split()).replace("|", "\\|").replace("<", "&lt;")
    if len(reason) > _LONGEST_REASON:
        reason = reason[:_LONGEST_REASON].rpartition(" ")[0] + " ..."
    return f"| `{name}` | {first.verdict} | {reason} |"


def main() -> int:
    """Write the page; 1 if a file found no answer."""
    rows = all_rows(Path(os.environ.get("HOUNSFIELD_DATA", ROOT.parent / "shared" / "data")))
    PAGE.write_text(page(rows), encoding="utf-8")
    faults = [row for found in rows.values() for row in found if row.verdict == NOT_ANSWERED]
    for row in faults:
        print(f"{row.name}: {row.reason}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
