"""One file that reads pictures where there is no torch and not this project."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image
from tests.tiny_bundle import CLASSES, head_slice, write_tiny_bundle

from hounsfield.core.errors import UsageError
from hounsfield.datasets import fit_picture
from hounsfield.inference import load_model
from hounsfield.inference.edge import runner
from hounsfield.inference.export import ExportRequest, export_model
from hounsfield.zoo import Calibrator, InferenceSettings

BLOCKED = ("torch", "hounsfield", "scipy", "pydicom")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(
        write_tiny_bundle(
            tmp_path_factory.mktemp("m"),
            calibrated=True,
            guarded=True,
            inference=InferenceSettings(test_time_flips=True),
        )
    )


@pytest.fixture(scope="module")
def packages(model, tmp_path_factory):
    """A package for each runtime."""
    folder = tmp_path_factory.mktemp("out")
    return {
        to: export_model(model, folder / to, ExportRequest(to, is_edge=True)).folder / "brain-tumour-mr.pyz"
        for to in ("onnx", "openvino")
    }


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Three pictures as files, of different sides."""
    folder = tmp_path_factory.mktemp("films")
    files = []
    for seed, shape in enumerate([(96, 80), (70, 131), (48, 48)]):
        files.append(folder / f"{seed}.png")
        Image.fromarray(np.clip(head_slice(seed, shape), 0, 255).astype(np.uint8)).save(files[-1])
    return files


def run(package, *files):
    """The package in a Python of its own in which torch and this project cannot be imported."""
    program = (
        f"import sys\nsys.modules.update(dict.fromkeys({BLOCKED!r}))\nimport runpy\n"
        f"sys.argv = {[str(package), *map(str, files)]!r}\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("to", ["onnx", "openvino"])
def test_it_reads_as_the_bundle_does_without_torch(to, model, packages, films):
    answer = run(packages[to], *films)
    assert answer.returncode == 0, answer.stderr
    told = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [one["picture"] for one in told] == ["0.png", "1.png", "2.png"]
    for one, film in zip(told, films, strict=True):
        prediction = model.run(np.asarray(Image.open(film)))
        assert list(one["probabilities"]) == list(CLASSES)
        assert list(one["probabilities"].values()) == pytest.approx(prediction.probabilities, abs=1e-4)
        assert one["logits"] == pytest.approx(prediction.logits, abs=1e-3)
        outlined = float((prediction.mask >= 0.5).mean())
        assert one["outlined_share"] == pytest.approx(outlined, abs=0.03)  # counted on the network's square
        assert one["use"] == "Research use only. Not a medical device."
        assert one["latency_ms"] > 0
        assert 20 < one["peak_memory_mb"] < 2000
        assert one["package_mb"] == pytest.approx(packages[to].stat().st_size / 1e6, abs=0.01)
        assert "input guard" in one["not_checked"][0]


def rewritten(package, target, **changed):
    """The package with files changed; the card's digests are left as they were."""
    with zipfile.ZipFile(package) as stored, zipfile.ZipFile(target, "w") as fresh:
        for name in stored.namelist():
            fresh.writestr(name, changed.get(name.replace(".", "_"), stored.read(name)))
    return target


def test_a_model_that_was_altered_is_not_run(packages, films, tmp_path):
    with zipfile.ZipFile(packages["onnx"]) as stored:
        content = bytearray(stored.read("model.onnx"))
    content[len(content) // 2] ^= 1
    answer = run(rewritten(packages["onnx"], tmp_path / "a.pyz", model_onnx=bytes(content)), films[0])
    assert answer.returncode == 3
    assert "model.onnx in a.pyz was altered" in answer.stderr
    assert not answer.stdout


def test_a_machine_that_gives_other_numbers_is_told(packages, monkeypatch):
    package = runner.Package(packages["onnx"])
    plain = package.run
    package.run = lambda batch: [one + 0.1 for one in plain(batch)]
    with pytest.raises(runner.Refused, match="gives other numbers than the one that made the package"):
        package.check()
    package.run = plain
    assert package.check() < 1e-4


def test_what_is_no_picture_is_refused_and_the_others_are_read(packages, films, tmp_path):
    (tmp_path / "no.png").write_bytes(b"no picture")
    Image.fromarray(np.full((60, 60), 7, np.uint8)).save(tmp_path / "even.png")
    answer = run(
        packages["onnx"], tmp_path / "no.png", tmp_path / "even.png", tmp_path / "absent.png", films[0]
    )
    assert answer.returncode == 4
    no, even, absent, read = (json.loads(line) for line in answer.stdout.splitlines())
    assert "no picture that can be read" in no["refused"]
    assert "no contrast" in even["refused"]
    assert "absent.png" in absent["refused"]
    assert "probabilities" in read


def test_without_a_picture_it_says_what_it_is(packages):
    answer = run(packages["onnx"])
    assert answer.returncode == 2
    assert "Research use only" in answer.stdout


@pytest.mark.parametrize("shape", [(96, 80), (65, 131), (300, 20), (48, 48)])
def test_the_runner_prepares_pictures_as_the_project_does(shape):
    picture = head_slice(1, shape)
    square, _ = runner.fit_picture(picture, 48, (1.0, 99.5))
    assert np.array_equal(square, fit_picture(picture, size=48, percentiles=(1.0, 99.5)))


def test_equal_contents_give_equal_files(model, packages, tmp_path):
    again = export_model(model, tmp_path / "out", ExportRequest("onnx", is_edge=True))
    assert (again.folder / again.edge.file.name).read_bytes() == packages["onnx"].read_bytes()


def test_a_calibrator_that_the_runner_does_not_know_gives_no_probabilities(tmp_path, films):
    from hounsfield.calibration import PLATT_PER_LABEL

    parameters = {"slopes": [1.0] * 3, "offsets": [0.0] * 3}
    bundle = write_tiny_bundle(
        tmp_path, calibrator=Calibrator(name=PLATT_PER_LABEL, parameters=parameters, fitted_on="nothing")
    )
    done = export_model(load_model(bundle), tmp_path / "out", ExportRequest("onnx", is_edge=True))
    told = runner.Package(done.folder / done.edge.file.name)
    assert "probabilities" not in told.read(runner.grey(films[0]))
    assert "logits are given" in told.settings["not_checked"][0]


def test_preprocessing_that_the_runner_does_not_know_is_refused_and_nothing_is_left(
    model, tmp_path, monkeypatch
):
    from hounsfield.inference.edge import package as module

    def unknown(*_):
        raise UsageError("prepares pictures in a way that the edge runner does not know")

    monkeypatch.setattr(module, "_settings", unknown)
    with pytest.raises(UsageError, match="does not know"):
        export_model(model, tmp_path / "out", ExportRequest("onnx", is_edge=True))
    assert not (tmp_path / "out").exists()
