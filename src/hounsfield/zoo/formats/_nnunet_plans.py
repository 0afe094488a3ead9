"""nnU-Net's plans, of 2.0 and later, as network, preprocessing and windows of a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.volume_card import GreyValues, VolumePreprocessing, WindowSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.zoo.volume_card import Channel

    Axes = tuple[str, str, str]

_NETWORKS = {"PlainConvUNet": "unet", "ResidualEncoderUNet": "residual-unet"}
_BLOCKS = {"PlainConvUNet": "n_conv_per_stage", "ResidualEncoderUNet": "n_blocks_per_stage"}
# Readers of nnU-Net that turn every file so that its axes x, y, z grow to the right, to the front and to the head.
_RAS_READERS = frozenset({"NibabelIOWithReorient", "SimpleITKIOWithReorient"})
_READERS = _RAS_READERS | {"SimpleITKIO", "NibabelIO", "Tiff3DIO", ""}
_PARENTS_AT_MOST = 16
_SLOPE = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """One configuration of the plans, with what it inherits. said: the trained folder's name, for messages."""

    plans: Mapping[str, Any]
    configuration: Mapping[str, Any]
    name: str
    said: str

    @classmethod
    def of(cls, plans: Mapping[str, Any], name: str, said: str) -> Self:
        """Raises ModelError for a configuration that is missing, or a cascade."""
        configuration = _inherited(plans, name, said)
        if configuration.get("previous_stage"):
            raise ModelError(
                f"{said}: {name} is the second stage of a cascade, which takes the labels of "
                f"{configuration['previous_stage']} as input; cascades are not run here. Import 3d_fullres or 3d_lowres."
            )
        return cls(plans, configuration, name, said)

    @property
    def dataset_name(self) -> str:
        """As the plans state it."""
        return str(self.plans.get("dataset_name") or self.said)

    @property
    def plans_name(self) -> str:
        """As the plans state it."""
        return str(self.plans.get("plans_name", ""))

    @property
    def reader(self) -> str:
        """The class that read the training files."""
        return str(self.plans.get("image_reader_writer", ""))

    @property
    def dims(self) -> int:
        """2 or 3."""
        return len(self._numbers("patch_size"))

    def network(self, *, norm: str | None = None) -> tuple[str, dict[str, Any]]:
        """Name and arguments of the network. norm: what its weights show, where a trainer replaced the plans' own."""
        kind, described = self._architecture()
        if kind not in _NETWORKS:
            raise ModelError(
                f"plans.json of {self.said} asks for the network {kind}, which is not built here; {' and '.join(_NETWORKS)} are"
            )
        stages = {
            "features": described["features_per_stage"],
            "sides": described["kernel_sizes"],
            "strides": described["strides"],
            "n_down": described[_BLOCKS[kind]],
            "n_up": described["n_conv_per_stage_decoder"],
        }
        layers = {"norm": norm or _norm(described, self.said), "conv_bias": bool(described["conv_bias"])}
        return _NETWORKS[kind], {"stages": self._stages(stages), "layers": layers}

    def _stages(self, stages: Mapping[str, Any]) -> dict[str, Any]:
        n = len(stages["features"])
        wide = {
            name: stages[name] if isinstance(stages[name], list) else [stages[name]] * n for name in stages
        }
        wide["n_up"] = wide["n_up"][: n - 1]
        for name in ("sides", "strides"):
            wide[name] = [one if isinstance(one, list) else [one] * self.dims for one in wide[name]]
        return wide

    def _architecture(self) -> tuple[str, Mapping[str, Any]]:
        if "architecture" not in self.configuration:
            return self._old_architecture()
        architecture = self.configuration["architecture"]
        described = architecture.get("arch_kwargs") if isinstance(architecture, dict) else None
        if not isinstance(described, dict):
            raise ModelError(f"plans.json of {self.said} lacks architecture.arch_kwargs of {self.name}")
        kind = str(architecture.get("network_class_name", "")).rsplit(".", 1)[-1]
        blocks = _BLOCKS.get(kind, "n_conv_per_stage")
        wanted = ("features_per_stage", "kernel_sizes", "strides", blocks, "n_conv_per_stage_decoder")
        missing = [key for key in wanted if key not in described]
        known = {*wanted, "n_stages", "conv_op", "conv_bias", "norm_op", "norm_op_kwargs", "deep_supervision"}
        known |= {"dropout_op", "dropout_op_kwargs", "nonlin", "nonlin_kwargs"}
        if missing or set(described) - known:
            raise ModelError(
                f"plans.json of {self.said}: architecture.arch_kwargs of {self.name} "
                + (f"lacks {missing[0]}" if missing else f"has {min(set(described) - known)}, unknown here")
            )
        _check_rectifier(described, self.said)
        return kind, {"conv_bias": False, **described}

    def _old_architecture(self) -> tuple[str, Mapping[str, Any]]:
        """Plans of nnU-Net before 2.3.1 state the network by a few numbers of its own."""
        own = self.configuration
        wanted = (
            *("UNet_class_name", "UNet_base_num_features", "unet_max_num_features", "conv_kernel_sizes"),
            *("pool_op_kernel_sizes", "n_conv_per_stage_encoder", "n_conv_per_stage_decoder"),
        )
        missing = [key for key in wanted if key not in own]
        if missing:
            raise ModelError(
                f"plans.json of {self.said} lacks {missing[0]} of {self.name}. Get the file again."
            )
        kind = str(own["UNet_class_name"])
        n = len(own["n_conv_per_stage_encoder"])
        features = [min(own["UNet_base_num_features"] * 2**i, own["unet_max_num_features"]) for i in range(n)]
        return kind, {
            "features_per_stage": features,
            "kernel_sizes": own["conv_kernel_sizes"],
            "strides": own["pool_op_kernel_sizes"],
            _BLOCKS.get(kind, "n_conv_per_stage"): own["n_conv_per_stage_encoder"],
            "n_conv_per_stage_decoder": own["n_conv_per_stage_decoder"],
            "conv_bias": True,
            "norm_op": "InstanceNorm",
        }

    def grey_values(self) -> tuple[GreyValues, ...]:
        """One a channel. Raises ModelError naming a scheme that is not known here."""
        schemes = self._list("normalization_schemes")
        masked = self.configuration.get("use_mask_for_norm") or [False] * len(schemes)
        if len(masked) != len(schemes):
            raise ModelError(
                f"plans.json of {self.said} has {len(schemes)} normalization_schemes and {len(masked)} masks"
            )
        return tuple(
            self._scheme(str(scheme), number, inside_only=bool(inside))
            for number, (scheme, inside) in enumerate(zip(schemes, masked, strict=True))
        )

    def _scheme(self, scheme: str, channel: int, *, inside_only: bool) -> GreyValues:
        if scheme == "CTNormalization":
            return self._ct(channel)
        if scheme == "ZScoreNormalization":
            return GreyValues(way="zscore", inside_only=inside_only)
        if scheme == "RescaleTo01Normalization":
            return GreyValues(way="unit-range")
        if scheme == "RGBTo01Normalization":
            return GreyValues(way="range", low=0.0, high=255.0, clip=False)
        if scheme == "NoNormalization":
            return GreyValues(way="none")
        raise ModelError(
            f"plans.json of {self.said} asks for the normalisation {scheme!r}, which is not known here"
        )

    def _ct(self, channel: int) -> GreyValues:
        names = ("foreground_intensity_properties_per_channel", "foreground_intensity_properties_by_modality")
        by_channel = next((self.plans[name] for name in names if name in self.plans), None)
        found = by_channel.get(str(channel)) if isinstance(by_channel, dict) else None
        keys = ("percentile_00_5", "percentile_99_5", "mean", "std")
        missing = [key for key in keys if not isinstance(found, dict) or key not in found]
        if missing:
            raise ModelError(f"plans.json of {self.said}: {names[0]} of channel {channel} lacks {missing[0]}")
        low, high, mean, spread = (float(found[key]) for key in keys)  # type: ignore[index]  # a dict, checked
        return GreyValues(way="clip-zscore", low=low, high=high, mean=mean, standard_deviation=spread)

    def preprocessing(self, channels: Sequence[Channel], axes: Axes | None) -> VolumePreprocessing:
        """axes: directions in which the axes (slowest first) of the training files grew, None where nobody knows."""
        forward = [int(axis) for axis in self.plans.get("transpose_forward", (0, 1, 2))]
        if sorted(forward) != [0, 1, 2]:
            raise ModelError(f"plans.json of {self.said}: transpose_forward is {forward}")
        order: Any = {"stored_order": forward} if axes is None else {"axes": [axes[axis] for axis in forward]}
        spacing_mm: list[Any] = list(self._numbers("spacing"))
        if len(spacing_mm) == 2:
            spacing_mm = [None, *spacing_mm]
        fields = {**order, "channels": channels, "crop": "nonzero", "grey_values_first": True}
        return VolumePreprocessing(**fields, **self._grid(spacing_mm))

    def _grid(self, spacing_mm: Sequence[float | None]) -> dict[str, Any]:
        """The grid, after the functions that the plans name for images and for what the network gives back."""
        function = str(self.configuration.get("resampling_fn_data", ""))
        back = str(self.configuration.get("resampling_fn_probabilities", function))
        if function == back == "no_resampling_hack":
            return {}
        options = dict(self.configuration.get("resampling_fn_data_kwargs") or {})
        back_options = dict(self.configuration.get("resampling_fn_probabilities_kwargs") or {})
        if function == back == "resample_torch_fornnunet":
            options["order"], back_options["order"] = 1, 1
        elif function != "resample_data_or_seg_to_shape" or back != function:
            raise ModelError(
                f"plans.json of {self.said} resamples by {function or 'nothing it names'} and {back}, which are not known here"
            )
        order, apart = int(options.get("order", 3)), options.get("force_separate_z")
        unlike = back_options.get("force_separate_z") != apart or int(back_options.get("order", 3)) != 1
        if (
            order not in {0, 1, 3}
            or unlike
            or apart is True
            or options.get("order_z")
            or back_options.get("order_z")
        ):
            raise ModelError(
                f"plans.json of {self.said} resamples by {options} and back by {back_options}; carried out here are order "
                "0, 1 or 3 and back 1, order_z 0 and force_separate_z null or false, the same for both"
            )
        return {
            "spacing_mm": spacing_mm,
            "grid": "stretch",
            "order": order,
            "coarse_axis_apart": apart is None,
        }

    def windows(self, mirror_axes: Sequence[int]) -> WindowSettings:
        """Windows as nnUNetPredictor lays them: half a patch apart or less, its weights, mirrored copies."""
        patch = [int(n) for n in self._numbers("patch_size")]
        if max(mirror_axes, default=0) >= len(patch) or min(mirror_axes, default=0) < 0:
            raise ModelError(f"{self.said} mirrors the axes {tuple(mirror_axes)} of {len(patch)}")
        flat = 3 - len(patch)
        return WindowSettings(
            patch_zyx=(*([1] * flat), *patch),  # type: ignore[arg-type]  # three sides
            overlap=0.5,
            blend="gaussian-16-bit",
            spread="even",
            pad="centre",
            mirror_axes=tuple(axis + flat for axis in mirror_axes),  # type: ignore[misc]  # checked above
            dims=2 if flat else 3,
        )

    def _numbers(self, key: str) -> list[float]:
        found = self._list(key)
        if len(found) not in {2, 3} or not all(isinstance(n, (int, float)) and n > 0 for n in found):
            raise ModelError(
                f"plans.json of {self.said}: {key} of {self.name} is {found}, not two or three sizes"
            )
        return found

    def _list(self, key: str) -> list[Any]:
        found = self.configuration.get(key)
        if not isinstance(found, list):
            raise ModelError(f"plans.json of {self.said} lacks {key} of {self.name}. Get the file again.")
        return found


