"""`coronary-cta`: a gated CT angiography of the coronary arteries with narrowings and plaques of known size."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.coronary_cta import CoronaryCtaParameters, make_coronary_cta
from hounsfield.phantoms.trouble import ALL_TROUBLES, place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


@phantom_kind(
    PhantomCard(
        name="coronary-cta",
        also="P-COR",
        summary="Coronary CT angiography: arteries of known radius, each with one narrowing and a plaque of low "
        "attenuation, fibro-fatty or calcified.",
        parameters=CoronaryCtaParameters,
        troubles=ALL_TROUBLES - {"tilt_deg", "oblique_deg", "enhanced"},
        sources=("Dodge 1992, Circulation 86:232: diameters of 3 to 4.5 mm",),
    )
)
def write(dicom: Path, parameters: CoronaryCtaParameters, trouble: Trouble, progress: Progress) -> Phantom:
    """Write one object a slice into `dicom`."""
    from hounsfield.phantoms.dicom_ct import CtProtocol, ct_slice
    from hounsfield.phantoms.dicom_series import write_series

    phantom = place(make_coronary_cta(parameters, progress=progress), trouble)
    protocol = CtProtocol(
        series_description="Synthetic coronary CT angiography",
        body_part="HEART",
        kvp=parameters.kvp,
        scan_options="CARDIAC AXIAL",
        windows=(("VESSELS", 200, 800), ("MEDIASTINUM", 40, 400)),
        more={"TriggerTime": "520", "HeartRate": "60", "CardiacSynchronizationTechnique": "PROSPECTIVE"},
    )
    write_series(dicom, phantom, partial(ct_slice, protocol=protocol), trouble=trouble, progress=progress)
    return phantom
