"""`us-nodule`: stills of a thyroid or breast nodule in two planes, every descriptor and dimension known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.nodule_us import UsNoduleParameters, make_us_nodule

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import PhantomStudy
    from hounsfield.phantoms.trouble import Trouble

# Body part, third value of Image Type, and anatomic region of each subject.
SUBJECTS = {
    "thyroid": ("THYROID", "SMALL PARTS", ("69748006", "SCT", "Thyroid")),
    "breast": ("BREAST", "BREAST", ("76752008", "SCT", "Breast")),
}


@phantom_kind(
    PhantomCard(
        name="us-nodule",
        also="P-US",
        summary="Ultrasound stills of a thyroid or breast nodule in two planes: composition, echo, shape, margin and "
        "foci as chosen, dimensions known, callipers burned in if wanted.",
        parameters=UsNoduleParameters,
        troubles=frozenset({"compression"}),
        sources=(
            "Tessler 2017, J Am Coll Radiol 14:587: descriptors of ACR TI-RADS",
            "Wagner 1983, IEEE Trans Sonics Ultrason 30:156: statistics of speckle",
        ),
    )
)
def write(dicom: Path, parameters: UsNoduleParameters, trouble: Trouble, progress: Progress) -> PhantomStudy:
    """Write one still a plane into `dicom`, each a series of its own."""
    from hounsfield.phantoms.dicom_series import save
    from hounsfield.phantoms.dicom_us import Acquisition, us_object

    study = make_us_nodule(parameters, progress=progress)
    body_part, examined, anatomy = SUBJECTS[parameters.subject]
    for number, (plane, phantom) in enumerate(study.images.items(), start=1):
        first_row, last_row, first_column, last_column = phantom.truth["region_box_yx"]
        acquisition = Acquisition(
            number,
            f"Synthetic {parameters.subject} {plane}",
            body_part,
            examined,
            anatomy,
            (first_row, (first_column + last_column) // 2),
            view_name=plane.upper(),
            box_yx=(first_row, last_row, first_column, last_column),
            side="R" if parameters.subject == "breast" else "",
            has_callipers=parameters.callipers,
        )
        save(us_object(phantom, acquisition), dicom / f"{number:05d}.dcm", trouble)
    return study
