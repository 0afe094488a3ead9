"""The contract of an application: what it asks for, what it gets, and how it is registered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from hounsfield.core.condition import Condition
from hounsfield.core.errors import ModelError, UsageError
from hounsfield.core.progress import Progress, Silent
from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hounsfield.core.code import Code
    from hounsfield.core.model import BundledModel, Model, ViewsModel, VolumeModel
    from hounsfield.core.reading import Reading
    from hounsfield.core.region import Region
    from hounsfield.core.study import Series, Study


@dataclass(frozen=True, slots=True)
class Role:
    """One series that an application asks for.

    name: how the application calls it ("thorax"). modalities: DICOM modalities taken. unit: what its
    pixels must be in (`HU`, `SUVbw`), None for any. geometry: `volume` (millimetres and at least two
    slices), `slice` (exactly one slice; millimetres not needed), `any`. raster: whether PNG and JPEG
    files, which state no modality, may be tried: the model's guard then decides. spacing_mm: largest
    distance between slices. min_slices: fewest slices. kind `regions` asks for SEG, RTSTRUCT or mask
    files drawn on the main image. optional: the application can run without it. words: all of which the series'
    description, protocol or file name must hold, where several series of one modality are told apart by them ("FLAIR").
    view: side and View Position ("L", "CC") that the header must state; of PNG and JPEG the file name.
    """

    name: str
    modalities: tuple[str, ...] = ()
    unit: str | None = None
    geometry: Literal["volume", "slice", "any"] = "volume"
    raster: bool = False
    spacing_mm: float | None = None
    min_slices: int = 1
    kind: Literal["image", "regions"] = "image"
    optional: bool = False
    words: tuple[str, ...] = ()
    view: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What an application asks for: roles, the first of which must be an image that is required.

    visits: fewest studies of one patient, on different days, that it runs over; 1 for an application that
    reads each study by itself.
    """

    roles: tuple[Role, ...]
    visits: int = 1

    def __post_init__(self) -> None:
        if not self.roles or self.roles[0].optional or self.roles[0].kind != "image":
            raise UsageError("the first role of an application must be a required image")
        if len({role.name for role in self.roles}) != len(self.roles):
            raise UsageError("two roles of an application share a name")

    @property
    def main(self) -> Role:
        """The role that decides how often an application runs on a study: once for each match."""
        return self.roles[0]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What an application gets: series by role, the study around them, models by name.

    An application over several visits gets the last one here and those before it, in their order, in `earlier`;
    day: of each visit, counted from the first. explain: names of the maps that the user asks for, none for those that the
    model's card recommends.
    """

    study: Study
    series: Mapping[str, Series]
    region_series: tuple[Series, ...] = ()
    models: Mapping[str, BundledModel] = field(default_factory=dict)
    priors: tuple[Reading, ...] = ()
    progress: Progress = field(default_factory=Silent)
    day: int = 0
    earlier: tuple[Inputs, ...] = ()
    explain: tuple[str, ...] = ()

    def __getitem__(self, role: str) -> Series:
        return self.series[role]

    def picture_model(self, name: str) -> Model:
        """The model of that name, which answers about pictures. Raises ModelError for one of volumes."""
        model = self.models[name]
        if not hasattr(model, "run"):
            raise ModelError(
                f"model {name} labels the voxels of volumes; one that reads pictures is needed here"
            )
        return cast("Model", model)

    def views_model(self, name: str) -> ViewsModel:
        """The model of that name, which reads several views. Raises ModelError for another."""
        model = self.models[name]
        if not hasattr(model, "run_views"):
            raise ModelError(f"model {name} does not read several views; one that does is needed here")
        return cast("ViewsModel", model)

    def volume_model(self, name: str) -> VolumeModel:
        """The model of that name, which labels the voxels of volumes. Raises ModelError for one of pictures."""
        model = self.models[name]
        if not hasattr(model, "segment"):
            raise ModelError(
                f"model {name} reads pictures; one that labels the voxels of volumes is needed here"
            )
        return cast("VolumeModel", model)

    def given_series(self, role: str) -> Sequence[Series]:
        """SEG, RTSTRUCT and mask files of the study for `role`'s image.

        Those made on that image if there are any; a mask of another image would be the same thing twice.
        """
        key = self.series[role].key
        own = [s for s in self.region_series if key in s.tags.get("referenced_series", ())]
        return own or self.region_series

    def given_regions(self, role: str) -> Sequence[Region]:
        """The regions of `given_series`, on the grid of `role`'s image; names are unique in each series."""
        grid = self.series[role].grid
        if grid is None:
            return ()
        return [region for series in self.given_series(role) for region in series.regions(grid)]

    def unread_regions(self) -> list[Condition]:
        """What is to be told of SEG and RTSTRUCT in the study that could not be read."""
        return [
            Condition(
                "regions-unreadable",
                "warning",
                f"Regions given with the study were not used. {condition.text}",
                series.files,
            )
            for series in self.study.series
            if series.modality in {"SEG", "RTSTRUCT"}
            for condition in series.conditions
            if condition.severity == "refusal"
        ]


@dataclass(frozen=True, slots=True)
class Application:
    """A registered application; `run` is pure of files: it gets Inputs and returns a Reading.

    memory_mb: bound that the conformance suite checks, beside the input itself.
    """

    name: str
    title: str
    version: str
    needs: Needs
    run: Callable[[Inputs], Reading]
    models: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()
    memory_mb: int = 2000

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.run.__doc__ or self.title).strip().splitlines()[0]


applications: Registry[Application] = Registry("application", "hounsfield.applications")


def application(
    *,
    name: str,
    title: str,
    version: str,
    needs: Needs,
    models: Sequence[str] = (),
    codes: Sequence[Code] = (),
    memory_mb: int = 2000,
) -> Callable[[Callable[[Inputs], Reading]], Callable[[Inputs], Reading]]:
    """Register the decorated function as the application `name` (the name of its file)."""

    def register(run: Callable[[Inputs], Reading]) -> Callable[[Inputs], Reading]:
        applications.add(
            name, Application(name, title, version, needs, run, tuple(models), tuple(codes), memory_mb)
        )
        return run

    return register
