"""Parametric maps: the values, their place and their meaning, read back by others."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import highdicom as hd
import numpy as np
import pydicom
import pytest
from tests.results.readings import grid_of, headers_of, reading_of, series_of, write_all
from tests.tiny_dicom import AXIAL

from hounsfield.core import ExplanationMap, Grid
from hounsfield.core.code import GRAD_CAM, private_code


def reading_with_maps(series, n_maps=1):
    rng = np.random.default_rng(5)
    known = reading_of(series)
    maps = tuple(
        ExplanationMap(
            f"map-{n}",
            GRAD_CAM if n == 0 else private_code("OTHER", "Another method"),
            known.findings[0].name,
            series.grid,
            rng.random(series.grid.shape).astype(np.float32),
            "Pointed at the truth in 48 % of slices.",
        )
        for n in range(n_maps)
    )
    return replace(known, maps=maps)


def written(folder, series, n_maps=1):
    reading = reading_with_maps(series, n_maps)
    write_all(folder / "r", series, reading)
    return reading, sorted((folder / "r" / "dicom").glob("map-*.dcm"))


@pytest.mark.parametrize("n_slices", [1, 6])
def test_values_and_places_come_back_with_highdicom(tmp_path, n_slices):
    headers = headers_of(AXIAL, n=n_slices)
    series = series_of(headers)
    reading, [path] = written(tmp_path, series)
    parametric = hd.pm.ParametricMap.from_dataset(pydicom.dcmread(path))
    stored = parametric.pixel_array if n_slices > 1 else parametric.pixel_array[None]
    by_position = {}
    for item, frame in zip(parametric.PerFrameFunctionalGroupsSequence, stored, strict=True):
        position = tuple(float(v) for v in item.PlanePositionSequence[0].ImagePositionPatient)
        by_position[position] = frame
    for k, header in enumerate(headers):
        position = tuple(float(v) for v in header.ImagePositionPatient)
        np.testing.assert_array_equal(by_position[position], reading.maps[0].values[k])
    assert stored.dtype == np.float32


def test_values_say_what_they_are_and_refer_to_the_source(tmp_path):
    headers = headers_of()
    _, [path] = written(tmp_path, series_of(headers))
    ds = pydicom.dcmread(path)
    [mapping] = ds.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence
    assert (
        mapping.DoubleFloatRealWorldValueFirstValueMapped,
        mapping.DoubleFloatRealWorldValueLastValueMapped,
    ) == (
        0.0,
        1.0,
    )
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
    [quantity] = mapping.QuantityDefinitionSequence
    assert quantity.ConceptCodeSequence[0].CodeValue == "EXPLANATION"
    assert {i.ReferencedSOPInstanceUID for i in ds.SourceImageSequence} == {h.SOPInstanceUID for h in headers}
    assert ds.FrameOfReferenceUID == headers[0].FrameOfReferenceUID
    assert ds.PatientID == headers[0].PatientID
    assert "48 %" in ds.ImageComments


def test_each_map_is_an_object_of_one_series(tmp_path):
    _, paths = written(tmp_path, series_of(headers_of()), n_maps=2)
    objects = [pydicom.dcmread(path) for path in paths]
    assert len({o.SOPInstanceUID for o in objects}) == 2
    assert len({o.SeriesInstanceUID for o in objects}) == 1
    assert [o.InstanceNumber for o in objects] == [1, 2]


def test_without_a_place_in_the_patient_or_without_maps_there_is_none_and_the_reason_is_told(tmp_path):
    headers = headers_of(n=1)
    flat = Grid(grid_of(headers).shape, None)
    series = series_of(headers, flat)
    _, paths = written(tmp_path / "flat", series)
    assert paths == []
    assert "states no position" in (tmp_path / "flat" / "r" / "README.txt").read_text(encoding="utf-8")
    write_all(tmp_path / "none", series_of(headers), replace(reading_of(series_of(headers)), maps=()))
    assert "holds no map" in (tmp_path / "none" / "README.txt").read_text(encoding="utf-8")


@pytest.mark.peer
@pytest.mark.parametrize("n_slices", [1, 6])
def test_dciodvfy_finds_no_error(tmp_path, n_slices, peer_program):
    _, [path] = written(tmp_path, series_of(headers_of(n=n_slices)))
    checked = subprocess.run(
        [peer_program("dciodvfy"), str(path)], capture_output=True, check=False, timeout=60, text=True
    )
    errors = [line for line in checked.stderr.splitlines() if line.startswith("Error")]
    assert errors == []
