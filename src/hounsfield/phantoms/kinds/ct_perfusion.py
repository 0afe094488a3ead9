"""`ct-perfusion`: a slab of brain scanned again and again, with core and penumbra of known volume."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.ct_perfusion import CtPerfusionParameters, make_ct_perfusion
from hounsfield.phantoms.trouble import place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import PhantomStudy
    from hounsfield.phantoms.trouble import Trouble

KVP = 80  # iodine is brightest at low voltage; what stroke protocols use


# One series holds all times, as scanners write it; its slices state when they were scanned.
@phantom_kind(
    PhantomCard(
        name="ct-perfusion",
        also="P-CTP",
        summary="CT perfusion of the brain: curves from chosen flow, transit time and delay, core and penumbra of known "
        "volume, noise by dose.",
        parameters=CtPerfusionParameters,
        troubles=frozenset({"flip", "oblique_deg", "compression"}),
        sources=(
            "Ostergaard 1996, Magnetic Resonance in Medicine 36:715: model and residue function",
            "Madsen 1992, Phys Med Biol 37:1597: gamma variate",
        ),
    )
)
def write(
    dicom: Path, parameters: CtPerfusionParameters, trouble: Trouble, progress: Progress
) -> PhantomStudy:
    """Write one object a slice and time into `dicom`, a folder for each time."""
    from hounsfield.phantoms.dicom_attributes import STUDY_DATE, STUDY_TIME, uid
    from hounsfield.phantoms.dicom_ct import CtProtocol, ct_slice
    from hounsfield.phantoms.dicom_series import save

    protocol = CtProtocol(
        series_description="Synthetic CT perfusion",
        body_part="HEAD",
        kvp=KVP,
        kernel="SOFT",
        scan_options="DYNAMIC MODE",
        image_type=("ORIGINAL", "PRIMARY", "AXIAL"),
        windows=(("BRAIN", 50, 120),),
        contrast_agent="Iohexol",
        exposure_mas=parameters.dose_mas,
    )
    study = make_ct_perfusion(parameters, progress=progress)
    images = {name: place(image, trouble) for name, image in study.images.items()}
    first = datetime.strptime(STUDY_DATE + STUDY_TIME, "%Y%m%d%H%M%S")  # noqa: DTZ007  DICOM times state no zone
    for t, (name, image) in enumerate(images.items()):
        (dicom / name).mkdir()
        scanned = first + timedelta(seconds=image.truth["time_s"])
        for k in range(image.grid.shape[0]):
            data = ct_slice(image, k, trouble, protocol=protocol)
            data.SeriesInstanceUID = uid(replace(image, name=""), "series")
            data.InstanceNumber = t * image.grid.shape[0] + k + 1
            data.AcquisitionNumber = data.TemporalPositionIdentifier = t + 1
            data.NumberOfTemporalPositions = len(images)
            data.AcquisitionTime = data.ContentTime = scanned.strftime("%H%M%S.%f")
            save(data, dicom / name / f"{k + 1:05d}.dcm", trouble)
    return replace(study, images=images)
