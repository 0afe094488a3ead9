"""Bundles in the forms of others: same numbers, int8 judged before it is kept, nothing half-written."""

import csv
import io
import json
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from tests.tiny_bundle import CLASSES, head_slice, write_tiny_bundle
from tests.tiny_volume_bundle import write_volume_bundle

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.inference import load_model, open_model, prepare
from hounsfield.inference.export import ExportRequest, export_model
from hounsfield.inference.export_accuracy import Accuracy, judged_accuracy, read_labels
from hounsfield.zoo import VolumeInference, WindowSettings


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load_model(write_tiny_bundle(tmp_path_factory.mktemp("m"), calibrated=True, guarded=True))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(24):
        values = np.clip(head_slice(seed), 0, 255).astype(np.uint8)
        Image.fromarray(values).save(folder / f"{seed:02d}.png")
    return folder


def written_labels(pictures, path):
    """A table in which the classes take turns over the judged half of the pictures."""
    rows = [[file.name, CLASSES[k // 2 % 3]] for k, file in enumerate(sorted(pictures.iterdir()))]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([["file", "label"], *rows])
    return path


def expected(model, picture):
    inputs, _ = model.preprocess(picture)
    with torch.inference_mode():
        logits, mask_logits = model.network(inputs)
        features = model.network.features(inputs)
    return inputs.numpy(), [one.numpy() for one in (logits, features, mask_logits)]


def test_an_onnx_file_gives_the_bundles_numbers_anywhere(model, tmp_path):
    import onnxruntime

    done = export_model(model, tmp_path / "out", ExportRequest("onnx"))
    inputs, outputs = expected(model, head_slice(5))
    session = onnxruntime.InferenceSession(
        tmp_path / "out" / "model.onnx", providers=["CPUExecutionProvider"]
    )
    assert [one.name for one in session.get_outputs()] == ["logits", "features", "mask_logits"]
    for one, other in zip(session.run(None, {"input": inputs}), outputs, strict=True):
        assert one == pytest.approx(other, abs=1e-4 * float(np.abs(other).max()))
    report = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert report == done.to_json()
    assert report["bundle_sha256"] == model.digest
    assert report["difference"]["typical"] <= report["tolerance"]["typical"]


def test_an_openvino_model_gives_the_bundles_numbers(model, tmp_path):
    import openvino

    export_model(model, tmp_path / "out", ExportRequest("openvino"))
    inputs, outputs = expected(model, head_slice(5))
    compiled = openvino.Core().compile_model(
        tmp_path / "out" / "model.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    found = compiled(inputs)
    for k, other in enumerate(outputs):
        assert found[k] == pytest.approx(other, abs=1e-4 * float(np.abs(other).max()))


def test_torchscript_gives_the_bundles_numbers_without_this_project(model, tmp_path):
    export_model(model, tmp_path / "out", ExportRequest("torchscript"))
    inputs, outputs = expected(model, head_slice(5))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch would rather have torch.export
        stored = torch.jit.load(io.BytesIO((tmp_path / "out" / "model.pt").read_bytes()))
    for one, other in zip(stored(torch.from_numpy(inputs)), outputs, strict=True):
        assert one.numpy() == pytest.approx(other, abs=1e-4 * float(np.abs(other).max()))


def test_a_model_of_volumes_becomes_the_graph_of_its_windows(tmp_path):
    import onnxruntime

    volumes = open_model(
        write_volume_bundle(tmp_path, volume=VolumeInference(windows=WindowSettings(patch_zyx=(4, 8, 8))))
    )
    export_model(volumes, tmp_path / "out", ExportRequest("onnx"))
    session = onnxruntime.InferenceSession(
        tmp_path / "out" / "model.onnx", providers=["CPUExecutionProvider"]
    )
    window = np.random.default_rng(0).uniform(size=(1, 1, 4, 8, 8)).astype(np.float32)
    [logits] = session.run(None, {"input": window})
    assert np.array_equal(logits[0].argmax(0), window[0, 0] > 0.5)


def test_a_model_that_sees_the_whole_volume_has_no_graph(tmp_path):
    with pytest.raises(UsageError, match="sees a whole volume at once"):
        export_model(open_model(write_volume_bundle(tmp_path)), tmp_path / "out", ExportRequest("onnx"))


def test_int8_comes_with_what_it_costs(model, pictures, tmp_path):
    labels = written_labels(pictures, tmp_path / "labels.csv")
    request = ExportRequest("openvino", int8=True, calibration=pictures, labels=labels, limit=0.2)
    accuracy = export_model(model, tmp_path / "out", request).accuracy
    assert accuracy.metric == "mean area under the ROC curve"
    assert accuracy.n == 12  # the half that did not calibrate
    assert 0 <= accuracy.before <= 1
    assert accuracy.before - accuracy.after <= 0.2
    assert 0 < accuracy.largest_difference < 0.3
    text = (tmp_path / "out" / "model.xml").read_text(encoding="utf-8")
    assert "FakeQuantize" in text


def test_int8_that_costs_too_much_is_refused_and_nothing_is_left(model, pictures, tmp_path, monkeypatch):
    from hounsfield.inference import export as module

    def worse(*_):
        return Accuracy("mean area under the ROC curve", 12, 0.95, 0.94, 0.005, 0.1)

    monkeypatch.setattr(module, "judged_accuracy", worse)
    request = ExportRequest("openvino", int8=True, calibration=pictures)
    with pytest.raises(ModelError, match=r"falls from 0\.9500 to 0\.9400 on 12 pictures, 0\.005 is allowed"):
        export_model(model, tmp_path / "out", request)
    assert not (tmp_path / "out").exists()


class Says:
    """A predictor that answers input k with the logits k."""

    name, precision, device = "torch", "fp32", "cpu"

    def __init__(self, logits):
        self.logits = np.asarray(logits, dtype=np.float32)

    def __call__(self, batch):
        return (self.logits[int(batch.flat[0])][None],)


def test_accuracy_by_hand():
    """Two classes: before, all four pictures are ranked right; after, one of four pairs is not: an area of 3/4."""
    inputs = {f"{k}.png": np.full((1, 1, 1, 1), k, np.float32) for k in range(4)}
    truth = {"0.png": 0, "1.png": 0, "2.png": 1, "3.png": 1}
    before = Says([[0, -3], [0, -1], [0, 1], [0, 3]])
    after = Says([[0, -3], [0, 2], [0, 1], [0, 3]])
    found = judged_accuracy(before, after, inputs, truth, 0.3)
    assert (found.before, found.after, found.is_kept) == (1.0, 0.75, True)
    assert not judged_accuracy(before, after, inputs, truth, 0.2).is_kept
    decisions = judged_accuracy(before, after, inputs, None, 0.3)
    assert (decisions.metric, decisions.after) == ("share of unchanged decisions", 0.75)
    sigmoid = 1 / (1 + np.exp([1.0, -2.0]))
    assert found.largest_difference == pytest.approx(sigmoid[1] - sigmoid[0])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"to": "coreml"}, "models are exported to onnx, openvino, torchscript"),
        ({"to": "onnx", "int8": True}, "int8 is made for OpenVINO"),
        ({"to": "openvino", "int8": True}, "belong together"),
        ({"to": "torchscript", "is_edge": True}, "runs without torch"),
        ({"to": "onnx", "limit": 2.0}, "a share from 0 to 1"),
    ],
)
def test_requests_that_do_not_fit_are_refused(words, message):
    with pytest.raises(UsageError, match=message):
        ExportRequest(**words)


