"""Brain volumes: what a network labels is measured, what is no head is refused, and change needs comparable scans."""

import numpy as np
import pydicom
import pytest

pytest.importorskip("torch")

from tests.tiny_volume_bundle import write_brain_bundle

from hounsfield.phantoms import write_phantom
from hounsfield.pipeline import run
from hounsfield.zoo.model_formats import ImportRequest, import_model

SMALL = {"matrix_px": 64, "contrasts": ("t1",), "noise": 0.0}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_brain_bundle(folder)
    return folder


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    folder = tmp_path_factory.mktemp("head")
    write_phantom("brain-mr", folder, seed=5, visit_days=(0,), **SMALL)
    return folder


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("visits")
    write_phantom("brain-mr", folder, seed=5, visit_days=(0, 365), brain_loss_percent=3.0, **SMALL)
    return folder


def read(name, folder, models):
    (reading,) = run(folder, applications=[name], model_folders=[models]).readings
    return reading


def codes(reading):
    return {condition.code for condition in reading.conditions}


def changed(folder, target, change):
    """The study with every header changed."""
    target.mkdir()
    for number, path in enumerate(sorted((folder / "dicom").rglob("*.dcm"))):
        ds = pydicom.dcmread(path)
        change(ds)
        ds.save_as(target / f"{number}.dcm")
    return target


def test_volumes_add_up_and_say_whose_they_are(head, models):
    reading = read("brain_volumes_mr", head, models)
    volumes = {m.regions[0]: m.value for m in reading.measurements}
    assert set(volumes) == {"brain", "cerebral-cortex", "cerebral-white-matter"}
    assert volumes["brain"] == pytest.approx(volumes["cerebral-cortex"] + volumes["cerebral-white-matter"])
    assert {m.rule for m in reading.measurements} == {"region-volume"}
    assert codes(reading) >= {
        "labels-not-judged",
        "norm-not-given",
        "sides-not-told-apart",
        "voxels-coarse-for-brain",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ds: setattr(ds, "EchoTime", 95), "that is T2 weighting"),
        (lambda ds: setattr(ds, "SeriesDescription", "ax FLAIR"), "calls itself 'FLAIR'"),
        (lambda ds: setattr(ds, "BodyPartExamined", "KNEE"), "'KNEE'"),
    ],
)
def test_what_is_no_t1_head_is_refused(head, models, tmp_path, change, said):
    reading = read("brain_volumes_mr", changed(head, tmp_path / "s", change), models)
    assert reading.status == "refused"
    assert codes(reading) == {"not-a-t1-head"}
    assert said in reading.conditions[0].text


def test_what_is_labelled_must_have_the_size_of_a_brain(head, models, tmp_path):
    def shrink(ds):
        ds.PixelSpacing = [1.0, 1.0]

    reading = read("brain_volumes_mr", changed(head, tmp_path / "s", shrink), models)
    assert codes(reading) >= {"no-brain-found"}
    assert reading.measurements == ()


def test_contrast_is_told(head, models, tmp_path):
    study = changed(head, tmp_path / "s", lambda ds: setattr(ds, "ContrastBolusAgent", "Gadolinium"))
    assert "contrast-in-brain" in codes(read("brain_volumes_mr", study, models))


def test_without_the_model_it_says_how_to_get_it(head, tmp_path):
    reading = read("brain_volumes_mr", head, tmp_path)
    assert codes(reading) >= {"model-missing"}
    assert "hounsfield models import" in reading.conditions[0].text


def test_a_year_s_loss_is_a_rate(visits, models):
    reading = read("brain_atrophy_mr", visits, models)
    before, now = (
        run(visits, applications=["brain_volumes_mr"], model_folders=[models]).readings[k] for k in (0, 1)
    )
    v1, v2 = (reading.measurements[0].value for reading in (before, now))
    (rate,) = [m for m in reading.measurements if m.name == "atrophy-rate"]
    assert rate.value == pytest.approx(200 * (v2 - v1) / (v1 + v2) / (365 / 365.25))
    assert rate.value < 0
    assert rate.regions == ("brain",)


def test_another_scanner_gives_no_rate(visits, models, tmp_path):
    days = sorted({str(pydicom.dcmread(p).StudyDate) for p in (visits / "dicom").rglob("*.dcm")})

    def other(ds):
        if str(ds.StudyDate) == days[1]:
            ds.MagneticFieldStrength = 7

    reading = read("brain_atrophy_mr", changed(visits, tmp_path / "s", other), models)
    assert codes(reading) >= {"atrophy-rate-refused", "visits-differ"}
    assert not [m for m in reading.measurements if m.name.startswith("atrophy")]


@pytest.mark.slow
@pytest.mark.real_data
def test_the_published_network_gives_its_published_volumes(real_data, tmp_path):
    """README of the data: model18cls on t1_crop, mm3."""
    home = real_data / "models" / "meshnet_t1"
    import_model(ImportRequest(home / "model18cls", tmp_path, name="brain-volumes-mr"))
    done = run(
        home / "t1_crop.nii.gz",
        applications=["brain_volumes_mr"],
        model_folders=[tmp_path],
        stated={"t1_crop": ("MR", "1")},
        out=tmp_path / "out",
    )
    (reading,) = done.readings
    published = {
        "cerebral-white-matter": 487_918,
        "cerebral-cortex": 551_898,
        "lateral-ventricle": 20_439,
        "thalamus": 18_985,
        "caudate": 7_721,
        "putamen": 10_854,
        "pallidum": 3_582,
        "hippocampus": 8_122,
        "amygdala": 3_576,
        "brain-stem": 21_042,
        "accumbens-area": 1_299,
    }
    found = {m.regions[0]: m.value * 1000 for m in reading.measurements}
    for name, volume_mm3 in published.items():
        assert found[name] == pytest.approx(volume_mm3, rel=1e-3), name
    assert np.count_nonzero([r.concept.scheme == "SCT" for r in reading.regions]) >= 14
    assert list((tmp_path / "out").rglob("report.html"))
