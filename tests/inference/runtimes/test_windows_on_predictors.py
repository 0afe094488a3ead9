"""Windows run by a predictor: same labels, ensembles, and a limit to what is run."""

import numpy as np
import pytest
from tests.inference.runtimes.small_networks import noise, small_unet

from hounsfield.core.errors import UsageError
from hounsfield.inference import Windows, window_labels, window_logits
from hounsfield.inference.runtimes import (
    OnnxRuntimePredictor,
    OpenVinoPredictor,
    TorchPredictor,
    exported_onnx,
    mean_network,
    patch_network,
)

PATCH = (16, 16, 16)


@pytest.mark.parametrize("make", [OnnxRuntimePredictor, OpenVinoPredictor])
def test_any_runtime_labels_a_volume_as_torch_does(make):
    network, volume = small_unet(), noise(30, 21, 26)
    predictor = make(exported_onnx(network, noise(1, 1, *PATCH)), n_threads=1)
    windows = Windows(PATCH, 0.5, batch_size=3, mirror_axes=(1,))
    ours = window_labels(patch_network(predictor), volume, windows)
    assert (ours == window_labels(network, volume, windows)).mean() > 0.9995


def test_batches_of_windows_change_nothing():
    network, volume = small_unet(), noise(40, 21, 26)
    predictor = OpenVinoPredictor(exported_onnx(network, noise(1, 1, *PATCH)), n_threads=1)
    one = window_logits(patch_network(predictor), volume, Windows(PATCH, 0.5))
    for size in (2, 5, 64):
        several = window_logits(patch_network(predictor), volume, Windows(PATCH, 0.5, batch_size=size))
        assert several == pytest.approx(one, abs=1e-4 * float(np.abs(one).max()))


def test_an_ensemble_is_the_mean_of_its_logits():
    networks, volume = [small_unet(seed=seed) for seed in (1, 2, 3)], noise(20, 21, 26)
    sample = noise(1, 1, *PATCH)
    predictors = [
        TorchPredictor(networks[0]),
        OnnxRuntimePredictor(exported_onnx(networks[1], sample), n_threads=1),
        OpenVinoPredictor(exported_onnx(networks[2], sample), n_threads=1),
    ]
    windows = Windows(PATCH, 0.5)
    each = [window_logits(network, volume, windows) for network in networks]
    mean = window_logits(mean_network(predictors), volume, windows)
    assert mean == pytest.approx(np.mean(each, axis=0), abs=1e-3 * float(np.std(each)))
    labels = window_labels(mean_network(predictors), volume, windows)
    assert (labels == mean.argmax(axis=0)).mean() > 0.999


def test_an_ensemble_of_none_is_refused():
    with pytest.raises(UsageError, match="needs a predictor"):
        mean_network([])


def test_windows_of_nothing_but_background_reach_no_predictor():
    class Counted:
        name, precision, device, n_windows = "torch", "fp32", "cpu", 0

        def __call__(self, batch):
            self.n_windows += len(batch)
            return (np.concatenate([batch, 1 - batch], axis=1),)

    volume = np.zeros((48, 48, 48), dtype=np.float32)
    inside = np.zeros(volume.shape, dtype=bool)
    inside[4:20, 4:20, 4:20] = True
    inside[30:44, 30:44, 30:44] = True
    few, all_of_it = Counted(), Counted()
    labels = window_labels(patch_network(few), volume, Windows((8, 8, 8), 0.5), inside=inside)
    whole = window_labels(patch_network(all_of_it), volume, Windows((8, 8, 8), 0.5))
    assert few.n_windows < all_of_it.n_windows / 3
    assert np.array_equal(labels, np.where(inside, whole, 0))
