"""Bundles built like those of MONAI's model zoo, with random weights, small networks and windows."""

from __future__ import annotations

import copy
import json
from typing import Any

LOAD = [
    {"_target_": "LoadImaged", "keys": "@image_key"},
    {"_target_": "EnsureChannelFirstd", "keys": "@image_key"},
]
RAS = {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"}


def spacing(*mm: float) -> dict[str, Any]:
    return {"_target_": "Spacingd", "keys": "@image_key", "pixdim": list(mm), "mode": "bilinear"}


def invert(*, nearest: bool) -> dict[str, Any]:
    return {
        "_target_": "Invertd",
        "keys": "pred",
        "transform": "@preprocessing",
        "orig_keys": "@image_key",
        "nearest_interp": nearest,
        "to_tensor": True,
    }


SOFTMAX = {"_target_": "Activationsd", "keys": "pred", "softmax": True}
ARGMAX = {"_target_": "AsDiscreted", "keys": "pred", "argmax": True}
SAVE = {"_target_": "SaveImaged", "keys": "pred", "output_dir": "$@bundle_root + '/eval'"}
RANGE = {
    "_target_": "ScaleIntensityRanged",
    "keys": "@image_key",
    "a_min": -57,
    "a_max": 164,
    "b_min": 0,
    "b_max": 1,
    "clip": True,
}

CONFIGS: dict[str, dict[str, Any]] = {
    "spleen_ct_segmentation": {
        "network_def": {
            "_target_": "UNet",
            "spatial_dims": 3,
            "in_channels": 1,
            "out_channels": 2,
            "channels": [4, 8, 16],
            "strides": [2, 2],
            "num_res_units": 2,
            "norm": "batch",
        },
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                *LOAD,
                RAS,
                spacing(1.5, 1.5, 2.0),
                RANGE,
                {"_target_": "EnsureTyped", "keys": "@image_key"},
            ],
        },
        "inferer": {
            "_target_": "SlidingWindowInferer",
            "roi_size": [16, 16, 16],
            "sw_batch_size": 4,
            "overlap": 0.5,
        },
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [SOFTMAX, invert(nearest=False), ARGMAX, SAVE],
        },
    },
    "wholeBody_ct_segmentation": {
        "displayable_configs": {"highres": True, "sw_overlap": 0.25, "sw_batch_size": 1},
        "pixdim": "$[1.5, 1.5, 1.5] if @displayable_configs#highres else [3.0, 3.0, 3.0]",
        "modelname": "$'model.pt' if @displayable_configs#highres else 'model_lowres.pt'",
        "network_def": {
            "_target_": "SegResNet",
            "spatial_dims": 3,
            "in_channels": 1,
            "out_channels": 105,
            "init_filters": 8,
            "blocks_down": [1, 2],
            "blocks_up": [1],
            "dropout_prob": 0.2,
        },
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                *LOAD,
                RAS,
                {"_target_": "Spacingd", "keys": "@image_key", "pixdim": "@pixdim", "mode": "bilinear"},
                {"_target_": "NormalizeIntensityd", "keys": "@image_key", "nonzero": True},
                {"_target_": "ScaleIntensityd", "keys": "@image_key", "minv": -1.0, "maxv": 1.0},
            ],
        },
        "inferer": {
            "_target_": "SlidingWindowInferer",
            "roi_size": [16, 24, 24],
            "sw_batch_size": "@displayable_configs#sw_batch_size",
            "overlap": "@displayable_configs#sw_overlap",
            "padding_mode": "replicate",
            "mode": "gaussian",
            "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        },
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [SOFTMAX, ARGMAX, invert(nearest=True), SAVE],
        },
        "checkpointloader": {
            "_target_": "CheckpointLoader",
            "load_path": "$@bundle_root + '/models/' + @modelname",
            "load_dict": {"model": "@network"},
        },
    },
    "brats_mri_segmentation": {
        "network_def": {
            "_target_": "SegResNet",
            "blocks_down": [1, 2],
            "blocks_up": [1],
            "init_filters": 8,
            "in_channels": 4,
            "out_channels": 3,
            "dropout_prob": 0.2,
        },
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                LOAD[0],
                {
                    "_target_": "NormalizeIntensityd",
                    "keys": "@image_key",
                    "nonzero": True,
                    "channel_wise": True,
                },
            ],
        },
        "inferer": {
            "_target_": "SlidingWindowInferer",
            "roi_size": [24, 24, 16],
            "sw_batch_size": 1,
            "overlap": 0.5,
        },
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "Activationsd", "keys": "pred", "sigmoid": True},
                {"_target_": "AsDiscreted", "keys": "pred", "threshold": 0.5},
                {
                    "_target_": "Lambdad",
                    "keys": "pred",
                    "func": "$lambda x: torch.where(x[[2]] > 0, 4, torch.where(x[[0]] > 0, 1, torch.where(x[[1]] > 0, 2, 0)))",
                },
                SAVE,
            ],
        },
    },
    "swin_unetr_btcv_segmentation": {
        "network_def": {
            "_target_": "SwinUNETR",
            "spatial_dims": 3,
            "img_size": 64,
            "in_channels": 1,
            "out_channels": 14,
            "feature_size": 12,
            "use_checkpoint": False,
        },
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                *LOAD,
                RAS,
                spacing(1.5, 1.5, 2.0),
                {**RANGE, "a_min": -175, "a_max": 250},
                {"_target_": "EnsureTyped", "keys": "@image_key"},
            ],
        },
        "inferer": {
            "_target_": "SlidingWindowInferer",
            "roi_size": [64, 64, 64],
            "sw_batch_size": 4,
            "overlap": 0.5,
        },
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [SOFTMAX, invert(nearest=False), ARGMAX, SAVE],
        },
    },
}