def test_a_folder_that_holds_something_is_not_written_to(model, tmp_path):
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="not an empty folder"):
        export_model(model, tmp_path, ExportRequest("onnx"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\n1.png,glioma\n", "needs the columns"),
        ("file,label\n1.png,cyst\n", "names the class 'cyst'"),
    ],
)
def test_tables_of_labels_are_checked(text, message, tmp_path):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        read_labels(tmp_path / "t.csv", CLASSES)


def test_too_few_pictures_are_refused(model, tmp_path):
    (tmp_path / "few").mkdir()
    with pytest.raises(UsageError, match="holds 0 pictures"):
        export_model(
            model, tmp_path / "out", ExportRequest("openvino", int8=True, calibration=tmp_path / "few")
        )


def test_a_picture_without_contrast_cannot_calibrate(model, pictures, tmp_path):
    (tmp_path / "p").mkdir()
    for file in pictures.iterdir():
        (tmp_path / "p" / file.name).write_bytes(file.read_bytes())
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / "p" / "black.png")
    request = ExportRequest("openvino", int8=True, calibration=tmp_path / "p")
    with pytest.raises(UsageError, match=r"black\.png cannot calibrate"):
        export_model(model, tmp_path / "out", request)


def test_prepare_is_what_the_exported_graph_expects(model):
    inputs, _ = expected(model, head_slice(2))
    assert np.array_equal(inputs[0, 0], prepare(head_slice(2), model.bundle.card.picture).pixels)
