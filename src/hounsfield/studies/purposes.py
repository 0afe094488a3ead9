"""Images that were not made to be measured: scouts, dose pages, screen captures, reformatted and projected views.

They are read and listed like any other; the Condition here keeps them from applications. Told by SOP class
and Image Type (0008,0008); a description alone decides nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hounsfield.core import Condition

if TYPE_CHECKING:
    from hounsfield.studies.instances import Instance

_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Words of Image Type from its third value on; vendors add numbers and suffixes ("MIP_0.5", "CSA MPR").
_KINDS: tuple[tuple[Condition, frozenset[str]], ...] = (
    (
        Condition(
            "localizer",
            "note",
            "Image Type (0008,0008) says that this is a localizer (scout), made to plan the scan. Use "
            "the original series of the scanner.",
        ),
        frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"}),
    ),
    (
        Condition(
            "dose-report",
            "warning",
            "Image Type (0008,0008) says that this is a page about dose or protocol, not a picture of "
            "the patient. Use the original series of the scanner.",
        ),
        frozenset({"DOSE_INFO", "DOSE", "DOSE INFO", "PATIENT PROTOCOL", "EXAM PROTOCOL"}),
    ),
    (
        Condition(
            "screen-capture",
            "warning",
            "Image Type (0008,0008) says that this is a capture of a screen, whose values are those of "
            "a display. Use the original series of the scanner.",
        ),
        frozenset({"SCREEN SAVE", "SCREEN_SAVE", "SCREENSAVE", "SCREEN CAPTURE", "SNAPSHOT"}),
    ),
    (
        Condition(
            "projected-image",
            "warning",
            "Image Type (0008,0008) says that this is a projection or rendering of a volume (MIP, "
            "VRT), so a pixel is no voxel. Use the original series of the scanner.",
        ),
        frozenset(
            {
                *("MIP", "MINIP", "PROJECTION IMAGE", "PROJECTION_IMAGE", "VRT", "VOLREN", "VR", "SSD"),
                *("VXTL", "3D RENDERING", "RENDERED", "MAXIMUM", "THIN MIP", "MAX_IP", "MIN_IP"),
            }
        ),
    ),
    (
        Condition(
            "reformatted-image",
            "warning",
            "Image Type (0008,0008) says that this is reformatted from another series (MPR), so its "
            "slices were interpolated. Use the original series of the scanner.",
        ),
        frozenset(
            {"MPR", "CSA MPR", "CPR", "REFORMATTED", "REFORMAT", "CURVED MPR", "MPR THICK", "CSAPARALLEL"}
        ),
    ),
)
NOT_TO_BE_MEASURED = frozenset({*(condition.code for condition, _ in _KINDS), "secondary-capture"})


def purpose(instance: Instance) -> Condition | None:
    """The Condition of an image that was not made to be measured; None for the others."""
    where = (instance.sop_instance_uid or instance.source.name,)
    words = {_bare(part) for part in instance.image_type[2:]}
    for condition, known in _KINDS:
        # A topogram is original; what is reformatted or projected says that it is derived.
        if words & known and (condition.code == "localizer" or instance.image_type[:1] == ("DERIVED",)):
            return replace(condition, instances=where)
    if instance.sop_class_uid == _SECONDARY_CAPTURE or instance.sop_class_uid.startswith(
        _SECONDARY_CAPTURE + "."
    ):
        said = (
            "This is a Secondary Capture: a picture of a picture, whose values are those of a display. Use the "
            "original series of the scanner."
        )
        return Condition("secondary-capture", "warning", said, where)
    return None


def _bare(word: str) -> str:
    """Without the numbers that vendors append: "MIP_0.5" and "MPR 3MM" name their kind first."""
    bare = word.strip()
    while bare and not bare[-1].isalpha():
        bare = bare[:-1]
    return bare.removesuffix("MM").rstrip(" _0123456789.") or word
