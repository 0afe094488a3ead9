"""When each frame of a moving picture was taken; what is unstated stays so and is told.

Source: PS3.3 C.7.6.5 (Cine), C.8.4.14 (NM Phase), C.7.6.16.2.2 (Frame Content).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Condition
from hounsfield.studies.header_values import (
    date_time,
    first_item,
    integer,
    items,
    number,
    numbers,
    stated,
    text,
    texts,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065
# Frame Increment Pointer (0028,0009) of frames that follow something else than time.
_NOT_TIME = {
    0x00540010: "energy window",
    0x00540020: "detector",
    0x00540080: "slice",
    0x00540090: "angle of view",
    0x3004000C: "plane of the dose grid",
    0x00181243: "count rate",
    0x00280009: "an unknown order",
}


def frame_times(header: Dataset, n_frames: int) -> tuple[tuple[float, ...], tuple[Condition, ...]]:
    """Seconds from the first frame, one a frame; () with a Condition where the file does not say them."""
    for found in (_by_groups(header, n_frames), _by_phases(header, n_frames), _by_module(header, n_frames)):
        if found is not None:
            return found, ()
    return (), (_unstated(header, n_frames),)


def _by_module(header: Dataset, n_frames: int) -> tuple[float, ...] | None:
    """The Cine module: a vector of steps in milliseconds, or one step for all."""
    pointers = _pointers(header)
    if pointers and not {_FRAME_TIME, _FRAME_TIME_VECTOR} & pointers:
        return None
    steps_ms = numbers(header, "FrameTimeVector")
    if steps_ms is not None and len(steps_ms) == n_frames and min(steps_ms) >= 0.0 and max(steps_ms) > 0.0:
        # The first value is the time from a frame that is not there (PS3.3 C.7.6.5.1.2).
        return tuple(float(t) for t in np.cumsum([0.0, *steps_ms[1:]]) / 1000.0)
    step_ms = number(header, "FrameTime")
    if step_ms is None or step_ms <= 0.0:
        return None
    return tuple(k * step_ms / 1000.0 for k in range(n_frames))


def _by_phases(header: Dataset, n_frames: int) -> tuple[float, ...] | None:
    """Dynamic nuclear medicine: each phase has its duration of a frame and its number of frames."""
    steps_ms: list[float] = []
    for phase in items(header, "PhaseInformationSequence"):
        duration_ms, n = number(phase, "ActualFrameDuration"), integer(phase, "NumberOfFramesInPhase")
        if duration_ms is None or n is None or not 0 < n <= n_frames:
            return None
        steps_ms += [*[duration_ms] * (n - 1), duration_ms + (number(phase, "PauseBetweenFrames") or 0.0)]
    if "DYNAMIC" not in texts(header, "ImageType") or len(steps_ms) != n_frames:
        return None
    return tuple(float(t) for t in np.cumsum([0.0, *steps_ms[:-1]]) / 1000.0)


def _by_groups(header: Dataset, n_frames: int) -> tuple[float, ...] | None:
    """Functional groups: the moment of each frame, if every frame has one and they do not run backwards."""
    moments = []
    for group in items(header, "PerFrameFunctionalGroupsSequence")[:n_frames]:
        content = first_item(group, "FrameContentSequence")
        if content is None:
            return None
        moment = date_time(text(content, "FrameReferenceDateTime")) or date_time(
            text(content, "FrameAcquisitionDateTime")
        )
        if moment is None:
            return None
        moments.append(moment)
    if len(moments) != n_frames:
        return None
    seconds = tuple((moment - moments[0]).total_seconds() for moment in moments)
    runs_on = all(later >= earlier for earlier, later in pairwise(seconds))
    return seconds if runs_on and seconds[-1] > 0.0 else None


def _pointers(header: Dataset) -> set[int]:
    value = stated(header, "FrameIncrementPointer")
    if value is None:
        return set()
    parts = value if isinstance(value, list) or hasattr(value, "__iter__") else [value]
    try:
        return {int(part) for part in parts}
    except (TypeError, ValueError):
        return set()


def _unstated(header: Dataset, n_frames: int) -> Condition:
    where = tuple(filter(None, (text(header, "SOPInstanceUID"),)))
    other = [_NOT_TIME[pointer] for pointer in sorted(_pointers(header)) if pointer in _NOT_TIME]
    if other:
        return Condition(
            "frames-not-in-time",
            "note",
            f"The {n_frames} frames differ by {' and '.join(other)}, not by time (Frame Increment Pointer, 0028,0009).",
            where,
        )
    rate = number(header, "CineRate") or number(header, "RecommendedDisplayFrameRate")
    shown = (
        f"; it recommends a display of {rate:g} frames a second, which need not be that of the scan"
        if rate
        else ""
    )
    return Condition(
        "frame-times-unstated",
        "warning",
        f"The file holds {n_frames} frames and states no usable Frame Time (0018,1063) or Frame Time Vector "
        f"(0018,1065){shown}. Nothing in seconds can be said of it.",
        where,
    )
