"""A bundle's network on a chosen runtime, with the face of the torch network that it stands for."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from hounsfield.core.errors import UsageError
from hounsfield.inference.runtimes.choice import Choice, choose_predictor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hounsfield.inference.runtimes.predictor import Predictor
    from hounsfield.zoo import Bundle

SEED = 12  # of the made sample; any number does, as long as it stays


class WholeAnswer(torch.nn.Module):
    """All that is asked of a network of pictures in one pass: class logits, features, and mask logits if it outlines.

    What the network encodes is needed for the logits and for the features, and is calculated once for both.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network
        self._lock = Lock()

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(n, channels, size, size) to logits (n, classes), features (n, f) and mask logits (n, 1, size, size)."""
        network: Any = self.network
        with self._lock, _encoding_once(network):
            logits, mask_logits = network(x)
            features = network.features(x)
        return (logits, features) if mask_logits is None else (logits, features, mask_logits)


@contextmanager
def _encoding_once(network: Any) -> Iterator[None]:
    encode = getattr(network, "encode", None)
    if encode is None:
        yield
        return
    last: list[Any] = []

    def once(x: torch.Tensor) -> Any:
        if not last or last[0] is not x:
            last[:] = [x, encode(x)]
        return last[1]

    network.encode = once
    try:
        yield
    finally:
        del network.encode


class PictureNetwork:
    """Looks like a network of pictures to `network_outputs` and to answers by changed copies; a predictor does the work."""

    def __init__(self, predictor: Predictor, device: torch.device) -> None:
        self._predictor = predictor
        self._device = device
        self._last: tuple[torch.Tensor, tuple[torch.Tensor, ...]] | None = None

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Class logits, and mask logits or None, as the network gives them."""
        answer = self._answer(x)
        return answer[0], answer[2] if len(answer) > 2 else None

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """What the input guard judges; of the same pass as the logits where these were asked for just before."""
        return self._answer(x)[1]

    def _answer(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        last = self._last
        if last is None or last[0] is not x:
            found = self._predictor(x.float().cpu().numpy())
            last = self._last = (x, tuple(torch.from_numpy(one).to(self._device) for one in found))
        return last[1]


def patch_network(predictor: Predictor) -> Any:
    """A predictor as what `window_labels` runs: tensors (n, channels, *spatial) to logits (n, classes, *spatial)."""

    def run(batch: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(predictor(batch.numpy())[0])

    return run


def mean_network(predictors: Sequence[Predictor]) -> Any:
    """Several predictors as one network of windows, whose logits are the mean of theirs, as nnU-Net joins its folds.

    No more than two predictors' logits are held at once. Raises UsageError for none.
    """
    if not predictors:
        raise UsageError("an ensemble needs a predictor")

    def run(batch: torch.Tensor) -> torch.Tensor:
        windows = batch.numpy()
        total = torch.from_numpy(predictors[0](windows)[0])
        for predictor in predictors[1:]:
            total += torch.from_numpy(predictor(windows)[0])
        return total / len(predictors)

    return run


def choose_for_pictures(
    network: torch.nn.Module, bundle: Bundle, runtime: str, device: str
) -> tuple[PictureNetwork, Choice]:
    """The runtime of a bundle of pictures, found on its own sample or, where it has none, on a made picture."""
    card = bundle.card.picture
    shape = (1, int(getattr(card, "channels", 1)), card.size_px, card.size_px)
    choice = choose_predictor(
        WholeAnswer(network).eval(), sample_of(bundle, shape), runtime=runtime, device=device
    )
    return PictureNetwork(choice.predictor, torch.device(device)), choice


def choose_for_windows(
    network: torch.nn.Module, bundle: Bundle, shape: tuple[int, ...], runtime: str, device: str
) -> Choice:
    """The runtime of a bundle of volumes for windows (n, channels, *sides), as `choose_for_pictures`."""
    return choose_predictor(network, sample_of(bundle, shape), runtime=runtime, device=device)


def sample_of(bundle: Bundle, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The network's input that the bundle brings for such trials, where it has this shape; else `made_sample`."""
    own = bundle.sample()
    return own if own is not None and own.shape == shape else made_sample(shape)


def made_sample(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Coarse and fine structure of mean 0 and deviation 1, the same each time: float32 of this shape.

    >>> made_sample((1, 1, 8, 8)).shape
    (1, 1, 8, 8)
    """
    rng = np.random.default_rng(SEED)
    fine = rng.normal(size=shape)
    coarse = rng.normal(size=(*shape[:2], *(-(-n // 8) for n in shape[2:])))
    for axis in range(2, len(shape)):
        coarse = np.repeat(coarse, 8, axis=axis)
    cut = tuple(slice(0, n) for n in shape)
    both = 2 * coarse[cut] + fine
    return np.asarray((both - both.mean()) / both.std(), dtype=np.float32)
