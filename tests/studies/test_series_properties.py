"""However the files of a series come, the voxel at a place in the patient is the same one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.studies.reading import codes, only_series
from tests.tiny_dicom import ct_instance

N = 7
SPACING_MM = (2.5, 0.8, 0.7)
ORIGIN_MM = np.array([-10.0, -20.0, 30.0])


def turned(angles):
    """Row and column direction after turns about z, y and x (radians)."""
    turn = np.eye(3)
    for axis, angle in zip((2, 1, 0), angles, strict=True):
        i, j = [k for k in range(3) if k != axis]
        step = np.eye(3)
        step[i, i] = step[j, j] = np.cos(angle)
        step[i, j], step[j, i] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    return turn[:, 0], turn[:, 1]


def value_at(image, place_mm):
    """By linear interpolation, which is exact: the phantom's values are linear in the index."""
    index = image.grid.mm_to_index(place_mm)
    corner = np.clip(np.floor(index + 1e-6).astype(int), 0, np.array(image.array.shape) - 2)
    weights = index - corner
    cube = image.array[tuple(slice(c, c + 2) for c in corner)].astype(float)
    for weight in weights:
        cube = cube[0] * (1 - weight) + cube[1] * weight
    return float(cube)


@settings(max_examples=25, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-3.1, 3.1)] * 3),
    order=st.permutations(range(N)),
    dropped=st.sampled_from([None, 1, 2, 4, 5]),
    repeated=st.lists(st.integers(0, N - 1), max_size=2),
    tilt_deg=st.sampled_from([0.0, 0.0, -21.0, 12.0]),
)
def test_a_voxel_stays_at_its_place(angles, order, dropped, repeated, tilt_deg):
    row, column = turned(angles)
    step_mm = SPACING_MM[0] * (np.cross(row, column) + np.tan(np.radians(tilt_deg)) * column)
    with tempfile.TemporaryDirectory() as folder:
        for number, k in enumerate(
            [k for k in order if k != dropped] + [k for k in repeated if k != dropped]
        ):
            ds = ct_instance(k, orientation=(*row, *column))
            ds.ImagePositionPatient = [f"{x:.9g}"[:16] for x in ORIGIN_MM + k * step_mm]
            ds.save_as(Path(folder) / f"{number}.dcm", enforce_file_format=True)
        series = only_series(folder)
        image = series.image()
    told = set(codes(series))
    assert ("slices-missing" in told) == (dropped is not None)
    assert ("duplicate-instance" in told) == bool([k for k in repeated if k != dropped])
    assert ("gantry-tilt" in told) == (tilt_deg != 0.0)
    for k, j, i in [(0, 0, 0), (N - 1, 23, 31), (3, 7, 19), (0, 22, 2)]:
        if k != dropped and k + 1 != dropped:
            inner_j = min(max(j, 1), 22)
            place_mm = ORIGIN_MM + k * step_mm + inner_j * 0.8 * column + i * 0.7 * row
            assert value_at(image, place_mm) == pytest.approx(1 + i + 32 * inner_j + 1024 * k - 1024, abs=0.5)
