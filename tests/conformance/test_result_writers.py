"""What every registered result writer must do, on readings of every kind of source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.results.readings import (
    CREATED,
    documents,
    grid_of,
    headers_of,
    nifti_series,
    raster_series,
    reading_of,
    regions_on,
    series_of,
)

from hounsfield.core import Condition, Image, Reading, Study
from hounsfield.results import Context, result_writers
from hounsfield.results.dicom_context import dicom_source
from hounsfield.results.folder import OWN_NAMES

NAMES = result_writers.names()
HOSTILE = ("../../outside", "=cmd|' /C calc'!A0", "a\0b/c\\d", "<script>", "Ö" * 300)


def context_of(series, reading=None, *, image=True):
    """All that a writer gets for `reading` of `series`."""
    reading = reading or reading_of(series)
    headers = list(series.headers())
    return Context(
        reading,
        {"thorax": series},
        series,
        Study("study", (series,)),
        Image(np.zeros(series.grid.shape, np.int16), series.grid, series.unit) if image else None,
        documents(series),
        CREATED,
        dicom_source(reading, headers, [], CREATED) if headers else None,
    )


def refused(series):
    reading = Reading.refused(Condition("too-bad", "refusal", "Nothing can be read."))
    known = reading_of(series)
    return replace(reading, **{n: getattr(known, n) for n in ("application", "title", "uid", "provenance")})


def with_hostile_names(series):
    plain, _ = regions_on(series.grid)
    regions = tuple(replace(plain, name=name) for name in HOSTILE)
    return replace(reading_of(series), regions=regions, measurements=(), findings=(), maps=())


def dicom():
    return series_of(headers_of())


CONTEXTS = {
    "dicom": lambda: context_of(dicom()),
    "a single slice": lambda: context_of(series_of(headers_of(n=1))),
    "nifti": lambda: context_of(nifti_series(grid_of(headers_of()))),
    "raster": lambda: context_of(raster_series()),
    "refused": lambda: context_of(dicom(), refused(dicom()), image=False),
    "hostile names": lambda: context_of(dicom(), with_hostile_names(dicom())),
    "nothing found": lambda: context_of(
        dicom(), replace(reading_of(dicom()), regions=(), measurements=(), findings=(), maps=())
    ),
}


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def write(name, context, folder):
    """The paths that a writer gives for a reading, none where it says why it gives none."""
    folder.mkdir()
    writer = result_writers.get(name)
    reason = writer.left_out_because(context)
    if reason is None:
        return writer.write(context, folder)
    assert len(reason.split()) >= 4, f"the reason {reason!r} says too little"
    assert not reason.endswith("."), "README.txt sets the stop"
    return []


def test_there_are_some():
    assert {"reading_json", "segmentation", "structured_report", "secondary_capture", "nifti"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", CONTEXTS)
def test_what_it_says_it_wrote_is_there_and_nothing_else(name, kind, tmp_path):
    paths = write(name, CONTEXTS[kind](), tmp_path / "r")
    assert sorted(paths) == files_of(tmp_path)
    assert all(path.stat().st_size for path in paths)
    assert {path.relative_to(tmp_path / "r").parts[0] for path in paths} <= OWN_NAMES


@pytest.mark.parametrize("name", NAMES)
def test_reading_of_dicom_with_all_parts_has_its_result(name, tmp_path):
    assert write(name, CONTEXTS["dicom"](), tmp_path / "r")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", CONTEXTS)
def test_same_reading_gives_the_same_bytes(name, kind, tmp_path):
    one, other = (write(name, CONTEXTS[kind](), tmp_path / part) for part in "ab")
    assert [p.relative_to(tmp_path / "a") for p in one] == [p.relative_to(tmp_path / "b") for p in other]
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]


@pytest.mark.parametrize("name", NAMES)
def test_reading_and_headers_are_not_changed(name, tmp_path):
    headers = headers_of()
    series = series_of(headers)
    context = context_of(series)
    record, stated = context.reading.to_json(), [header.to_json() for header in headers]
    masks = [region.mask.copy() for region in context.reading.regions]
    write(name, context, tmp_path / "r")
    assert context.reading.to_json() == record
    assert [header.to_json() for header in headers] == stated
    for region, mask in zip(context.reading.regions, masks, strict=True):
        np.testing.assert_array_equal(region.mask, mask)


@pytest.mark.parametrize("name", NAMES)
def test_name_of_a_file_names_no_patient(name, tmp_path):
    for path in write(name, CONTEXTS["dicom"](), tmp_path / "r"):
        assert not {"synthetic", "syn-1"} & set(path.relative_to(tmp_path).as_posix().lower().split("/"))
        assert path.name.isascii()
