"""A patient's study and the series in it, as the rest of the project sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from hounsfield.core.errors import RefusedInput
from hounsfield.core.image import Cine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hounsfield.core.condition import Condition
    from hounsfield.core.grid import Grid
    from hounsfield.core.image import Image, SourceFrame
    from hounsfield.core.region import Region

SeriesKind = Literal["image", "regions", "raster", "other"]


def _no_tags() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One geometric and physical unit: one grid, one unit, one phase.

    What the files call one series may have been split into several of these; `key` then tells them
    apart ("1.2.3" and "1.2.3#2").

    kind: `image`; `regions` (SEG, RTSTRUCT: call `regions`); `raster` (PNG, JPEG: no modality, no
    geometry); `other` (dose reports, presentation states: listed, never fed to an application).
    modality: DICOM's (CT, PT, MR, ...), None for raster and NIfTI files. unit: what `image()` will
    return (`HU`, `SUVbw`, ...), None if unstated. tags: DICOM attributes that matter, by keyword;
    absent means unstated. source: frames in array order. files: file names in array order. grid:
    known without decoding pixels. frame_time_s: of a moving picture, seconds of each frame from the first, () if
    unstated. image(): decodes; raises StudyError naming the file. cine(): the image with these times.
    headers(): data sets without pixels, one an instance, for writers of derived objects.
    regions(grid): the regions of a derived object on `grid`; empty for images.
    """

    key: str
    kind: SeriesKind
    modality: str | None = None
    series_instance_uid: str | None = None
    description: str = ""
    unit: str | None = None
    grid: Grid | None = None
    tags: Mapping[str, Any] = field(default_factory=_no_tags)
    conditions: tuple[Condition, ...] = ()
    source: tuple[SourceFrame, ...] = ()
    files: tuple[str, ...] = ()
    frame_time_s: tuple[float, ...] = ()
    load_image: Callable[[], Image] | None = None
    load_headers: Callable[[], Sequence[Any]] | None = None
    load_regions: Callable[[Grid], Sequence[Region]] | None = None

    @property
    def sop_instance_uids(self) -> tuple[str, ...]:
        """Instances of this series in array order, each once."""
        return tuple(dict.fromkeys(frame.sop_instance_uid for frame in self.source))

    @property
    def is_refused(self) -> bool:
        """Whether a condition forbids to build an image from this series."""
        return any(condition.severity == "refusal" for condition in self.conditions)

    def image(self) -> Image:
        """Decode the pixels; each call decodes again, so keep the Image while it is needed."""
        if self.load_image is None:
            reasons = " ".join(c.text for c in self.conditions if c.severity == "refusal")
            raise RefusedInput(
                reasons or f"series {self.key} ({self.modality}) holds no image that can be read"
            )
        return self.load_image()

    def cine(self) -> Cine:
        """The image with the time of each frame. Raises RefusedInput where the file states no times."""
        if not self.frame_time_s:
            raise RefusedInput(
                f"series {self.key} states no times of frames, so it is no moving picture in seconds. Use the original "
                "of the scanner, or image() for the frames alone."
            )
        return Cine(self.image(), self.frame_time_s)

    def headers(self) -> Sequence[Any]:
        """The instances' data sets without pixel data, in array order; empty for non-DICOM files."""
        return self.load_headers() if self.load_headers is not None else ()

    def regions(self, grid: Grid) -> Sequence[Region]:
        """The regions that a SEG, RTSTRUCT or mask file describes, drawn on `grid`."""
        return self.load_regions(grid) if self.load_regions is not None else ()


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All series of one study; a folder without DICOM counts as one study a file.

    tags: the patient's and study's attributes by keyword, for writers; never logged.
    conditions: what concerns the study as a whole, including files that had to be left out.
    """

    key: str
    series: tuple[Series, ...]
    study_instance_uid: str | None = None
    tags: Mapping[str, Any] = field(default_factory=_no_tags)
    conditions: tuple[Condition, ...] = ()
