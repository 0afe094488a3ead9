"""However the files of a series come, the voxel at a place of the patient is the same."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import RLELossless
from tests.studies.reading import codes, only_series
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import HounsfieldError
from hounsfield.studies import read_study

N_SLICES = 6
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
angles_deg = st.floats(-180.0, 180.0).map(lambda value: round(value, 2))


@st.composite
def orientations(draw):
    """Six cosines of any orthonormal pair of directions, right or left turned, oblique or not."""
    about_x, about_y, about_z = (
        np.radians(draw(angles_deg | st.sampled_from((0.0, 90.0, 180.0)))) for _ in "xyz"
    )
    cx, sx, cy, sy, cz, sz = (f(a) for a in (about_x, about_y, about_z) for f in (np.cos, np.sin))
    turn = (
        np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    )
    mirrored = draw(st.sampled_from((1.0, -1.0)))
    return tuple(np.round(np.concatenate([turn[:, 0], mirrored * turn[:, 1]]), 10))


def slices_of(orientation):
    return [ct_instance(k, orientation=orientation, spacing_mm=(2.0, 0.8, 0.7)) for k in range(N_SLICES)]


def written(slices, names):
    """The one series of slices saved under those names."""
    with tempfile.TemporaryDirectory() as folder:
        for ds, name in zip(slices, names, strict=True):
            ds.save_as(Path(folder) / name, enforce_file_format=True)
        series = only_series(Path(folder))
        return series, series.image()


def value_at(image, point_mm):
    index = np.rint(image.grid.mm_to_index(point_mm)).astype(int)
    assert np.abs(image.grid.mm_to_index(point_mm) - index).max() < 0.01
    return image.array[tuple(index)]


def place_of(ds, row, column):
    """The equation of PS3.3 C.7.6.2.1.1."""
    cosines = np.array(ds.ImageOrientationPatient, dtype=float)
    row_mm, column_mm = (float(v) for v in ds.PixelSpacing)
    origin_mm = np.array(ds.ImagePositionPatient, dtype=float)
    return origin_mm + column * column_mm * cosines[:3] + row * row_mm * cosines[3:]


# One gap: where more than a third of the steps are wide, the scanner may as well have changed its step.
gaps = st.integers(1, N_SLICES - 3).flatmap(lambda first: st.sampled_from([{first}, {first, first + 1}]))
voxels = st.tuples(st.integers(0, N_SLICES - 1), st.integers(0, 23), st.integers(0, 31))
file_names = st.lists(
    st.text("abcXYZ019_-", min_size=1, max_size=12).map(lambda stem: f"f{stem}"),
    min_size=N_SLICES,
    max_size=N_SLICES,
    unique_by=str.lower,
)


@QUICK
@given(orientations(), st.permutations(range(N_SLICES)), file_names, st.lists(voxels, min_size=1, max_size=5))
def test_order_names_and_orientation_move_no_voxel(orientation, order, names, places):
    slices = slices_of(orientation)
    series, image = written([slices[k] for k in order], names)
    assert codes(series) == []
    for k, row, column in places:
        stored = 1 + column + 32 * row + 1024 * k
        assert value_at(image, place_of(slices[k], row, column)) == stored - 1024


@QUICK
@given(orientations(), voxels)
def test_slices_stored_turned_and_mirrored_hold_the_same_patient(orientation, place):
    """Columns reversed, or rows and columns exchanged: header and pixels change together."""
    slices = slices_of(orientation)
    k, row, column = place
    point_mm = place_of(slices[k], row, column)
    expected = value_at(written(slices, [f"{n}.dcm" for n in range(N_SLICES)])[1], point_mm)
    for change in (reversed_columns, exchanged_axes):
        changed = [change(ds) for ds in slices_of(orientation)]
        assert value_at(written(changed, [f"{n}.dcm" for n in range(N_SLICES)])[1], point_mm) == expected


def reversed_columns(ds):
    pixels = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns)
    end_mm = place_of(ds, 0, ds.Columns - 1)
    cosines = [float(v) for v in ds.ImageOrientationPatient]
    ds.ImageOrientationPatient = [f"{v:.10f}"[:16] for v in (*(-v for v in cosines[:3]), *cosines[3:])]
    ds.ImagePositionPatient = [f"{v:.9f}"[:16] for v in end_mm]
    ds.PixelData = np.ascontiguousarray(pixels[:, ::-1]).tobytes()
    return ds


def exchanged_axes(ds):
    pixels = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns)
    cosines = list(ds.ImageOrientationPatient)
    ds.ImageOrientationPatient = [*cosines[3:], *cosines[:3]]
    ds.PixelSpacing = list(ds.PixelSpacing)[::-1]
    ds.Rows, ds.Columns = ds.Columns, ds.Rows
    ds.PixelData = np.ascontiguousarray(pixels.T).tobytes()
    return ds


@QUICK
@given(orientations(), gaps, voxels)
def test_slices_that_were_dropped_are_told_and_move_none_of_the_others(orientation, dropped, place):
    slices = slices_of(orientation)
    kept = [k for k in range(N_SLICES) if k not in dropped]
    series, image = written([slices[k] for k in kept], [f"{k}.dcm" for k in kept])
    (told,) = [c for c in series.conditions if c.code == "slices-missing"]
    assert f"{len(dropped)} of {N_SLICES} slices are missing" in told.text
    k, row, column = place
    point_mm = place_of(slices[k], row, column)
    if k in dropped:
        assert image.padding[tuple(np.rint(image.grid.mm_to_index(point_mm)).astype(int))]
    else:
        assert value_at(image, point_mm) == 1 + column + 32 * row + 1024 * k - 1024


@QUICK
@given(orientations(), st.integers(0, N_SLICES - 1), st.booleans())
def test_slice_that_is_there_twice_is_told_or_refused(orientation, k, has_new_uid):
    """The same file again is taken once; another instance on the same place cannot be chosen from."""
    slices, again = (
        slices_of(orientation),
        ct_instance(k, orientation=orientation, spacing_mm=(2.0, 0.8, 0.7)),
    )
    if has_new_uid:
        again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = "2.25.99"
    with tempfile.TemporaryDirectory() as folder:
        for number, ds in enumerate([*slices, again]):
            ds.save_as(Path(folder) / f"{number}.dcm", enforce_file_format=True)
        series = only_series(Path(folder))
    expected = ("duplicate-positions", "refusal") if has_new_uid else ("duplicate-instance", "note")
    assert expected in {(condition.code, condition.severity) for condition in series.conditions}
    assert series.is_refused == has_new_uid


@QUICK
@given(orientations())
def test_compression_changes_no_voxel_and_no_place(orientation):
    names = [f"{k}.dcm" for k in range(N_SLICES)]
    _, plain = written(slices_of(orientation), names)
    compressed = slices_of(orientation)
    for ds in compressed:
        ds.compress(RLELossless, generate_instance_uid=False)
    _, image = written(compressed, names)
    np.testing.assert_array_equal(image.array, plain.array)
    assert image.grid.is_same_as(plain.grid, tolerance_mm=0.0)
    for ds in compressed:
        ds.decompress(generate_instance_uid=False)
    np.testing.assert_array_equal(written(compressed, names)[1].array, plain.array)


@QUICK
@given(st.binary(max_size=400), st.integers(0, 1500))
def test_bytes_from_anywhere_are_refused_in_words(content, cut):
    """A file of nonsense, and one cut off anywhere: a condition or an error of ours, nothing else."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ct_instance(0).save_as(folder / "whole.dcm", enforce_file_format=True)
        (folder / "nonsense").write_bytes(content)
        (folder / "cut.dcm").write_bytes((folder / "whole.dcm").read_bytes()[:cut] + content)
        with suppress(HounsfieldError):
            read_study(folder)
