"""`fdg-pet`: FDG-PET of a body with hot spheres of known SUV, and the spheres as given lesions if wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.fdg_pet import FdgPetParameters, make_fdg_pet
from hounsfield.phantoms.trouble import ALL_TROUBLES, place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


# A PET gantry does not tilt, and the PET phantom is written as one object a slice.
@phantom_kind(
    PhantomCard(
        name="fdg-pet",
        summary="FDG-PET: a body with spheres of known SUV, as in the phantom of NEMA NU 2; regions=seg or rtstruct "
        "writes the spheres beside it.",
        parameters=FdgPetParameters,
        options={"regions": ("seg", "rtstruct")},
        troubles=ALL_TROUBLES - {"tilt_deg", "enhanced"},
        sources=("NEMA NU 2: spheres of 10 to 37 mm", "QIBA FDG-PET/CT profile: SUV from the header"),
    )
)
def write(
    dicom: Path,
    parameters: FdgPetParameters,
    trouble: Trouble,
    progress: Progress,
    *,
    regions: str | None = None,
) -> Phantom:
    """Write one object a slice into `dicom`, and the neighbourhoods of the spheres as `regions` (seg, rtstruct)."""
    from hounsfield.phantoms.dicom_pet import pet_slice
    from hounsfield.phantoms.dicom_series import write_series
    from hounsfield.phantoms.sphere_regions import write_rtstruct, write_seg

    left_out = trouble.left_out(parameters.n_slices)
    phantom = place(make_fdg_pet(parameters, progress=progress), trouble)
    write_series(dicom, phantom, pet_slice, trouble=trouble, progress=progress)
    if regions is not None:
        kept = [k for k in range(phantom.grid.shape[0]) if k not in left_out]
        write_regions = {"seg": write_seg, "rtstruct": write_rtstruct}[regions]
        write_regions(dicom, phantom, [pet_slice(phantom, k, trouble) for k in kept])
    return phantom
