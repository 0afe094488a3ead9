"""The visits of lesion_growth: the lesions outlined at each, how each image lies to the last one, and how alike they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Condition
from hounsfield.core.code import ANATOMICAL_STRUCTURE
from hounsfield.core.errors import RefusedInput
from hounsfield.imaging.coverage import reaches_edge, share_outside
from hounsfield.imaging.lesion_matching import Place
from hounsfield.imaging.rigid_alignment import Alignment, align, inconsistency_mm
from hounsfield.measures import longest_diameter, region_volume, short_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.core import Grid, Image, Inputs, Measurement, Region, Series

ROLE = "scan"
# An alignment is believed where both images are this alike after it, and where aligning the other way round leads
# back to every lesion within this distance. Project defaults: two heads a year apart reach 0.99 and 0.1 mm.
LEAST_CORRELATION, TOLERANCE_MM = 0.8, 3.0
SAME_LESION_DICE = 0.5  # two outlines that overlap more are of one lesion
# Beyond these, sizes of two visits are not compared by RECIST: slices by this factor, times of an MR sequence too.
MOST_SLICE_FACTOR, MOST_TIME_FACTOR = 1.5, 1.5
_NO_CONTRAST = {"NONE", "NO", "N", "WITHOUT", "UNENHANCED"}


@dataclass(frozen=True, slots=True, eq=False)
class SeenLesion:
    """A lesion at one visit; region: on the grid of that visit's image."""

    region: Region
    longest: Measurement
    short_axis: Measurement
    volume: Measurement

    @classmethod
    def of(cls, region: Region) -> SeenLesion:
        """Measure `region`."""
        return cls(region, longest_diameter(region), short_axis(region), region_volume(region))

    @property
    def centre_mm(self) -> NDArray[np.float64]:
        """Centre of its voxels, LPS millimetres of its visit."""
        mask = self.region.mask
        index = np.argwhere(mask) if mask is not None else np.zeros((1, 3))
        return np.asarray(self.region.grid.index_to_mm(index.mean(axis=0)))


@dataclass(frozen=True, slots=True, eq=False)
class LesionVisit:
    """One visit. to_last: its millimetres to those of the last visit, None where the way is not known."""

    day: int
    series: Series
    grid: Grid
    lesions: Mapping[str, SeenLesion]
    to_last: Alignment | None = None

    @property
    def places(self) -> dict[str, Place]:
        """Where its lesions lie in the millimetres of the last visit; its own where these are not known."""
        found = {}
        for name, lesion in self.lesions.items():
            at = lesion.centre_mm if self.to_last is None else self.to_last.to_moving(lesion.centre_mm)
            found[name] = Place((float(at[0]), float(at[1]), float(at[2])), lesion.longest.value)
        return found

    def index_of(self, last_mm: Sequence[float]) -> NDArray[np.float64] | None:
        """Voxel of this visit at a point of the last visit; None outside the image or where the way is not known."""
        if self.to_last is None:
            return None
        index = self.grid.mm_to_index(self.to_last.to_fixed(np.asarray(last_mm)))
        inside = (index > -0.5).all() and (index < np.array(self.grid.shape) - 0.5).all()
        return index if inside else None

    def lesion_at(self, last_mm: Sequence[float]) -> str | None:
        """The lesion of this visit that marks a point of the last visit, None for none."""
        index = self.index_of(last_mm)
        if index is None:
            return None
        z, y, x = np.rint(index).astype(int)
        return next(
            (
                n
                for n, one in self.lesions.items()
                if one.region.mask is not None and one.region.mask[z, y, x]
            ),
            None,
        )


def gather(inputs: Inputs) -> tuple[list[LesionVisit], list[Condition]]:
    """All visits with their lesions measured, the last one last; nothing is aligned yet."""
    visits, conditions = [], []
    for one in (*inputs.earlier, inputs):
        series = one[ROLE]
        if series.grid is None:
            raise RefusedInput(f"the image of day {one.day} states no grid. Give the original series.")
        regions, told = _lesions(one, series.grid)
        conditions += told
        visits.append(LesionVisit(one.day, series, series.grid, {r.name: SeenLesion.of(r) for r in regions}))
    return visits, conditions


def _lesions(inputs: Inputs, grid: Grid) -> tuple[list[Region], list[Condition]]:
    """The outlined lesions of one visit; anatomy, empty regions and second outlines of one lesion are left out."""
    drawn: list[Region] = []
    conditions: list[Condition] = []
    for given in inputs.given_series(ROLE):
        try:
            drawn += [region for region in given.regions(grid) if region.category != ANATOMICAL_STRUCTURE]
            outside = _outside(given, grid)
        except RefusedInput as refusal:
            text = f"The regions of {given.files[0]} were not used: {refusal}"
            conditions.append(Condition("regions-not-drawn", "warning", text, given.files))
        else:
            conditions += outside
    there = [region for region in drawn if region.mask is not None and not region.is_empty]
    twice = {
        k
        for (_, one), (k, other) in combinations(enumerate(there), 2)
        if _dice(one, other) > SAME_LESION_DICE
    }
    if twice:
        names = ", ".join(there[k].name for k in sorted(twice))
        text = (
            f"On day {inputs.day} these outlines show lesions that another one shows too, and were left out: {names}. "
            "Give each lesion once."
        )
        conditions.append(Condition("region-given-twice", "warning", text))
    named = _with_unique_names([region for k, region in enumerate(there) if k not in twice])
    for region in named:
        if reaches_edge(region):
            text = (
                f"Region {region.name!r} of day {inputs.day} reaches the edge of its image, beyond which it may go on: "
                "its sizes are of the part that was imaged."
            )
            conditions.append(Condition("region-at-edge", "warning", text))
    return named, conditions


