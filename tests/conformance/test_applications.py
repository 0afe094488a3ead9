"""What every registered application must do, on a synthetic study of the kind that it asks for."""

from __future__ import annotations

import json
import re
import shutil
import tracemalloc
from dataclasses import replace

import jsonschema
import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.sr._concepts_dict import concepts as concepts_by_scheme
from tests.conformance.studies_by_needs import STUDIES, copy_needed_regions, images_of, kind_of
from tests.docs.pages import ROOT

import hounsfield
from hounsfield.core import Inputs, Region, applications
from hounsfield.core.code import PRIVATE_SCHEME
from hounsfield.imaging.affine import ras_xyz_from_lps_zyx
from hounsfield.measures import measures
from hounsfield.results import schema
from hounsfield.studies import read_studies
from hounsfield.studies.grouping import PROJECTIONS

NAMES = applications.names()
OTHERS = [
    (name, kind)
    for name in NAMES
    for kind in STUDIES
    if kind[0] not in applications.get(name).needs.main.modalities
]
RULES = {(measure.card.name, measure.card.version) for measure in measures}
CONDITION_CODES = set(
    re.findall(
        r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs/reference/conditions.md").read_text("utf-8"), re.MULTILINE
    )
)
# What states the time of writing, and nothing else that could differ.
TIMES = {"reading.json", "report.html"}
DATES = ("InstanceCreation", "Series", "Content")


@pytest.fixture(scope="module")
def studies(synthetic):
    return synthetic.study


@pytest.fixture(scope="module")
def study_for(synthetic):
    return synthetic.study_for


@pytest.fixture(scope="module")
def models(synthetic):
    return synthetic.models


@pytest.fixture(scope="module")
def read(synthetic):
    return synthetic.read


@pytest.fixture(scope="module")
def done(synthetic):
    return synthetic.results


def without_time(reading):
    return replace(reading, provenance=replace(reading.provenance, timing_s={})).to_json()


def check_form(reading):
    """The record fits its schema, and a refused one says why and holds nothing else."""
    record = json.loads(json.dumps(reading.to_json(), allow_nan=False))
    jsonschema.Draft202012Validator(schema()).validate(record)
    if reading.status == "refused":
        assert any(condition.severity == "refusal" for condition in reading.conditions)
        assert not any(record[part] for part in ("findings", "measurements", "regions", "maps"))


