"""What the header of a CT states of its examination: kernel, contrast agent, synchronisation with the heart.

Each answer has a value for "not stated"; nothing that is unstated counts as fulfilled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tags = Mapping[str, Any]

_NO_CONTRAST = {"NONE", "NO", "N", "WITHOUT", "UNENHANCED"}
# Edge-enhancing kernels by name (GE BONE, LUNG, EDGE) and by number (Siemens B60f, Br64 and sharper;
# Canon FC50 and up).
_SHARP_NAME = re.compile(r"BONE|LUNG|EDGE|ULTRA|SHARP")
_NUMBERED = re.compile(r"^(?:B|BR|BL|BV|I|BF|FC)(\d{2})")
SHARP_FROM = {"FC": 50, "": 60}
# Cardiac Synchronization Technique, PS3.3 C.7.6.18.1: REALTIME means that no gating is applied.
_GATED = {"PROSPECTIVE", "RETROSPECTIVE", "PACED"}
_NOT_GATED = {"NONE", "REALTIME"}
# Scan Options (0018,0022) of older objects are free words; RESP and its like concern breathing.
_GATED_OPTION = re.compile(r"CARDIAC|(?<![A-Z])ECG|(?<![A-Z])EKG|^CG$")


def stated_kernel(tags: Tags) -> str:
    """Convolution Kernel (0018,1210) in upper case, "" if unstated."""
    value = tags.get("ConvolutionKernel") or ""
    return str(value[0] if isinstance(value, tuple) else value).strip().upper()


def is_sharp(kernel: str) -> bool:
    """Whether the name of a kernel says that it enhances edges."""
    if _SHARP_NAME.search(kernel):
        return True
    numbered = _NUMBERED.match(kernel)
    limit = SHARP_FROM["FC" if kernel.startswith("FC") else ""]
    return numbered is not None and int(numbered.group(1)) >= limit


def stated_contrast(tags: Tags) -> Literal["none", "given", "not stated"]:
    """What Contrast/Bolus Agent (0018,0010) says: a name is an agent, NONE is none, nothing is not stated."""
    agent = str(tags.get("ContrastBolusAgent") or "").strip().upper()
    if not agent:
        return "not stated"
    return "none" if agent in _NO_CONTRAST else "given"


def is_gated(tags: Tags) -> bool | None:
    """Whether the ECG triggered the scan or chose its phase; None where the header does not say.

    By Cardiac Synchronization Technique (0018,9037), else Trigger Time (0018,1060) or Scan Options
    (0018,0022). A Heart Rate alone may have been recorded without a trigger.
    """
    technique = str(tags.get("CardiacSynchronizationTechnique") or "").strip().upper()
    if technique in _GATED | _NOT_GATED:
        return technique in _GATED
    delay_ms = tags.get("TriggerTime")
    if isinstance(delay_ms, int | float) and delay_ms > 0:
        return True
    options = tags.get("ScanOptions") or ()
    words = [str(word).upper() for word in (options if isinstance(options, tuple) else (options,))]
    return True if any(_GATED_OPTION.search(word) for word in words) else None