def _outside(given: Series, grid: Grid) -> list[Condition]:
    if given.grid is None or not given.grid.has_millimetres:
        return []
    found = []
    for region in given.regions(given.grid):
        share = share_outside(region, grid)
        if share > 0.0:
            text = f"{share:.1%} of region {region.name!r} lie outside its image and were not measured. Give the whole series."
            found.append(Condition("region-outside-image", "warning", text))
    return found


def _dice(one: Region, other: Region) -> float:
    if one.mask is None or other.mask is None:
        return 0.0
    shared = np.count_nonzero(one.mask & other.mask)
    return 2.0 * shared / max(one.n_voxels + other.n_voxels, 1)


def _with_unique_names(regions: Sequence[Region]) -> list[Region]:
    taken: set[str] = set()
    named = []
    for region in regions:
        name, number = region.name, 2
        while name in taken:
            name, number = f"{region.name}-{number}", number + 1
        taken.add(name)
        named.append(replace(region, name=name))
    return named


def aligned(visits: Sequence[LesionVisit], last: Image) -> tuple[list[LesionVisit], list[Condition]]:
    """The visits with their way to the last one: by a shared frame of reference, else by aligning the images.

    A visit whose image cannot be aligned within the stated tolerance keeps no way, and that is told.
    """
    found, conditions = [], []
    for visit in visits[:-1]:
        uid = visit.grid.frame_of_reference_uid
        if uid is not None and uid == visits[-1].grid.frame_of_reference_uid:
            found.append(replace(visit, to_last=Alignment(np.eye(4), 1.0)))
            continue
        way, error_mm = _way(visit, last)
        is_sure = way.correlation >= LEAST_CORRELATION and error_mm <= TOLERANCE_MM
        found.append(replace(visit, to_last=way if is_sure else None))
        measured = (
            f"correlation {way.correlation:.3f}, at least {LEAST_CORRELATION:g} needed; there and back "
            f"{error_mm:.1f} mm off, at most {TOLERANCE_MM:g} mm allowed"
        )
        if is_sure:
            text = (
                f"The image of day {visit.day} was laid over the last one by a rigid alignment ({measured})."
            )
            conditions.append(Condition("visits-aligned", "note", text))
        else:
            text = f"The image of day {visit.day} could not be laid over the last one ({measured})."
            conditions.append(Condition("alignment-failed", "warning", text))
    return [*found, replace(visits[-1], to_last=Alignment(np.eye(4), 1.0))], conditions


def _way(visit: LesionVisit, last: Image) -> tuple[Alignment, float]:
    """The alignment to the last image, and how far lesions come back from where they were."""
    image = visit.series.image()
    there = align(image.array, visit.grid, last.array, last.grid)
    back = align(last.array, last.grid, image.array, visit.grid)
    centres = [lesion.centre_mm for lesion in visit.lesions.values()]
    points = np.array(centres or [visit.grid.index_to_mm((np.array(visit.grid.shape) - 1) / 2)])
    return there, float(inconsistency_mm(there, back, points).max())


def differences(visits: Sequence[LesionVisit]) -> tuple[list[str], list[str]]:
    """What differs from the first visit so that sizes are not compared, and what makes them less sure."""
    first, hard, soft = visits[0], [], []
    for visit in visits[1:]:
        when = f"day {visit.day} against day {first.day}"
        if visit.grid.plane != first.grid.plane:
            hard.append(f"{when}: plane {visit.grid.plane} instead of {first.grid.plane}")
        if _factor(visit.grid.spacing_mm[0], first.grid.spacing_mm[0]) > MOST_SLICE_FACTOR:
            hard.append(
                f"{when}: slices {visit.grid.spacing_mm[0]:.3g} mm apart instead of {first.grid.spacing_mm[0]:.3g} mm"
            )
        now, then = visit.series.tags, first.series.tags
        contrast = [_contrast(tags.get("ContrastBolusAgent")) for tags in (now, then)]
        if None not in contrast and contrast[0] != contrast[1]:
            hard.append(
                f"{when}: contrast agent {'given' if contrast[0] else 'not given'}, before it was not so"
            )
        for keyword in ("EchoTime", "RepetitionTime", "InversionTime"):
            now_ms, then_ms = now.get(keyword), then.get(keyword)
            if not (isinstance(now_ms, int | float) and isinstance(then_ms, int | float)):
                continue
            if min(now_ms, then_ms) > 0 and _factor(now_ms, then_ms) > MOST_TIME_FACTOR:
                hard.append(f"{when}: {keyword} {now_ms:g} ms instead of {then_ms:g} ms")
        kernels = [tags.get("ConvolutionKernel") for tags in (now, then)]
        if all(kernels) and kernels[0] != kernels[1]:
            soft.append(f"{when}: kernel {kernels[0]} instead of {kernels[1]}")
    return hard, soft


def _factor(one: float, other: float) -> float:
    return max(one, other) / min(one, other)


def _contrast(stated: object) -> bool | None:
    """Whether an agent was given; None where the header says nothing."""
    text = str(stated or "").strip().upper()
    return None if not text else text not in _NO_CONTRAST
