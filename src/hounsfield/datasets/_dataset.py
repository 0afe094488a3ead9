"""What a labelled set of pictures is: cases with a class, a group and perhaps an outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import StudyError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Case:
    """One picture: its name in the table, its files, its class and the group that must not be split.

    findings: what it shows, where findings stand alone; label is then the stratum in which it is dealt to a part.
    held_out: its group always belongs to the test part.
    """

    name: str
    image_path: Path
    label: str
    group: str
    mask_path: Path | None = None
    findings: tuple[str, ...] = ()
    held_out: bool = False

    def picture(self) -> NDArray[np.float32]:
        """The stored grey values (y, x); raises StudyError if the file is damaged."""
        return _grey(self.image_path)

    def mask(self) -> NDArray[np.bool_]:
        """The outline (y, x) on the picture's own pixels; raises UsageError if the case has none."""
        if self.mask_path is None:
            raise UsageError(f"case {self.name} has no outline; its table names no mask file")
        return np.asarray(_grey(self.mask_path) > 0)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Cases, the classes in the order of the network's outputs, and how many rows were left out.

    exclusive: each case is of one class, its label; otherwise each class is a finding that a case has or has not.
    """

    cases: tuple[Case, ...]
    classes: tuple[str, ...]
    n_left_out: int = 0
    exclusive: bool = True

    def __post_init__(self) -> None:
        said = [(case.label,) if self.exclusive else case.findings for case in self.cases]
        unknown = {name for own in said for name in own} - set(self.classes)
        if unknown or len(set(self.classes)) != len(self.classes):
            raise UsageError(f"cases have classes {sorted(unknown)} beside {list(self.classes)}")

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) index of each case's class in `classes`; raises UsageError where classes do not exclude each other."""
        if not self.exclusive:
            raise UsageError(
                "these cases may have several findings or none; ask for `truth`, not for `labels`"
            )
        index = {name: position for position, name in enumerate(self.classes)}
        return np.array([index[case.label] for case in self.cases], dtype=np.int64)

    @property
    def truth(self) -> NDArray[np.bool_]:
        """(n, classes) whether each case is of the class, or has the finding."""
        said = [(case.label,) if self.exclusive else case.findings for case in self.cases]
        return np.array([[name in own for name in self.classes] for own in said], dtype=np.bool_)

    @property
    def groups(self) -> tuple[str, ...]:
        """The group of each case."""
        return tuple(case.group for case in self.cases)


def _grey(path: Path) -> NDArray[np.float32]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            # 16-bit PNG opens as mode "I;16"; converting that to "L" would clip it.
            wide = image if image.mode in {"1", "L", "I", "I;16", "F"} else image.convert("L")
            values: Any = np.asarray(wide, dtype=np.float32)
    except (OSError, UnidentifiedImageError) as error:
        raise StudyError(f"{path.name} cannot be read as a picture ({error}); copy it again") from error
    return np.asarray(values, dtype=np.float32)
