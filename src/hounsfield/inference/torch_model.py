"""A verified bundle as a model that runs: strict loading, and one picture in, one prediction out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from hounsfield.calibration import CALIBRATORS, GUARD_METHOD, Guard
from hounsfield.core import Prediction
from hounsfield.core.errors import ModelError, UsageError
from hounsfield.inference.answers import several_answers
from hounsfield.inference.built_network import built_network
from hounsfield.inference.certainty import certainty_of
from hounsfield.inference.outputs import network_outputs
from hounsfield.inference.preprocessing import Prepared, prepare
from hounsfield.inference.scores import scores_of
from hounsfield.zoo import Bundle, ModelCard, open_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

GUARDS = {GUARD_METHOD: Guard}


class TorchModel:
    """Implements `core.Model` with torch. Made by `load_model`.

    network: in evaluation mode on `device`. bundle: where it came from. guard: None if it has none. runtime: what runs
    it and how far its numbers lie from torch's, None for torch in 32 bits itself.
    """

    def __init__(
        self, bundle: Bundle, network: torch.nn.Module, device: torch.device, runtime: str = "torch"
    ) -> None:
        self.bundle = bundle
        self.network = network
        self.device = device
        self.runtime: Mapping[str, Any] | None = None
        self._runner: Any = network
        if runtime != "torch":
            self._run_by(runtime)
        self.guard = _guard(bundle)
        self._calibrate = _calibrator(bundle.card)

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
        """Names of the outputs, in order."""
        return self.bundle.card.class_names

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card as plain data; `bundle.card` is the typed one."""
        return self.bundle.card.model_dump(mode="json")

    def preprocess(self, picture: NDArray[Any]) -> tuple[torch.Tensor, Prepared]:
        """The network's input (1, channels, size, size) for a picture (y, x), and where the picture lies in it."""
        prepared = prepare(picture, self.bundle.card.picture)
        return torch.from_numpy(prepared.channels)[None].to(self.device), prepared

    def run(self, picture: NDArray[Any]) -> Prediction:
        """Run on one picture (y, x) of any size; what its numbers may be says `prepare`, which refuses others."""
        inputs, prepared = self.preprocess(picture)
        flips = self.bundle.card.inference.test_time_flips
        outputs = network_outputs(self._runner, inputs, test_time_flips=flips)
        logits, features = outputs.logits[0], outputs.features[0]
        card = self.bundle.card
        probabilities = self._calibrate(logits) if self._calibrate else None
        distance = float(self.guard.distance(features)[0]) if self.guard else None
        answers = self.answers(inputs)
        return Prediction(
            logits=logits,
            probabilities=probabilities,
            calibrator=card.calibrator.name if card.calibrator else None,
            scores=scores_of(logits, card),
            mask=prepared.restore(outputs.mask[0]) if outputs.mask is not None else None,
            features=features,
            guard_distance=distance,
            guard_threshold=card.guard.threshold if card.guard else None,
            certainty=certainty_of(
                card,
                guard_distance=distance,
                probabilities=probabilities,
                answers=answers[:, 0] if answers is not None else None,
            ),
        )

    @property
    def calibrate(self) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
        """From logits (..., classes) to calibrated probabilities; None where the card names no calibrator."""
        return self._calibrate

    def answers(self, inputs: torch.Tensor) -> NDArray[Any] | None:
        """Calibrated probabilities (m, n, classes) of the card's several answers to inputs (n, channels, size, size).

        None where the card asks for no answers or names no calibrator.
        """
        settings = self.bundle.card.inference.answers
        if settings is None or self._calibrate is None:
            return None
        # Dropout and members lie inside the network: only torch can ask for them one by one.
        network = self._runner if settings.way == "copies" else self.network
        return self._calibrate(several_answers(network, inputs, settings))

    def _run_by(self, runtime: str) -> None:
        from hounsfield.inference.runtimes import choose_for_pictures

        self._runner, choice = choose_for_pictures(self.network, self.bundle, runtime, str(self.device))
        self.runtime = choice.to_json()


def load_model(bundle: Bundle | Path | str, *, device: str = "cpu", runtime: str = "torch") -> TorchModel:
    """Build the bundle's network and load its weights strictly.

    bundle: opened, or a folder or name that `zoo.open_bundle` opens. runtime: "torch" in 32 bits, "auto" for the fastest
    that gives its numbers, or "onnxruntime" or "openvino" (`runtimes.choose_predictor`; maps are drawn by torch always). Raises ModelError naming the
    network, weight or class count that does not fit the card.
    """
    if not isinstance(bundle, Bundle):
        bundle = open_bundle(bundle)
    _ = bundle.card.picture
    target = torch.device(device)
    model = TorchModel(bundle, built_network(bundle, target), target, runtime)
    _check_outputs(model)
    return model


def _calibrator(card: ModelCard) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
    if card.calibrator is None:
        return None
    name, parameters = card.calibrator.name, card.calibrator.parameters
    if name not in CALIBRATORS:
        raise ModelError(
            f"bundle {card.name} names the calibrator {name!r}; this version knows {', '.join(CALIBRATORS)}. "
            f"Install the version that the card names: {card.code_version}."
        )
    function = CALIBRATORS[name]
    try:
        function([0.0] * len(card.classes), **parameters)
    except (TypeError, UsageError) as error:
        raise ModelError(
            f"the calibrator {name!r} of bundle {card.name} does not take the card's parameters ({error}). "
            "Get the bundle again."
        ) from error
    return partial(function, **parameters)


def _guard(bundle: Bundle) -> Guard | None:
    if bundle.card.guard is None:
        return None
    method = bundle.card.guard.method
    if method not in GUARDS:
        raise ModelError(
            f"bundle {bundle.name} names the guard {method!r}; this version knows {', '.join(GUARDS)}. "
            f"Install the version that the card names: {bundle.card.code_version}."
        )
    return GUARDS[method].from_arrays(bundle.guard_arrays())


def _check_outputs(model: TorchModel) -> None:
    """One pass over an empty picture: as many logits as the card has classes, features that the guard knows."""
    card = model.bundle.card
    n_channels, size_px = card.picture.channels, card.picture.size_px
    outputs = network_outputs(
        model.network, torch.zeros(1, n_channels, size_px, size_px, device=model.device)
    )
    if outputs.logits.shape[1] != len(card.classes):
        raise ModelError(
            f"the network of bundle {card.name} gives {outputs.logits.shape[1]} classes, its card names "
            f"{len(card.classes)} ({', '.join(card.class_names)}). Get the bundle again."
        )
    if model.guard is not None:
        model.guard.distance(outputs.features)
