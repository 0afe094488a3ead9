"""`fetal-head-us`: a fetal head in the plane of its circumference, of exactly known perimeter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.fetal_head import FetalHeadParameters, make_fetal_head

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


@phantom_kind(
    PhantomCard(
        name="fetal-head-us",
        also="P-US",
        summary="Ultrasound of a fetal head in the plane of its circumference: an ellipse of known perimeter that "
        "follows the INTERGROWTH-21st standard at the chosen age.",
        parameters=FetalHeadParameters,
        troubles=frozenset({"compression"}),
        sources=(
            "Papageorghiou 2014, Lancet 384:869: circumference by age",
            "Hadlock 1981, AJR 137:83: cephalic index",
        ),
    )
)
def write(dicom: Path, parameters: FetalHeadParameters, trouble: Trouble, progress: Progress) -> Phantom:
    """Write one still into `dicom`."""
    from hounsfield.phantoms.dicom_series import save
    from hounsfield.phantoms.dicom_us import Acquisition, us_object

    phantom = make_fetal_head(parameters, progress=progress)
    row, column = phantom.truth["probe_px"]
    acquisition = Acquisition(
        1,
        "Synthetic fetal head",
        "HEAD",
        "OBSTETRICAL",
        ("69536005", "SCT", "Head"),
        (row, column),
        view_name="HC",
    )
    save(us_object(phantom, acquisition), dicom / "00001.dcm", trouble)
    return phantom
