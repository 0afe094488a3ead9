"""Tasks of TotalSegmentator: what its program knows of a network beside nnU-Net's own files.

It turns every image so that its axes grow to the right, to the front and to the head before nnU-Net sees it, runs some
networks on the neighbourhood of an organ alone, and licenses some. Sources: Wasserthal 2023, Radiol Artif Intell 5:e230024;
its `map_tasks_config.py` (numbers of data sets, crops) and README (licences), read in 2026.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from hounsfield.zoo.model_formats import UNSTATED

_NAME = re.compile(r"^Dataset(\d{3})_.*(totalseg|\d+subj)", re.IGNORECASE)
_TASKS: dict[str, tuple[int, ...]] = {
    "total": (291, 292, 293, 294, 295, 297, 298),
    "total_mr": (850, 851, 852, 853),
    "body": (299, 300),
    "body_mr": (597, 598),
    "vertebrae_mr": (756,),
    "heartchambers_highres": (301,),
    "appendicular_bones": (304,),
    "appendicular_bones_mr": (855,),
    "tissue_types": (481,),
    "tissue_types_mr": (925,),
    "vertebrae_body": (305,),
    "face": (303,),
    "face_mr": (856,),
    "thigh_shoulder_muscles": (857,),
}
_LICENSED = frozenset(
    {
        *("heartchambers_highres", "appendicular_bones", "appendicular_bones_mr", "tissue_types"),
        *("tissue_types_mr", "vertebrae_body", "face", "face_mr", "thigh_shoulder_muscles"),
    }
)
_CROPPED_TO = {"heartchambers_highres": "heart"}
_OPEN = "Apache-2.0 (TotalSegmentator: openly available for any usage)"
_LICENCE_NEEDED = (
    "TotalSegmentator's licence for this task: free for non-commercial use on request, else to be bought "
    "(https://backend.totalsegmentator.com/license-academic/)"
)


@dataclass(frozen=True, slots=True)
class Task:
    """A task by its name; number: of its data set."""

    name: str
    number: int

    # Directions in which the axes of the turned image grow, slowest first.
    axes = ("S", "A", "R")

    @property
    def facts(self) -> dict[str, Any]:
        """Fields of the card that follow from the task."""
        limits = list(UNSTATED["not_for"])
        if self.name in _CROPPED_TO:
            limits.append(
                f"Whole bodies: TotalSegmentator runs this network on the neighbourhood of the {_CROPPED_TO[self.name]} alone."
            )
        return {
            "title": f"TotalSegmentator {self.name} (data set {self.number})",
            "licence": _LICENCE_NEEDED if self.name in _LICENSED else _OPEN,
            "authors": "Wasserthal et al., University Hospital Basel",
            "not_for": tuple(limits),
        }


def task_of(dataset_name: str) -> Task | None:
    """The task whose data set bears this name and number; None for all others."""
    found = _NAME.match(dataset_name)
    if found is None:
        return None
    number = int(found[1])
    name = next((task for task, numbers in _TASKS.items() if number in numbers), None)
    return Task(name, number) if name else None
