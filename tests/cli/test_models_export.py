"""`hounsfield models export`: what it writes, what it says, and what it refuses."""

import json

import jsonschema
import numpy as np
import pytest
from PIL import Image
from tests.cli.test_command import hu
from tests.tiny_bundle import head_slice, write_tiny_bundle

pytest.importorskip("torch")

from hounsfield.cli.schemas import command_schema


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_tiny_bundle(tmp_path / "models", calibrated=True)
    (tmp_path / "pictures").mkdir()
    for seed in range(10):
        values = np.clip(head_slice(seed), 0, 255).astype(np.uint8)
        Image.fromarray(values).save(tmp_path / "pictures" / f"{seed}.png")
    return tmp_path


def test_a_model_becomes_an_onnx_file(folder, monkeypatch, capsys):
    model = folder / "models" / "brain-tumour-mr"
    code, printed, _ = hu(
        monkeypatch, capsys, "models", "export", model, "--to", "onnx", "--out", folder / "out"
    )
    assert code == 0
    assert (folder / "out" / "model.onnx").is_file()
    assert "Exported brain-tumour-mr 0.1.0 in fp32" in printed
    assert "Research use only" in printed


def test_an_edge_package_in_int8_is_told_as_json(folder, monkeypatch, capsys):
    words = [
        "models",
        "export",
        folder / "models" / "brain-tumour-mr",
        "--to",
        "openvino",
        "--edge",
        "--int8",
    ]
    words += ["--calibration", folder / "pictures", "--limit", "0.5", "--out", folder / "out", "--json"]
    code, printed, _ = hu(monkeypatch, capsys, *words)
    assert code == 0
    told = json.loads(printed)
    jsonschema.validate(told, command_schema("models"))
    exported = told["exported"]
    assert exported["precision"] == "int8"
    assert exported["accuracy"]["n"] == 5
    assert exported["edge"]["bytes"] == (folder / "out" / "brain-tumour-mr.pyz").stat().st_size


def test_int8_without_pictures_is_refused(folder, monkeypatch, capsys):
    words = ("models", "export", folder / "models" / "brain-tumour-mr", "--to", "openvino", "--int8")
    code, _, said = hu(monkeypatch, capsys, *words, "--out", folder / "out")
    assert code == 2
    assert "belong together" in said


def test_an_unknown_form_is_refused(folder, monkeypatch, capsys):
    words = (
        "models",
        "export",
        folder / "models" / "brain-tumour-mr",
        "--to",
        "coreml",
        "--out",
        folder / "out",
    )
    code, _, said = hu(monkeypatch, capsys, *words)
    assert code == 2
    assert "onnx, openvino, torchscript" in said