CHANNELS = {
    "spleen_ct_segmentation": ({"0": "image"}, {"0": "background", "1": "spleen"}),
    "wholeBody_ct_segmentation": (
        {"0": "image"},
        {"0": "background", "1": "spleen", **{str(i): f"organ {i}" for i in range(2, 105)}},
    ),
    "brats_mri_segmentation": (
        {"0": "T1c", "1": "T1", "2": "T2", "3": "FLAIR"},
        {"0": "Tumor core", "1": "Whole tumor", "2": "Enhancing tumor"},
    ),
    "swin_unetr_btcv_segmentation": (
        {"0": "image"},
        {
            "0": "background",
            "1": "spleen",
            "2": "Right Kidney",
            **{str(i): f"organ {i}" for i in range(3, 14)},
        },
    ),
}


def config(name: str) -> dict[str, Any]:
    """inference.json, with what every bundle of the zoo has around it."""
    return {
        "imports": ["$import glob", "$import os"],
        "bundle_root": ".",
        "image_key": "image",
        "dataset_dir": "/workspace/data",
        "datalist": "$list(sorted(glob.glob(@dataset_dir + '/imagesTs/*.nii.gz')))",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "network": "$@network_def.to(@device)",
        **copy.deepcopy(CONFIGS[name]),
        "evaluator": {"_target_": "SupervisedEvaluator", "network": "@network", "amp": True},
        "run": ["$@evaluator.run()"],
    }


def metadata(name: str) -> dict[str, Any]:
    """metadata.json."""
    inputs, outputs = CHANNELS[name]
    is_mr = "mri" in name
    return {
        "version": "0.5.3",
        "monai_version": "1.4.0",
        "task": f"Segmentation for {name}",
        "authors": "MONAI team",
        "copyright": "Copyright (c) MONAI Consortium",
        "intended_use": "This is an example, not to be used for diagnostic purposes",
        "network_data_format": {
            "inputs": {
                "image": {
                    "type": "image",
                    "format": "magnitude" if is_mr else "hounsfield",
                    "modality": "MR" if is_mr else "CT",
                    "num_channels": len(inputs),
                    "channel_def": inputs,
                }
            },
            "outputs": {
                "pred": {
                    "type": "image",
                    "format": "segmentation",
                    "num_channels": len(outputs),
                    "channel_def": outputs,
                }
            },
        },
    }


def monai_network(name: str) -> Any:
    """MONAI's own network of the bundle in evaluation mode, its weights and running means drawn from a seed."""
    import torch
    from monai.bundle import ConfigParser

    described = dict(config(name)["network_def"])
    described.pop("img_size", None)  # no argument of today's SwinUNETR
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = ConfigParser({"network_def": described}).get_parsed_content("network_def")
        for key, value in network.state_dict().items():
            if key.endswith("running_mean"):
                value.normal_(0, 0.1)
    return network.eval()


def write_monai_bundle(name: str, parent: Any, **changes: Any) -> Any:
    """Write the bundle's files. changes: entries of inference.json."""
    import torch

    folder = parent / name
    for place in ("configs", "models", "docs"):
        (folder / place).mkdir(parents=True)
    (folder / "configs" / "metadata.json").write_text(json.dumps(metadata(name)))
    (folder / "configs" / "inference.json").write_text(json.dumps({**config(name), **changes}))
    (folder / "LICENSE").write_text(
        "                                 Apache License\n  Version 2.0, January 2004\n"
    )
    torch.save(monai_network(name).state_dict(), folder / "models" / "model.pt")
    return folder
