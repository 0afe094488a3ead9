"""`mammogram`: a screening exam of four views with tissue of known density, a mass and a cluster of calcifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.mammogram import MammogramParameters, make_mammogram

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import PhantomStudy
    from hounsfield.phantoms.trouble import Trouble


@phantom_kind(
    PhantomCard(
        name="mammogram",
        also="P-MG",
        summary="Screening mammogram of four views: tissue of known density with the texture of a breast, a round or "
        "spiculated mass, a cluster of calcifications, stored as one of three vendors would.",
        parameters=MammogramParameters,
        troubles=frozenset({"compression"}),
        sources=(
            "Burgess 2001, Med Phys 28:419: power spectrum of mammograms",
            "Johns and Yaffe 1987, Phys Med Biol 32:675: attenuation of tissue",
            "IHE Mammography Image: views, sides and orientation",
        ),
    )
)
def write(dicom: Path, parameters: MammogramParameters, trouble: Trouble, progress: Progress) -> PhantomStudy:
    """Write one object a view into `dicom`, each a series of its own."""
    from hounsfield.phantoms.dicom_mg import mg_object
    from hounsfield.phantoms.dicom_series import save

    study = make_mammogram(parameters, progress=progress)
    for number, phantom in enumerate(study.images.values(), start=1):
        save(mg_object(phantom, number), dicom / f"{number:05d}.dcm", trouble)
    return study
