"""`chest-film`: a chest film of known cardiothoracic ratio, with findings planted where they are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.phantoms._kinds import PhantomCard, phantom_kind
from hounsfield.phantoms.chest_film import ChestFilmParameters, make_chest_film

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble


@phantom_kind(
    PhantomCard(
        name="chest-film",
        also="P-CXR",
        summary="Chest film (PA, AP or lateral): heart of known cardiothoracic ratio, ribs, vessels; nodule, opacity, "
        "effusion, pneumothorax on request.",
        parameters=ChestFilmParameters,
        troubles=frozenset({"compression"}),
        sources=(
            "Brakohiapa 2017, Pan Afr Med J 27:201: thoracic width and cardiothoracic ratio of adults",
            "Chon 2011, J Korean Med Sci 26:1446: wider heart on AP films",
            "NIST XCOM: attenuation at 60 keV",
            "IEC 62220-1:2003: photons of RQA5; IEC 62494-1: exposure index",
        ),
    )
)
def write(dicom: Path, parameters: ChestFilmParameters, trouble: Trouble, progress: Progress) -> Phantom:
    """Write one object into `dicom`."""
    from hounsfield.phantoms.dicom_dx import film_object
    from hounsfield.phantoms.dicom_series import save

    phantom = make_chest_film(parameters, progress=progress)
    save(film_object(phantom), dicom / "00001.dcm", trouble)
    return phantom
