"""Foci of uptake: which peaks count, how far they reach, and that nothing depends on the array's direction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from hounsfield.core.errors import RefusedInput
from hounsfield.imaging import uptake
from hounsfield.imaging.uptake import find_foci


def row(*values):
    return np.array([[values]], dtype=np.float32)


def indices(foci):
    """The columns that each focus of a single row holds."""
    return [np.flatnonzero(mask[0, 0]).tolist() for mask in foci.masks]


def search(array, *, fewest_voxels=1, most=20):
    return find_foci(array, border=2.5, peak=4.0, fewest_voxels=fewest_voxels, most=most)


def test_focus_reaches_out_to_the_border_inclusive():
    assert indices(search(row(0, 2.4, 2.5, 5, 3, 2.4, 2.6))) == [[2, 3, 4]]


def test_hottest_comes_first():
    assert indices(search(row(0, 5, 0, 9, 8, 0, 7))) == [[3, 4], [6], [1]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        # The saddle of 3 is 3/6 of the lower peak: one focus. 2.9/6 is less: two.
        ((6, 3, 8), [[0, 1, 2]]),
        ((6, 2.9, 8), [[1, 2], [0]]),
        # A peak that reaches 4 nowhere belongs to its hot neighbour where it is joined to it.
        ((3.5, 2.6, 8), [[0, 1, 2]]),
        ((3.5, 1, 8), [[2]]),
        # Small peaks on a hot plateau are noise.
        ((8, 7, 8.5, 7.2, 8.1), [[0, 1, 2, 3, 4]]),
    ],
)
def test_peaks_are_two_foci_where_the_way_between_them_is_low(values, expected):
    assert indices(search(row(*values))) == expected


def test_three_peaks_are_joined_from_the_highest_saddle_down():
    # 6 and 7 join over 5; the saddle 3.2 to 10 is then less than half of 7, though more than half of 6.
    assert indices(search(row(6, 5, 7, 3.2, 10))) == [[3, 4], [0, 1, 2]]


def test_plateau_of_equal_values_is_one_focus():
    array = np.zeros((7, 9, 9), dtype=np.float32)
    array[2:5, 2:7, 2:4] = array[2:5, 2:4, 2:8] = 8.0
    (mask,) = search(array).masks
    np.testing.assert_array_equal(mask, array > 0)


def test_diagonal_neighbours_are_not_joined():
    array = np.zeros((1, 3, 3), dtype=np.float32)
    array[0, 0, 0], array[0, 1, 1] = 5, 6
    assert len(search(array).masks) == 2


def test_number_of_foci_is_bounded_and_the_rest_counted():
    array = row(*[value for k in range(30) for value in (4 + k, 0)])
    foci = search(array, most=20)
    assert (len(foci.masks), foci.n_further, foci.n_small) == (20, 10, 0)
    assert [array[mask].max() for mask in foci.masks] == list(range(33, 13, -1))


def test_small_foci_are_counted_not_listed():
    foci = search(row(9, 0, 5, 5, 5, 0, 3, 3, 3), fewest_voxels=3)
    assert indices(foci) == [[2, 3, 4]]
    assert (foci.n_further, foci.n_small) == (0, 1)


def test_nothing_hot_gives_no_focus():
    foci = search(row(0, 3.9, 2, 3))
    assert (foci.masks, foci.n_further, foci.n_small) == ((), 0, 0)


def test_values_in_a_wrong_unit_are_refused(monkeypatch):
    monkeypatch.setattr(uptake, "MOST_VOXELS", 100)
    with pytest.raises(RefusedInput, match=r"125 voxels lie in areas above 2.5 .* Check the unit"):
        search(np.full((5, 5, 5), 5000.0))


def random_uptake(seed):
    """Smooth hot and cold areas without equal values."""
    rng = np.random.default_rng(seed)
    return 3.0 + 14.0 * ndimage.gaussian_filter(rng.standard_normal((7, 11, 9)), 1.0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_foci_are_connected_hot_and_apart(seed):
    array = random_uptake(seed)
    before = array.copy()
    foci = search(array, most=1000)
    np.testing.assert_array_equal(array, before)
    n_times = np.zeros(array.shape, dtype=int)
    for mask in foci.masks:
        n_times += mask
        assert ndimage.label(mask)[1] == 1
        assert array[mask].min() >= 2.5
        assert array[mask].max() >= 4.0
    assert n_times.max() <= 1
    assert n_times[array >= 4.0].all()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), axes=st.sets(st.integers(0, 2)), order=st.permutations([0, 1, 2]))
def test_flipped_and_turned_array_gives_the_same_foci(seed, axes, order):
    array = random_uptake(seed)
    turned = np.flip(array.transpose(order), tuple(axes))
    expected = [np.flip(mask.transpose(order), tuple(axes)) for mask in search(array).masks]
    found = search(turned).masks
    assert len(found) == len(expected)
    for mask, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mask, other)
