"""The pictures of a reading: outlines in three planes, explanation maps, a projection for PET."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.reports.canvas import QUIET, Legend, frame, paint
from hounsfield.reports.colours import ON_DARK, ON_LIGHT, heat_colours
from hounsfield.reports.display import Display, choose_display
from hounsfield.reports.names import lower_first, region_label, region_labels, spoken
from hounsfield.reports.planes import flat_plane, letters_from_tag, planes_of
from hounsfield.reports.shapes import rim, voxels_on_slices
from hounsfield.results.documents import Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from hounsfield.core import ExplanationMap, Image, Reading, Region, Series, SourceFrame
    from hounsfield.reports.colours import Colour
    from hounsfield.reports.planes import Plane

    Sections = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

MOST_PICTURES = 8
_MOST_MAPS = 3
_SEEN = 0.7  # of its largest section: a region this well seen needs no picture of its own in that plane
_MOST_LABELS, _MOST_NAMED = 6, 3
_MAP_OPACITY = 0.6
_FULL_COLOUR_FROM = 0.35  # low values of a map fade, so that tissue stays visible where nothing is claimed


@dataclass(frozen=True, slots=True, eq=False)
class PictureSet:
    """The pictures of a reading, and one sentence on what they leave out ("" if nothing)."""

    pictures: tuple[Picture, ...] = ()
    omission: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture to draw: a plane, the slice on it (None: projection), and the region it was chosen for."""

    plane: Plane
    index: int | None
    subject: Region | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """What all pictures of a reading share."""

    volume: NDArray[Any]
    image: Image
    reading: Reading
    display: Display
    spacing_note: str

    @property
    def palette(self) -> tuple[Colour, ...]:
        return ON_LIGHT if self.display.is_light else ON_DARK

    def colour(self, region: Region) -> Colour:
        return self.palette[self.reading.regions.index(region) % len(self.palette)]


def draw_pictures(reading: Reading, image: Image, series: Series | None) -> PictureSet:
    """Pictures of `reading` on `image` (of its main role); `series` gives modality and tags.

    At most MOST_PICTURES. A region is outlined on every slice shown; each gets the slice where its
    section is largest in every plane, unless a picture shows it nearly as well already.
    """
    planes = planes_of(image.grid) or (_flat(image, series),)
    display = choose_display(image, series, reading)
    scene = _Scene(_volume(image), image, reading, display, _spacing_note(image))
    is_pet = image.unit == "SUVbw" or (series is not None and series.modality == "PT")
    projections = [View(p, None) for p in planes if is_pet and p.name.endswith("coronal")]
    maps = reading.maps[:_MOST_MAPS]
    room = MOST_PICTURES - len(projections) - len(maps)
    views = choose_views(reading.regions, planes, room) or _central(image, planes[: 1 if maps else 3])
    drawn = [_draw(view, scene) for view in (*projections, *views)]
    drawn += [_draw_map(item, planes[0], scene) for item in maps]
    return PictureSet(tuple(_with_unique_names(drawn)), _omission(reading, views, len(maps)))


def choose_views(regions: Sequence[Region], planes: Sequence[Plane], limit: int) -> list[View]:
    """Slices that show `regions`, the largest first, at most `limit`.

    All planes for each region; if those are too many, all planes for the largest and the acquired
    plane (the first) for the others. Of the slices that show a region well, that one is taken which
    shows the others best: two lungs share a picture where they can.
    """
    sections = {region.name: voxels_on_slices(region) for region in regions if not region.is_empty}
    shown = [region for region in regions if region.name in sections]
    shown.sort(key=lambda region: -int(sections[region.name][0].sum()))
    views = _views(shown, {region.name: planes for region in shown}, sections)
    if len(views) > limit:
        wanted = {region.name: planes if k == 0 else planes[:1] for k, region in enumerate(shown)}
        views = _views(shown, wanted, sections)
    return views[:limit]


