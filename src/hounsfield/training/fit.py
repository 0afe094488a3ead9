"""The loop that fits a network: resumable after any kill, the same weights with or without one."""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import RecipeError
from hounsfield.core.progress import step
from hounsfield.training.augmentation import augment
from hounsfield.training.loss import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from hounsfield.core.progress import Progress
    from hounsfield.training.recipe import OptimisationRecipe, Recipe

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Network inputs of one part: pictures (n, s, s), masks (n, s, s) of 0 and 1 or None, labels, names.

    labels: (n,) class indices, or (n, labels) of 0 and 1 where labels stand alone.
    """

    pictures: NDArray[np.float32]
    masks: NDArray[np.float32] | None
    labels: NDArray[np.int64]
    names: tuple[str, ...]


@dataclass(slots=True, eq=False)
class _State:
    """What a checkpoint holds: fast weights, their running mean, the optimiser, the epoch to do next."""

    network: nn.Module
    mean: nn.Module
    optimiser: Any
    epoch: int = 0
    seconds: float = 0.0


def fit_network(
    recipe: Recipe, data: Pictures, n_classes: int, folder: Path, progress: Progress
) -> tuple[nn.Module, float]:
    """The fitted network in evaluation mode and the seconds spent; continues from `folder` if it can.

    A checkpoint is written after every epoch. Raises RecipeError when the loss is not a number, naming
    the pictures of that batch, and Cancelled when asked to stop.
    """
    optimisation = recipe.optimisation
    fabric = _fabric(optimisation)
    if computed_precision(optimisation) != optimisation.precision:
        step(progress, "computing in 32 bit: this CPU has no bfloat16 in hardware", 0.0)
    state = _start(recipe, n_classes, "cpu" if fabric is None else fabric.device)
    _resume(state, folder / CHECKPOINT, recipe)
    began = time.monotonic() - state.seconds
    criterion = Loss(optimisation, recipe.loss, data.labels, next(state.network.parameters()).device)
    while state.epoch < optimisation.epochs:
        loss = _epoch(state, recipe, data, criterion, fabric)
        state.epoch += 1
        state.seconds = time.monotonic() - began
        _write(state, folder / CHECKPOINT, recipe)
        left_s = state.seconds / state.epoch * (optimisation.epochs - state.epoch)
        stage = f"epoch {state.epoch} of {optimisation.epochs}, loss {loss:.3f}, {left_s / 60:.1f} min left"
        step(progress, stage, state.epoch / optimisation.epochs)
    return state.mean.cpu().eval(), state.seconds


def _fabric(optimisation: OptimisationRecipe) -> Any:
    """Lightning Fabric: device and precision; 32 bit on a CPU needs neither and stays plain torch."""
    if optimisation.accelerator == "cpu" and optimisation.precision == "32":
        return None
    import logging

    # Fabric announces the precision through the root of its own logger; a library has no say there.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    from lightning_fabric import Fabric

    precision: Any = "bf16-mixed" if computed_precision(optimisation) == "bf16" else "32-true"
    return Fabric(accelerator=optimisation.accelerator, devices=1, precision=precision)


def computed_precision(optimisation: OptimisationRecipe) -> str:
    """The recipe's precision; 32 bit where `accelerator: auto` finds only a CPU without bfloat16."""
    if optimisation.accelerator == "auto" and optimisation.precision == "bf16" and _is_slow_at_bfloat16():
        return "32"
    return optimisation.precision


def _is_slow_at_bfloat16() -> bool:
    """Whether only an x86 CPU is here that computes bfloat16 in software: eight times slower than 32 bit."""
    import platform

    import torch

    if torch.cuda.is_available() or torch.backends.mps.is_available():
        return False
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return False  # others were not measured: the recipe's word stands
    features = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return not (features.get("avx512_bf16") or features.get("amx_bf16"))


def _start(recipe: Recipe, n_classes: int, device: Any) -> _State:
    import copy

    import torch

    from hounsfield.networks import build_network

    options = {"n_classes": n_classes, **recipe.network.options}
    network = build_network(recipe.network.name, options, seed=recipe.seed)
    network = network.to(device=device, memory_format=torch.channels_last)
    # Norms and biases are not decayed: weight decay on them only shifts what they normalise.
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.optimisation.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ],
        lr=recipe.optimisation.learning_rate,
    )
    return _State(network, copy.deepcopy(network), optimiser)


