"""The real chest films of the data folder, halved by patient: one half to choose on, one to report on."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Part = Literal["choose", "report"]


@dataclass(frozen=True, eq=False)
class Film:
    """One film: grey 0 to 1 (y, x), the set it is of, its patient's group, the half, and its row of labels."""

    set_name: str
    group: str
    part: Part
    picture: np.ndarray[Any, np.dtype[np.float64]]
    row: dict[str, str]
    lung_mask: np.ndarray[Any, np.dtype[np.bool_]] | None = None


def part_of(group: str) -> Part:
    """The half that a patient's films belong to: by the first byte of the SHA-256 of the group's name."""
    return "choose" if hashlib.sha256(group.encode()).digest()[0] % 2 == 0 else "report"


def grey(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A picture file as grey 0 to 1."""
    return np.asarray(Image.open(path).convert("L"), dtype=np.float64) / 255.0


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def read_films(data: Path, part: Part, sets: tuple[str, ...] = ("nih", "nih64", "covid")) -> Iterator[Film]:
    """The films of one half; patients of NIH share their group over both NIH sets."""
    if "nih" in sets:
        for row in _rows(data / "nih_cxr"):
            if part_of(row["group_id"]) == part:
                yield Film("nih", row["group_id"], part, grey(data / "nih_cxr" / row["file"]), row)
    if "nih64" in sets:
        with np.load(data / "nih_cxr_64" / "images.npz") as held:
            images = held["images"]
        for row in _rows(data / "nih_cxr_64"):
            if part_of(row["group_id"]) == part:
                yield Film("nih64", row["group_id"], part, images[int(row["index"])] / 255.0, row)
    if "covid" in sets:
        folder = data / "covid_cxr"
        for row in _rows(folder):
            if part_of(group := "cov" + row["group_id"]) == part:
                mask = grey(folder / row["lung_mask"]) > 0.5 if row["lung_mask"] else None
                yield Film("covid", group, part, grey(folder / row["file"]), row, mask)
