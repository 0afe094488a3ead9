"""Bundles of MONAI's model zoo: configs/metadata.json, configs/inference.json (or .yaml) and models/model.pt.

Read `MonaiBundle.convert` first; `_monai_config.py` follows references and plain expressions, `_monai_transforms.py` translates
the transforms. Nothing of a bundle is run: what needs its code is an error that names it. Source: MONAI Bundle Specification.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from hounsfield.core.errors import HounsfieldError, MissingModel, ModelError, UsageError
from hounsfield.zoo.find_bundle import CARD_FILE
from hounsfield.zoo.fitting_weights import check_weights_fit
from hounsfield.zoo.foreign_weights import read_foreign_weights, state_dict_of
from hounsfield.zoo.formats._monai_config import MonaiConfig
from hounsfield.zoo.formats._monai_transforms import Arguments, Steps, component, voxel_labels
from hounsfield.zoo.model_card import Network
from hounsfield.zoo.model_formats import imported_card, model_format
from hounsfield.zoo.public_codes import coded_classes
from hounsfield.zoo.safe_archive import archive_members, unpack_members
from hounsfield.zoo.volume_card import (
    Channel,
    GreyValues,
    VolumeInference,
    VolumePreprocessing,
    WindowSettings,
)
from hounsfield.zoo.write_bundle import write_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_card import ModelCard
    from hounsfield.zoo.model_formats import ImportRequest
    from hounsfield.zoo.volume_card import VoxelLabels

_METADATA = "configs/metadata.json"
_CONFIGS = ("configs/inference.json", "configs/inference.yaml", "configs/inference.yml")
_LICENCES = ("LICENSE", "docs/LICENSE", "docs/license.txt")
_LARGEST_TEXT_BYTES = 16 * 1024**2
_WITHOUT_MEANING = frozenset(
    {"device", "sw_device", "progress", "cache_roi_weight_map", "cpu_thresh", "_target_", "buffer_steps"}
)
_PADDING = {"constant": "centre", "replicate": "centre-edge"}


@model_format("monai-bundle")
class MonaiBundle:
    """Bundles of MONAI that label the voxels of volumes."""

    title = (
        "MONAI bundle: configs/metadata.json, configs/inference.json and models/model.pt, as a folder or zip"
    )
    options: ClassVar[Mapping[str, str]] = {
        "weights": "the file below models/, where it is not the one that the configuration loads",
        "paint": "channels that may overlap, the outermost first (1,0,2), where the bundle does not say it",
    }

    def detects(self, path: Path) -> bool:
        """Whether it holds the two configuration files, and is no bundle of this project."""
        try:
            names = _names(path)
        except (HounsfieldError, OSError):
            return False
        place = _place(names)
        return place is not None and str(place / CARD_FILE) not in names

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle. Raises ModelError naming what is missing or would need code to be run."""
        with ExitStack() as stack:
            source = _Source.of(request, stack)
            card = _card(request, source)
            path = source.weights(request.options.get("weights"))
            weights = {
                f"net.{key.removeprefix('module.')}": value
                for key, value in state_dict_of(read_foreign_weights(path).tree, path.name).items()
            }
            check_weights_fit(card.network, weights, path.name)
        return write_bundle(request.parent / card.name, card=card, weights=weights)


def _names(path: Path) -> set[str]:
    if path.is_file():
        return set(archive_members(path)) if zipfile.is_zipfile(path) else set()
    wanted = (_METADATA, CARD_FILE, *_CONFIGS, *_LICENCES)
    return {name for name in wanted if (path / name).is_file()}


def _place(names: set[str]) -> PurePosixPath | None:
    """The folder in an archive that is the bundle; "." for the top."""
    for name in sorted(names, key=len):
        place = PurePosixPath(name).parent.parent
        if str(place / _METADATA) == name and any(str(place / other) in names for other in _CONFIGS):
            return place
    return None


