"""Weights of other projects: the same numbers come out, and nothing that a file asks for is run."""

import argparse
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from hounsfield.core.errors import ModelError
from hounsfield.zoo.foreign_weights import (
    Unread,
    convert_weights,
    read_foreign_weights,
    state_dict_of,
    weights_format,
    without_wrapper_names,
)

FORMS = pytest.mark.parametrize("zipped", [True, False], ids=["archive", "before 1.6"])


def save(content, path, *, zipped=True):
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@FORMS
def test_every_element_type_comes_out_as_torch_has_it(tmp_path, zipped):
    torch.manual_seed(0)
    kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32]
    kinds += [torch.int16, torch.int8, torch.uint8, torch.bool]
    stored = {str(kind): (torch.randn(3, 4) * 5).to(kind) for kind in kinds}
    found = read_foreign_weights(save(stored, tmp_path / "w.pt", zipped=zipped))
    assert found.format == ("torch archive" if zipped else "torch pickle")
    for name, tensor in stored.items():
        expected = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
        assert found.tree[name].tolist() == expected.numpy().tolist(), name


@FORMS
def test_views_of_one_storage_keep_their_shape_and_order(tmp_path, zipped):
    base = torch.arange(24.0)
    stored = {
        "turned": base.view(4, 6).t(),
        "every other": base[1::2],
        "shared": base[5:9],
        "repeated": base[:3].expand(4, 3),
        "number": base[7],
        "empty": base[:0],
        "parameter": torch.nn.Parameter(base.view(2, 3, 4)),
    }
    tree = read_foreign_weights(save(stored, tmp_path / "w.pt", zipped=zipped)).tree
    for name, tensor in stored.items():
        assert tree[name].shape == tuple(tensor.shape), name
        assert tree[name].tolist() == tensor.tolist(), name


@FORMS
def test_a_whole_training_state_is_read_and_what_is_no_weight_passed_over(tmp_path, zipped):
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    optimiser = torch.optim.Adam(network.parameters())
    stored = {
        "epoch": 7,
        "arch": "densenet121",
        "state_dict": network.state_dict(),
        "optimizer": optimiser.state_dict(),
        "best": np.float64(0.8414),
        "args": argparse.Namespace(lr=0.1, folder=Path("/data")),
    }
    found = read_foreign_weights(save(stored, tmp_path / "w.pth.tar", zipped=zipped))
    assert found.tree["epoch"] == 7
    assert found.tree["best"] == 0.8414
    assert isinstance(found.tree["args"], Unread)
    assert "argparse.Namespace: not read" in repr(found.tree["args"])
    assert "argparse.Namespace" in found.unread
    weights = state_dict_of(found.tree, "w")
    assert set(weights) == set(network.state_dict())
    assert weights["0.weight"].tolist() == network[0].weight.tolist()


class Attack:
    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


@pytest.mark.parametrize("call", [os.system, eval, exec, os.unlink], ids=lambda call: call.__name__)
@FORMS
def test_nothing_that_a_checkpoint_asks_for_is_run(tmp_path, call, zipped):
    """The file would create or remove `marker` if any of its calls were made."""
    marker = tmp_path / "marker"
    marker.write_text("here")
    argument = str(marker) if call is os.unlink else f"__import__('os').unlink({str(marker)!r})"
    argument = f"rm {marker}" if call is os.system else argument
    stored = {"w": torch.ones(2), "attack": Attack(call, argument)}
    found = read_foreign_weights(save(stored, tmp_path / "w.pt", zipped=zipped))
    assert marker.exists()
    assert isinstance(found.tree["attack"], Unread)
    assert found.tree["w"].tolist() == [1, 1]
    with pytest.raises(FileNotFoundError):  # the file is a real attack: Python's own way makes the call
        pickle.loads(pickle.dumps(Attack(os.unlink, str(tmp_path / "absent"))))


def test_a_pickle_of_something_else_is_refused(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"w": [1, 2]}))
    with pytest.raises(
        ModelError, match=r"model.pkl is a pickle but no torch checkpoint: nothing of it is read"
    ):
        read_foreign_weights(path)


