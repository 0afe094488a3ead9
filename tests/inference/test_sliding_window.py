"""Windows over a volume: what is blended, what is skipped, and what is held."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import Cancelled, ModelError, UsageError
from hounsfield.core.progress import Silent
from hounsfield.inference import Windows, window_labels, window_logits


class Pointwise(torch.nn.Module):
    """Logits of a voxel that depend on it alone: any cover of windows must give the same answer as none."""

    def __init__(self, n_classes):
        super().__init__()
        generator = torch.Generator().manual_seed(n_classes)
        self.slope = torch.randn(1, n_classes, 1, 1, 1, generator=generator)
        self.shift = torch.randn(1, n_classes, 1, 1, 1, generator=generator)
        self.n_runs = 0

    def forward(self, windows):
        self.n_runs += len(windows)
        return torch.sin(self.slope * windows[:, :1] * 3) + self.shift


class Local(torch.nn.Module):
    """Random convolutions: the answer at a patch's edge differs from that in its middle."""

    def __init__(self, n_classes, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.layers = torch.nn.Sequential(
            torch.nn.Conv3d(1, 6, 5, padding=2), torch.nn.ReLU(), torch.nn.Conv3d(6, n_classes, 3, padding=1)
        )

    def forward(self, windows):
        return self.layers(windows)


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(*[st.integers(3, 23)] * 3),
    patch=st.tuples(*[st.integers(2, 9)] * 3),
    overlap=st.sampled_from([0.0, 0.25, 0.5, 0.8]),
    spread=st.sampled_from(["fixed", "even"]),
    blend=st.sampled_from(["gaussian", "constant"]),
)
def test_labels_are_the_largest_blended_logits(shape, patch, overlap, spread, blend):
    windows = Windows(patch, overlap, blend=blend, spread=spread, batch_size=2)
    network, volume = Local(4), noise(shape)
    logits = window_logits(network, volume, windows)
    labels = window_labels(network, volume, windows)
    assert labels.shape == shape
    ordered = np.sort(logits, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-4  # sums in another order part near ties
    assert clear.mean() > 0.9
    assert (labels == logits.argmax(axis=0))[clear].all()


def test_a_network_that_sees_one_voxel_gives_the_same_with_any_windows():
    network, volume = Pointwise(5), noise((17, 20, 11))
    whole = network(torch.from_numpy(volume)[None, None])[0].argmax(0).numpy()
    for overlap in (0.0, 0.3, 0.7):
        found = window_labels(network, volume, Windows((6, 5, 4), overlap))
        assert (found == whole).all()


def test_blended_logits_are_the_weighed_mean_by_hand():
    """Two windows of four on a line of six: the middle two voxels get both, each by its weight."""

    class Numbered(torch.nn.Module):
        n = 0

        def forward(self, windows):
            self.n += 1
            return torch.full((1, 1, *windows.shape[2:]), float(self.n))

    windows = Windows((1, 1, 4), 0.5, blend="constant")
    found = window_logits(Numbered(), np.zeros((1, 1, 6)), windows)
    assert found[0, 0, 0] == pytest.approx([1, 1, 1.5, 1.5, 2, 2])


def test_weights_are_highest_in_the_middle_and_never_zero():
    weights = Windows((8, 9, 32)).weights()
    assert weights.max() == 1.0
    assert weights.argmax() == np.ravel_multi_index((3, 4, 15), weights.shape)
    # A thousandth before the middle, which even sides have between two voxels, is scaled to 1, as MONAI does it.
    middle = np.exp(-0.5 * ((0.5 / 1.0) ** 2 + (0.5 / 4.0) ** 2))
    assert weights.min() == pytest.approx(1e-3 / middle)
    assert weights == pytest.approx(weights[::-1, ::-1, ::-1])


@pytest.mark.parametrize(("spread", "starts"), [("fixed", [0, 4, 8, 12]), ("even", [0, 4, 8, 12])])
def test_starts_of_whole_strides(spread, starts):
    assert Windows((8, 1, 1), 0.5, spread=spread).starts((20, 1, 1))[0] == starts


def test_the_last_window_is_set_back_or_all_are_spread():
    assert Windows((8, 1, 1), 0.5, spread="fixed").starts((17, 1, 1))[0] == [0, 4, 8, 9]
    assert Windows((8, 1, 1), 0.5, spread="even").starts((17, 1, 1))[0] == [0, 3, 6, 9]


def test_mirrored_copies_make_the_answer_symmetric():
    network, volume = Local(3), noise((12, 12, 12))
    windows = Windows((12, 12, 12), mirror_axes=(0, 2))
    plain = window_logits(network, volume, windows)
    turned = window_logits(network, volume[::-1, :, ::-1].copy(), windows)
    assert plain == pytest.approx(turned[:, ::-1, :, ::-1], abs=1e-5)
    assert window_logits(network, volume, Windows((12, 12, 12))) != pytest.approx(plain, abs=1e-3)


def test_windows_with_nothing_to_see_are_not_run():
    network, volume = Pointwise(3), noise((40, 40, 40))
    inside = np.zeros(volume.shape, bool)
    inside[2:9, 2:9, 2:9] = True
    inside[30:34, 30:34, 30:34] = True
    labels = window_labels(network, volume, Windows((8, 8, 8), 0.5), inside=inside)
    everywhere = Pointwise(3)
    whole = window_labels(everywhere, volume, Windows((8, 8, 8), 0.5))
    assert network.n_runs < everywhere.n_runs / 8
    assert (labels[inside] == whole[inside]).all()
    assert not labels[~inside].any()


def test_nothing_to_see_at_all_is_background_without_a_run():
    network = Pointwise(3)
    labels = window_labels(network, noise((9, 9, 9)), Windows((4, 4, 4)), inside=np.zeros((9, 9, 9), bool))
    assert not labels.any()
    assert network.n_runs == 0


def test_a_volume_smaller_than_a_patch_is_padded():
    network, volume = Pointwise(4), noise((3, 9, 5))
    labels = window_labels(network, volume, Windows((8, 8, 8)))
    assert (labels == network(torch.from_numpy(volume)[None, None])[0].argmax(0).numpy()).all()


def test_several_channels_reach_the_network():
    seen = []

    def network(windows):
        seen.append(tuple(windows.shape))
        return windows

    volume = noise((2, 9, 9, 9))
    assert (window_labels(network, volume, Windows((4, 4, 4))) == volume.argmax(0)).all()
    assert set(seen) == {(1, 2, 4, 4, 4)}


def test_sixteen_bits_are_held_where_thirty_two_do_not_fit():
    network, volume = Local(6), noise((20, 20, 20))
    windows = Windows((8, 8, 8), 0.5)
    numbers = 6 * (8 * 8 * 20 + 4 * 20 * 20)
    full = window_labels(network, volume, windows, memory_limit_bytes=numbers * 4)
    half = window_labels(network, volume, windows, memory_limit_bytes=numbers * 4 - 1)
    assert (full == half).mean() > 0.995
    with pytest.raises(UsageError, match="raise the limit, or lower overlap or patch"):
        window_labels(network, volume, windows, memory_limit_bytes=numbers * 2 - 1)


def test_many_classes_keep_their_numbers():
    def network(windows):
        return torch.cat([torch.zeros(1, 299, *windows.shape[2:]), windows], dim=1)

    volume = noise((9, 9, 9))
    labels = window_labels(network, volume, Windows((4, 4, 4)))
    assert labels.dtype == np.uint16
    assert (labels == np.where(volume > 0, 299, 0)).all()


def test_progress_can_stop_the_run():
    class Impatient(Silent):
        done = 0.0

        def report(self, _stage, done):
            self.done = done

        def should_stop(self):
            return self.done > 0.3

    network = Pointwise(2)
    with pytest.raises(Cancelled):
        window_labels(network, noise((16, 16, 16)), Windows((4, 4, 4)), progress=Impatient())
    assert 0 < network.n_runs < 343


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Windows((0, 4, 4)), "three sides of a voxel or more"),
        (lambda: Windows((4, 4, 4), 1.0), "below 1"),
        (lambda: Windows((4, 4, 4), mirror_axes=(3,)), "cannot be used"),
        (lambda: window_labels(Pointwise(2), np.zeros((4, 4)), Windows((2, 2, 2))), "not of shape"),
        (
            lambda: window_labels(
                Pointwise(2), np.zeros((4, 4, 4)), Windows((2, 2, 2)), inside=np.ones((3, 4, 4), bool)
            ),
            "`inside` has shape",
        ),
    ],
)
def test_what_does_not_fit_is_refused(act, message):
    with pytest.raises(UsageError, match=message):
        act()


def test_a_network_whose_output_lies_elsewhere_is_refused():
    with pytest.raises(ModelError, match="on the same voxels"):
        window_labels(lambda w: w[..., ::2], noise((8, 8, 8)), Windows((4, 4, 4)))
