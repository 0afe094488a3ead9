"""`brain-mr`: T1 and FLAIR of a head at several visits, with lesions, ventricles and hippocampi of known volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.progress import step
from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.brain_mr import BrainMrParameters, brain_visits, record, scan
from hounsfield.phantoms.phantom import Phantom, PhantomStudy
from hounsfield.phantoms.trouble import place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.trouble import Trouble


@phantom_kind(
    PhantomCard(
        name="brain-mr",
        summary="MR of a head, T1 and FLAIR at several visits: lesions that grow, ventricles and hippocampi of known "
        "volume; regions=seg writes the lesions of each visit beside it, regions=tracked says which is which.",
        parameters=BrainMrParameters,
        options={"regions": ("seg", "tracked")},
        troubles=frozenset({"flip", "oblique_deg", "shuffle", "compression"}),
        sources=(
            "Stanisz 2005, Magnetic Resonance in Medicine 54:507: relaxation times at 3 T",
            "Gudbjartsson 1995, Magnetic Resonance in Medicine 34:910: noise of magnitude images",
            "Barnes 2009, Neurobiol Aging 30:1711: loss of hippocampal volume a year",
        ),
    )
)
def write(
    dicom: Path,
    parameters: BrainMrParameters,
    trouble: Trouble,
    progress: Progress,
    *,
    regions: str | None = None,
) -> PhantomStudy:
    """Write one study a visit, in it one series a contrast, and the lesions on the last of these as `regions`."""
    from hounsfield.phantoms.dicom_mr import mr_slice
    from hounsfield.phantoms.dicom_series import write_series
    from hounsfield.phantoms.lesion_segmentation import write_lesions

    images: dict[str, Phantom] = {}
    visits = brain_visits(parameters)
    for visit in visits:
        step(progress, f"brain phantom: day {visit.day}", visit.number / len(visits))
        for contrast in parameters.contrasts:
            made = scan(parameters, visit, contrast)
            name = f"day-{visit.day}-{contrast}"
            phantom = Phantom(
                "brain-mr",
                made.array,
                made.grid,
                "1",
                record(parameters),
                made.truth,
                made.masks,
                name,
                visit.day,
            )
            images[name] = phantom = place(phantom, trouble)
            (dicom / name).mkdir()
            write_series(dicom / name, phantom, mr_slice, trouble=trouble, progress=progress)
            if regions is not None and contrast == parameters.contrasts[-1]:
                slices = [mr_slice(phantom, k, trouble) for k in range(phantom.grid.shape[0])]
                lesions = [mask for mask in phantom.masks if mask.startswith("lesion")]
                path = dicom / f"day-{visit.day}-lesions.dcm"
                write_lesions(path, phantom, slices, lesions, tracked=regions == "tracked")
    return PhantomStudy("brain-mr", record(parameters), {"visit_days": list(parameters.visit_days)}, images)