def rewritten(source, target, change):
    """The archive with `change(name, content)` in place of each member."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            content = change(info.filename, old.read(info))
            if content is not None:
                new.writestr(info.filename, content)
    return target


def test_damage_is_named(tmp_path):
    good = save({"w": torch.arange(6.0)}, tmp_path / "w.pt")
    cut = rewritten(good, tmp_path / "cut.pt", lambda n, c: c[:-4] if "/data/" in n else c)
    with pytest.raises(ModelError, match=r"cut.pt: the storage '0' has 20 bytes, 24 are needed"):
        read_foreign_weights(cut)
    gone = rewritten(good, tmp_path / "gone.pt", lambda n, c: None if "/data/" in n else c)
    with pytest.raises(ModelError, match="lacks the storage '0'"):
        read_foreign_weights(gone)
    big = rewritten(good, tmp_path / "big.pt", lambda n, c: b"big" if n.endswith("byteorder") else c)
    with pytest.raises(ModelError, match="big-endian"):
        read_foreign_weights(big)
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(ModelError, match=r"1 files without data\.pkl"):
        read_foreign_weights(other)


def test_a_tensor_beyond_its_storage_is_refused(tmp_path):
    """The same pickle with a storage said to be shorter than the tensor needs."""
    good = save({"w": torch.arange(300.0)}, tmp_path / "w.pt")
    # 300 as a two-byte integer of pickle: M, low byte, high byte; the last of the two is the storage's length.
    old, new = b"M\x2c\x01", b"M\x2b\x01"

    def shorten(name, content):
        return content.replace(old, new, 1) if name.endswith("data.pkl") else content

    with pytest.raises(ModelError, match="reaches beyond its storage of 299 numbers"):
        read_foreign_weights(rewritten(good, tmp_path / "short.pt", shorten))


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself(tmp_path, monkeypatch):
    from hounsfield.zoo.foreign_weights import torch_checkpoint

    monkeypatch.setattr(torch_checkpoint, "LARGEST_WEIGHTS_BYTES", 1000)
    path = save({"w": torch.zeros(1000)}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"unpacks to \d+ bytes; at most 1000 are read"):
        read_foreign_weights(path)


def test_one_storage_repeated_without_end_is_refused(tmp_path, monkeypatch):
    """A few bytes can describe any number of copies of one storage."""
    from hounsfield.zoo.foreign_weights import torch_pickle

    monkeypatch.setattr(torch_pickle, "LARGEST_WEIGHTS_BYTES", 10_000)
    path = save({"w": torch.zeros(10).expand(1000, 10)}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match="more than 10000 bytes of weights"):
        read_foreign_weights(path)


_SAVED: dict[bool, bytes] = {}


def saved_once(folder, *, zipped):
    """The bytes of one checkpoint; the old form holds addresses of memory, so each saving has another length."""
    if zipped not in _SAVED:
        stored = {"state_dict": {"w": torch.arange(6.0).view(2, 3), "n": torch.tensor(3)}}
        _SAVED[zipped] = save(stored, folder / "w.pt", zipped=zipped).read_bytes()
    return _SAVED[zipped]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), zipped=st.booleans())
def test_altered_bytes_give_weights_or_a_model_error_and_nothing_else(tmp_path, data, zipped):
    path = tmp_path / "w.pt"
    content = bytearray(saved_once(tmp_path, zipped=zipped))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    try:
        found = read_foreign_weights(path).arrays()
    except ModelError:
        return
    assert all(isinstance(array, np.ndarray) for array in found.values())


def test_safetensors_under_another_name_are_told_by_content(tmp_path):
    path = tmp_path / "model.pth"
    save_file({"w": np.arange(4, dtype=np.float32)}, path)
    assert weights_format(path) == "safetensors"
    assert read_foreign_weights(path).tree["w"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "none of the formats"),
        (b"GIF89a" + bytes(99), "none of the formats"),
        (b'{"layers": []}', "JSON without a manifest of weights"),
        (b'{"layers": ', "is no JSON"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
    ],
)
def test_what_holds_no_weights_says_so(tmp_path, content, message):
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_foreign_weights(path)


def tfjs(folder, weights, content, *, paths=("group1-shard1of2.bin", "group1-shard2of2.bin")):
    """A layers model whose numbers are split over two files in the middle of one."""
    half = len(content) // 2 - 1
    for name, part in zip(paths, (content[:half], content[half:]), strict=False):
        if "/" not in name:
            (folder / name).write_bytes(part)
    model = {"format": "layers-model", "modelTopology": {"keras_version": "2.7.0"}}
    model["weightsManifest"] = [{"paths": list(paths), "weights": weights}]
    (folder / "model.json").write_text(json.dumps(model))
    return folder / "model.json"


def test_a_layers_model_is_read_over_its_files(tmp_path):
    kernel, bias = np.arange(24, dtype="<f4").reshape(2, 3, 4), np.array([5, -1], "<i4")
    weights = [
        {"name": "a/kernel", "shape": [2, 3, 4], "dtype": "float32"},
        {"name": "a/bias", "shape": [2], "dtype": "int32"},
        {
            "name": "a/small",
            "shape": [3],
            "dtype": "float32",
            "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0},
        },
    ]
    found = read_foreign_weights(
        tfjs(tmp_path, weights, kernel.tobytes() + bias.tobytes() + bytes([0, 2, 255]))
    )
    assert found.format == "tfjs layers"
    assert found.description == {"keras_version": "2.7.0"}
    assert found.tree["a/kernel"].tolist() == kernel.tolist()
    assert found.tree["a/bias"].tolist() == [5, -1]
    assert found.tree["a/small"].tolist() == [-1.0, 0.0, 126.5]


def test_a_layers_model_that_does_not_fit_its_files_is_refused(tmp_path):
    weights = [{"name": "a", "shape": [4], "dtype": "float32"}]
    with pytest.raises(ModelError, match=r"lists 16 bytes of weights .* which hold 20"):
        read_foreign_weights(tfjs(tmp_path, weights, bytes(20)))
    with pytest.raises(ModelError, match="reaches beyond the 12 bytes"):
        read_foreign_weights(tfjs(tmp_path, weights, bytes(12)))
    with pytest.raises(ModelError, match="type 'string', which is not read"):
        read_foreign_weights(tfjs(tmp_path, [weights[0] | {"dtype": "string"}], bytes(16)))
    with pytest.raises(ModelError, match="not beside it"):
        read_foreign_weights(tfjs(tmp_path, weights, bytes(16), paths=("../secret",)))
    for part in tmp_path.glob("*.bin"):
        part.unlink()
    path = tmp_path / "model.json"
    path.write_text(
        json.dumps({"weightsManifest": [{"paths": ["group1-shard2of2.bin"], "weights": weights}]})
    )
    with pytest.raises(ModelError, match="which is not there"):
        read_foreign_weights(path)


def test_the_only_file_of_numbers_may_have_been_renamed(tmp_path):
    weights = [{"name": "a", "shape": [4], "dtype": "float32"}]
    content = np.arange(4, dtype="<f4").tobytes()
    path = tfjs(tmp_path, weights, content, paths=("group1-shard1of1.bin",))
    (tmp_path / "group1-shard1of1.bin").unlink()
    (tmp_path / "model.bin").write_bytes(content)
    assert read_foreign_weights(path).tree["a"].tolist() == [0, 1, 2, 3]
    (tmp_path / "model.bin").write_bytes(content + b"more")
    with pytest.raises(ModelError, match="which hold 20"):
        read_foreign_weights(path)


def test_weights_are_found_where_training_programs_put_them():
    w = {"a": np.ones(1)}
    assert state_dict_of(w, "f") == w
    assert state_dict_of({"network_weights": w, "init_args": {"plans": {}}}, "f") == w
    assert state_dict_of({"ema": w, "model": w}, "f", place="ema") == w
    with pytest.raises(ModelError, match="under state_dict and model: say which"):
        state_dict_of({"state_dict": w, "model": w}, "f")
    with pytest.raises(ModelError, match="no weights in a known place; it has epoch"):
        state_dict_of({"epoch": 3}, "f")
    with pytest.raises(ModelError, match="nothing under 'ema'; it has model"):
        state_dict_of({"model": w}, "f", place="ema")


def test_wrappers_and_old_names_are_taken_off():
    old = "module.features.denseblock1.denselayer2.norm.1.weight"
    weights = {old: np.ones(1), "module.classifier.0.bias": np.zeros(1)}
    assert set(without_wrapper_names(weights)) == {
        "features.denseblock1.denselayer2.norm1.weight",
        "classifier.0.bias",
    }
    # A layer that is really called model beside others is no wrapper.
    assert set(without_wrapper_names({"model.w": np.ones(1), "head.w": np.ones(1)})) == {"model.w", "head.w"}


def test_conversion_runs_in_a_process_of_its_own(tmp_path):
    stored = {"state_dict": {"module.w": torch.arange(3.0)}, "epoch": 2}
    target = tmp_path / "out.safetensors"
    convert_weights(save(stored, tmp_path / "w.pt"), target)
    assert load_file(target)["state_dict.module.w"].tolist() == [0, 1, 2]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.safetensors", "w.pt"]


def test_conversion_tells_the_readers_reason_and_leaves_nothing(tmp_path):
    (tmp_path / "w.pt").write_bytes(pickle.dumps([1]))
    with pytest.raises(ModelError, match="no torch checkpoint"):
        convert_weights(tmp_path / "w.pt", tmp_path / "out.safetensors")
    assert [p.name for p in tmp_path.iterdir()] == ["w.pt"]
    save({"w": torch.ones(2)}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"within 0.001 s and was given up"):
        convert_weights(tmp_path / "w.pt", tmp_path / "out.safetensors", timeout_s=0.001)


def test_old_pickles_with_text_for_bytes_are_read(tmp_path):
    """Checkpoints of Python 2 hold their storages' keys as bytes."""
    buffer = io.BytesIO()
    torch.save({"w": torch.ones(2)}, buffer, pickle_protocol=2, _use_new_zipfile_serialization=False)
    path = tmp_path / "w.pth.tar"
    path.write_bytes(buffer.getvalue())
    assert read_foreign_weights(path).tree["w"].tolist() == [1, 1]


