"""`brain-tumour-mr`: MR of a head with a glioma, T1, T1 after contrast, T2 and FLAIR on one grid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.brain_tumour_mr import SEQUENCES, BrainTumourMrParameters, make_brain_tumour_mr
from hounsfield.phantoms.trouble import ALL_TROUBLES, place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import PhantomStudy
    from hounsfield.phantoms.trouble import Trouble


@phantom_kind(
    PhantomCard(
        name="brain-tumour-mr",
        also="P-BT",
        summary="MR of a head with a glioma in four contrasts: nested tumour parts of known volume, midline shift, coil "
        "shading, Rician noise, slices of chosen thickness.",
        parameters=BrainTumourMrParameters,
        troubles=ALL_TROUBLES - {"tilt_deg", "enhanced"},
        sources=(
            "Stanisz 2005, Magnetic Resonance in Medicine 54:507: relaxation times at 3 T",
            "Gudbjartsson 1995, Magnetic Resonance in Medicine 34:910: Rician noise",
        ),
    )
)
def write(
    dicom: Path, parameters: BrainTumourMrParameters, trouble: Trouble, progress: Progress
) -> PhantomStudy:
    """Write one series a contrast into `dicom`, each in a folder of its own."""
    from hounsfield.phantoms.dicom_mr_sequences import slice_maker
    from hounsfield.phantoms.dicom_series import write_series

    made = make_brain_tumour_mr(parameters, progress=progress)
    images = {name: place(image, trouble) for name, image in made.images.items()}
    # What the study says of places follows its images.
    turned = place(replace(images["t1"], grid=made.images["t1"].grid, truth=made.truth, masks={}), trouble)
    for number, sequence in enumerate(SEQUENCES, start=1):
        folder = dicom / sequence.name
        folder.mkdir()
        make = slice_maker(sequence, number)
        write_series(folder, images[sequence.name], make, trouble=trouble, progress=progress)
    return replace(made, images=images, truth=turned.truth)
