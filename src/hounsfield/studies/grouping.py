"""From the frames of one DICOM series to units that each lie on one grid.

First what can never share a grid is parted (SOP class, size, frame of reference, orientation, pixel
spacing, localizers, stacks beside each other). Then, only where several frames lie on one place, a key is looked for that tells the
volumes apart: echo, b-value, time, kernel, ... (`frames.SPLIT_KEYS`). What was used is told.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import GeometryError
from hounsfield.imaging.affine import plane_normal
from hounsfield.imaging.slices import OFF_LINE_MM, stack_slices
from hounsfield.studies.frames import SPLIT_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from hounsfield.studies.frames import Frame
    from hounsfield.studies.instances import Instance

Member = tuple["Instance", "Frame"]

# Cosines carry about six digits, and normals of slices of one volume differ in the sixth.
COSINE_TOLERANCE = 1e-4
PIXEL_SPACING_TOLERANCE_MM = 1e-4
# Positions closer than this are one place.
SAME_PLACE_MM = 1e-3

# The last resort: each multi-frame file is a volume of its own. Single frames are never told apart by file.
FILE_KEY = "multi-frame file"

# Modalities whose pixels are shadows or lie in the transducer's plane: no place in the patient, whatever
# their headers say. Three-dimensional objects of these modalities have one place a frame and are kept.
PROJECTIONS = frozenset(
    {
        "CR",
        "DX",
        "MG",
        "IO",
        "PX",
        "XA",
        "RF",
        "RG",
        "RTIMAGE",
        "US",
        "IVUS",
        "ES",
        "OP",
        "XC",
        "SM",
        "GM",
        "ECG",
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """Frames that make one image. is_picture: one instance without a place in the patient.

    split_by: what told it apart from others of its series, "" if nothing did. n_places_beside: how many places the
    volumes have that lie on the same places; 0 where there are none.
    """

    members: tuple[Member, ...]
    is_picture: bool
    split_by: str = ""
    n_places_beside: int = 0

    @property
    def instances(self) -> tuple[Instance, ...]:
        """The instances of its frames, each once, in the order of the frames."""
        return tuple({id(instance): instance for instance, _ in self.members}.values())


def split_series(instances: Sequence[Instance]) -> list[Unit]:
    """The units of one series, in the order of the files that begin them; none is empty."""
    are_pictures = [_is_picture(instance) for instance in instances]
    pictures = [i for i, is_picture in zip(instances, are_pictures, strict=True) if is_picture]
    placed = [
        (i, f)
        for i, is_picture in zip(instances, are_pictures, strict=True)
        if not is_picture
        for f in i.frames
    ]
    groups, split_by = _part(placed)
    units = [unit for group in groups for unit in _by_key(group, split_by)]
    apart = "picture" if len(pictures) + len(units) > 1 else ""
    return units + [
        Unit(tuple((instance, frame) for frame in instance.frames), is_picture=True, split_by=apart)
        for instance in pictures
    ]


def is_localizer(instance: Instance) -> bool:
    """Whether value 3 of Image Type says that the image only plans others (PS3.3 C.8.2.1.1.1)."""
    return len(instance.image_type) > 2 and instance.image_type[2] == "LOCALIZER"


def _is_picture(instance: Instance) -> bool:
    if not instance.frames or not all(frame.has_plane for frame in instance.frames):
        return True
    if any(_normal(frame) is None for frame in instance.frames):
        return True
    return instance.modality in PROJECTIONS and len(instance.frames) == 1


def _normal(frame: Frame) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    return _normal_of(frame.cosines or ())


@lru_cache(maxsize=1024)  # slices of one volume share their cosines
def _normal_of(cosines: tuple[float, ...]) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    try:
        normal = plane_normal(cosines)
    except GeometryError:
        return None
    normal.setflags(write=False)
    return normal


_EXACT: tuple[tuple[str, Callable[[Instance], Hashable]], ...] = (
    ("SOP class", lambda i: i.sop_class_uid),
    ("rows and columns", lambda i: (i.rows, i.columns)),
    ("samples per pixel", lambda i: (i.samples, i.photometric)),
    ("frame of reference", lambda i: i.frame_of_reference_uid),
    ("localizer", is_localizer),
)


def _part(members: Sequence[Member]) -> tuple[list[list[Member]], str]:
    """Part what can never share a grid, and say by what."""
    reasons: list[str] = []
    groups: list[list[Member]] = [list(members)] if members else []
    for name, value_of in _EXACT:
        parted = [part for group in groups for part in _parted(group, value_of)]
        if len(parted) > len(groups):
            reasons.append(name)
        groups = parted
    for name, numbers_of, tolerance in (
        ("orientation", lambda f: f.cosines, COSINE_TOLERANCE),
        ("pixel spacing", lambda f: f.pixel_spacing_mm, PIXEL_SPACING_TOLERANCE_MM),
    ):
        parted = [part for group in groups for part in _clustered(group, numbers_of, tolerance)]
        if len(parted) > len(groups):
            reasons.append(name)
        groups = parted
    parted = [part for group in groups for part in _lines(group)]
    if len(parted) > len(groups):
        reasons.append("line of positions")
    return parted, " and ".join(reasons)


def _lines(group: list[Member]) -> list[list[Member]]:
    """Parallel stacks beside each other, each straight along the normal; the group as it is where that does not fit.

    A single slice beside the line is a wrong position rather than a stack, and slices of a tilted gantry
    share one slanting line: both are left together.
    """
    cosines = np.array(group[0][1].cosines)
    positions = np.array([frame.position_mm for _, frame in group])
    across = positions @ cosines.reshape(2, 3).T
    if np.abs(across - across[0]).max() <= OFF_LINE_MM or _is_one_line(group, positions):
        return [group]
    firsts: list[int] = []
    stacks: list[list[Member]] = []
    for number, place in enumerate(across):
        near = next(
            (k for k, first in enumerate(firsts) if np.abs(across[first] - place).max() <= OFF_LINE_MM), None
        )
        if near is None:
            firsts.append(number)
            stacks.append([group[number]])
        else:
            stacks[near].append(group[number])
    return stacks if all(len(stack) > 1 for stack in stacks) else [group]


def _is_one_line(group: list[Member], positions: np.ndarray[Any, np.dtype[np.float64]]) -> bool:
    normal = plane_normal(group[0][1].cosines or ())
    if np.ptp(positions @ normal) <= SAME_PLACE_MM:
        return False
    return stack_slices(positions, normal).is_one_line


def _parted(group: Iterable[Member], value_of: Callable[[Instance], Hashable]) -> list[list[Member]]:
    parts: dict[Hashable, list[Member]] = defaultdict(list)
    for member in group:
        parts[value_of(member[0])].append(member)
    return list(parts.values())


def _clustered(
    group: Iterable[Member], numbers_of: Callable[[Frame], tuple[float, ...] | None], tolerance: float
) -> list[list[Member]]:
    """Parts whose numbers differ by no more than `tolerance` from the first of the part."""
    firsts: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    parts: list[list[Member]] = []
    for member in group:
        numbers = np.array(numbers_of(member[1]))
        near = next((k for k, first in enumerate(firsts) if np.abs(first - numbers).max() <= tolerance), None)
        if near is None:
            firsts.append(numbers)
            parts.append([member])
        else:
            parts[near].append(member)
    return parts


def _by_key(group: list[Member], split_by: str) -> list[Unit]:
    """Volumes that lie on the same places, told apart by the key (or pair of keys) that fits best."""
    places = _places(group)
    n_places = len(set(places))
    if n_places == len(group):
        return [Unit(tuple(group), is_picture=False, split_by=split_by)]
    candidates = _usable_keys(group)
    for names in [*((name,) for name in candidates), *combinations(candidates, 2)]:
        parts = _volumes(group, places, names)
        if parts is not None:
            reason = " and ".join(filter(None, [split_by, *names]))
            return [
                Unit(tuple(part), is_picture=False, split_by=reason, n_places_beside=n_places)
                for part in parts
            ]
    return [Unit(tuple(group), is_picture=False, split_by=split_by)]


def _places(group: Sequence[Member]) -> list[int]:
    """Number of the place of each frame along the normal."""
    normal = plane_normal(group[0][1].cosines or ())
    along = np.array([frame.position_mm for _, frame in group]) @ normal
    order = np.argsort(along, kind="stable")
    numbered = np.concatenate([[0], np.cumsum(np.diff(along[order]) > SAME_PLACE_MM)])
    places = np.empty(len(group), dtype=np.int64)
    places[order] = numbered
    return [int(place) for place in places]


def _usable_keys(group: Sequence[Member]) -> list[str]:
    """Keys that differ between frames: first those that every frame states, then those that some leave out.

    Leaving out is a value too: the volume without diffusion weighting has no gradient direction.
    """
    usable: list[str] = []
    incomplete: list[str] = []
    for name in (*(key for key, *_ in SPLIT_KEYS), FILE_KEY):
        values = {_key_of(member, name) for member in group}
        if len(values) > 1:
            (incomplete if None in values else usable).append(name)
    return usable + incomplete


def _key_of(member: Member, name: str) -> str | float | None:
    instance, frame = member
    if name == FILE_KEY:
        return instance.sop_instance_uid if instance.n_frames > 1 else None
    return frame.keys.get(name)


def _volumes(
    group: Sequence[Member], places: Sequence[int], names: tuple[str, ...]
) -> list[list[Member]] | None:
    """The parts by these keys if each covers its places once and there are no more parts than needed."""
    most = max(np.bincount(places))
    parts: dict[tuple[str | float, ...], list[tuple[int, Member]]] = defaultdict(list)
    for place, member in zip(places, group, strict=True):
        values = (_key_of(member, name) for name in names)
        parts[tuple("" if value is None else value for value in values)].append((place, member))
    if len(parts) != most:
        return None
    if any(len({place for place, _ in part}) != len(part) for part in parts.values()):
        return None
    ordered = sorted(parts.items(), key=lambda pair: tuple((isinstance(v, str), v) for v in pair[0]))
    return [[member for _, member in part] for _, part in ordered]