@dataclass(frozen=True, slots=True)
class _Source:
    """An opened bundle: its folder, the metadata and the configuration."""

    folder: Path
    metadata: Mapping[str, Any]
    config: MonaiConfig

    @classmethod
    def of(cls, request: ImportRequest, stack: ExitStack) -> _Source:
        names = _names(request.path)
        place = _place(names)
        if place is None:
            raise ModelError(f"{request.path.name} holds no {_METADATA} beside an inference configuration")
        folder = request.path
        if folder.is_file():
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monai-")))
            chosen = [
                name
                for name in names
                if PurePosixPath(name).parent in {place / "models", place / "configs", place, place / "docs"}
            ]
            unpack_members(request.path, chosen, folder)
            folder = folder / place
        file = next(name for name in _CONFIGS if (folder / name).is_file())
        return cls(folder, _read(folder / _METADATA), MonaiConfig(_read(folder / file), file))

    def weights(self, asked: str | None) -> Path:
        """The file of weights: as asked, or as the configuration loads it, or the only one."""
        there = sorted(
            p.name for p in (self.folder / "models").glob("*") if p.suffix in {".pt", ".pth", ".safetensors"}
        )
        wanted = asked or self._loaded() or "model.pt"
        if wanted not in there:
            said = (
                ", ".join(there)
                or "none (a bundle from MONAI's repository comes without; download its release)"
            )
            raise ModelError(
                f"models/{wanted} is not in the bundle; there are {said}. State another as the option weights."
            )
        return self.folder / "models" / wanted

    def _loaded(self) -> str | None:
        """The name that a checkpoint loader of the configuration loads, where it can be worked out."""
        loaders = [self.config.content.get("checkpointloader"), *(self.config.content.get("handlers") or [])]
        for loader in loaders:
            if isinstance(loader, dict) and "load_path" in loader:
                try:
                    return PurePosixPath(str(self.config.resolved(loader["load_path"], "load_path"))).name
                except ModelError:
                    return None
        return None

    @property
    def licence(self) -> str | None:
        """The licence whose text lies beside the files, where it is a known one."""
        for name in _LICENCES:
            path = self.folder / name
            if path.is_file() and path.stat().st_size < _LARGEST_TEXT_BYTES:
                head = path.read_text(encoding="utf-8", errors="replace")[:400]
                if "Apache License" in head and "2.0" in head:
                    return "Apache-2.0 (the file LICENSE of the bundle; its training data may have another)"
        return None


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST_TEXT_BYTES:
        raise ModelError(f"{path.name} has more than {_LARGEST_TEXT_BYTES} bytes: it is no configuration")
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        content = json.loads(text) if path.suffix == ".json" else _yaml(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} cannot be parsed ({error}). Get the bundle again.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path.name} holds no entries. Get the bundle again.")
    return content


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingModel("this bundle is configured in YAML: pip install pyyaml") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _card(request: ImportRequest, source: _Source) -> ModelCard:
    config, metadata = source.config, source.metadata
    network = _network(config)
    inputs, outputs = _format(metadata, "inputs"), _format(metadata, "outputs")
    n_outputs, n_channels = network.arguments["n_classes"], network.arguments["in_channels"]
    steps = Steps(config, "preprocessing::transforms")
    steps.take(_transforms(config, "preprocessing"))
    paint = _numbers(request.options.get("paint"))
    try:
        rule = voxel_labels(config, _transforms(config, "postprocessing"), n_outputs, paint)
        said = {
            "classes": coded_classes(_class_names(outputs, n_outputs, rule)),
            "outputs": "voxels",
            "task": str(metadata.get("task") or "segmentation"),
            "title": str(metadata.get("name") or metadata.get("task") or request.bundle_name()),
            "modality": str(inputs.get("modality") or "Not stated"),
            "network": network,
            "preprocessing": _preprocessing(steps, inputs, n_channels),
            "volume": VolumeInference(windows=_windows(config), voxel_labels=rule),
            "recipe": {"framework": f"MONAI {metadata.get('monai_version', '')}".strip()},
            **_facts(source),
        }
    except ValueError as error:  # of pydantic, which names the field
        raise ModelError(f"{config.name} of {request.path.name} cannot be carried out: {error}") from error
    return imported_card(request, "monai-bundle", said)


def _facts(source: _Source) -> dict[str, Any]:
    """What the metadata say of use, authors and version."""
    metadata = source.metadata
    facts = {
        "authors": metadata.get("authors"),
        "intended_use": metadata.get("intended_use"),
        "licence": source.licence,
    }
    version = str(metadata.get("version", ""))
    if version.count(".") == 2 and version.replace(".", "").isdecimal():
        facts["version"] = version
    return {name: value for name, value in facts.items() if isinstance(value, str) and value}


def _format(metadata: Mapping[str, Any], side: str) -> dict[str, Any]:
    """The first tensor of one side of network_data_format; empty where it is not stated."""
    stated = (metadata.get("network_data_format") or {}).get(side) or {}
    found: Any = next(iter(stated.values()), {}) if isinstance(stated, dict) else {}
    return found if isinstance(found, dict) else {}


def _transforms(config: MonaiConfig, name: str) -> list[Any]:
    """The transforms of a Compose."""
    key = name if name in config else f"{name}_transforms"
    if key not in config:
        raise ModelError(f"{config.name} has no {name}: what it does to the image is not known")
    kind, given = component(config, config.value(key), name)
    found = given.get("transforms")
    if kind != "Compose" or not isinstance(found, list):
        raise ModelError(f"{config.name}: {name} is a {kind}; a Compose of transforms is read here")
    return found