@pytest.mark.real_data
def test_published_networks_are_the_same_in_both_of_their_formats(real_data):
    folder = real_data / "models" / "meshnet_t1" / "model5_gw_ae"
    ours = read_foreign_weights(folder / "model.pth")
    theirs = read_foreign_weights(folder / "tfjs" / "model.json")
    assert (ours.format, theirs.format) == ("safetensors", "tfjs layers")
    kernels = [a for n, a in theirs.tree.items() if n.endswith("/kernel")]
    # Layer 0, 2, 4, ... : activations stand between; kernels of TensorFlow are (z, y, x, in, out).
    for number, kernel in enumerate(kernels):
        own = ours.tree[f"model.{2 * number}.weight"]
        assert (own == kernel.transpose(4, 3, 0, 1, 2)).all(), number
    assert len(kernels) * 2 == len(ours.tree)


@pytest.mark.parametrize("n_header", [0x280, 0x380, 0x480, 0x580])
def test_a_header_whose_length_begins_as_a_pickle_is_safetensors(n_header, tmp_path):
    from hounsfield.zoo.safe_arrays import read_arrays

    entry = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    text = json.dumps(entry).ljust(n_header).encode()
    content = n_header.to_bytes(8, "little") + text + np.array([1, 2], "<f4").tobytes()
    (tmp_path / "w.pth").write_bytes(content)
    assert read_arrays(content, "w.pth")["w"].tolist() == [1, 2]
    assert read_foreign_weights(tmp_path / "w.pth").format == "safetensors"
