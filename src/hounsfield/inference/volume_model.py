"""A verified bundle that labels the voxels of a volume, as a model that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hounsfield.core.errors import ModelError
from hounsfield.core.progress import Silent, step
from hounsfield.inference.built_network import built_network
from hounsfield.inference.held_logits import held_window_logits
from hounsfield.inference.sliding_window import Windows, window_labels, window_logits
from hounsfield.inference.torch_model import TorchModel, load_model
from hounsfield.inference.views_model import ViewsModel, load_views_model
from hounsfield.inference.volume_input import VolumeInput, prepare_volume
from hounsfield.zoo import Bundle, open_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.core import Image, Progress
    from hounsfield.zoo import VolumeInference, VolumePreprocessing, WindowSettings

# Classes of this many voxels are decided at once where a network sees the whole volume and then each voxel by itself.
_SLAB_VOXELS = 2**20


class VolumeModel:
    """Implements `core.VolumeModel` with torch. Made by `load_model`.

    network: in evaluation mode on `device`, giving logits (n, channels, z, y, x). bundle: where it came from.
    runtime: what runs its windows, None for torch in 32 bits; a network that sees the whole volume is run by torch always.
    """

    def __init__(
        self, bundle: Bundle, network: torch.nn.Module, device: torch.device, runtime: str = "torch"
    ) -> None:
        self.bundle = bundle
        self.network = network
        self.device = device
        self.runtime: Mapping[str, Any] | None = None
        self._run_patch: Callable[[torch.Tensor], torch.Tensor] = lambda windows: network(
            windows.to(device)
        ).cpu()
        self.preprocessing: VolumePreprocessing
        self.inference: VolumeInference
        self.preprocessing, self.inference = bundle.card.of_volumes
        rule = self.inference.voxel_labels
        self.n_channels = len(rule.paint) if rule.way == "painted" else len(bundle.card.classes)
        if runtime != "torch" and self.inference.windows is not None:
            self._run_by(runtime, self.inference.windows)

    @property
    def name(self) -> str:
        """The bundle's name, kebab-case."""
        return self.bundle.name

    @property
    def version(self) -> str:
        """The bundle's version."""
        return self.bundle.version

    @property
    def digest(self) -> str:
        """SHA-256 over the bundle's files."""
        return self.bundle.digest

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels in their order; the first is the background."""
        return self.bundle.card.class_names

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card as plain data; `bundle.card` is the typed one."""
        return self.bundle.card.model_dump(mode="json")

    def segment(self, images: Sequence[Image], progress: Progress | None = None) -> NDArray[Any]:
        """Labels (z, y, x), numbering `classes`, on the grid of the first image; one image a channel of the card.

        Raises RefusedInput and GeometryError as `prepare_volume`, ModelError for a network whose output does not fit.
        `progress` may stop the run.
        """
        progress = progress or Silent()
        step(progress, "preparing the volume", 0.0)
        prepared = prepare_volume(images, self.preprocessing)
        return self.labels(prepared, progress)

    def labels(self, prepared: VolumeInput, progress: Progress | None = None) -> NDArray[Any]:
        """As `segment`, from a prepared input."""
        settings, rule = self.inference.windows, self.inference.voxel_labels
        if settings is None:
            return self._at_once(prepared)
        network, windows = self._patch_network(settings), windows_of(settings)
        if prepared.is_on_voxels and rule.way == "argmax":
            labels = window_labels(network, prepared.values, windows, progress=progress)
            return prepared.restore(labels)
        held = held_window_logits(network, prepared.values, windows, progress=progress)
        return prepared.labels(held.channel, self.n_channels, rule)

    def logits(self, prepared: VolumeInput) -> NDArray[np.float32]:
        """Logits (channels, z, y, x) on the input's voxels, all held at once."""
        settings = self.inference.windows
        if settings is None:
            return np.asarray(self._whole(self.network, prepared.values)[0].float().cpu().numpy())
        return window_logits(self._patch_network(settings), prepared.values, windows_of(settings))

    def _at_once(self, prepared: VolumeInput) -> NDArray[Any]:
        rule = self.inference.voxel_labels
        body, head = getattr(self.network, "body", None), getattr(self.network, "head", None)
        if callable(body) and callable(head) and prepared.is_on_voxels and rule.way == "argmax":
            return prepared.restore(self._slab_labels(prepared, body, head))
        logits = self._whole(self.network, prepared.values)[0]
        self._check(logits.shape[0])
        return prepared.labels(lambda channel: logits[channel].float().cpu().numpy(), self.n_channels, rule)

    def _slab_labels(
        self, prepared: VolumeInput, body: Callable[..., Any], head: Callable[..., Any]
    ) -> NDArray[Any]:
        """The most likely class, slab by slab, so that never all classes of all voxels are held."""
        seen = self._whole(body, prepared.values)
        n_planes = max(1, _SLAB_VOXELS // int(np.prod(seen.shape[3:])))
        parts = []
        with torch.inference_mode():
            for first in range(0, seen.shape[2], n_planes):
                logits = head(seen[:, :, first : first + n_planes])
                self._check(logits.shape[1])
                kind = torch.uint8 if self.n_channels <= 256 else torch.int32
                parts.append(logits[0].argmax(0).to(kind).cpu())
        return np.asarray(torch.cat(parts).numpy())

    def _whole(self, part: Callable[..., Any], values: NDArray[np.float32]) -> torch.Tensor:
        with torch.inference_mode():
            found: torch.Tensor = part(torch.from_numpy(values)[None].to(self.device))
        return found

    def _patch_network(self, settings: WindowSettings) -> Callable[[torch.Tensor], torch.Tensor]:
        def run(batch: torch.Tensor) -> torch.Tensor:
            picture = batch[:, :, 0] if settings.dims == 2 else batch
            logits = self._run_patch(picture)
            self._check(logits.shape[1])
            return logits[:, :, None] if settings.dims == 2 else logits

        return run

    def _run_by(self, runtime: str, settings: WindowSettings) -> None:
        from hounsfield.inference.runtimes import choose_for_windows, patch_network

        sides = settings.patch_zyx[1:] if settings.dims == 2 else settings.patch_zyx
        shape = (settings.batch_size, len(self.preprocessing.channels), *sides)
        choice = choose_for_windows(self.network, self.bundle, shape, runtime, str(self.device))
        self._run_patch, self.runtime = patch_network(choice.predictor), choice.to_json()

    def _check(self, n_found: int) -> None:
        if n_found != self.n_channels:
            raise ModelError(
                f"the network of bundle {self.name} gives {n_found} channels, its card needs {self.n_channels}. "
                "Import the model again."
            )


def windows_of(settings: WindowSettings) -> Windows:
    """The windows that a card states."""
    return Windows(
        settings.patch_zyx,
        overlap=settings.overlap,
        blend=settings.blend,
        spread=settings.spread,
        pad=settings.pad,
        mirror_axes=settings.mirror_axes,
        batch_size=settings.batch_size,
    )


def load_volume_model(
    bundle: Bundle | Path | str, *, device: str = "cpu", runtime: str = "torch"
) -> VolumeModel:
    """Build the bundle's network of volumes and load its weights strictly; as `load_model` does for pictures."""
    if not isinstance(bundle, Bundle):
        bundle = open_bundle(bundle)
    _ = bundle.card.of_volumes
    target = torch.device(device)
    return VolumeModel(bundle, built_network(bundle, target), target, runtime)


def open_model(
    bundle: Bundle | Path | str, *, device: str = "cpu", runtime: str = "torch"
) -> TorchModel | ViewsModel | VolumeModel:
    """The model of a bundle, of pictures, of several views or of volumes as its card says; runtime as for `load_model`.

    A model of several views always runs in torch: it is two small layers. Raises ModelError.
    """
    if not isinstance(bundle, Bundle):
        bundle = open_bundle(bundle)
    if bundle.card.preprocessing.kind == "views":
        return load_views_model(bundle, device=device)
    load = load_volume_model if bundle.card.outputs == "voxels" else load_model
    return load(bundle, device=device, runtime=runtime)
