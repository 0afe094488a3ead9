"""What published networks are given for a picture: presets by name, and what configurations beside the weights say.

A preset is never chosen by itself: weights do not tell how the pictures were made that they were trained on. Sources:
torchvision 0.29 `transforms/_presets.py` (ImageClassification), TorchXRayVision 1.5.7 `datasets.py`, timm 1.0
`data/transforms_factory.py` (`transforms_imagenet_eval`), transformers 5.23 `models/vit/image_processing_vit.py` and
`models/convnext/image_processing_convnext.py`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError
from hounsfield.zoo.picture_card import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_FILTERS = {0: "nearest", 2: "bilinear", 3: "bicubic"}  # Pillow's numbers, which Hugging Face stores


def _imagenet(**changes: Any) -> Preprocessing:
    fields: dict[str, Any] = {
        "size_px": 224,
        "normalisation": "range",
        "channels": 3,
        "mean": _MEAN,
        "deviation": _DEVIATION,
        "fit": "resize-crop",
        "shorter_px": 256,
        "interpolation": "pillow-bilinear-8-bit",
    }
    return Preprocessing(**{**fields, **changes})


def _torchxrayvision(size_px: int) -> Preprocessing:
    return Preprocessing(
        size_px=size_px,
        normalisation="range",
        black=-1024,
        white=1024,
        fit="crop",
        interpolation="scikit-image",
    )


PRESETS: dict[str, tuple[str, Preprocessing]] = {
    "imagenet-224": (
        "torchvision: shorter side to 256, centre 224, ImageNet's mean and deviation",
        _imagenet(),
    ),
    "imagenet-224-stretched": (
        "both sides to 224, ImageNet's mean and deviation",
        _imagenet(fit="stretch", shorter_px=None),
    ),
    "imagenet-224-cropped": (
        "centre square to 224, ImageNet's mean and deviation",
        _imagenet(fit="crop", shorter_px=None),
    ),
    "half-224-stretched": (
        "both sides to 224, mean and deviation one half",
        _imagenet(fit="stretch", shorter_px=None, mean=(0.5,) * 3, deviation=(0.5,) * 3),
    ),
    "torchxrayvision-224": ("-1024 to 1024, centre square to 224, one channel", _torchxrayvision(224)),
    "torchxrayvision-512": ("-1024 to 1024, centre square to 512, one channel", _torchxrayvision(512)),
}


def input_of_config(config: Mapping[str, Any], name: str) -> Preprocessing | None:
    """What a configuration says of pictures: timm's `pretrained_cfg`, or a preprocessor of Hugging Face; else None.

    Raises ModelError naming what it asks for that is not done here.
    """
    try:
        if isinstance(config.get("pretrained_cfg"), dict):
            return _timm(config["pretrained_cfg"], name)
        if "image_mean" in config:
            return _hugging_face(config, name)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{name} does not say completely how a picture is prepared ({error})") from error
    return None


def _timm(said: Mapping[str, Any], name: str) -> Preprocessing:
    channels, height, width = (int(n) for n in said["input_size"])
    mode, filter_name = said.get("crop_mode", "center"), said.get("interpolation", "bicubic")
    if height != width or mode not in {"center", "squash"}:
        raise ModelError(
            f"{name} asks for {height} x {width} pixels and crop_mode {mode!r}, which is not done"
        )
    shorter = math.floor(height / float(said.get("crop_pct", 0.875)))
    squash = mode == "squash"
    if squash and shorter != height:
        raise ModelError(f"{name} asks for crop_mode 'squash' with a crop, which is not done")
    return _imagenet(
        size_px=height,
        channels=channels,
        mean=tuple(said["mean"]),
        deviation=tuple(said["std"]),
        fit="stretch" if squash else "resize-crop",
        shorter_px=None if squash else shorter,
        interpolation=f"pillow-{filter_name}-8-bit",
    )


def _hugging_face(said: Mapping[str, Any], name: str) -> Preprocessing:
    size = said["size"]
    for step in ("do_resize", "do_rescale", "do_normalize"):
        if not said.get(step, True):
            raise ModelError(f"{name} leaves out {step}, which is not done here")
    if abs(float(said.get("rescale_factor", 1 / 255)) * 255 - 1) > 1e-6 or said.get("do_center_crop"):
        raise ModelError(f"{name} asks for another rescale_factor or do_center_crop, which is not done here")
    filter_name = _FILTERS[int(said.get("resample", 2))]
    fields: dict[str, Any] = {
        "mean": tuple(said["image_mean"]),
        "deviation": tuple(said["image_std"]),
        "channels": len(said["image_mean"]),
        "interpolation": f"pillow-{filter_name}-8-bit",
        "fit": "stretch",
        "shorter_px": None,
    }
    if isinstance(size, int):
        return _imagenet(**fields, size_px=size)
    if "height" in size:
        if size["height"] != size["width"]:
            raise ModelError(
                f"{name} asks for {size['height']} x {size['width']} pixels; squares are done here"
            )
        return _imagenet(**fields, size_px=int(size["height"]))
    # ConvNextImageProcessor: below 384 resized by crop_pct, then the centre; else stretched.
    side = int(size["shortest_edge"])
    if side < 384 and "crop_pct" in said:
        fields |= {"fit": "resize-crop", "shorter_px": int(side / float(said["crop_pct"])), "corner": "down"}
    return _imagenet(**fields, size_px=side)