def test_there_are_some():
    assert {"lung_ct", "pet_metabolic", "brain_tumour_mr"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_study_of_its_kind_gives_a_reading_that_says_something(name, done):
    _, reading, folder = done(name)
    assert reading.status in {"complete", "partial"}, [c.text for c in reading.conditions]
    assert reading.findings or reading.measurements
    check_form(reading)
    written = json.loads((folder / "reading.json").read_text("utf-8"))
    assert written == json.loads(json.dumps(reading.to_json()))


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_it_names_is_registered(name, done):
    _, reading, _ = done(name)
    assert {(m.rule, m.rule_version) for m in reading.all_measurements()} <= RULES
    assert {condition.code for condition in reading.conditions} <= CONDITION_CODES
    named = [*(f.concept for f in reading.findings), *(r.concept for r in reading.regions)]
    named += [m.quantity for m in reading.all_measurements()] + [item.method for item in reading.maps]
    for code in (*named, *applications.get(name).codes):
        known = {value for item in concepts_by_scheme.get(code.scheme, {}).values() for value in item}
        assert code.scheme == PRIVATE_SCHEME or code.value in known, code


@pytest.mark.parametrize("name", NAMES)
def test_provenance_is_complete(name, done, models):
    study, reading, _ = done(name)
    application, provenance = applications.get(name), reading.provenance
    assert (reading.application, reading.title) == (name, application.title)
    assert (provenance.application, provenance.application_version) == (name, application.version)
    assert provenance.code_version == hounsfield.__version__
    assert provenance.method == ("model" if application.models else "rule")
    assert [model.name for model in provenance.models] == list(application.models)
    assert all(re.fullmatch("[0-9a-f]{64}", model.digest) for model in provenance.models)
    assert set(provenance.timing_s) == {"decode", "run"}
    assert re.fullmatch(r"2\.25\.[1-9]\d+", reading.uid)
    main = reading.inputs[0]
    assert main.role == application.needs.main.name
    named = {uid for ref in reading.inputs if ref.role != "regions" for uid in ref.sop_instance_uids}
    assert named == {str(ds.SOPInstanceUID) for _, ds in images_of(study)}
    assert all(re.fullmatch("[0-9a-f]{64}", reference.pixel_sha256) for reference in reading.inputs)


@pytest.mark.parametrize("name", NAMES)
def test_masks_and_maps_lie_on_the_grid_of_the_image(name, done):
    study, reading, folder = done(name)
    every = [s for found in read_studies(study).studies for s in found.series]
    (series,) = [s for s in every if s.key == reading.inputs[0].series]
    assert reading.regions
    for item in (*reading.regions, *reading.maps):
        assert item.grid.is_same_as(series.grid)
        drawn = item.mask if isinstance(item, Region) else item.values
        assert drawn is None or drawn.shape == series.grid.shape
    volumes = [*folder.glob("masks/*.nii.gz"), *folder.glob("maps/*.nii.gz")]
    if series.grid.affine is None:  # a film has no place in the patient, and its masks are pictures
        assert not volumes
        assert list(folder.glob("masks/*.png"))
        return
    expected = ras_xyz_from_lps_zyx(series.grid.affine)
    for path in volumes:
        np.testing.assert_allclose(nib.load(path).affine, expected, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_two_runs_are_equal_but_for_the_time(name, done, read, tmp_path):
    study, first, folder = done(name)
    (second,) = read(name, study, out=tmp_path).readings
    assert without_time(first) == without_time(second)
    for one, other in zip(first.regions, second.regions, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)
    again = tmp_path / folder.relative_to(folder.parent.parent)
    files = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert files == {path.relative_to(again) for path in again.rglob("*") if path.is_file()}
    for file in files:
        if file.suffix == ".dcm":
            assert_equal_objects(folder / file, again / file)
        elif file.name not in TIMES:
            assert (folder / file).read_bytes() == (again / file).read_bytes(), file


def assert_equal_objects(one, other):
    """Two DICOM objects that differ in the time of their making alone."""
    pair = [pydicom.dcmread(path) for path in (one, other)]
    for ds in pair:
        stated = [f"{part}{kind}" for part in DATES for kind in ("Date", "Time")]
        for keyword in (*stated, "DateOfSecondaryCapture", "TimeOfSecondaryCapture"):
            ds.pop(keyword, None)
        for item in (ds, *ds.get("ContentSequence", ())):
            item.pop("ObservationDateTime", None)
    assert pair[0] == pair[1], one.name
    assert pair[0].file_meta == pair[1].file_meta


@pytest.mark.parametrize(("name", "kind"), OTHERS)
def test_series_of_a_wrong_kind_is_not_taken_and_told_why(name, kind, studies, read):
    found = read(name, studies(kind))
    assert found.readings == ()
    (verdict,) = found.not_taken
    assert verdict.application == name
    assert {reason.code for reason in verdict.reasons} == {"modality-not-taken"}
    assert kind[0] in verdict.reasons[0].text


def uniform(ds):
    ds.PixelData = bytes(len(ds.PixelData))


def noise(ds):
    rng = np.random.default_rng(int(ds.InstanceNumber))
    ds.PixelData = rng.integers(0, 1 << 11, ds.Rows * ds.Columns, dtype=np.uint16).tobytes()


def scout(ds):
    ds.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]


def animal(ds):
    ds.AnatomicalOrientationType = "QUADRUPED"


def without_unit(ds):
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "Units"):
        ds.pop(keyword, None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fault", [uniform, noise, scout, animal, without_unit])
def test_faulty_study_is_refused_in_words_and_never_by_an_exception(name, fault, study_for, read, tmp_path):
    study = study_for(name)
    for number, (_, ds) in enumerate(images_of(study)):
        fault(ds)
        ds.save_as(tmp_path / f"{number:05d}.dcm")
    copy_needed_regions(applications.get(name), study, tmp_path)
    found = read(name, tmp_path)
    for reading in found.readings:
        check_form(reading)
        may_be_read = fault is noise or (
            fault is without_unit and applications.get(name).needs.main.unit is None
        )
        assert may_be_read or reading.status == "refused"
    said = [c for r in found.readings for c in r.conditions] + [c for v in found.not_taken for c in v.reasons]
    assert said
    assert {condition.code for condition in said} <= CONDITION_CODES
    assert all(condition.text.rstrip().endswith((".", "?")) for condition in said)
    assert not [c for c in said if "Phantom^" in c.text or "Synthetic^" in c.text]


@pytest.mark.parametrize("name", NAMES)
def test_other_number_of_slices_is_a_condition(name, study_for, read, tmp_path):
    """A volume with a gap is partial; two slices are no single one, and a single one is no volume.

    Two films are two pictures, each read for itself.
    """
    application = applications.get(name)
    images = images_of(study_for(name))
    paths = [path for path, _ in images]
    if application.needs.main.geometry == "slice":
        ds = pydicom.dcmread(paths[0])
        for number in (1, 2):
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number}"
            ds.ImagePositionPatient = [0, 0, 5 * number]
            ds.save_as(tmp_path / f"{number}.dcm")
        codes = {"not-a-single-slice"}
        if kind_of(application)[0] in PROJECTIONS:
            assert [reading.status for reading in read(name, tmp_path).readings] == ["complete"] * 2
            return
    else:
        for number, path in enumerate({ds.StudyInstanceUID: path for path, ds in reversed(images)}.values()):
            shutil.copy(path, tmp_path / f"{number}.dcm")
        copy_needed_regions(application, study_for(name), tmp_path)
        codes = {"too-few-slices"}
    (reading,) = read(name, tmp_path).readings
    assert reading.status == "refused"
    assert codes <= {condition.code for condition in reading.conditions}