def _views(
    regions: Sequence[Region],
    wanted: dict[str, Sequence[Plane]],
    sections: dict[str, Sections],
) -> list[View]:
    views: list[View] = []
    for region in regions:
        for plane in wanted[region.name]:
            section = sections[region.name][plane.axis]
            seen = [section[v.index] for v in views if v.plane is plane and v.index is not None]
            if max(seen, default=0) < _SEEN * section.max():
                others = [sections[other.name][plane.axis] for other in regions if other is not region]
                views.append(View(plane, _best_slice(section, others), region))
    return views


def _best_slice(section: NDArray[np.int64], others: Sequence[NDArray[np.int64]]) -> int:
    """The slice that shows a region well and the others best; in doubt that of its largest section."""
    shared = sum((other / other.max() for other in others), np.zeros(section.shape))
    well = section >= _SEEN * section.max()
    best = well & (shared >= shared[well].max() - 1e-9)
    # The middle of equally good sections, so that a cylinder or a box is cut in its middle.
    largest = np.flatnonzero(best & (section == section[best].max()))
    return int(largest[len(largest) // 2])


def _central(image: Image, planes: Sequence[Plane]) -> list[View]:
    return [View(plane, image.grid.shape[plane.axis] // 2) for plane in planes]


def _volume(image: Image) -> NDArray[Any]:
    """The image's (z, y, x) or (z, y, x, 3); of a moving one its first moment."""
    return image.array[0] if image.array.ndim - int(image.is_colour) == 4 else image.array


def _flat(image: Image, series: Series | None) -> Plane:
    letters = letters_from_tag(series.tags.get("PatientOrientation")) if series is not None else None
    return flat_plane(image.grid, spacing=image.plane_spacing, letters=letters)


def _spacing_note(image: Image) -> str:
    at_detector = image.plane_spacing is not None and image.plane_spacing.kind == "detector"
    return "at the detector" if at_detector and not image.grid.has_millimetres else ""


def _background(view: View, scene: _Scene) -> NDArray[np.uint8]:
    """The slice of a view as RGB, without outlines."""
    plane, index = view.plane, view.index
    if index is None:
        return _grey_rgb(plane.resample(plane.project(scene.volume.max(axis=plane.axis))), scene.display)
    cut = plane.cut(scene.volume, index)
    if scene.image.is_colour:
        channels = [plane.resample(cut[..., k]) for k in range(3)]
        return np.clip(np.round(np.stack(channels, axis=-1)), 0, 255).astype(np.uint8)
    rgb = _grey_rgb(plane.resample(cut, outside=np.nan), scene.display)
    if scene.image.padding is not None:
        padding = plane.resample(plane.cut(scene.image.padding, index)) >= 0.5
        rgb[padding] = 255 if scene.display.is_light else 0
    return rgb


def _grey_rgb(values: NDArray[np.float32], display: Display) -> NDArray[np.uint8]:
    return np.repeat(display.grey(values)[:, :, None], 3, axis=2)


def _outlined(
    rgb: NDArray[np.uint8], view: View, scene: _Scene
) -> tuple[NDArray[np.uint8], tuple[tuple[Colour, str], ...]]:
    """`rgb` with the rim of every region on that slice, and colour and label of each."""
    entries = []
    regions = scene.reading.regions
    for region in regions:
        edge = rim(region, view.plane, view.index)
        if edge.any():
            rgb = paint(rgb, edge, scene.colour(region))
            entries.append((scene.colour(region), region_label(region, regions)))
    return rgb, tuple(entries)


def _legend_entries(entries: tuple[tuple[Colour, str], ...]) -> tuple[tuple[Colour, str], ...]:
    if len(entries) <= _MOST_LABELS:
        return entries
    return (*entries[: _MOST_LABELS - 1], (QUIET, f"and {len(entries) - _MOST_LABELS + 1} more"))


def _draw(view: View, scene: _Scene) -> Picture:
    rgb, entries = _outlined(_background(view, scene), view, scene)
    plane = view.plane
    label = scene.display.label if not scene.image.is_colour else "colours as stored"
    legend = Legend(_legend_entries(entries), label, spacing_note=scene.spacing_note)
    framed = frame(rgb, legend=legend, letters=plane.letters, mm_per_px=plane.mm_per_px)
    subject = f"{view.subject.name}-" if view.subject else ""
    if view.index is None:
        return Picture(
            f"projection-{_kebab(plane.name)}", f"Maximum intensity projection, {plane.name}", framed
        )
    title = _slice_title(view, scene)
    if entries:
        title = _about(_listed([label for _, label in entries]), title)
    return Picture(f"{subject}{_kebab(plane.name)}", title, framed, _source(view, scene.image))


def _draw_map(item: ExplanationMap, acquired: Plane, scene: _Scene) -> Picture:
    peak = np.unravel_index(int(np.argmax(item.values)), item.values.shape)
    view = View(acquired, int(peak[acquired.axis]))
    values = np.clip(acquired.resample(acquired.cut(item.values, int(peak[acquired.axis]))), 0.0, 1.0)
    opacity = (_MAP_OPACITY * np.minimum(1.0, values / _FULL_COLOUR_FROM))[:, :, None]
    mixed = (1.0 - opacity) * _background(view, scene) + opacity * heat_colours(values)
    rgb, entries = _outlined(np.round(mixed).astype(np.uint8), view, scene)
    legend = Legend(_legend_entries(entries), scene.display.label, item.method.meaning, scene.spacing_note)
    framed = frame(rgb, legend=legend, letters=acquired.letters, mm_per_px=acquired.mm_per_px)
    title = _about(f"{item.method.meaning} for {spoken(item.finding).lower()}", _slice_title(view, scene))
    return Picture(f"map-{item.name}", title, framed, _source(view, scene.image))


def _listed(labels: Sequence[str]) -> str:
    """Labels as a title holds them: at most three, and how many more."""
    first, *rest = labels
    names = [first, *(lower_first(label) for label in rest)]
    if len(names) > _MOST_NAMED:
        names = [*names[: _MOST_NAMED - 1], f"{len(names) - _MOST_NAMED + 1} more"]
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else first


def _about(subject: str, slice_title: str) -> str:
    """What is shown, and where; a single picture needs no where."""
    return subject if slice_title == "Image" else f"{subject}: {slice_title[:1].lower()}{slice_title[1:]}"


def _slice_title(view: View, scene: _Scene) -> str:
    n_slices = scene.image.grid.shape[view.plane.axis]
    name = spoken(view.plane.name) + ("" if view.plane.name == "image" else " plane")
    return name if n_slices == 1 or view.index is None else f"{name}, slice {view.index + 1} of {n_slices}"


def _source(view: View, image: Image) -> SourceFrame | None:
    """The frame that an acquired slice came from; reformatted planes come from many."""
    frames = image.source
    if view.plane.axis != 0 or view.index is None or view.index >= len(frames):
        return None
    return frames[view.index]


def _omission(reading: Reading, views: Sequence[View], n_maps: int) -> str:
    lines = []
    unseen = [
        region.name
        for region in reading.regions
        if not region.is_empty and not any(_is_on(region, view) for view in views)
    ]
    if unseen:
        n_marked = sum(not region.is_empty for region in reading.regions)
        labels = region_labels(unseen[:5], reading) + (" and others" if len(unseen) > 5 else "")
        lines.append(
            f"The pictures show {n_marked - len(unseen)} of {n_marked} regions, the largest first; not shown: {labels}."
        )
    if len(reading.maps) > n_maps:
        lines.append(f"The first {n_maps} of {len(reading.maps)} explanation maps are shown.")
    return " ".join(lines)


def _is_on(region: Region, view: View) -> bool:
    return view.index is not None and bool(rim(region, view.plane, view.index).any())


def _kebab(name: str) -> str:
    return name.replace(" ", "-")


def _with_unique_names(pictures: Sequence[Picture]) -> list[Picture]:
    """Pictures with a number behind names that occur twice: file names are made of them."""
    taken: dict[str, int] = {}
    unique = []
    for picture in pictures:
        taken[picture.name] = taken.get(picture.name, 0) + 1
        n = taken[picture.name]
        name = picture.name if n == 1 else f"{picture.name}-{n}"
        unique.append(Picture(name, picture.title, picture.rgb, picture.source))
    return unique
