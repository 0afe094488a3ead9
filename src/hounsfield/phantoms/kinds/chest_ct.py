"""`chest-ct`: a chest CT with lungs of known volume and density, airways, vessels and nodules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.chest_ct import ChestCtParameters, make_chest_ct
from hounsfield.phantoms.trouble import ALL_TROUBLES, place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


@phantom_kind(
    PhantomCard(
        name="chest-ct",
        also="P-NOD",
        summary="Chest CT: lungs with a chosen part of emphysema, airways, vessels, nodules of known size.",
        parameters=ChestCtParameters,
        troubles=ALL_TROUBLES,
        sources=("HU of tissues: textbook ranges at 120 kVp",),
    )
)
def write(dicom: Path, parameters: ChestCtParameters, trouble: Trouble, progress: Progress) -> Phantom:
    """Write one object a slice (or one enhanced object) into `dicom`."""
    from hounsfield.phantoms.dicom_ct import ct_slice
    from hounsfield.phantoms.dicom_series import save, write_series
    from hounsfield.phantoms.enhanced_ct import enhanced_ct

    trouble.left_out(parameters.n_slices)
    phantom = place(make_chest_ct(parameters, tilt_deg=trouble.tilt_deg, progress=progress), trouble)
    if trouble.enhanced:
        save(enhanced_ct(phantom, trouble), dicom / "00001.dcm", trouble)
    else:
        write_series(dicom, phantom, ct_slice, trouble=trouble, progress=progress)
    return phantom
