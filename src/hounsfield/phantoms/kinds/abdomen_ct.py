"""`abdomen-ct`: an abdominal CT with muscle and fat of known area, organs of known volume, and a known L3."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.abdomen_ct import AbdomenCtParameters, make_abdomen_ct
from hounsfield.phantoms.trouble import ALL_TROUBLES, place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


# Its voxels are made slice by slice in the patient's axes, so the gantry cannot tilt.
@phantom_kind(
    PhantomCard(
        name="abdomen-ct",
        also="P-LIV, P-ORG",
        summary="Abdominal CT: muscle, fat under the skin and around organs of known area, ellipsoid organs of known "
        "volume and HU, lesions in the liver, spine with a known L3; regions=seg writes that vertebra beside it.",
        parameters=AbdomenCtParameters,
        options={"regions": ("seg",)},
        troubles=ALL_TROUBLES - {"tilt_deg", "enhanced"},
        sources=(
            "HU of tissues: textbook ranges at 120 kVp",
            "sizes of vertebrae and layers: textbook anatomy",
        ),
    )
)
def write(
    dicom: Path,
    parameters: AbdomenCtParameters,
    trouble: Trouble,
    progress: Progress,
    *,
    regions: str | None = None,
) -> Phantom:
    """Write one object a slice into `dicom`, and the third lumbar vertebra as `regions` (seg)."""
    from hounsfield.phantoms.dicom_abdomen import abdomen_slice, write_l3_seg
    from hounsfield.phantoms.dicom_series import write_series

    left_out = trouble.left_out(parameters.n_slices)
    phantom = place(make_abdomen_ct(parameters, progress=progress), trouble)
    write_series(dicom, phantom, abdomen_slice, trouble=trouble, progress=progress)
    if regions is not None:
        kept = [k for k in range(phantom.grid.shape[0]) if k not in left_out]
        write_l3_seg(dicom, phantom, [abdomen_slice(phantom, k, trouble) for k in kept])
    return phantom