def _network(config: MonaiConfig) -> Network:
    key = "network_def" if "network_def" in config else "network"
    if key not in config:
        raise ModelError(f"{config.name} has no network_def. Get the bundle again.")
    kind, given = component(config, config.value(key), key)
    arguments = {name: given.get(name) for name in given.raw if name[:1] != "_"}
    counts = {name: arguments.pop(name, None) for name in ("in_channels", "out_channels")}
    if not all(isinstance(count, int) and 0 < count < 4096 for count in counts.values()):
        raise ModelError(
            f"{config.name}: the network {kind} states {counts}; both must be numbers. Networks that are made of others are not built."
        )
    if any(isinstance(value, dict) and "_target_" in value for value in arguments.values()):
        raise ModelError(
            f"{config.name}: the network {kind} is made of other components, which are not built here"
        )
    plain = {"n_classes": counts["out_channels"], "in_channels": counts["in_channels"]}
    return Network(name="monai", arguments={**plain, "net": str(kind), "arguments": arguments})


def _preprocessing(steps: Steps, inputs: Mapping[str, Any], n_channels: int) -> VolumePreprocessing:
    fields = steps.fields
    names = inputs.get("channel_def") if isinstance(inputs.get("channel_def"), dict) else {}
    is_hounsfield = str(inputs.get("format", "")).casefold() == "hounsfield"
    modality = {"MRI": "MR", "PET": "PT"}.get(
        str(inputs.get("modality", "")).upper(), str(inputs.get("modality", "")).upper()
    )
    known = modality if modality in {"CT", "MR", "PT"} else ""
    rules = steps.grey_values or [GreyValues(way="none")]
    if n_channels > 1 and any(rule.way == "unit-range" for rule in rules):
        raise ModelError(
            f"{steps.config.name} scales {n_channels} channels by a range of them all, which is not carried out"
        )
    channels: list[Channel] = []
    for number in range(n_channels):
        name = str((names or {}).get(str(number), "")) or "image"
        channels.append(
            Channel(
                name=name if name not in {c.name for c in channels} else f"{name} {number + 1}",
                modalities=(known,) if known else (),
                unit="HU" if is_hounsfield or known == "CT" else None,
                grey_values=rules[0],
                then=tuple(rules[1:]),
            )
        )
    # MONAI's arrays run x, y, z; those here z, y, x.
    order: dict[str, Any] = {} if "axes" in fields else {"stored_order": (2, 1, 0)}
    if "axes" not in fields and "spacing_mm" in fields:
        raise ModelError(
            f"{steps.config.name} sets a spacing without an orientation before it, which is not carried out"
        )
    return VolumePreprocessing(channels=tuple(channels), **order, **fields)


def _windows(config: MonaiConfig) -> WindowSettings | None:
    if "inferer" not in config:
        raise ModelError(f"{config.name} has no inferer: how the network is run is not known")
    kind, given = component(config, config.value("inferer"), "inferer")
    if kind == "SimpleInferer":
        return None
    if kind not in {"SlidingWindowInferer", "SlidingWindowInfererAdapt"}:
        raise ModelError(f"{config.name}: the inferer {kind} is not known here")
    size = given.get("roi_size")
    patch = [size] * 3 if isinstance(size, int) else size
    mode, padding = str(given.get("mode", "constant")).casefold(), str(given.get("padding_mode", "constant"))
    overlap = given.get("overlap", 0.25)
    overlaps = overlap if isinstance(overlap, (list, tuple)) else [overlap]
    if padding not in _PADDING or mode not in {"constant", "gaussian"} or len(set(overlaps)) != 1:
        given.fail("padding_mode, mode or overlap", (padding, mode, overlap))
    if not isinstance(patch, (list, tuple)) or len(patch) != 3 or min(patch) < 1:
        given.fail("roi_size", size)
    given.allow("cval", 0.0, None)
    given.allow("sigma_scale", 0.125, None)
    _refuse_others(
        given, {"roi_size", "sw_batch_size", "overlap", "mode", "padding_mode", "cval", "sigma_scale"}
    )
    return WindowSettings(
        patch_zyx=tuple(int(n) for n in patch),  # type: ignore[arg-type]  # three, checked
        overlap=float(overlaps[0]),
        blend="gaussian" if mode == "gaussian" else "constant",
        spread="fixed",
        pad=_PADDING[padding],  # type: ignore[arg-type]  # one of the words
        batch_size=min(int(given.get("sw_batch_size", 1)), 4),
    )


def _refuse_others(given: Arguments, known: set[str]) -> None:
    rest = sorted(set(given.raw) - known - _WITHOUT_MEANING)
    if rest:
        given.fail(rest[0], given.raw[rest[0]])


def _class_names(outputs: Mapping[str, Any], n_outputs: int, rule: VoxelLabels) -> list[str]:
    stated = outputs.get("channel_def")
    names = {str(key): str(value) for key, value in stated.items()} if isinstance(stated, dict) else {}
    if names and set(names) != {str(number) for number in range(n_outputs)}:
        raise ModelError(
            f"metadata.json names the output channels {', '.join(names)}; the network has {n_outputs}, numbered from 0"
        )
    own = [names.get(str(number), "") or f"structure {number}" for number in range(n_outputs)]
    if rule.way == "painted":
        return ["background", *own]
    return ["background", *own[1:]] if own[0].startswith("structure") else own


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"option paint is {text!r}; it is numbers of channels joined by commas") from None
