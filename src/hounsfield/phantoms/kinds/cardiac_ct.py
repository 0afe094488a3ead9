"""`cardiac-ct`: a gated CT of the heart without contrast agent, with calcified plaques of known Agatston score."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.cardiac_ct import CardiacCtParameters, make_cardiac_ct
from hounsfield.phantoms.trouble import ALL_TROUBLES, place

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.dicom_ct import CtProtocol
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

# Cardiac Synchronization Technique (PS3.3 C.7.6.18.1) with what older CT objects hold: the delay after the R
# peak in ms and beats a minute.
GATED = {"TriggerTime": "520", "HeartRate": "60", "CardiacSynchronizationTechnique": ""}


# Calcium is scored on axial slices of an untilted gantry; one object a slice is what scanners send for it.
@phantom_kind(
    PhantomCard(
        name="cardiac-ct",
        summary="Gated CT of the heart without contrast agent: calcified plaques of known Agatston score, volume and "
        "mass in LM, LAD, LCx and RCA; calcium of valve and aorta beside them; regions=seg writes the arteries.",
        parameters=CardiacCtParameters,
        options={"regions": ("seg",)},
        troubles=ALL_TROUBLES - {"tilt_deg", "oblique_deg", "enhanced"},
        sources=(
            "Agatston 1990, J Am Coll Cardiol 15:827: limits of the factors, slices of 3 mm",
            "Graeni 2018, Eur Heart J Cardiovasc Imaging 19:1362: limits at 70, 80 and 100 kV",
            "McCollough 2007, Radiology 243:527: mass by an insert of 200 mg/cm3",
            "Dodge 1992, Circulation 86:232: diameters of the arteries",
        ),
    )
)
def write(
    dicom: Path,
    parameters: CardiacCtParameters,
    trouble: Trouble,
    progress: Progress,
    *,
    regions: str | None = None,
) -> Phantom:
    """Write one object a slice into `dicom`, and the neighbourhoods of the arteries as a SEG if wanted."""
    from hounsfield.phantoms.dicom_ct import ct_slice
    from hounsfield.phantoms.dicom_series import write_series

    phantom = place(make_cardiac_ct(parameters, progress=progress), trouble)
    make_slice = partial(ct_slice, protocol=protocol_of(parameters))
    write_series(dicom, phantom, make_slice, trouble=trouble, progress=progress)
    if regions is not None:
        left_out = trouble.left_out(phantom.grid.shape[0])
        kept = [k for k in range(phantom.grid.shape[0]) if k not in left_out]
        _write_arteries(dicom, phantom, [make_slice(phantom, k, trouble) for k in kept])
    return phantom


def protocol_of(parameters: CardiacCtParameters) -> CtProtocol:
    """The header of a scan for calcium, as far as it is stated."""
    from hounsfield.phantoms.dicom_ct import CtProtocol

    technique = parameters.gating.upper()
    more: dict[str, Any] = {}
    if technique in {"PROSPECTIVE", "RETROSPECTIVE"}:
        more = {**GATED, "CardiacSynchronizationTechnique": technique}
    elif technique == "NONE":
        more = {"CardiacSynchronizationTechnique": technique}
    return CtProtocol(
        description="Synthetic cardiac CT for calcium",
        body_part="HEART",
        kvp=parameters.kvp,
        kernel=parameters.kernel,
        scan_options="CARDIAC AXIAL" if "TriggerTime" in more else "AXIAL MODE",
        thickness_mm=parameters.thickness_mm or None,
        windows=((130, 700, "CALCIUM"), (40, 400, "MEDIASTINUM")),
        more=more,
    )


def _write_arteries(dicom: Path, phantom: Phantom, images: list[Any]) -> None:
    from pydicom.sr.codedict import codes

    from hounsfield.phantoms.cardiac_anatomy import VESSELS
    from hounsfield.phantoms.sphere_regions import write_seg

    sct = codes.SCT
    kinds = {
        "lm": sct.LeftMainCoronaryArtery,
        "lad": sct.LeftAnteriorDescendingCoronaryArtery,
        "lcx": sct.CircumflexCoronaryArtery,
        "rca": sct.RightCoronaryArtery,
    }
    # A SEG holds no segment without a voxel; a scan that misses an artery has none of it.
    meanings = {name: (sct.AnatomicalStructure, kinds[name]) for name in VESSELS if phantom.masks[name].any()}
    write_seg(dicom, phantom, images, meanings=meanings, description="Synthetic coronary arteries")