def _inherited(plans: Mapping[str, Any], name: str, said: str) -> dict[str, Any]:
    """A configuration with what it takes over from others by inherits_from."""
    all_of_them = plans.get("configurations")
    chain: list[dict[str, Any]] = []
    wanted: Any = name
    while wanted:
        found = all_of_them.get(wanted) if isinstance(all_of_them, dict) else None
        if not isinstance(found, dict):
            raise ModelError(f"plans.json of {said} has no configuration {wanted!r}")
        if len(chain) == _PARENTS_AT_MOST:
            raise ModelError(f"plans.json of {said}: the configuration {name} inherits without end")
        chain.append(found)
        wanted = found.get("inherits_from")
    merged: dict[str, Any] = {}
    for one in reversed(chain):
        merged.update(one)
    return merged


def _norm(described: Mapping[str, Any], said: str) -> str:
    kind = str(described.get("norm_op") or "none").rsplit(".", 1)[-1]
    options = described.get("norm_op_kwargs") or {}
    if {"eps": 1e-5, "affine": True, **options} == {"eps": 1e-5, "affine": True}:
        for start, norm in (("InstanceNorm", "instance"), ("BatchNorm", "batch"), ("none", "none")):
            if kind.startswith(start):
                return norm
    raise ModelError(f"plans.json of {said} normalises by {kind} {options}, which is not built here")


