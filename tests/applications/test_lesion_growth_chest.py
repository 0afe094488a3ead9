"""Nodules on CT over visits: doubling times, response and matching against the truth of the phantom; a real CT."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from tests.applications.growth_studies import codes_of, read_growth

from hounsfield.measures import NoduleAtTwoTimes, vdt
from hounsfield.phantoms import write_phantom

DAYS = (0, 90, 270)


@pytest.fixture(scope="module")
def chest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chest")
    phantom = write_phantom(
        "lung-nodule-followup", folder, seed=41, regions="seg", visit_days=DAYS, n_slices=100, matrix_px=160
    )
    (reading,) = read_growth(folder).readings
    return phantom, reading


def truth_of(phantom, day):
    """True nodules at that day, in the order in which the application names them: the largest first."""
    first = sorted(phantom.images["day-0"].truth["nodules"], key=lambda one: -one["volume_mm3"])
    by_name = {one["name"]: one for one in phantom.images[f"day-{day}"].truth["nodules"]}
    return {f"Lesion {n}": by_name[one["name"]] for n, one in enumerate(first, start=1)}


@pytest.mark.slow
def test_volumes_are_the_true_ones_at_every_visit(chest):
    """Nodules of some dozen voxels: within 12 %."""
    phantom, reading = chest
    (trend,) = [one for one in reading.trends if one.name == "volume"]
    for day in DAYS:
        for label, nodule in truth_of(phantom, day).items():
            (curve,) = [one for one in trend.curves if one.label == label]
            assert curve.at(day) == pytest.approx(nodule["volume_mm3"] / 1000, rel=0.12)


@pytest.mark.slow
def test_growth_is_that_of_the_rule_on_true_volumes(chest):
    phantom, reading = chest
    for n, label in enumerate(truth_of(phantom, 0), start=1):
        first, last = (truth_of(phantom, day)[label]["volume_mm3"] for day in (0, 270))
        true = vdt(NoduleAtTwoTimes(v1_mm3=first, v2_mm3=last, days=270))
        (finding,) = [one for one in reading.findings if one.name == f"lesion-{n}"]
        assert true.category("growth-state") in finding.reason
        found = {m.name: m.value for m in finding.measurements}
        if true.value("vdt") is not None:
            assert found["vdt"] == pytest.approx(true.value("vdt"), rel=0.12)
        else:
            assert "vdt" not in found


@pytest.mark.slow
def test_patient_lying_elsewhere_is_found_by_alignment(chest):
    phantom, reading = chest
    assert "visits-aligned" in codes_of(reading)
    assert not codes_of(reading) & {"lesion-match-open", "lesion-not-outlined", "new-lesion-unconfirmed"}
    last = truth_of(phantom, 270)
    for n, nodule in enumerate(last.values(), start=1):
        region = reading.region(f"lesion-{n}")
        centre_mm = region.grid.index_to_mm(np.argwhere(region.mask)).mean(axis=0)
        np.testing.assert_allclose(centre_mm, nodule["centre_mm"], atol=1.0)


@pytest.mark.slow
@pytest.mark.real_data
def test_real_ct_with_a_copy_of_later_date_has_not_grown(real_data, tmp_path):
    """The chest CT of a patient and its structure set, and both again a year later, 20 mm away on the table.

    No real follow-up is at hand: this shows that real images and contours go the whole way, and that a
    tumour that is the same is found again as the same.
    """
    source = real_data / "chest_ct_nsclc"
    shift_mm = np.array([12.0, -7.0, 15.0])
    for path in sorted(source.rglob("*.dcm")):
        data = pydicom.dcmread(path)
        _call_the_tumour_so(data)
        (tmp_path / "one").mkdir(exist_ok=True)
        data.save_as(tmp_path / "one" / path.name)
        _later(data, shift_mm)
        (tmp_path / "two").mkdir(exist_ok=True)
        data.save_as(tmp_path / "two" / path.name)
    (reading,) = read_growth(tmp_path).readings
    assert reading.status in {"complete", "partial"}
    changes = {m.name: m.value for f in reading.findings for m in f.measurements if m.name == "volume-change"}
    assert changes
    assert abs(changes["volume-change"]) < 2.0
    assert "visits-aligned" in codes_of(reading)
    assert not codes_of(reading) & {"lesion-not-outlined", "new-lesion-unconfirmed"}


def _call_the_tumour_so(data):
    """The file gives its tumour the type of an organ, and what is called so is no lesion."""
    names = {roi.ROINumber: roi.ROIName for roi in data.get("StructureSetROISequence", ())}
    for observed in data.get("RTROIObservationsSequence", ()):
        if names[observed.ReferencedROINumber].startswith("GTV"):
            observed.RTROIInterpretedType = "GTV"


def _later(data, shift_mm):
    """Make the object one of another study, a year later and elsewhere."""

    def renamed(uid):
        return pydicom.uid.generate_uid(entropy_srcs=[str(uid), "later"])

    def visit(ds, element):
        known = {"StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID"}
        referenced = {"ReferencedSOPInstanceUID", "ReferencedFrameOfReferenceUID"}
        if element.keyword in known | referenced and element.value:
            element.value = renamed(element.value)
        if element.keyword == "ContourData":
            points = np.array(element.value, dtype=float).reshape(-1, 3) + shift_mm
            element.value = [round(float(v), 4) for v in points.ravel()]

    data.walk(visit)
    if "ImagePositionPatient" in data:
        moved = np.array(data.ImagePositionPatient, dtype=float) + shift_mm
        data.ImagePositionPatient = [round(float(v), 4) for v in moved]
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    first = data.StudyDate
    data.StudyDate = f"{int(first[:4]) + 1}{first[4:]}"
