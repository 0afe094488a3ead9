"""What is written is read back on the same voxels of the patient, whatever the orientation."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.test_series_order import N_SLICES, orientations, slices_of
from tests.results.readings import CREATED, documents, reading_of, write_all
from tests.tiny_dicom import ORIENTATIONS

from hounsfield.core import Measurement, Region
from hounsfield.core.code import LEFT, LUNG, RIGHT, VOLUME
from hounsfield.studies import read_study

QUICK = settings(max_examples=15, deadline=None)
SHAPE = (N_SLICES, 24, 32)


@st.composite
def masks(draw):
    """Boxes and single voxels anywhere, the last slice and column among them."""
    mask = np.zeros(SHAPE, dtype=bool)
    for _ in range(draw(st.integers(1, 4))):
        low = [draw(st.integers(0, size - 1)) for size in SHAPE]
        high = [draw(st.integers(at + 1, min(at + 6, size))) for at, size in zip(low, SHAPE, strict=True)]
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def written(orientation, order, marked, folder):
    """Series, study folder and results of a reading that marks these voxels; files in that order."""
    source = folder / "ct"
    source.mkdir()
    for name, k in enumerate(order):
        slices_of(orientation)[k].save_as(source / f"{name}.dcm", enforce_file_format=True)
    study = read_study(source)
    (series,) = study.series
    regions = [
        Region(name, LUNG, series.grid, mask, laterality=side)
        for (name, side), mask in zip((("left-lung", LEFT), ("right-lung", RIGHT)), marked, strict=False)
    ]
    reading = reading_of(series, regions=tuple(regions), measurements=(), findings=(), maps=())
    write_all(
        folder / "r",
        series,
        reading,
        study=study,
        image=series.image(),
        documents=documents(series),
        created=CREATED,
    )
    return series, regions


def read_back(folder, file, series):
    """The regions of one result, read as given regions on the grid of the series."""
    beside = folder / "ct" / file.name
    beside.write_bytes(file.read_bytes())
    found = [s for s in read_study(folder / "ct").series if s.kind == "regions"]
    return [region for one in found for region in one.regions(series.grid)]


def check_segmentation(orientation, order, marked):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        series, regions = written(orientation, order, marked, folder)
        found = read_back(folder, folder / "r" / "dicom" / "segmentation.dcm", series)
        assert [region.name for region in found] == [region.name for region in regions]
        for one, other in zip(found, regions, strict=True):
            assert (one.concept, one.laterality) == (other.concept, other.laterality)
            np.testing.assert_array_equal(one.mask, other.mask)


@QUICK
@given(orientations(), st.permutations(range(N_SLICES)), masks(), masks())
def test_segmentation_comes_back_on_its_voxels(orientation, order, one, other):
    check_segmentation(orientation, order, (one, other))


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("order", [range(N_SLICES), range(N_SLICES)[::-1]], ids=["rising", "falling"])
def test_segmentation_of_every_plane_and_order(name, order):
    corner = np.zeros(SHAPE, dtype=bool)
    corner[0, 0, 0] = corner[-1, -1, -1] = corner[2, 5, 17] = True
    check_segmentation(ORIENTATIONS[name], list(order), (corner,))


@pytest.mark.parametrize(
    ("marked", "unstated"),
    [
        *((marked, ["SpacingBetweenSlices"]) for marked in ((0, 2, 5), (0, 2, 4), (0, 3), (1, 5))),
        *(
            (marked, ["SpacingBetweenSlices", "SliceThickness"])
            for marked in ((0, 2, 5), (0, 2, 4), (1, 5), (0, 3), (2,))
        ),
    ],
)
def test_segmentation_of_others_is_spread_over_no_slice_between(marked, unstated, tmp_path):
    """Files that leave empty frames out and do not state the distance of slices, or not even a thickness."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[list(marked), 5, 7] = True
    series, _ = written(ORIENTATIONS["oblique"], range(N_SLICES), (mask,), tmp_path)
    file = tmp_path / "r" / "dicom" / "segmentation.dcm"
    seg = pydicom.dcmread(file)
    for keyword in unstated:
        delattr(seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0], keyword)
    seg.save_as(file)
    (found,) = read_back(tmp_path, file, series)
    np.testing.assert_array_equal(found.mask, mask)


@QUICK
@given(orientations(), st.permutations(range(N_SLICES)), masks())
def test_nifti_mask_comes_back_on_its_voxels(orientation, order, mask):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        series, _ = written(orientation, order, (mask,), folder)
        file = folder / "r" / "masks" / "left-lung.nii.gz"
        named = file.rename(file.with_name("left_lung_mask.nii.gz"))
        (found,) = read_back(folder, named, series)
        np.testing.assert_array_equal(found.mask, mask)


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


@QUICK
@given(numbers, texts)
def test_numbers_and_texts_come_back_exactly_from_json_and_csv(value, note):
    from tests.results.readings import headers_of, series_of

    series = series_of(headers_of())
    measured = Measurement("volume", VOLUME, value, "ml", "region-volume", "1.0.0", note=note)
    reading = reading_of(series, regions=(), findings=(), maps=(), measurements=(measured,))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "r"
        write_all(folder, series, reading)
        (record,) = json.loads((folder / "reading.json").read_text("utf-8"))["measurements"]
        assert (record["value"], record["note"]) == (value, note)
        with (folder / "measurements.csv").open(encoding="utf-8", newline="") as lines:
            (row,) = csv.DictReader(lines)
        assert float(row["value"]) == value
        assert row["note"].removeprefix("'") == note.removeprefix("'")
