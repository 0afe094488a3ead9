"""Sorting planes and judging their steps: hand-made stacks with known faults."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import GeometryError
from hounsfield.imaging.slices import Gap, stack_slices, tolerated_mm

UP = np.array([0.0, 0.0, 1.0])


def along_z(*heights_mm: float) -> np.ndarray:
    return np.array([[5.0, -7.0, z] for z in heights_mm])


def test_regular_stack():
    stack = stack_slices(along_z(30.0, 32.5, 35.0), UP)
    assert stack.order.tolist() == [0, 1, 2]
    assert stack.step_mm.tolist() == [0.0, 0.0, 2.5]
    assert stack.is_regular
    assert stack.gaps == () == stack.duplicates
    assert not stack.is_tilted
    assert stack.is_one_line


def test_order_is_by_position_and_not_as_given():
    assert stack_slices(along_z(35.0, 30.0, 32.5), UP).order.tolist() == [1, 2, 0]


def test_gap_of_two_slices_is_found():
    stack = stack_slices(along_z(0, 2, 4, 10, 12, 14, 16), UP)
    assert stack.gaps == (Gap(before=2, after=3, n_missing=2),)
    assert stack.slots.tolist() == [0, 1, 2, 5, 6, 7, 8]
    assert stack.n_slots == 9
    assert stack.step_mm[2] == pytest.approx(2.0)


def test_one_gap_in_three_slices_is_found():
    assert stack_slices(along_z(0, 1, 3), UP).gaps == (Gap(1, 2, 1),)


def test_two_single_gaps_in_six_slices_are_found():
    assert stack_slices(along_z(0, 1, 3, 4, 6, 7), UP).gaps == (Gap(1, 2, 1), Gap(3, 4, 1))


def test_thick_slices_at_one_end_are_no_gaps():
    """Old head CT: 2.5 mm at the base, 5 mm at the vertex. Nothing is missing there."""
    stack = stack_slices(along_z(0, 2.5, 5, 7.5, 12.5, 17.5, 22.5), UP)
    assert not stack.is_regular
    assert stack.gaps == ()
    assert stack.n_slots == 7


def test_steps_that_are_no_multiples_vary():
    """The tilted head of the odd files: 4.0, 1.08 and 7.0 mm."""
    assert not stack_slices(along_z(0, 4, 8, 12, 13.08, 20.08, 27.08), UP).is_regular


def test_bed_overlap_of_a_pet_is_tolerated_and_measured():
    heights = np.arange(20) * 3.27
    heights[10:] += 0.02
    stack = stack_slices(along_z(*heights), UP)
    assert stack.is_regular
    assert 0.005 < stack.jitter_mm < 0.02
    assert tolerated_mm(3.27) == 0.1


def test_positions_with_one_decimal_are_even():
    heights = np.round(np.arange(100) * 0.625, 1)
    stack = stack_slices(along_z(*heights), UP)
    assert stack.is_regular
    assert stack.gaps == ()
    # Half a tenth for the plane and half a tenth for the ends between which slots are spread.
    assert stack.jitter_mm <= 0.1


def test_duplicate_places_are_grouped():
    stack = stack_slices(along_z(0, 1, 1, 2, 2, 2), UP)
    assert stack.duplicates == ((1, 2), (3, 4, 5))
    assert stack.slots.tolist() == [0, 1, 1, 2, 2, 2]


def test_tilt_is_measured_and_kept_in_the_step():
    positions = np.array([[0.0, -k * np.tan(np.radians(15.0)), k] for k in range(10)]) * 3.0
    stack = stack_slices(positions, UP)
    assert stack.tilt_deg == pytest.approx(15.0)
    assert stack.is_tilted
    assert stack.is_one_line
    np.testing.assert_allclose(stack.step_mm, [0, -3 * np.tan(np.radians(15.0)), 3], atol=1e-12)


def test_two_stacks_side_by_side_are_not_one_line():
    positions = along_z(0, 1, 2, 3, 4, 5)
    positions[3:, 0] += 40.0
    stack = stack_slices(positions, UP)
    assert not stack.is_one_line


def test_planes_on_one_place_form_no_stack():
    with pytest.raises(GeometryError, match="all 3 planes lie on the same place"):
        stack_slices(along_z(4, 4, 4), UP)


@given(
    st.integers(3, 40),
    st.floats(0.3, 10),
    st.floats(-300, 300),
    st.randoms(use_true_random=False),
)
def test_any_shuffle_gives_the_same_stack(n_slices, step_mm, start_mm, random):
    positions = along_z(*(start_mm + step_mm * np.arange(n_slices)))
    shuffled = list(range(n_slices))
    random.shuffle(shuffled)
    stack = stack_slices(positions[shuffled], UP)
    assert [shuffled[k] for k in stack.order] == list(range(n_slices))
    assert stack.is_regular
    assert stack.gaps == ()


@given(st.integers(6, 60), st.floats(0.3, 10), st.data())
def test_a_dropped_slice_leaves_the_others_in_place(n_slices, step_mm, data):
    dropped = data.draw(st.integers(1, n_slices - 2))
    kept = [k for k in range(n_slices) if k != dropped]
    stack = stack_slices(along_z(*(step_mm * np.array(kept))), UP)
    assert stack.slots.tolist() == kept
    assert stack.step_mm[2] == pytest.approx(step_mm)
    assert stack.gaps == (Gap(dropped - 1, dropped, 1),)
