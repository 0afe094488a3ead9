"""What training and test data hold: the names that must not stand on both sides, pixels as hashes, small pictures, text.

Read from a folder of files of any kind that Hounsfield reads, from a stack of pictures (.npz), or from a table with a
row a case. Pixels are opened once; what is kept of them is a hash and a thumbnail.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from hounsfield.core.errors import HounsfieldError, StudyError, UsageError
from hounsfield.evaluation.audit.near_duplicates import thumbnail
from hounsfield.evaluation.case_table import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# Names that make a leak when they stand on both sides, and what they are called on the page.
IDENTITIES = {
    "patient": "patient",
    "study": "study",
    "series": "series",
    "instance": "instance (SOP)",
    "file": "file of equal bytes",
    "pixels": "picture of equal pixels",
    "name": "further identifier",
}
_MOST_STACK_BYTES = 4 << 30


@dataclass(frozen=True, slots=True, eq=False)
class LeakItem:
    """One picture or report. where: for people, file and place. identities: values by key of IDENTITIES, "" unstated.

    site: "" unstated. grey: (SIDE, SIDE) thumbnail, None without a picture. is_even: it shows nothing. text: of a report.
    """

    where: str
    identities: Mapping[str, str] = field(default_factory=dict)
    site: str = ""
    grey: NDArray[np.uint8] | None = None
    is_even: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class LeakColumns:
    """How a table names its columns. part: says train or test. file: pictures, relative to the table's folder.

    train, test: values of `part`; other values are left out. further: more columns whose values must not be shared.
    """

    part: str | None = None
    patient: str | None = None
    study: str | None = None
    site: str | None = None
    file: str | None = None
    text: str | None = None
    further: tuple[str, ...] = ()
    train: tuple[str, ...] = ("train", "training")
    test: tuple[str, ...] = ("test", "testing")


def read_items(path: Path, columns: LeakColumns | None = None) -> tuple[list[LeakItem], tuple[str, ...]]:
    """All items of a folder, a table (.csv, also packed) or a stack (.npz), and in sentences what was left out.

    Raises UsageError if there is nothing of that name, StudyError if it holds nothing that can be compared.
    """
    if path.is_file() and path.suffix == ".npz":
        return _stack(path), ()
    if path.is_file() and ".csv" in path.suffixes:
        return _table(path, columns or LeakColumns())
    return _folder(path)


def read_split_table(
    path: Path, columns: LeakColumns
) -> tuple[list[LeakItem], list[LeakItem], tuple[str, ...]]:
    """Training and test items of one table by its column `part`. Raises UsageError if either side is empty."""
    if columns.part is None:
        raise UsageError("one table needs --split-column; without it give two: TRAIN and TEST.")
    header, rows = read_rows(path)
    at = _at(header, columns.part, path.name)
    sides = {
        side: [row for row in rows if row[at].strip().lower() in values]
        for side, values in (("train", columns.train), ("test", columns.test))
    }
    if not all(sides.values()):
        found = sorted({row[at] for row in rows})[:8]
        raise UsageError(
            f"column {columns.part!r} of {path.name} holds {', '.join(found)}: {len(sides['train'])} rows to train and "
            f"{len(sides['test'])} to test. Say with --train and --test which values mean which."
        )
    train, missing = _rows(path, header, sides["train"], columns)
    test, also_missing = _rows(path, header, sides["test"], columns)
    n_others = len(rows) - len(sides["train"]) - len(sides["test"])
    told = (f"{n_others} rows of other parts were not looked at",) if n_others else ()
    return train, test, (*told, *_missing(missing + also_missing))


def item_of_picture(item: LeakItem, picture: NDArray[Any]) -> LeakItem:
    """The item with the hash and the thumbnail of its picture (y, x)."""
    grey, is_even = thumbnail(picture)
    return replace(
        item,
        identities={**item.identities, "pixels": _pixel_hash(picture)},
        grey=grey,
        is_even=is_even,
    )


def _pixel_hash(picture: NDArray[Any]) -> str:
    """Equal for equal values in any container and number type."""
    values = np.ascontiguousarray(np.asarray(picture, dtype=np.float32))
    return hashlib.sha256(repr(values.shape).encode() + values.tobytes()).hexdigest()


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stack(path: Path) -> list[LeakItem]:
    try:
        with ZipFile(path) as packed:
            n_bytes = sum(one.file_size for one in packed.infolist())
        if n_bytes > _MOST_STACK_BYTES:
            raise UsageError(f"{path.name} unpacks to {n_bytes >> 20} MB; 4096 are taken. Give it in parts.")
        with np.load(path, allow_pickle=False) as arrays:
            name, stack = next((name, arrays[name]) for name in arrays.files if arrays[name].ndim == 3)
    except (OSError, EOFError, ValueError, StopIteration, BadZipFile) as error:
        raise StudyError(
            f"{path.name} holds no stack of pictures (n, y, x). Give a folder of pictures."
        ) from error
    return [
        item_of_picture(LeakItem(f"{path.name}, {name}[{number}]"), one) for number, one in enumerate(stack)
    ]


def _folder(path: Path) -> tuple[list[LeakItem], tuple[str, ...]]:
    from hounsfield.studies import read_studies

    found = read_studies(path)
    items: list[LeakItem] = []
    n_refused = len(found.refused)
    for study in found.studies:
        for series in study.series:
            if series.load_image is None or series.kind not in {"image", "raster"}:
                continue
            own = {
                "patient": str(study.tags.get("PatientID") or ""),
                "study": study.study_instance_uid or "",
                "series": series.series_instance_uid or "",
            }
            site = str(series.tags.get("InstitutionName") or "")
            try:
                items += _slices(path, series, own, site)
            except HounsfieldError:
                n_refused += 1
    if not items:
        raise StudyError(
            f"{path} holds no picture that can be compared. Give a folder of pictures or a table."
        )
    told = (f"{n_refused} files or series of {path.name} cannot be read",) if n_refused else ()
    return items, told


def _slices(root: Path, series: Any, own: Mapping[str, str], site: str) -> Iterator[LeakItem]:
    array = series.image().array
    uids = [frame.sop_instance_uid for frame in series.source]
    for number, picture in enumerate(array.reshape(-1, *array.shape[-2:])):
        names = dict(own)
        if len(uids) == len(array):
            names["instance"] = uids[number]
        name = series.files[number] if len(series.files) == len(array) else (*series.files, series.key)[0]
        file = root / name if root.is_dir() else root
        if file.is_file() and len(series.files) == len(array):
            names["file"] = _file_hash(file)
        place = f"{name}, slice {number + 1}" if len(array) > len(series.files) else name
        yield item_of_picture(LeakItem(place, names, site), picture)


def _table(path: Path, columns: LeakColumns) -> tuple[list[LeakItem], tuple[str, ...]]:
    header, rows = read_rows(path)
    items, missing = _rows(path, header, rows, columns)
    return items, _missing(missing)


def _rows(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[str]], columns: LeakColumns
) -> tuple[list[LeakItem], int]:
    """An item a row, and how many pictures are not there or cannot be read."""
    of = {
        key: _at(header, name, path.name)
        for key in ("patient", "study", "site", "file", "text")
        if (name := getattr(columns, key)) is not None
    }
    further = [_at(header, name, path.name) for name in columns.further]
    items: list[LeakItem] = []
    n_missing = 0
    for number, row in enumerate(rows, 2):
        cell = {key: row[at].strip() for key, at in of.items()}
        names = {key: cell.get(key, "") for key in ("patient", "study")}
        names["name"] = "\t".join(row[at].strip() for at in further)
        where = cell.get("file") or f"{path.name}, {row[0] or f'row {number}'}"
        item = LeakItem(where, names, cell.get("site", ""), text=cell.get("text", ""))
        if "file" in cell:
            item, is_read = _with_picture(item, path.parent / cell["file"])
            n_missing += not is_read
        items.append(item)
    return items, n_missing


def _with_picture(item: LeakItem, file: Path) -> tuple[LeakItem, bool]:
    from hounsfield.datasets import Case

    if not file.is_file():
        return item, False
    named = replace(item, identities={**item.identities, "file": _file_hash(file)})
    try:
        return item_of_picture(named, Case(item.where, file, "", "").picture()), True
    except HounsfieldError:
        return named, False


def _missing(n: int) -> tuple[str, ...]:
    return (f"{n} pictures named in the table are not there or cannot be read",) if n else ()


def _at(header: Sequence[str], column: str, name: str) -> int:
    from difflib import get_close_matches

    if column in header:
        return list(header).index(column)
    near = get_close_matches(column, header, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageError(f"{name} has no column {column!r}.{hint} It has {', '.join(list(header)[:20])}.")
