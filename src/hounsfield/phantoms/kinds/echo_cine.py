"""`echo-cine`: apical four- and two-chamber cine of a beating left ventricle of known volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.echo_cine import EchoCineParameters, make_echo_cine

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import PhantomStudy
    from hounsfield.phantoms.trouble import Trouble

# SNOMED CT codes of PS3.16 CID 12226 (echocardiography image view).
VIEW_CODES = {
    "a4c": ("399214001", "SCT", "Apical four chamber"),
    "a2c": ("399232001", "SCT", "Apical two chamber"),
}


@phantom_kind(
    PhantomCard(
        name="echo-cine",
        also="P-ECHO",
        summary="Apical echo cine, four- and two-chamber view: a left ventricle of known volume in every frame, EF "
        "known for every beat; sinus rhythm, atrial fibrillation or an ectopic beat.",
        parameters=EchoCineParameters,
        troubles=frozenset({"compression"}),
        sources=(
            "Lang 2015, J Am Soc Echocardiogr 28:1: lengths, volumes and the methods they are measured by",
            "Weissler 1968, Circulation 37:149: length of systole by heart rate",
            "Burckhardt 1978, IEEE Trans Sonics Ultrason 25:1: statistics of speckle",
        ),
    )
)
def write(dicom: Path, parameters: EchoCineParameters, trouble: Trouble, progress: Progress) -> PhantomStudy:
    """Write one multi-frame object a view into `dicom`, each a series of its own."""
    from hounsfield.phantoms.dicom_series import save
    from hounsfield.phantoms.dicom_us import Acquisition, us_object

    study = make_echo_cine(parameters, progress=progress)
    for number, (view, phantom) in enumerate(study.images.items(), start=1):
        acquisition = Acquisition(
            number,
            f"Synthetic echo {view.upper()}",
            "HEART",
            "TTE",
            ("80891009", "SCT", "Heart"),
            (0, phantom.array.shape[2] // 2),
            view=VIEW_CODES[view],
            view_name=view.upper(),
            frames_per_s=parameters.frames_per_s,
            rate_per_min=parameters.rate_per_min,
        )
        save(us_object(phantom, acquisition), dicom / f"{number:05d}.dcm", trouble)
    return study
