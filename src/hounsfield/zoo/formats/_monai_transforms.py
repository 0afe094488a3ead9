"""MONAI's dictionary transforms, in the order in which a bundle lists them, as preprocessing and labels of a card.

A transform that is not known here, or an argument that would change what it does, is an error that names it.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError
from hounsfield.zoo.volume_card import GreyValues, VoxelLabels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hounsfield.zoo.formats._monai_config import MonaiConfig

# What loads, converts types or stores changes no number that a network sees.
_NOTHING = frozenset(
    {
        *(
            "LoadImage",
            "EnsureChannelFirst",
            "AddChannel",
            "AsChannelFirst",
            "EnsureType",
            "ToTensor",
            "CastToType",
        ),
        *("ToDevice", "ConcatItems", "SaveImage", "CopyItems", "DeleteItems", "SelectItems", "Identity"),
    }
)
_NEVER_MATTER = frozenset(
    {
        *(
            "keys",
            "allow_missing_keys",
            "dtype",
            "lazy",
            "meta_keys",
            "meta_key_postfix",
            "device",
            "data_type",
        ),
        *("image_only", "ensure_channel_first", "reader", "name", "dim", "track_meta", "align_corners"),
        *("start_coord_key", "end_coord_key", "_desc_", "_disabled_", "_target_", "orig_keys", "transform"),
        *(
            "orig_meta_keys",
            "to_tensor",
            "device_type",
            "output_dir",
            "output_ext",
            "output_dtype",
            "output_postfix",
        ),
        *("separate_folder", "resample", "squeeze_end_dims", "padding_mode", "channel_dim", "strict_check"),
        *("output_name_formatter", "print_log", "labels", "post_func", "wrap_sequence", "fill_value"),
    }
)


@dataclass(slots=True)
class Steps:
    """A list of transforms of one bundle, taken apart. where: of the list, for messages."""

    config: MonaiConfig
    where: str
    fields: dict[str, Any] = field(default_factory=dict)
    grey_values: list[GreyValues] = field(default_factory=list)
    n_keys: int = 1

    def take(self, transforms: Sequence[Any]) -> None:
        """Translate the preprocessing; raises ModelError for what cannot be carried out."""
        grey_before_grid: bool | None = None
        for number, raw in enumerate(transforms):
            name, arguments = component(self.config, raw, f"{self.where}::{number}")
            if name is None or name in _NOTHING:
                self._count_keys(arguments)
                continue
            if name not in _TRANSLATED:
                raise ModelError(
                    f"{self.config.name}: the transform {name}d at {arguments.where} is not known here"
                )
            is_grey = name in _GREY
            had_grid = "spacing_mm" in self.fields or "shape" in self.fields
            if is_grey:
                before = not had_grid
                if (grey_before_grid is False and before) or (grey_before_grid and not before):
                    raise ModelError(
                        f"{self.config.name}: {name}d comes after another grid than the grey values before it; all of them "
                        "before or all after it can be carried out"
                    )
                grey_before_grid = before
            _TRANSLATED[name](self, arguments)
            arguments.refuse_the_rest()
        has_grid = "spacing_mm" in self.fields or "shape" in self.fields
        self.fields["grey_values_first"] = bool(grey_before_grid) and has_grid

    def _count_keys(self, arguments: Arguments) -> None:
        keys = arguments.get("keys")
        if isinstance(keys, (list, tuple)):
            self.n_keys = max(self.n_keys, len(keys))

    def orientation(self, given: Arguments) -> None:
        """Orientationd."""
        code = given.get("axcodes", "RAS")
        if given.get("as_closest_canonical", default=False):
            code = "RAS"
        if not isinstance(code, str) or len(code) != 3:
            given.fail("axcodes", code)
        self.fields["axes"] = tuple(code)

    def spaced(self, given: Arguments) -> None:
        """Spacingd."""
        spacing = given.get("pixdim")
        mm = [spacing] * 3 if isinstance(spacing, (int, float)) else spacing
        if not isinstance(mm, (list, tuple)) or len(mm) != 3:
            given.fail("pixdim", spacing)
        self.fields |= {
            "spacing_mm": tuple(None if float(one) <= 0 else float(one) for one in mm),
            "grid": "first",
            "order": given.order(),
        }
        given.allow("diagonal", False, None)
        given.allow("scale_extent", False, None)
        given.allow("recompute_affine", False, None)
        given.allow("ensure_same_shape", True, None)
        given.allow("min_pixdim", None)
        given.allow("max_pixdim", None)

    def resized(self, given: Arguments) -> None:
        """Resized."""
        given.allow("size_mode", "all", None)
        given.allow("anti_aliasing", False, None)
        given.allow("anti_aliasing_sigma", None)
        size = given.get("spatial_size")
        shape = [size] * 3 if isinstance(size, int) else size
        if not isinstance(shape, (list, tuple)) or len(shape) != 3:
            given.fail("spatial_size", size)
        self.fields |= {"shape": tuple(int(n) for n in shape), "grid": "fixed", "order": given.order("area")}

    def foreground(self, given: Arguments) -> None:
        """CropForegroundd."""
        given.get("source_key")
        given.allow("select_fn", None)
        given.allow("channel_indices", None)
        given.allow("margin", 0, [0, 0, 0], None)
        given.allow("k_divisible", 1, [1, 1, 1], None)
        given.allow("allow_smaller", True, False, None)
        given.allow("mode", "constant", None)
        self.fields["crop_prepared"] = True

    def grey_range(self, given: Arguments) -> None:
        """ScaleIntensityRanged."""
        low, high = float(given.get("a_min")), float(given.get("a_max"))
        to_low, to_high = given.get("b_min"), given.get("b_max")
        if to_low is None or to_high is None:
            to_low, to_high = 0.0, 1.0
        self.grey_values.append(
            GreyValues(
                way="range",
                low=low,
                high=high,
                to_low=float(to_low),
                to_high=float(to_high),
                clip=bool(given.get("clip", default=False)),
            )
        )

    def percentiles(self, given: Arguments) -> None:
        """ScaleIntensityRangePercentilesd."""
        given.allow("relative", False, None)
        given.get("channel_wise")
        self.grey_values.append(
            GreyValues(
                way="unit-range",
                percentile_low=float(given.get("lower")),
                percentile_high=float(given.get("upper")),
                to_low=float(given.get("b_min")),
                to_high=float(given.get("b_max")),
                clip=bool(given.get("clip", default=False)),
            )
        )

    def scaled(self, given: Arguments) -> None:
        """ScaleIntensityd."""
        given.allow("factor", None)
        given.get("channel_wise")
        self.grey_values.append(
            GreyValues(
                way="unit-range",
                to_low=float(given.get("minv", default=0.0)),
                to_high=float(given.get("maxv", default=1.0)),
                clip=False,
            )
        )

    def normalised(self, given: Arguments) -> None:
        """NormalizeIntensityd."""
        less, by = given.get("subtrahend"), given.get("divisor")
        nonzero = bool(given.get("nonzero", default=False))
        given.get("channel_wise")
        if less is None and by is None:
            self.grey_values.append(GreyValues(way="zscore", nonzero_only=nonzero))
            return
        if nonzero or not isinstance(less, (int, float)) or not isinstance(by, (int, float)) or by <= 0:
            given.fail("subtrahend and divisor", [less, by])
        low = float(less)
        self.grey_values.append(GreyValues(way="range", low=low, high=low + float(by), clip=False))


class Arguments:
    """A component's arguments, resolved one by one as they are asked for; where: of the component."""

    def __init__(self, config: MonaiConfig, raw: Mapping[str, Any], where: str) -> None:
        self.config, self.raw, self.where = config, raw, where
        self._seen: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an argument."""
        self._seen.add(name)
        if name not in self.raw:
            return default
        return self.config.resolved(self.raw[name], f"{self.where}::{name}")

    def order(self, default: str = "bilinear") -> int:
        """The order of interpolation that `mode` names."""
        mode = self.get("mode", default)
        plain = mode[0] if isinstance(mode, (list, tuple)) and len(set(map(str, mode))) == 1 else mode
        known = {"bilinear": 1, "trilinear": 1, "linear": 1, "nearest": 0, 0: 0, 1: 1, 3: 3}
        if plain not in known:
            self.fail("mode", mode)
        return known[plain]

    def allow(self, name: str, *values: Any) -> None:
        """Raise ModelError where the argument is given as another value than these."""
        if name in self.raw and self.get(name) not in values:
            self.fail(name, self.get(name))
        self._seen.add(name)

    def fail(self, name: str, value: Any) -> None:
        """Raise ModelError for an argument that is not carried out."""
        raise ModelError(
            f"{self.config.name}: {name} of {self.raw.get('_target_')} at {self.where} is {value!r}, which is not carried out"
        )

    def refuse_the_rest(self) -> None:
        """Raise ModelError for an argument that nobody asked for."""
        rest = sorted(set(self.raw) - self._seen - _NEVER_MATTER)
        if rest:
            self.fail(rest[0], self.raw[rest[0]])


def component(config: MonaiConfig, raw: Any, where: str) -> tuple[str | None, Arguments]:
    """The class of a component, without module and without the d of dictionary transforms; None if it is disabled."""
    found = config.resolved(raw, where)
    if not isinstance(found, dict) or not isinstance(found.get("_target_"), str):
        raise ModelError(f"{config.name}: {where} is no component with a _target_")
    name = config.resolved(found["_target_"], where).rsplit(".", 1)[-1]
    arguments = Arguments(config, found, where)
    if arguments.get("_disabled_", default=False):
        return None, arguments
    return re.sub(r"(d|D|Dict)$", "", name) if where.startswith(
        ("preprocessing", "postprocessing")
    ) else name, arguments


_TRANSLATED: dict[str, Callable[[Steps, Arguments], None]] = {
    "Orientation": Steps.orientation,
    "Spacing": Steps.spaced,
    "Resize": Steps.resized,
    "CropForeground": Steps.foreground,
    "ScaleIntensityRange": Steps.grey_range,
    "ScaleIntensityRangePercentiles": Steps.percentiles,
    "ScaleIntensity": Steps.scaled,
    "NormalizeIntensity": Steps.normalised,
}
_GREY = frozenset(name for name in _TRANSLATED if "Intensity" in name)


def voxel_labels(
    config: MonaiConfig, transforms: Sequence[Any], n_outputs: int, paint: Sequence[int] | None
) -> VoxelLabels:
    """How logits become labels, from the postprocessing. paint: channels in the order in which they paint, where stated.

    Raises ModelError for transforms that are not known, and for overlapping channels whose order nobody stated.
    """
    way, threshold, resampled, order = "", 0.5, "logits", None
    activated = False
    for number, raw in enumerate(transforms):
        name, given = component(config, raw, f"postprocessing::{number}")
        if name is None or name in _NOTHING:
            continue
        if name == "Activations":
            activated = bool(given.get("softmax", default=False) or given.get("sigmoid", default=False))
            given.allow("other", None)
        elif name == "AsDiscrete":
            given.allow("to_onehot", None)
            given.allow("rounding", None)
            way = "argmax" if given.get("argmax", default=False) else "painted"
            if way == "painted":
                threshold = float(given.get("threshold", default=0.5))
        elif name == "Invert":
            given.allow("nearest_interp", True, False)
            resampled = "labels" if way else "probabilities" if activated else "logits"
        elif name == "Lambda":
            order = _nested_where(config, given)
        elif name == "KeepLargestConnectedComponent":
            continue  # said in the card: pieces are not removed here
        else:
            raise ModelError(f"{config.name}: the transform {name}d at {given.where} is not known here")
    if way != "painted":
        return VoxelLabels(resampled=resampled)  # type: ignore[arg-type]  # one of the three words
    return _painted(config, n_outputs, {"threshold": threshold, "resampled": resampled}, order, paint)


def _painted(
    config: MonaiConfig,
    n_outputs: int,
    fields: Mapping[str, Any],
    order: Sequence[int] | None,
    paint: Sequence[int] | None,
) -> VoxelLabels:
    chosen = paint or order or ((0,) if n_outputs == 1 else None)
    if chosen is None or sorted(chosen) != list(range(n_outputs)):
        raise ModelError(
            f"{config.name}: its {n_outputs} channels may overlap, and nobody states which lies over which. State the option "
            "paint: their numbers joined by commas, the outermost first (1,0,2)."
        )
    labels = tuple(1 + channel for channel in range(n_outputs))
    return VoxelLabels(way="painted", paint=labels, order=tuple(chosen), **fields)


def _nested_where(config: MonaiConfig, given: Arguments) -> list[int]:
    """Channels in painting order from `lambda x: torch.where(x[[2]] > 0, 4, torch.where(...))`: the innermost first."""
    text = given.raw.get("func", "")
    found: list[int] = []
    try:
        node: Any = ast.parse(str(text).removeprefix("$").strip(), mode="eval").body
        node = node.body if isinstance(node, ast.Lambda) else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        node = None
    while isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.where" and len(node.args) == 3:
        channel = re.fullmatch(r"x\[\[?(\d+)\]?\] > 0", ast.unparse(node.args[0]))
        if channel is None:
            break
        found.append(int(channel[1]))
        node = node.args[2]
    if not found or not (isinstance(node, ast.Constant) and node.value == 0):
        raise ModelError(
            f"{config.name}: the function {str(text)[:80]!r} at {given.where} is code and is not run; nested torch.where of "
            "channels alone are understood"
        )
    return found[::-1]
