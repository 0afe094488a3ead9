"""`head-ct`: a head CT without contrast, with a bleed of known volume and a known midline shift."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.head_ct import HeadCtParameters, make_head_ct
from hounsfield.phantoms.trouble import ALL_TROUBLES, place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


# Head CT is written as one object a slice.
@phantom_kind(
    PhantomCard(
        name="head-ct",
        summary="Head CT without contrast: skull, grey and white matter, ventricles, a bleed of known volume in one of "
        "five places or an infarct, a known midline shift.",
        parameters=HeadCtParameters,
        troubles=ALL_TROUBLES - {"enhanced"},
        sources=(
            "HU of tissues: textbook ranges at 120 kVp, blood 50 to 90",
            "Kothari 1996, Stroke 27:1304: lengths of the bleed",
            "Bullock 2006, Neurosurgery 58 suppl 3: midline shift",
        ),
    )
)
def write(dicom: Path, parameters: HeadCtParameters, trouble: Trouble, progress: Progress) -> Phantom:
    """Write one object a slice into `dicom`."""
    from hounsfield.phantoms.ct_scanner import KERNELS
    from hounsfield.phantoms.dicom_ct import CtProtocol, ct_slice
    from hounsfield.phantoms.dicom_series import write_series

    protocol = CtProtocol(
        series_description="Synthetic head CT",
        body_part="HEAD",
        kernel=KERNELS[parameters.kernel].name,
        scan_options="AXIAL MODE",
        windows=(("BRAIN", 40, 80), ("SUBDURAL", 75, 250), ("BONE", 500, 2500)),
        contrast_agent="NONE",
    )
    phantom = place(make_head_ct(parameters, tilt_deg=trouble.tilt_deg, progress=progress), trouble)
    write_series(dicom, phantom, partial(ct_slice, protocol=protocol), trouble=trouble, progress=progress)
    return phantom
