"""Running a bundle's network on pictures: preprocessing, the run itself, calibrated outputs.

Begin with preprocessing.py (shared with training); torch_model.py turns a verified bundle into a
core.Model. Bundles are opened and verified by `zoo`; nothing here reads studies or writes results.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.inference.preprocessing import Placement, Prepared, normalise, prepare, resample

if TYPE_CHECKING:
    from hounsfield.inference.torch_model import TorchModel, load_model

__all__ = ["Placement", "Prepared", "TorchModel", "load_model", "normalise", "prepare", "resample"]


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for, so that this package stays light."""
    if name in {"TorchModel", "load_model"}:
        from hounsfield.inference import torch_model

        return getattr(torch_model, name)
    raise AttributeError(f"module 'hounsfield.inference' has no attribute {name!r}")