def _check_rectifier(described: Mapping[str, Any], said: str) -> None:
    kind = str(described.get("nonlin") or "").rsplit(".", 1)[-1]
    slope = (described.get("nonlin_kwargs") or {}).get("negative_slope", _SLOPE)
    if kind != "LeakyReLU" or slope != _SLOPE:
        raise ModelError(
            f"plans.json of {said} rectifies by {kind or 'nothing'} with slope {slope}; LeakyReLU with {_SLOPE} is built here"
        )


def stored_axes(reader: str, option: str | None, said: str) -> Axes | None:
    """Directions in which the axes of the training files grew, slowest first; None where their reader kept what was stored.

    option: what the user knows, for x, y and z ("RAS"). Raises ModelError for a reader of pictures, UsageError for an
    option that names no axes.
    """
    if option is not None:
        if len(option) != 3 or {frozenset("LR"), frozenset("AP"), frozenset("SI")} != {
            pair for letter in option for pair in map(frozenset, ("LR", "AP", "SI")) if letter in pair
        }:
            raise UsageError(f"option axes is {option!r}; it names one of L/R, A/P and S/I each, as RAS does")
        return option[2], option[1], option[0]
    if reader not in _READERS:
        raise ModelError(
            f"{said} was trained on files that {reader} read (colour pictures, say), which is not done here"
        )
    return ("S", "A", "R") if reader in _RAS_READERS else None
