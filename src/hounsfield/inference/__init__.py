"""Running a bundle's network on pictures and volumes: preprocessing, the run itself, calibrated outputs.

Begin with torch_model.py, which turns a verified bundle into a core.Model of pictures; volume_model.py does so for volumes,
with volume_input.py before the network and sliding_window.py around it. Bundles are opened and verified by `zoo`; nothing
here reads studies or writes results. torch is imported when first needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.inference.certainty import certainty_of, entropies
from hounsfield.inference.preprocessing import PictureToInput, Prepared, prepare
from hounsfield.inference.scores import scores_of
from hounsfield.inference.volume_input import VolumeInput, grey_values, prepare_volume

if TYPE_CHECKING:
    from hounsfield.inference.answers import several_answers
    from hounsfield.inference.outputs import NetworkOutputs, network_outputs
    from hounsfield.inference.sliding_window import Windows, window_labels, window_logits
    from hounsfield.inference.torch_model import TorchModel, load_model
    from hounsfield.inference.views_model import ViewsModel, load_views_model
    from hounsfield.inference.volume_model import VolumeModel, load_volume_model, open_model

__all__ = [
    "NetworkOutputs",
    "PictureToInput",
    "Prepared",
    "TorchModel",
    "ViewsModel",
    "VolumeInput",
    "VolumeModel",
    "Windows",
    "certainty_of",
    "entropies",
    "grey_values",
    "load_model",
    "load_views_model",
    "load_volume_model",
    "network_outputs",
    "open_model",
    "prepare",
    "prepare_volume",
    "scores_of",
    "several_answers",
    "window_labels",
    "window_logits",
]

_NEEDS_TORCH = {
    "ViewsModel": "views_model",
    "VolumeModel": "volume_model",
    "load_views_model": "views_model",
    "load_volume_model": "volume_model",
    "open_model": "volume_model",
    "NetworkOutputs": "outputs",
    "TorchModel": "torch_model",
    "Windows": "sliding_window",
    "load_model": "torch_model",
    "network_outputs": "outputs",
    "window_labels": "sliding_window",
    "window_logits": "sliding_window",
    "several_answers": "answers",
}


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for, so that this package stays light."""
    if name not in _NEEDS_TORCH:
        raise AttributeError(f"module 'hounsfield.inference' has no attribute {name!r}")
    from importlib import import_module

    try:
        value = getattr(import_module(f"hounsfield.inference.{_NEEDS_TORCH[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from hounsfield.core.errors import MissingModel

        raise MissingModel(
            "learned models need torch, which is not installed: pip install 'hounsfield[nn]' (README.md "
            "says how to get the build for your hardware)"
        ) from error
    globals()[name] = value
    return value
