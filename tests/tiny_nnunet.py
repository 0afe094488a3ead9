"""Trained folders of nnU-Net with seeded weights, and volumes for them: the same here and where nnU-Net itself runs.

Pure NumPy and nibabel, so that benchmarks/_nnunet_stock.py can make them beside nnU-Net, and tests here without it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CT = {"percentile_00_5": -900.0, "percentile_99_5": 1200.0, "mean": 80.0, "std": 310.0, "median": 60.0}


@dataclass(frozen=True)
class Case:
    """One configuration, its data set, and the volume that it reads (shape z, y, x; spacing in mm). n_steps: of training,
    which only the benchmark does; without any the weights are the seeded ones.
    """

    name: str
    configuration: str
    spacing: list[float]
    patch: list[int]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    channels: dict[str, str] = field(default_factory=lambda: {"0": "CT"})
    schemes: list[str] = field(default_factory=lambda: ["CTNormalization"])
    masked: bool = False
    labels: dict[str, Any] = field(default_factory=lambda: {"background": 0, "liver": 1, "tumour": 2})
    regions_order: list[int] | None = None
    transpose: list[int] = field(default_factory=lambda: [0, 1, 2])
    reader: str = "SimpleITKIO"
    mirror: tuple[int, ...] | None = (0, 1, 2)
    n_folds: int = 1
    residual: bool = False
    old_plans: bool = False
    stored: str = "LPS"
    n_steps: int = 0

    @property
    def n_outputs(self) -> int:
        """Channels of the logits."""
        seen = [name for name in self.labels if name != "ignore"]
        return len(seen) - 1 if self.regions_order else len(seen)


BRATS = {"background": 0, "whole_tumor": [1, 2, 3], "tumor_core": [2, 3], "enhancing_tumor": [3], "ignore": 4}
CASES = {
    case.name: case
    for case in (
        Case(
            *("isotropic", "3d_fullres", [1.5, 1.5, 1.5], [16, 24, 24], (30, 44, 42), (1.7, 1.2, 1.3)),
            n_folds=2,
        ),
        Case(
            *("anisotropic", "3d_fullres", [5.0, 0.9, 0.9], [8, 32, 24], (18, 40, 38), (4.0, 1.1, 0.7)),
            channels={"0": "T1", "1": "FLAIR"},
            schemes=["ZScoreNormalization", "ZScoreNormalization"],
            masked=True,
            labels=BRATS,
            regions_order=[1, 2, 3],
            residual=True,
        ),
        Case(
            *("coarser", "3d_lowres", [3.0, 3.0, 3.0], [8, 16, 16], (24, 50, 46), (4.0, 1.0, 1.0)),
            schemes=["RescaleTo01Normalization"],
            channels={"0": "rescale_to_0_1"},
            mirror=(2,),
        ),
        Case(
            *("slices", "2d", [0.9, 0.9], [32, 40], (6, 45, 52), (6.0, 1.1, 1.0)),
            channels={"0": "MRI"},
            schemes=["ZScoreNormalization"],
            mirror=(0, 1),
            n_folds=3,
        ),
        Case(
            *("turned", "3d_fullres", [2.0, 1.0, 1.0], [16, 48, 32], (27, 30, 19), (1.0, 1.0, 2.2)),
            channels={"0": "noNorm"},
            schemes=["NoNormalization"],
            transpose=[2, 0, 1],
            reader="NibabelIOWithReorient",
            old_plans=True,
            stored="LAS",
        ),
        Case(
            *("as-it-is", "3d_fullres", [1.5, 1.0, 1.0], [16, 24, 24], (21, 37, 33), (1.5, 1.0, 1.0)),
            labels={"background": 0, **{f"part {i}": i for i in range(1, 8)}},
            mirror=None,
        ),
        Case(
            *("trained", "3d_fullres", [1.6, 1.3, 1.3], [16, 24, 24], (40, 52, 50), (1.7, 1.2, 1.3)),
            labels={"background": 0, "body": 1, "ball": 2, "rod": 3},
            n_steps=600,
        ),
    )
}


def stages(case: Case) -> dict[str, Any]:
    """The network's stages, by the names of plans since 2.3.1."""
    dims = len(case.patch)
    flat = dims == 3 and case.spacing[0] > 3 * case.spacing[1]
    first = [1 if flat and axis == 0 else 3 for axis in range(dims)]
    second = [1 if flat and axis == 0 else 2 for axis in range(dims)]
    return {
        "features_per_stage": [6, 12, 16],
        "kernel_sizes": [first, [3] * dims, [3] * dims],
        "strides": [[1] * dims, second, [2] * dims],
        "n_blocks_per_stage" if case.residual else "n_conv_per_stage": [1, 2, 2]
        if case.residual
        else [2, 2, 2],
        "n_conv_per_stage_decoder": [1, 2] if case.residual else [2, 2],
    }


