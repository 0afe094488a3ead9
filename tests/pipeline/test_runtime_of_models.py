"""What runs a model is asked for by name, and told where the reading says what it came from."""

import json

import jsonschema
import numpy as np
import pytest
from tests.cli.test_command import hu
from tests.pipeline.test_bundle_application import HU_200, write_ct

pytest.importorskip("torch")

from tests.tiny_volume_bundle import write_volume_bundle

from hounsfield.core.errors import UsageError
from hounsfield.inference.runtimes import choice as choice_module
from hounsfield.pipeline import ArchiveRequest, run
from hounsfield.pipeline.study_task import StudyTask
from hounsfield.results.schemas import schema
from hounsfield.zoo import Channel, VolumeInference, WindowSettings


@pytest.fixture(autouse=True)
def quick_trials(monkeypatch):
    monkeypatch.setattr(choice_module, "TRIAL_S", 0.01)


@pytest.fixture
def study(tmp_path):
    """A CT of 6 slices with a box of 300 HU, 80 voxels, in tissue of 40 HU; and a model of windows that finds it."""
    pixels = np.full((6, 16, 16), 40)
    pixels[1:5, 4:8, 5:10] = 300
    write_ct(tmp_path / "study", pixels)
    classes = [
        {"name": n, "value": n.upper(), "scheme": "99TEST", "meaning": n} for n in ("background", "bright")
    ]
    write_volume_bundle(
        tmp_path / "models",
        classes=classes,
        modality="CT",
        preprocessing={"channels": [Channel(name="CT", unit="HU", grey_values=HU_200)]},
        volume=VolumeInference(windows=WindowSettings(patch_zyx=(4, 8, 8))),
    )
    return tmp_path


def read(folder, **options):
    done = run(
        folder / "study",
        applications=["bundle-bright-things"],
        model_folders=[folder / "models"],
        **options,
    )
    return done.readings[0]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino", "auto"])
def test_regions_are_the_same_and_the_runtime_stands_in_the_reading(study, runtime):
    plain, other = read(study), read(study, runtime=runtime, out=study / "out")
    assert np.array_equal(plain.regions[0].mask, other.regions[0].mask)
    assert plain.provenance.models[0].runtime is None
    told = other.provenance.models[0].runtime
    assert runtime in {"auto", told["name"].split()[0]}
    record = json.loads(next((study / "out").rglob("reading.json")).read_text(encoding="utf-8"))
    assert record["provenance"]["models"][0]["runtime"] == told
    jsonschema.validate(record, schema())
    page = next((study / "out").rglob("report.html")).read_text(encoding="utf-8")
    assert f"bright-things: {told['name']}" in page


def test_results_of_another_runtime_are_other_results(study):
    plain, again, other = read(study), read(study, runtime="torch"), read(study, runtime="openvino")
    assert plain.uid == again.uid != other.uid
    assert plain.to_json()["provenance"]["models"] == again.to_json()["provenance"]["models"]


def test_the_command_takes_the_runtime(study, monkeypatch, capsys):
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(study / "models"))
    words = ("read", study / "study", "--model", "bright-things", "--runtime", "openvino", "--json")
    _, printed, _ = hu(monkeypatch, capsys, *words)
    [reading] = json.loads(printed)["readings"]
    assert reading["provenance"]["models"][0]["runtime"]["name"].startswith("openvino")


def test_an_unknown_runtime_is_refused(study):
    with pytest.raises(UsageError, match="a runtime is auto, torch"):
        read(study, runtime="tflite")


def test_a_task_of_an_archive_carries_the_runtime():
    task = StudyTask("k", (), ArchiveRequest("in", "out", runtime="openvino"))
    assert StudyTask.from_text(task.to_text()).request.of_study(()).runtime == "openvino"
