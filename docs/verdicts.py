"""Write docs/reference/files-read.md: every odd file that is at hand, and what became of it.

    HOUNSFIELD_DATA=../shared/data .venv/bin/python docs/verdicts.py

Needs the folder of real images; the test files of pydicom come with it. A test marked real_data writes the page
again, compares, and fails where a file ends in anything but an answer or an error of the package.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom.data

from hounsfield.core.errors import HounsfieldError
from hounsfield.studies import read_studies
from hounsfield.studies.kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hounsfield.core import Series, Study

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "files-read.md"
NOT_ANSWERED = "fault"
_LONGEST_REASON = 300
_DATA = "data/"
_NAMED, _FEW, _SIZES_NAMED = 12, 3, 4
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
    """One row: name of file or folder below its set, verdict, and why. size: of the pixels, "" without."""

    name: str
    verdict: str
    reason: str
    size: str = ""


def judge(path: Path, name: str) -> list[Verdict]:
    """What reading `path` gives, one row a series, a refused file, or a kind of file passed over."""
    try:
        found = read_studies(path)
    except HounsfieldError as error:
        said = str(error)
        if said.startswith("nothing in ") and "1 files are no images" in said:
            return [Verdict(name, "passed over", "no image by its content")]
        return [Verdict(name, "refused", said.partition(" could be read: ")[2] or said)]
    except Exception as error:  # noqa: BLE001  here every fault is to be seen
        return [_fault(name, error)]
    rows = [_of_series(study, series, name) for study in found.studies for series in study.series]
    return rows + [Verdict(name, "refused", c.text) for c in found.refused]


def _of_series(study: Study, series: Series, name: str) -> Verdict:
    codes = list(dict.fromkeys(c.code for c in (*study.conditions, *series.conditions)))
    told = f" [{', '.join(codes)}]" if codes else ""
    what = series.modality or "modality unstated"
    refusals = [c.text for c in series.conditions if c.severity == "refusal"]
    try:
        series.headers()
        if refusals:
            return Verdict(name, "refused", f"{refusals[0]}{told}")
        if series.kind == "regions":
            return Verdict(name, "regions", f"{what}, {_n_regions(study, series)}{told}")
        if series.load_image is None:
            return Verdict(name, "listed", f"{what}{told}: {series.conditions[0].text if codes else ''}")
        image = series.image()
    except HounsfieldError as error:
        return Verdict(name, "refused", str(error))
    except Exception as error:  # noqa: BLE001  as above
        return _fault(name, error)
    size = " x ".join(str(n) for n in image.array.shape)
    return Verdict(name, "read", f"{what}, unit {image.unit or 'unstated'}{told}", size)


def _n_regions(study: Study, series: Series) -> str:
    """How many regions lie on the grid of the object, or on that of an image beside it."""
    images = (other.grid for other in study.series if other.kind == "image")
    grids = (grid for grid in (series.grid, *images) if grid is not None and grid.has_millimetres)
    grid = next(grids, None)
    if grid is None:
        return "outlines of an image that is not beside them"
    return f"{len(series.regions(grid))} regions"


def _fault(name: str, error: Exception) -> Verdict:
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    return Verdict(name, NOT_ANSWERED, said)


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
                yield path, _DATA + path.relative_to(data).as_posix()
        for parent in sorted(slices):
            yield parent, _DATA + parent.relative_to(data).as_posix() + "/"


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
        counts = Counter(row.verdict for row in found)
        said = ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items()))
        parts.append(f"## {title}\n\n{said}.\n\n| file | verdict | reason |\n| --- | --- | --- |")
        alike: dict[tuple[str, str, str], list[Verdict]] = defaultdict(list)
        for row in found:
            alike[_kind(row)].append(row)
        parts += [_line(same) for same in alike.values()]
        parts.append("")
    return "\n".join(parts)


def _kind(row: Verdict) -> tuple[str, str, str]:
    """What rows that are shown as one have in common: the set or top folder, verdict, and reason but for names."""
    name = row.name.rstrip("/").rpartition("/")[2]
    reason = re.sub(r"[\w/+.-]*" + re.escape(name), "...", row.reason)
    return (
        row.name.removeprefix(_DATA).partition("/")[0],
        row.verdict,
        re.sub(r"\b[A-Z0-9/]*IM\d+|\b\d+ regions", "...", reason),
    )


def _line(rows: list[Verdict]) -> str:
    first = rows[0]
    names = list(dict.fromkeys(row.name for row in rows))
    if len(names) <= _NAMED:
        name = ", ".join(f"`{one}`" for one in names)
    else:
        name = ", ".join(f"`{one}`" for one in names[:_FEW]) + f" and {len(names) - _FEW} like them"
    sizes = list(dict.fromkeys(row.size for row in rows if row.size))
    size = (
        f"{', '.join(sizes[:_SIZES_NAMED])}{' and other sizes' if len(sizes) > _SIZES_NAMED else ''}; "
        if sizes
        else ""
    )
    reason = " ".join(first.reason.split()).replace("|", "\\|").replace("<", "&lt;")
    if len(reason) > _LONGEST_REASON:
        reason = reason[:_LONGEST_REASON].rpartition(" ")[0] + " ..."
    return f"| {name} | {first.verdict} | {size}{reason} |"


def main() -> int:
    """Write the page; 1 if a file found no answer."""
    rows = all_rows(Path(os.environ.get("HOUNSFIELD_DATA", ROOT.parent / "shared" / "data")))
    PAGE.write_text(page(rows), encoding="utf-8")
    faults = [row for found in rows.values() for row in found if row.verdict == NOT_ANSWERED]
    for row in faults:
        sys.stderr.write(f"{row.name}: {row.reason}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
