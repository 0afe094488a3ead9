"""Where the files of a trained nnU-Net lie: in a folder, in folders below it, or in a zip."""

from __future__ import annotations

import json
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import HounsfieldError, ModelError, UsageError
from hounsfield.zoo.safe_archive import archive_members, unpack_members

if TYPE_CHECKING:
    from contextlib import ExitStack

    from hounsfield.zoo.model_formats import ImportRequest

_DEEPEST = 4  # results folder / dataset / trained folder / fold / checkpoint
_MOST_FILES = 20_000
_LARGEST_JSON_BYTES = 64 * 1024**2
_JSON_FILES = ("plans.json", "dataset.json")


@dataclass(frozen=True, slots=True)
class TrainedFolder:
    """One trained configuration. name: of its folder, for messages; folds: "0", ..., or "all"."""

    path: Path
    name: str
    folds: tuple[str, ...]
    checkpoint_name: str

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON object of the folder; raises ModelError for anything else."""
        path = self.path / name
        if path.stat().st_size > _LARGEST_JSON_BYTES:
            raise ModelError(f"{name} of {self.name} has more than {_LARGEST_JSON_BYTES} bytes")
        try:
            content = json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{name} of {self.name} is no JSON ({error}). Get the file again.") from error
        if not isinstance(content, dict):
            raise ModelError(f"{name} of {self.name} is no JSON object. Get the file again.")
        return content

    def checkpoint(self, fold: str) -> Path:
        """The checkpoint of a fold."""
        return self.path / f"fold_{fold}" / self.checkpoint_name


def has_trained_folder(path: Path) -> bool:
    """Whether a folder or zip holds one; never raises for what is something else."""
    try:
        return bool(_trained(_names(path)))
    except (HounsfieldError, OSError):
        return False


def trained_folder(request: ImportRequest, stack: ExitStack) -> TrainedFolder:
    """The folder that the request means, unpacked for as long as `stack` lives if it lies in a zip.

    Raises ModelError where there are several or none, or folds or checkpoint that were asked for are not there.
    """
    path = request.path
    names = _names(path)
    place = _chosen(_trained(names), request)
    below = [PurePosixPath(name).relative_to(place).as_posix() for name in names if _lies_in(name, place)]
    said = PurePosixPath(place).name or path.name
    checkpoint = _checkpoint_name(below, request, said)
    folds = _folds(below, checkpoint, request, said)
    if path.is_dir():
        return TrainedFolder(path / place, said, folds, checkpoint)
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nnunet-")))
    wanted = [*_JSON_FILES, *(f"fold_{fold}/{checkpoint}" for fold in folds)]
    unpack_members(path, [str(PurePosixPath(place) / name) for name in wanted], scratch)
    return TrainedFolder(scratch / place, said, folds, checkpoint)


def _names(path: Path) -> list[str]:
    """Paths of all files in it, relative to it."""
    if path.is_file():
        return archive_members(path) if zipfile.is_zipfile(path) else []
    found: list[str] = []
    for one in path.rglob("*"):
        if len(one.relative_to(path).parts) <= _DEEPEST + 1 and one.is_file():
            found.append(one.relative_to(path).as_posix())
        if len(found) > _MOST_FILES:
            raise ModelError(
                f"{path.name} holds more than {_MOST_FILES} files: give the trained folder alone"
            )
    return sorted(found)


def _lies_in(name: str, place: str) -> bool:
    return place == "." or name.startswith(f"{place}/")


def _trained(names: list[str]) -> list[str]:
    """Folders with plans, data set and a checkpoint; "." for the one given itself."""
    known = set(names)
    found = []
    for name in names:
        place = PurePosixPath(name).parent
        if PurePosixPath(name).name != "plans.json" or str(place / "dataset.json") not in known:
            continue
        if any(_lies_in(other, str(place)) and _is_checkpoint(other, str(place)) for other in names):
            found.append(str(place))
    return found


def _is_checkpoint(name: str, place: str) -> bool:
    parts = PurePosixPath(name).relative_to(place).parts
    return (
        len(parts) == 2
        and parts[0].startswith("fold_")
        and parts[1].startswith("checkpoint_")
        and parts[1].endswith(".pth")
    )


def _chosen(places: list[str], request: ImportRequest) -> str:
    wanted = request.options.get("configuration")
    by_name = {place: PurePosixPath(place).name or request.path.name for place in places}
    fitting = [
        place
        for place, name in by_name.items()
        if wanted is None or name == wanted or name.rsplit("__", 1)[-1] == wanted
    ]
    if len(fitting) == 1:
        return fitting[0]
    if len(places) == 1:
        return places[0]  # a folder may bear any name; its checkpoint tells the configuration
    names = ", ".join(sorted(by_name.values())) or "no trained folder"
    raise ModelError(
        f"{request.path.name} holds {names}. State one of them as the option configuration, by its last part (3d_fullres) "
        "or its whole name."
    )


def _checkpoint_name(below: list[str], request: ImportRequest, said: str) -> str:
    there = {PurePosixPath(name).name for name in below if _is_checkpoint(name, ".")}
    wanted = request.option("checkpoint", "", "", "final", "best", "latest")
    for kind in (wanted,) if wanted else ("final", "best"):
        if f"checkpoint_{kind}.pth" in there:
            return f"checkpoint_{kind}.pth"
    raise ModelError(
        f"{said} holds no checkpoint_{wanted or 'final'}.pth; there are {', '.join(sorted(there))}. State another as the "
        "option checkpoint."
    )


def _folds(below: list[str], checkpoint: str, request: ImportRequest, said: str) -> tuple[str, ...]:
    there = {
        PurePosixPath(name).parts[0].removeprefix("fold_")
        for name in below
        if _is_checkpoint(name, ".") and PurePosixPath(name).name == checkpoint
    }
    numbered = sorted((fold for fold in there if fold.isdecimal()), key=int)
    asked = request.options.get("folds")
    if asked is None:
        return tuple(numbered) or ("all",)
    folds = tuple(dict.fromkeys(part.strip() for part in asked.split(",") if part.strip()))
    if not folds:
        raise UsageError("option folds names no fold")
    missing = [fold for fold in folds if fold not in there]
    if missing:
        raise ModelError(
            f"{said} holds no fold {missing[0]} with {checkpoint}; there are {', '.join(sorted(there))}"
        )
    return folds
