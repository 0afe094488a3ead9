"""Public codes for names that others gave to structures of the body, as far as DICOM's own lists have them.

A name matches only as a whole ("liver", "vertebrae_L5" as L5 vertebra, "heart_atrium_left" as left atrium), and a side in it
must be in the code's meaning too: what has no code of its own keeps a private one. Source: the context groups of PS3.16 in
`pydicom.sr`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hounsfield.zoo.model_card import ClassCode
from hounsfield.zoo.model_formats import named_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

# Anatomy: regions imaged, arteries, veins, and what is segmented in each system.
_GROUPS = (4, 7151, 7152, 7153, 7154, 7155, 7160, 7166, 7192, 12291, 3604, 3607, 4030, 4031, 4042, 6102)
_SIDES = ("left", "right")
_ALSO = {
    "small bowel": "small intestine",
    "thyroid gland": "thyroid",
    "urinary bladder": "bladder",
    "heart atrium left": "left atrium",
    "heart atrium right": "right atrium",
    "heart ventricle left": "left ventricle",
    "heart ventricle right": "right ventricle",
    "heart myocardium": "myocardium",
}


def coded_classes(names: Sequence[str]) -> tuple[ClassCode, ...]:
    """Classes with public codes where there are any, private ones else. The first, the background, stays private."""
    private = named_classes(names)
    found: list[ClassCode] = []
    taken: set[str] = set()
    for number, own in enumerate(private):
        public = None if number == 0 else public_code(own.name)
        if public is None or public.value in taken:
            found.append(own)
            continue
        taken.add(public.value)
        found.append(public)
    return tuple(found)


def public_code(name: str) -> ClassCode | None:
    """The code of a structure of the body by its name; None where the lists have none of just this meaning."""
    from pydicom.sr.codedict import codes

    for phrase in _phrases(name):
        keyword = "".join(word[0].upper() + word[1:] for word in phrase.split())
        for group in _GROUPS:
            code = getattr(getattr(codes, f"CID{group}"), keyword, None)
            if code is not None:
                return ClassCode(
                    name=name, value=code.value, scheme=code.scheme_designator, meaning=code.meaning
                )
    return None


def _phrases(name: str) -> list[str]:
    """The ways in which the lists may write a name."""
    words = re.sub(r"[^A-Za-z0-9]+", " ", name).split()
    plain = " ".join(word if re.fullmatch(r"[A-Z]\d+", word) else word.lower() for word in words)
    if not plain:
        return []
    phrases = [_ALSO.get(plain, plain)]
    vertebra = re.fullmatch(r"vertebrae? ([CTLS]\d+)", plain)
    if vertebra:
        phrases.append(f"{vertebra[1]} vertebra")
    for side in _SIDES:
        rest = [word for word in plain.split() if word != side]
        if len(rest) < len(words):
            phrases.append(" ".join([side, *rest]))
    return phrases
