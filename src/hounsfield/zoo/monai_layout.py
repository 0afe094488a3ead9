"""The two configuration files that make the folder a MONAI bundle.

Source: MONAI Bundle Specification and Bundle Configuration (docs.monai.io, mb_specification and
config_syntax). Only `_target_`, arguments and `@` references are used; no `$` expression, so that
nothing in the files is code.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from hounsfield.core import RESEARCH_USE
from hounsfield.core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hounsfield.zoo.model_card import ModelCard

# The release whose ConfigParser was tried on these files.
MONAI_VERSION = "1.6.1"


def _installed_version(package: str) -> str:
    """Version without its local part (2.13.0+cpu is the code of 2.13.0)."""
    try:
        return version(package).split("+")[0]
    except PackageNotFoundError:
        return "not installed"


def metadata(card: ModelCard) -> dict[str, Any]:
    """`configs/metadata.json`: the keys that the specification demands, from the card."""
    inputs, outputs = _formats(card)
    return {
        "version": card.version,
        "changelog": {card.version: f"Made with code version {card.code_version}"},
        "monai_version": MONAI_VERSION,
        "pytorch_version": _installed_version("torch"),
        "numpy_version": _installed_version("numpy"),
        "required_packages_version": {
            "hounsfield": card.code_version,
            "safetensors": _installed_version("safetensors"),
        },
        "name": card.title,
        "task": card.task,
        "description": f"{card.intended_use} {RESEARCH_USE}",
        "authors": card.authors,
        "copyright": f"{card.authors}; {card.licence}",
        "intended_use": card.intended_use,
        "data_source": "; ".join(f"{source.name}: {source.source}" for source in card.data),
        "references": [source.citation for source in card.data],
        "network_data_format": {
            "inputs": inputs,
            "outputs": outputs,
        },
    }


def _tensor(modality: str, shape: list[int], channels: list[str], **more: Any) -> dict[str, Any]:
    """The keys that the specification demands of a tensor."""
    return {
        "type": "image",
        "format": "magnitude",
        "modality": modality,
        "num_channels": len(channels),
        "spatial_shape": shape,
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {str(index): name for index, name in enumerate(channels)},
        **more,
    }


def _formats(card: ModelCard) -> tuple[dict[str, Any], dict[str, Any]]:
    """Input and output tensors of the network."""
    names = list(card.class_names)
    if card.volume is not None:
        preprocessing, volume = card.of_volumes
        shape = list(volume.windows.patch_zyx) if volume.windows else list(preprocessing.shape or ())
        patch = {"is_patch_data": volume.windows is not None}
        labels = [names[label] for label in volume.voxel_labels.paint] or names
        seen = _tensor(card.modality, shape, [c.name for c in preprocessing.channels], **patch)
        return {"image": seen}, {
            "pred": _tensor(card.modality, shape, labels, format="segmentation", **patch)
        }
    if card.preprocessing.kind == "views":
        seen = _tensor(card.modality, [], [view.name for view in card.views.views])
        return {"image": seen}, {"class_logits": _tensor("n/a", [], names, type="tuples", format="classes")}
    shape = [card.picture.size_px, card.picture.size_px]
    picture = _tensor(card.modality, shape, ["image"] if card.picture.channels == 1 else ["image"] * 3)
    logits = _tensor("n/a", [], names, type="tuples", format="classes")
    return {"image": picture}, {"class_logits": logits, **_mask_output(card, picture)}


def _mask_output(card: ModelCard, picture: dict[str, Any]) -> dict[str, Any]:
    """The outline among the outputs, where the network gives one."""
    from hounsfield.networks import networks

    if not networks.get(card.network.name).gives_mask:  # type: ignore[attr-defined]  # a class
        return {}
    return {"mask_logits": {**picture, "format": "segmentation", "channel_def": {"0": "mask logit"}}}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def inference_config(card: ModelCard) -> dict[str, Any]:
    """`configs/inference.json`: network, preprocessing, inferer and model, each a `_target_` with arguments.

    Raises ModelError for network arguments that MONAI would take for code.
    """
    network = _network_class(card)
    code = [text for text in _texts(card.network.arguments) if text.startswith(("$", "@"))]
    if code:
        raise ModelError(
            f"the network argument {code[0]!r} of bundle {card.name} would be run or resolved by MONAI's "
            "configuration language. Use plain values."
        )
    network_def = {
        "_target_": f"{network.__module__}.{network.__qualname__}",
        **card.network.arguments,
    }
    if card.volume is not None:
        return {
            "bundle_root": ".",
            "network_def": network_def,
            "inferer": _window_inferer(card),
            "model": {"_target_": "hounsfield.inference.load_volume_model", "bundle": "@bundle_root"},
        }
    if card.preprocessing.kind == "views":
        return {
            "bundle_root": ".",
            "network_def": network_def,
            "inferer": {"_target_": "monai.inferers.SimpleInferer"},
            "model": {"_target_": "hounsfield.inference.load_views_model", "bundle": "@bundle_root"},
        }
    settings = card.preprocessing.model_dump(mode="json")
    return {
        "bundle_root": ".",
        "network_def": network_def,
        "preprocessing": {"_target_": "hounsfield.inference.PictureToInput", **settings},
        "inferer": {"_target_": "monai.inferers.SimpleInferer"},
        "model": {"_target_": "hounsfield.inference.load_model", "bundle": "@bundle_root"},
    }


def _network_class(card: ModelCard) -> Any:
    from hounsfield.networks import networks
    from hounsfield.networks.segmentation import segmentation_networks

    return (segmentation_networks if card.outputs == "voxels" else networks).get(card.network.name)


def _window_inferer(card: ModelCard) -> dict[str, Any]:
    """MONAI's inferer nearest to what the card states; the windows' spread and weights differ a little from ours."""
    windows = card.of_volumes[1].windows
    if windows is None:
        return {"_target_": "monai.inferers.SimpleInferer"}
    return {
        "_target_": "monai.inferers.SlidingWindowInferer",
        "roi_size": list(windows.patch_zyx),
        "sw_batch_size": windows.batch_size,
        "overlap": windows.overlap,
        "mode": "constant" if windows.blend == "constant" else "gaussian",
    }
