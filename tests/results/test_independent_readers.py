"""What every application leaves behind, read by programs that know nothing of this project."""

from __future__ import annotations

import json
import re
import subprocess

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK

from hounsfield.core import applications

NAMES = applications.names()
DICOM_FILES = ("segmentation.dcm", "measurements.dcm", "report.dcm")
pytestmark = pytest.mark.peer


def said_by(*words):
    """What a program prints, on both channels, as the bytes of old character sets may come."""
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode("latin-1")


@pytest.fixture(scope="module", params=NAMES)
def written(request, synthetic):
    """Reading and folder of results of one application."""
    _, reading, folder = synthetic.results(request.param)
    return reading, folder


def objects(folder):
    return sorted((folder / "dicom").iterdir())


def test_objects_of_every_kind_are_there(written):
    _, folder = written
    names = {path.name for path in objects(folder)}
    assert set(DICOM_FILES) <= names
    assert "picture-1.dcm" in names


def test_dciodvfy_finds_no_error(written, peer_program):
    _, folder = written
    for path in objects(folder):
        _, text = said_by(peer_program("dciodvfy"), path)
        assert [line for line in text.splitlines() if line.startswith("Error")] == [], path.name


def test_dcentvfy_finds_one_patient_and_study(written, peer_program):
    _, folder = written
    _, text = said_by(peer_program("dcentvfy"), *objects(folder))
    assert [line for line in text.splitlines() if line.startswith("Error")] == []


def test_dsrdump_reads_the_whole_report(written, peer_program):
    reading, folder = written
    code, text = said_by(peer_program("dsrdump"), "+Pl", "+Pc", folder / "dicom" / "measurements.dcm")
    assert code == 0, text
    assert not re.findall(r"^[EW]: .*", text, re.MULTILINE)
    assert "Comprehensive 3D SR Document" in text
    assert "UNVERIFIED" in text
    assert "Research use only. Not a medical device." in text
    for m in reading.all_measurements():
        number, unit = rf'"{re.escape(f"{m.value:.12g}"[:8])}[^"]*"', re.escape(f"({m.unit},UCUM")
        named = re.escape(f'({m.quantity.value},{m.quantity.scheme},"{m.quantity.meaning}")')
        assert re.search(rf"NUM:{named}={number} {unit}", text), m.name
    for condition in reading.conditions:
        assert condition.code in text


def test_dcmdump_reads_every_object(written, peer_program):
    _, folder = written
    for path in objects(folder):
        code, text = said_by(peer_program("dcmdump"), "--quiet", path)
        assert code == 0, text
        assert str(pydicom.dcmread(path).SOPInstanceUID) in text


def test_highdicom_reads_the_segments_as_they_were_drawn(written):
    reading, folder = written
    seg = hd.seg.segread(folder / "dicom" / "segmentation.dcm")
    labels = {seg.get_segment_description(n).segment_label: n for n in seg.segment_numbers}
    assert set(labels) == {region.name for region in reading.regions}
    uids = list(reading.inputs[0].sop_instance_uids)
    for region in reading.regions:
        drawn = seg.get_pixels_by_source_instance(
            uids, segment_numbers=[labels[region.name]], assert_missing_frames_are_empty=True
        )
        np.testing.assert_array_equal(drawn[..., 0].astype(bool), region.mask)


def test_highdicom_reads_every_number_of_the_report(written):
    reading, folder = written
    content = hd.sr.srread(folder / "dicom" / "measurements.dcm").content
    groups = [*content.get_image_measurement_groups(), *content.get_volumetric_roi_measurement_groups()]
    groups += content.get_planar_roi_measurement_groups()
    found = [
        (measurement.name.value, float(measurement.value), measurement.unit.value)
        for group in groups
        for measurement in group.get_measurements()
    ]
    expected = [(m.quantity.value, m.value, m.unit) for m in reading.all_measurements()]
    assert not [one for one in expected if one not in found]


def test_pdf_in_dicom_is_the_report(written, peer_program):
    _, folder = written
    ds = pydicom.dcmread(folder / "dicom" / "report.dcm")
    pdf = (folder / "report.pdf").read_bytes()
    assert ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength] == pdf
    code, text = said_by(peer_program("pdftotext"), folder / "report.pdf", "-")
    assert code == 0
    assert "Research use only. Not a medical device." in text


def test_simpleitk_finds_each_mask_where_it_was_drawn(written):
    reading, folder = written
    record = json.loads((folder / "reading.json").read_text("utf-8"))
    assert len(record["regions"]) == len(list(folder.glob("masks/*")))
    for region in reading.regions:
        if not region.grid.has_millimetres:  # a film has no place; its mask is a picture
            drawn = SimpleITK.ReadImage(str(folder / "masks" / f"{region.name}.png"))
            np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(drawn) > 0, region.mask[0])
            continue
        image = SimpleITK.ReadImage(str(folder / "masks" / f"{region.name}.nii.gz"))
        array = SimpleITK.GetArrayFromImage(image)
        np.testing.assert_array_equal(array.astype(bool), region.mask)
        for z, y, x in np.argwhere(region.mask)[:: max(1, region.n_voxels // 5)]:
            there = image.TransformIndexToPhysicalPoint((int(x), int(y), int(z)))
            np.testing.assert_allclose(there, region.grid.index_to_mm(np.array([z, y, x])), atol=1e-3)
