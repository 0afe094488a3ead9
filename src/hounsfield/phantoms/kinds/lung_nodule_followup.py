"""`lung-nodule-followup`: a chest CT at several visits, its nodules growing or shrinking at a known pace."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core import Grid
from hounsfield.core.errors import UsageError
from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.chest_ct import ChestCtParameters, ChestVisit, make_chest_ct
from hounsfield.phantoms.phantom import Phantom, PhantomStudy

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.trouble import Trouble

SHIFT_MM = 15.0  # the patient lies elsewhere on the table by up to this much at later visits


@dataclass(frozen=True, slots=True)
class NoduleFollowUpParameters:
    """What a series of chest CT is made from; equal parameters give equal voxels.

    visit_days: the first 0, up to six. nodule_diameters_mm: at the first visit, 4 to 20 mm. nodule_doubling_days:
    time in which the volume of each doubles, negative: in which it halves, 0: it stays. The others as for
    `chest-ct`. Raises UsageError outside the ranges that the phantom can show.
    """

    seed: int = 1
    visit_days: tuple[int, ...] = (0, 90, 270)
    nodule_diameters_mm: tuple[float, ...] = (9.0, 11.0, 13.0)
    nodule_doubling_days: tuple[float, ...] = (150.0, -300.0, 0.0)
    n_slices: int = 100
    matrix_px: int = 192
    noise_hu: float = 12.0

    def __post_init__(self) -> None:
        days = self.visit_days
        if not 1 <= len(days) <= 6 or days[0] != 0 or list(days) != sorted(set(days)):
            raise UsageError(f"visit_days are {days}: give one to six days that begin with 0 and rise")
        if len(self.nodule_doubling_days) != len(self.nodule_diameters_mm):
            raise UsageError("nodule_doubling_days needs one number for each of nodule_diameters_mm")
        for diameter_mm, volume in zip(self.nodule_diameters_mm, self.volumes(days[-1]), strict=True):
            # Nodules are sought with 6 mm of lung around them, and below 3 mm none can be drawn.
            if not (
                4.0 <= diameter_mm <= 20.0 and 3.0 <= diameter_mm * volume ** (1 / 3) <= diameter_mm + 10.0
            ):
                raise UsageError(
                    f"nodule_diameters_mm: a nodule of {diameter_mm:g} mm becomes {diameter_mm * volume ** (1 / 3):.1f} "
                    "mm; 4 to 20 mm at the first visit, and 3 mm to 10 mm more at the last, are possible"
                )
        self.chest()

    def volumes(self, day: int) -> tuple[float, ...]:
        """Volume of each nodule on that day as part of that on the first."""
        return tuple(2.0 ** (day / doubling) if doubling else 1.0 for doubling in self.nodule_doubling_days)

    def chest(self) -> ChestCtParameters:
        """Those of the chest at every visit: no emphysema, no contrast agent."""
        return ChestCtParameters(
            seed=self.seed,
            n_slices=self.n_slices,
            matrix_px=self.matrix_px,
            emphysema_fraction=0.0,
            nodule_diameters_mm=self.nodule_diameters_mm,
            noise_hu=self.noise_hu,
            contrast="none",
        )


@phantom_kind(
    PhantomCard(
        name="lung-nodule-followup",
        also="P-NOD",
        summary="Chest CT at several visits with nodules whose volume doubles or halves in a known time; regions=seg "
        "writes the nodules of each visit beside it, regions=tracked says which is which.",
        parameters=NoduleFollowUpParameters,
        options={"regions": ("seg", "tracked")},
        troubles=frozenset({"shuffle", "compression"}),
        sources=("van Klaveren 2009, N Engl J Med 361:2221: doubling times of 400 and 600 days as limits",),
    )
)
def write(
    dicom: Path,
    parameters: NoduleFollowUpParameters,
    trouble: Trouble,
    progress: Progress,
    *,
    regions: str | None = None,
) -> PhantomStudy:
    """Write one study a visit into `dicom`, and its nodules as `regions`."""
    from hounsfield.phantoms.dicom_ct import ct_slice
    from hounsfield.phantoms.dicom_series import write_series
    from hounsfield.phantoms.lesion_segmentation import write_lesions

    images: dict[str, Phantom] = {}
    for number, day in enumerate(parameters.visit_days):
        made = make_chest_ct(
            parameters.chest(), visit=ChestVisit(number, parameters.volumes(day)), progress=progress
        )
        name = f"day-{day}"
        images[name] = phantom = _lying_elsewhere(replace(made, name=name, day=day), parameters, number)
        (dicom / name).mkdir()
        write_series(dicom / name, phantom, ct_slice, trouble=trouble, progress=progress)
        if regions is not None:
            slices = [ct_slice(phantom, k, trouble) for k in range(phantom.grid.shape[0])]
            nodules = [mask for mask in phantom.masks if mask.startswith("nodule")]
            path = dicom / f"{name}-lesions.dcm"
            write_lesions(path, phantom, slices, nodules, tracked=regions == "tracked")
    shared = next(iter(images.values()))
    return PhantomStudy(shared.kind, shared.parameters, {"visit_days": list(parameters.visit_days)}, images)


def _lying_elsewhere(made: Phantom, parameters: NoduleFollowUpParameters, number: int) -> Phantom:
    """The visit with masks of its nodules, and from the second on with other millimetres: voxels stay as they are."""
    rng = np.random.Generator(np.random.PCG64([parameters.seed, 77, number]))
    shift_mm = np.round(rng.uniform(-SHIFT_MM, SHIFT_MM, 3) * (number > 0), 2)
    affine = np.array(made.grid.affine)
    affine[:3, 3] += shift_mm
    grid = Grid(made.grid.shape, affine, made.grid.frame_of_reference_uid)
    nodules, masks = [], dict(made.masks)
    for n, nodule in enumerate(made.truth["nodules"], start=1):
        centre_mm = np.asarray(nodule["centre_mm"]) + shift_mm
        nodules.append({"name": f"nodule-{n}", **nodule, "centre_mm": np.round(centre_mm, 3).tolist()})
        masks[f"nodule-{n}"] = _ball(grid, centre_mm, nodule["diameter_mm"] / 2)
    recorded = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(parameters).items()}
    # The writer of CT objects needs these of every chest.
    recorded |= {"field_of_view_mm": made.parameters["field_of_view_mm"], "contrast": "none"}
    truth = {**made.truth, "nodules": nodules, "shift_mm": shift_mm.tolist()}
    return replace(
        made, kind="lung-nodule-followup", grid=grid, masks=masks, truth=truth, parameters=recorded
    )


def _ball(grid: Grid, centre_mm: np.ndarray, radius_mm: float) -> np.ndarray:
    """Voxels whose centre lies within `radius_mm`."""
    index = grid.mm_to_index(centre_mm)
    reach = radius_mm / np.array(grid.spacing_mm)
    low = np.maximum(np.floor(index - reach).astype(int), 0)
    high = np.minimum(np.ceil(index + reach).astype(int) + 1, grid.shape)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    places = np.stack(list(np.mgrid[window]), axis=-1)
    mask = np.zeros(grid.shape, dtype=np.bool_)
    mask[window] = np.linalg.norm(grid.index_to_mm(places) - centre_mm, axis=-1) <= radius_mm
    return mask
