"""View and side of a radiograph as its tags state them, else `unknown`; never read from the picture.

Source: PS3.16 CID 4010 and 4014 for the codes; PS3.3 C.8.11.5 (DX positioning), C.8.11.7 (mammography).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Condition
from hounsfield.studies.header_values import first_item, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

UNKNOWN = "unknown"
# Code value (SNOMED CT, and the older SRT) to the word that View Position (0018,5101) has for it.
_VIEWS = {
    code: view
    for view, codes in {
        "AP": ("399348003", "R-10206"),
        "PA": ("272479007", "R-10214"),
        "LL": ("399173006", "R-10236"),
        "RL": ("399198007", "R-10232"),
        "CC": ("399162004", "R-10242"),
        "MLO": ("399368009", "R-10226"),
        "ML": ("399260004", "R-10224"),
        "LM": ("399352003", "R-10228"),
        "LMO": ("399099002", "R-10230"),
        "XCCL": ("399192008", "R-1024A"),
        "XCCM": ("399101009", "R-1024B"),
        "FB": ("399196006", "R-10244"),
    }.items()
    for code in codes
}
_SIDES = {"L": "L", "R": "R", "B": "B", "LEFT": "L", "RIGHT": "R"}


def view_and_side(header: Dataset) -> tuple[str, str, list[Condition]]:
    """View ("PA", "MLO", ...), side ("L", "R", "B"), each else "unknown", and what is contradictory."""
    where = tuple(filter(None, (text(header, "SOPInstanceUID"),)))
    view, view_conditions = _view(header, where)
    side, side_conditions = _side(header, where)
    return view, side, view_conditions + side_conditions


def _view(header: Dataset, where: tuple[str, ...]) -> tuple[str, list[Condition]]:
    word = text(header, "ViewPosition").upper()
    item = first_item(header, "ViewCodeSequence")
    coded = "" if item is None else _VIEWS.get(text(item, "CodeValue"), text(item, "CodeMeaning"))
    if word and coded and word in _VIEWS.values() and coded in _VIEWS.values() and word != coded:
        said = (
            f"View Position (0018,5101) says {word} and View Code Sequence (0054,0220) {coded}; the view is unknown. "
            "Correct the header, or look at the picture."
        )
        return UNKNOWN, [Condition("view-contradictory", "warning", said, where)]
    if word or coded:
        return word or coded, []
    said = (
        "Neither View Position (0018,5101) nor View Code Sequence (0054,0220) is stated: the view is unknown."
    )
    return UNKNOWN, [Condition("view-unstated", "note", said, where)]


def _side(header: Dataset, where: tuple[str, ...]) -> tuple[str, list[Condition]]:
    shared = first_item(header, "SharedFunctionalGroupsSequence")
    anatomy = first_item(shared, "FrameAnatomySequence") if shared is not None else None
    stated = {text(header, "ImageLaterality").upper(), text(header, "Laterality").upper()}
    if anatomy is not None:
        stated.add(text(anatomy, "FrameLaterality").upper())
    sides = {_SIDES[word] for word in stated if word in _SIDES}
    if len(sides) > 1:
        said = (
            "Image Laterality (0020,0062) and Laterality (0020,0060) contradict each other; the side is unknown. "
            "Correct the header, or look at the picture."
        )
        return UNKNOWN, [Condition("laterality-contradictory", "warning", said, where)]
    if not sides and text(header, "Modality") == "MG":
        said = "The mammogram states no Image Laterality (0020,0062); the side is unknown."
        return UNKNOWN, [Condition("laterality-unstated", "warning", said, where)]
    return next(iter(sides), UNKNOWN), []