VOLUMES = [name for name in NAMES if kind_of(applications.get(name))[1] == "volume"]


@pytest.mark.parametrize("name", VOLUMES)
def test_missing_slices_make_it_partial(name, done, read, tmp_path):
    study, _, _ = done(name)
    shutil.copytree(study / "dicom", tmp_path / "dicom")
    paths = [path for path, _ in images_of(tmp_path)]
    series = [path for path in paths if path.parent == paths[0].parent]
    series[len(series) // 2].unlink()
    (reading,) = read(name, tmp_path).readings
    assert reading.status == "partial"
    assert "slices-missing" in {condition.code for condition in reading.conditions}


@pytest.mark.parametrize("name", VOLUMES)
def test_way_of_storing_changes_no_number_and_no_side(name, done, study_for, read):
    """Feet first, columns reversed, slices from head to feet: the patient is the same."""
    _, plain, _ = done(name)
    (turned,) = read(name, study_for(name, flip=True)).readings
    values = [
        {(m.name, m.regions): m.value for m in reading.all_measurements()} for reading in (plain, turned)
    ]
    assert values[1] == pytest.approx(values[0], rel=1e-4, abs=1e-6)
    for region in plain.regions:
        places = [
            item.grid.index_to_mm(np.argwhere(item.mask)).mean(axis=0)
            for item in (region, turned.region(region.name))
        ]
        np.testing.assert_allclose(*places, atol=0.01)


def regions_of(study):
    return tuple(series for series in study.series if series.kind == "regions")


@pytest.mark.parametrize("name", NAMES)
def test_memory_stays_below_the_stated_bound(name, done, models):
    """Beside the input itself; NumPy reports its arrays to tracemalloc."""
    from hounsfield.inference import open_model
    from hounsfield.zoo import find_bundle, open_bundle

    study, reading, _ = done(name)
    application, found = applications.get(name), read_studies(study).studies
    by_key = {s.key: (one, s) for one in found for s in one.series}
    last, series = by_key[reading.inputs[0].series]
    image = series.image()
    opened = {key: open_model(open_bundle(find_bundle(key, [models]))) for key in application.models}
    main = application.needs.main.name
    earlier = tuple(
        Inputs(
            by_key[ref.series][0],
            {main: by_key[ref.series][1]},
            regions_of(by_key[ref.series][0]),
            opened,
            day=day,
        )
        for ref in reading.inputs
        if ref.role.startswith(f"{main}, day ")
        for day in (int(ref.role.rsplit(" ", 1)[1]),)
    )
    decoded = {main: replace(series, load_image=lambda: image)}
    inputs = Inputs(
        last, decoded, regions_of(last), opened, day=1 + sum(one.day for one in earlier), earlier=earlier
    )
    tracemalloc.start()
    application.run(inputs)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < application.memory_mb * 1e6
