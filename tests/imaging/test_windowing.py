"""Windows: values by hand, pydicom as an independent reader of the same formulas, percentiles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from hounsfield.core.errors import UsageError
from hounsfield.imaging.windowing import Window


def test_linear_by_hand():
    # PS3.3 C.11.2.1.2.1 with centre 10 and width 5: black up to 7.5, white above 11.5, 9.5 in the middle.
    grey = Window(10.0, 5.0, "LINEAR").apply(np.array([7.0, 7.5, 8.5, 9.5, 10.5, 11.5, 12.0]))
    assert grey.tolist() == [0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0]


def test_linear_of_width_one_is_a_step():
    assert Window(3.0, 1.0, "LINEAR").apply(np.array([2.0, 2.5, 2.6, 3.0])).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_linear_exact_by_hand():
    # Centre 10, width 4: black at 8, white at 12 (C.11.2.1.3.2).
    assert Window(10.0, 4.0).apply(np.array([7.0, 8.0, 9.0, 10.0, 12.0, 13.0])).tolist() == [
        *(0.0, 0.0, 0.25, 0.5, 1.0, 1.0)
    ]


def test_sigmoid_by_hand():
    # 1 / (1 + exp(-4 (x - c) / w)): half at the centre, 1 / (1 + exp(-2)) half a width above it.
    grey = Window(100.0, 50.0, "SIGMOID").apply(np.array([100.0, 125.0, -1e6, 1e6]))
    assert grey == pytest.approx([0.5, 1.0 / (1.0 + np.exp(-2.0)), 0.0, 1.0], abs=1e-6)


@pytest.mark.peer
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(40.0, 400.0), (-600.0, 1500.0), (10.0, 1.0), (0.5, 2.0)])
def test_same_as_pydicom(function, center, width):
    ds = Dataset()
    ds.PhotometricInterpretation, ds.BitsStored, ds.PixelRepresentation = "MONOCHROME2", 16, 1
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = center, width, function
    stored = np.arange(-2000, 2000, dtype=np.int16)
    with np.errstate(over="ignore"):  # their exponential overflows to the right limit
        theirs = (apply_windowing(stored, ds) + 32768.0) / 65535.0
    assert Window(center, width, function).apply(stored) == pytest.approx(theirs, abs=1e-5)


@given(st.floats(-2000, 2000), st.floats(1.0, 4000), st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID"]))
def test_grey_rises_with_the_value_and_stays_in_its_range(center, width, function):
    grey = Window(center, width, function).apply(np.linspace(-5000, 5000, 501))
    assert grey.dtype == np.float32
    assert grey.min() >= 0.0
    assert grey.max() <= 1.0
    assert (np.diff(grey) >= 0.0).all()


def test_percentiles_by_hand():
    window = Window.from_percentiles(np.arange(101.0), low_percent=10, high_percent=90)
    assert (window.center, window.width) == (50.0, 80.0)


def test_percentiles_skip_what_is_no_number():
    values = np.array([np.nan, np.inf, 0.0, 10.0])
    assert Window.from_percentiles(values, low_percent=0, high_percent=100) == Window.between(0.0, 10.0)
    assert Window.between(0.0, 10.0).apply(values).tolist() == [0.0, 1.0, 0.0, 1.0]


def test_constant_picture_is_grey():
    assert (
        Window.from_percentiles(np.full(9, 7.0), low_percent=1, high_percent=99).apply(np.array([7.0])) == 0.5
    )


def test_argument_is_not_changed():
    values = np.array([1.0, np.nan], dtype=np.float32)
    Window(0.0, 1.0).apply(values)
    assert np.isnan(values[1])


@pytest.mark.parametrize(
    ("width", "function", "message"),
    [
        (0.5, "LINEAR", "at least 1 for LINEAR"),
        (0.0, "LINEAR_EXACT", "shows nothing"),
        (float("nan"), "SIGMOID", "shows nothing"),
        (1.0, "CUBIC", "none of LINEAR, LINEAR_EXACT, SIGMOID"),
    ],
)
def test_windows_that_show_nothing_are_refused(width, function, message):
    with pytest.raises(UsageError, match=message):
        Window(0.0, width, function)


def test_percentiles_that_do_not_rise_are_refused():
    with pytest.raises(UsageError, match="not two rising ones"):
        Window.from_percentiles(np.arange(3.0), low_percent=90, high_percent=10)


def test_picture_without_a_finite_value_is_refused():
    with pytest.raises(UsageError, match="without one finite value"):
        Window.from_percentiles(np.full(3, np.nan), low_percent=1, high_percent=99)
