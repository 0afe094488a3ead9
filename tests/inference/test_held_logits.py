"""Logits held in memory, in 16 bits or on disk are the same ones; windows as nnU-Net and MONAI lay them."""

import numpy as np
import pytest
from scipy import ndimage

torch = pytest.importorskip("torch")

from hounsfield.core.errors import ResultError  # noqa: E402
from hounsfield.inference.held_logits import HeldLogits, held_window_logits  # noqa: E402
from hounsfield.inference.sliding_window import Windows, window_logits  # noqa: E402


def network(batch):
    """Three classes that look one voxel around, so that windows differ at their edges."""
    smooth = torch.nn.functional.avg_pool3d(batch, 3, 1, 1)
    return torch.cat([batch, smooth, 0.5 - batch * smooth], dim=1)


@pytest.mark.parametrize("shape", [(20, 14, 17), (5, 30, 9), (14, 9, 25)])
@pytest.mark.parametrize("pad", ["end", "centre"])
@pytest.mark.parametrize(("limit", "on_disk", "atol"), [(2**24, False, 1e-6), (60_000, None, 3e-3)])
def test_pieces_come_to_their_places(shape, pad, limit, on_disk, atol):
    volume = np.random.default_rng(2).normal(size=shape).astype(np.float32)
    windows = Windows((8, 10, 6), pad=pad)
    held = held_window_logits(network, volume, windows, memory_limit_bytes=limit)
    assert on_disk is None or held.on_disk == on_disk
    found = np.stack([held.channel(i) for i in range(3)])
    np.testing.assert_allclose(found, window_logits(network, volume, windows), atol=atol)


def test_what_does_not_fit_lies_on_disk():
    sides, rng = (6, 5, 4), np.random.default_rng(0)
    kept = (slice(0, 4), slice(1, 5), slice(0, 6))  # z, y, x; the axes are stored as x, y, z
    memory = HeldLogits(2, sides, (2, 1, 0), kept)
    disk = HeldLogits(2, sides, (2, 1, 0), kept, memory_limit_bytes=100)
    assert (memory.on_disk, disk.on_disk) == (False, True)
    values = rng.normal(size=(2, 6, 5, 4)).astype(np.float32)
    for held in (memory, disk):
        for channel in range(2):
            for a in (3, 0):
                for b, end in ((0, 2), (2, 5)):
                    held.put(channel, (a, b), values[channel, a : a + 3, b:end])
    for channel in range(2):
        expected = values[channel].transpose(2, 1, 0)[kept]
        np.testing.assert_array_equal(memory.channel(channel), expected)
        np.testing.assert_array_equal(disk.channel(channel), expected.astype(np.float16))


def test_a_full_disk_is_told(monkeypatch):
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr("hounsfield.inference.held_logits.shutil.disk_usage", lambda _: usage)
    with pytest.raises(ResultError, match="has no room for them"):
        HeldLogits(2, (6, 5, 4), (0, 1, 2), (slice(0, 6), slice(0, 5), slice(0, 4)), memory_limit_bytes=100)


@pytest.mark.parametrize("patch", [(16, 24, 32), (9, 20, 14), (1, 32, 40)])
def test_weights_in_16_bits_are_those_of_nnunet(patch):
    """nnU-Net blurs one voxel at n // 2, scales to 10 and holds 16 bits; zeros become the least above zero."""
    point = np.zeros(patch)
    point[tuple(n // 2 for n in patch)] = 1
    sigmas = [0 if n == 1 else n / 8 for n in patch]
    blurred = ndimage.gaussian_filter(point, sigmas, mode="constant")
    expected = (blurred / blurred.max() * 10).astype(np.float16)
    expected[expected == 0] = expected[expected > 0].min()
    found = Windows(patch, blend="gaussian-16-bit").weights() * 10
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-7)


def test_even_steps_are_half_a_patch_or_less():
    """nnU-Net's own rule, also for odd patches: ceil((n - patch) / (patch / 2)) + 1 windows."""
    assert Windows((7, 7, 7)).starts((14, 13, 7)) == [[0, 4, 7], [0, 3, 6], [0]]
    assert Windows((1, 1, 1)).starts((3, 1, 2)) == [[0, 1, 2], [0], [0, 1]]
    assert Windows((7, 7, 7), spread="fixed").starts((14, 13, 7)) == [[0, 3, 6, 7], [0, 3, 6], [0]]


def test_padding_around_the_centre_is_zero():
    seen = []

    def look(batch):
        seen.append(batch.numpy().copy())
        return batch

    window_logits(look, np.full((3, 4, 5), 7.0), Windows((4, 7, 5), pad="centre"))
    expected = np.zeros((4, 7, 5))
    expected[0:3, 1:5] = 7.0
    np.testing.assert_array_equal(seen[0][0, 0], expected)
