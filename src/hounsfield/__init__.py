"""Hounsfield: deep learning in radiology, from the DICOM of a scanner to a report with its evidence.

Research use only. Not a medical device. Begin with `hounsfield.read`; ARCHITECTURE.md shows the floors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hounsfield.pipeline import read

__version__ = "0.1.0"

__all__ = ["__version__", "read"]


def __getattr__(name: str) -> Any:
    """Import `read` when it is first asked for, so that `import hounsfield` stays light."""
    if name == "read":
        from hounsfield.pipeline import read

        return read
    raise AttributeError(f"module 'hounsfield' has no attribute {name!r}")
