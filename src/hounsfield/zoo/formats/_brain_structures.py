"""Names that FreeSurfer and its followers give to structures of the brain, with the codes of PS3.16 where these are printed.

Codes: PS3.16 CID 7140 and 7151 as in the dictionaries of pydicom; the side is said by the name alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hounsfield.zoo.model_card import ClassCode
from hounsfield.zoo.model_formats import named_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

_SCT = {
    "white matter": ("389080008", "White Matter"),
    "grey matter": ("389081007", "Gray Matter"),
    "brain": ("12738006", "Brain"),
    "cerebral white matter": ("68523003", "Cerebral White Matter"),
    "cerebral cortex": ("40146001", "Cerebral cortex"),
    "lateral ventricle": ("66720007", "Lateral Ventricle"),
    "inferior lateral ventricle": ("53118009", "Inferior Horn of Lateral Ventricle"),
    "inf lat vent": ("53118009", "Inferior Horn of Lateral Ventricle"),
    "cerebellum white matter": ("33060004", "Cerebellar White Matter"),
    "cerebellum cortex": ("25991003", "Cerebellar Cortex"),
    "thalamus": ("42695009", "Thalamus"),
    "thalamus proper": ("42695009", "Thalamus"),
    "caudate": ("11000004", "Caudate Nucleus"),
    "putamen": ("89278009", "Putamen"),
    "pallidum": ("14738005", "Globus Pallidus"),
    "3rd ventricle": ("49841001", "Third ventricle"),
    "4th ventricle": ("35918002", "Fourth Ventricle"),
    "brain stem": ("119238007", "Brain Stem"),
    "hippocampus": ("5366008", "Hippocampus"),
    "amygdala": ("4958002", "Amygdala"),
    "accumbens area": ("427667007", "Nucleus Accumbens"),
    "csf": ("65216001", "Cerebrospinal Fluid"),
    "entorhinal": ("3937002", "Entorhinal Cortex"),
}


def brain_classes(names: Sequence[str]) -> tuple[ClassCode, ...]:
    """Classes of the names in order, coded where the name without its side is known."""
    return tuple(
        ClassCode(name=name, value=found[0], scheme="SCT", meaning=found[1]) if found else plain
        for name, plain in zip(names, named_classes(names), strict=True)
        for found in (_SCT.get(_without_side(name)),)
    )


def _without_side(name: str) -> str:
    words = re.findall(r"[a-z0-9]+", name.lower())
    return " ".join(word for word in words if word not in {"left", "right", "lh", "rh", "ctx"})