def plans(case: Case) -> dict[str, Any]:
    """plans.json."""
    resampling = {"is_seg": False, "order_z": 0, "force_separate_z": None}
    configuration: dict[str, Any] = {
        "data_identifier": f"nnUNetPlans_{case.configuration}",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": case.patch,
        "median_image_size_in_voxels": [float(n) for n in case.shape],
        "spacing": case.spacing,
        "normalization_schemes": case.schemes,
        "use_mask_for_norm": [case.masked] * len(case.schemes),
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": {**resampling, "order": 3},
        "resampling_fn_seg_kwargs": {**resampling, "is_seg": True, "order": 1},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": {**resampling, "order": 1},
        "batch_dice": True,
        **(_old_architecture(case) if case.old_plans else {"architecture": _architecture(case)}),
    }
    forward = case.transpose
    by_what = "modality" if case.old_plans else "channel"
    return {
        "dataset_name": f"Dataset701_{case.name}",
        "plans_name": "nnUNetPlans",
        "original_median_spacing_after_transp": [1.0, 1.0, 1.0],
        "original_median_shape_after_transp": [64, 64, 64],
        "image_reader_writer": case.reader,
        "transpose_forward": forward,
        "transpose_backward": [forward.index(axis) for axis in range(3)],
        "configurations": {case.configuration: configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        f"foreground_intensity_properties_per_{by_what}".replace("per_mod", "by_mod"): dict.fromkeys(
            case.channels, CT
        ),
    }


def _architecture(case: Case) -> dict[str, Any]:
    dims = len(case.patch)
    kind = "ResidualEncoderUNet" if case.residual else "PlainConvUNet"
    described = {
        "n_stages": 3,
        **stages(case),
        "conv_op": f"torch.nn.modules.conv.Conv{dims}d",
        "conv_bias": True,
        "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{dims}d",
        "norm_op_kwargs": {"eps": 1e-05, "affine": True},
        "dropout_op": None,
        "dropout_op_kwargs": None,
        "nonlin": "torch.nn.LeakyReLU",
        "nonlin_kwargs": {"inplace": True},
    }
    return {
        "network_class_name": f"dynamic_network_architectures.architectures.unet.{kind}",
        "arch_kwargs": described,
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def _old_architecture(case: Case) -> dict[str, Any]:
    made = stages(case)
    return {
        "UNet_class_name": "PlainConvUNet",
        "UNet_base_num_features": 6,
        "unet_max_num_features": 16,
        "n_conv_per_stage_encoder": made["n_conv_per_stage"],
        "n_conv_per_stage_decoder": made["n_conv_per_stage_decoder"],
        "num_pool_per_axis": [2, 2, 2],
        "pool_op_kernel_sizes": made["strides"],
        "conv_kernel_sizes": made["kernel_sizes"],
    }


def dataset(case: Case) -> dict[str, Any]:
    """dataset.json."""
    found: dict[str, Any] = {
        "channel_names": case.channels,
        "labels": case.labels,
        "numTraining": 12,
        "file_ending": ".nii.gz",
    }
    return found if case.regions_order is None else {**found, "regions_class_order": case.regions_order}


def seeded_weight(case: Case, fold: int, key: str, shape: tuple[int, ...]) -> np.ndarray:
    """The weight of that name: drawn from a seed made of case, fold and name, so that the order does not matter."""
    seed = int.from_bytes(hashlib.sha256(f"{case.name} {fold} {key}".encode()).digest()[:8], "little")
    draw = np.random.default_rng(seed).standard_normal(shape)
    if len(shape) > 1:
        draw *= np.sqrt(2.0 / np.prod(shape[1:]))
    else:
        draw = draw * 0.2 + ("norm" in key and key.endswith("weight"))
    return draw.astype(np.float32)


def parts(case: Case, channel: int = 0) -> tuple[np.ndarray, ...]:
    """Masks (z, y, x) of body, ball and rod, and the place along z from -0.5 to 0.5."""
    axes = [(np.arange(n) + 0.5) / n - 0.5 for n in case.shape]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    body = (z / 0.47) ** 2 + (y / 0.42) ** 2 + (x / 0.44) ** 2 < 1
    ball = (z + 0.1) ** 2 + (y - 0.05 * channel) ** 2 + (x - 0.1) ** 2 < 0.05
    rod = ((y + 0.2) ** 2 + (x + 0.15 * (1 - channel)) ** 2 < 0.01) & body
    return body, ball & body, rod, z


def volumes(case: Case) -> list[np.ndarray]:
    """One int16 volume (z, y, x) a channel: a ball and a rod in a body, and around it the value 0, with noise inside."""
    rng = np.random.default_rng(len(case.name))
    made = []
    for number in range(len(case.channels)):
        body, ball, rods, z = parts(case, number)
        soft = 60.0 + 90.0 * ball + 400.0 * rods + 40.0 * np.sin(9 * z) + rng.normal(0, 12, case.shape)
        made.append(np.where(body, np.clip(np.round(soft), 1, 2000), 0).astype(np.int16))
    return made


def affine(case: Case) -> np.ndarray:
    """Of the NIfTI file, whose axes x, y, z grow in the directions `stored`."""
    steps = np.zeros((4, 4))
    signs = {"L": (0, -1), "R": (0, 1), "P": (1, -1), "A": (1, 1), "S": (2, 1), "I": (2, -1)}  # RAS+
    for axis, (letter, mm) in enumerate(zip(case.stored, case.spacing_mm[::-1], strict=True)):
        row, sign = signs[letter]
        steps[row, axis] = sign * mm
    steps[:, 3] = (31.0, -22.0, 14.0, 1.0)
    return steps


def write_volumes(case: Case, folder: Any) -> list[Any]:
    """Write case_0000.nii.gz and so on; the paths."""
    import nibabel as nib

    paths = []
    for number, array in enumerate(volumes(case)):
        path = folder / f"case_{number:04d}.nii.gz"
        nib.save(nib.Nifti1Image(array.transpose(2, 1, 0), affine(case)), path)
        paths.append(path)
    return paths


def folder_name(case: Case) -> str:
    """As nnU-Net names the folder of a trained configuration."""
    return f"nnUNetTrainer__nnUNetPlans__{case.configuration}"


def write_trained(case: Case, parent: Any, state: Any, *, checkpoint: str = "checkpoint_final.pth") -> Any:
    """Write plans.json, dataset.json and the folds. state: weights by key of a fold, for `state(fold)`, as tensors."""
    import torch

    folder = parent / f"Dataset701_{case.name}" / folder_name(case)
    for fold in range(case.n_folds):
        (folder / f"fold_{fold}").mkdir(parents=True)
        weights = state(fold)
        arguments = {
            "plans": plans(case),
            "configuration": case.configuration,
            "fold": fold,
            "dataset_json": dataset(case),
            "device": torch.device("cpu"),
        }
        torch.save(
            {
                "network_weights": weights,
                "optimizer_state": {"state": {}, "param_groups": [{"lr": 0.01, "momentum": 0.99}]},
                "grad_scaler_state": None,
                "logging": {"mean_fg_dice": [np.float64(0.5)], "ema_fg_dice": [0.5]},
                "_best_ema": np.float64(0.5),
                "current_epoch": 1000,
                "init_args": arguments,
                "trainer_name": "nnUNetTrainer",
                "inference_allowed_mirroring_axes": case.mirror,
            },
            folder / f"fold_{fold}" / checkpoint,
        )
    (folder / "plans.json").write_text(json.dumps(plans(case)))
    (folder / "dataset.json").write_text(json.dumps(dataset(case)))
    return folder