def _epoch(state: _State, recipe: Recipe, data: Pictures, criterion: Loss, fabric: Any) -> float:
    """One pass over the shuffled pictures; returns the mean loss.

    All chance is drawn from (seed, epoch), so an epoch done after a kill equals the one that was cut off.
    """
    import torch

    chance = int(np.random.SeedSequence([recipe.seed, state.epoch]).generate_state(1)[0])
    generator = torch.Generator().manual_seed(chance)
    order = torch.randperm(len(data.labels), generator=generator).numpy()
    losses = []
    device = next(state.network.parameters()).device
    state.network.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chance)
        batches = list(_batches(order, recipe.optimisation.batch_size))
        for position, chosen in enumerate(batches):
            _set_learning_rate(state, recipe.optimisation, position / len(batches))
            pictures = torch.from_numpy(data.pictures[chosen]).unsqueeze(1).to(device)
            masks = None
            if data.masks is not None:
                masks = torch.from_numpy(data.masks[chosen]).unsqueeze(1).to(device)
            pictures, masks = augment(pictures, masks, recipe.augmentation, generator)
            labels = torch.from_numpy(data.labels[chosen]).to(device)
            with fabric.autocast() if fabric is not None else nullcontext():
                outputs = state.network(pictures.contiguous(memory_format=torch.channels_last))
                loss = criterion(outputs, labels, masks)
            value = float(loss.detach())
            if not np.isfinite(value):
                names = ", ".join(data.names[index] for index in chosen)
                raise RecipeError(
                    f"the loss is {value} in epoch {state.epoch + 1}, batch {position + 1} ({names}): "
                    "look at these pictures, or lower the learning rate"
                )
            state.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
            state.optimiser.step()
            _follow(state, recipe.optimisation.mean_decay, state.epoch * len(batches) + position)
            losses.append(value)
    return float(np.mean(losses))


def _batches(order: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """Full batches; the last few of an epoch wait for the next shuffle, for batch statistics' sake."""
    n_full = max(1, len(order) // size)
    yield from np.array_split(order[: max(n_full * size, min(size, len(order)))], n_full)


def _set_learning_rate(state: _State, optimisation: OptimisationRecipe, part: float) -> None:
    done = state.epoch + part
    warm = min(1.0, (done + 0.1) / optimisation.warmup_epochs) if optimisation.warmup_epochs else 1.0
    cosine = 0.5 * (1 + math.cos(math.pi * done / optimisation.epochs))
    for group in state.optimiser.param_groups:
        group["lr"] = optimisation.learning_rate * warm * (0.01 + 0.99 * cosine)


def _follow(state: _State, decay: float, n_steps: int) -> None:
    """Move the running mean towards the fast weights; early on it follows faster."""
    import torch

    weight = min(decay, (1 + n_steps) / (10 + n_steps))
    with torch.no_grad():
        for mean, fast in zip(
            state.mean.state_dict().values(), state.network.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(fast, 1 - weight)
            else:
                mean.copy_(fast)


def _write(state: _State, path: Path, recipe: Recipe) -> None:
    import torch

    record = {
        "fitting": json.dumps(recipe.fitting, sort_keys=True),
        "network": state.network.state_dict(),
        "mean": state.mean.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "epoch": state.epoch,
        "seconds": state.seconds,
    }
    # Written beside and moved, so that a kill leaves the old checkpoint or the new one, never half of one.
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        torch.save(record, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _resume(state: _State, path: Path, recipe: Recipe) -> None:
    import torch

    if not path.is_file():
        return
    record = torch.load(path, weights_only=True, map_location="cpu")
    if record["fitting"] != json.dumps(recipe.fitting, sort_keys=True):
        raise RecipeError(
            f"{path.parent.name} holds a run of another recipe; name another folder, or start without resuming"
        )
    state.network.load_state_dict(record["network"])
    state.mean.load_state_dict(record["mean"])
    state.optimiser.load_state_dict(record["optimiser"])
    state.epoch, state.seconds = record["epoch"], record["seconds"]
