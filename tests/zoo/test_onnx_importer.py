"""ONNX files, written here byte by byte: the numbers of their operations come out, and every other operation is refused."""

import struct

import numpy as np
import pytest
import torch
from PIL import Image
from tests.zoo.foreign_models import film
from torch.nn import functional as f

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.inference import load_model, prepare
from hounsfield.networks import build_network
from hounsfield.pipeline import run
from hounsfield.zoo.foreign_weights.onnx_graph import read_onnx
from hounsfield.zoo.model_formats import ImportRequest, detected_formats, import_model

STATED = {"labels": "a,b,c", "input": "half-224-stretched"}
RNG = np.random.default_rng(3)


def varint(value):
    value &= (1 << 64) - 1
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(number, value):
    """One field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    content = value.encode() if isinstance(value, str) else bytes(value)
    return varint(number << 3 | 2) + varint(len(content)) + content


def tensor(name, array):
    kind = {"float32": 1, "int64": 7}[str(array.dtype)]
    return (
        b"".join(field(1, n) for n in array.shape)
        + field(2, kind)
        + field(8, name)
        + field(9, array.tobytes())
    )


def attribute(name, value):
    number = {int: 3, float: 2, str: 4}.get(type(value))
    if number is None:
        return field(1, name) + b"".join(field(8, n) for n in value)
    return field(1, name) + field(number, value)


def node(op, inputs, outputs, **attributes):
    return (
        b"".join(field(1, name) for name in inputs)
        + b"".join(field(2, name) for name in outputs)
        + field(4, op)
        + b"".join(field(5, attribute(*item)) for item in attributes.items())
    )


def value(name, shape):
    dims = b"".join(field(1, field(1, n) if isinstance(n, int) else field(2, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, dims)))


def model(nodes, numbers, shape=("n", 3, 224, 224)):
    graph = b"".join(field(1, one) for one in nodes) + field(2, "graph")
    graph += b"".join(field(5, tensor(name, array)) for name, array in numbers.items())
    graph += field(11, value("picture", shape)) + field(12, value("scores", ("n", 3)))
    return field(1, 8) + field(2, "tests") + field(7, graph) + field(8, field(2, 17))


def drawn(*shape):
    return RNG.normal(0, 0.3, shape).astype(np.float32)


NUMBERS = {
    "w1": drawn(8, 3, 5, 5),
    "b1": drawn(8),
    "gain": np.abs(drawn(8)) + 0.5,
    "offset": drawn(8),
    "mean": drawn(8),
    "variance": np.abs(drawn(8)) + 0.5,
    "w2": drawn(8, 4, 3, 3),
    "half": np.full((8, 1, 1), 0.5, np.float32),
    "w3": drawn(3, 16),
    "b3": drawn(3),
    "rows": np.array([1, -1], np.int64),
}
NODES = [
    node("Conv", ["picture", "w1", "b1"], ["c1"], strides=[4, 4], pads=[2, 1, 2, 3], kernel_shape=[5, 5]),
    node("BatchNormalization", ["c1", "gain", "offset", "mean", "variance"], ["n1"], epsilon=0.001),
    node("LeakyRelu", ["n1"], ["r1"], alpha=0.2),
    node("MaxPool", ["r1"], ["p1"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    node("Conv", ["p1", "w2"], ["c2"], group=2, pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
    node("Mul", ["half", "c2"], ["m2"]),
    node("Add", ["m2", "p1"], ["a2"]),
    node("Dropout", ["a2"], ["d2"]),
    node("AveragePool", ["d2"], ["q2"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    node("Concat", ["q2", "q2"], ["k"], axis=1),
    node("GlobalAveragePool", ["k"], ["g"]),
    node("Reshape", ["g", "rows"], ["flat"]),
    node("Gemm", ["flat", "w3", "b3"], ["logits"], transB=1),
]


def own_logits(x):
    """The same operations by torch's own functions."""
    w = {key: torch.from_numpy(array) for key, array in NUMBERS.items()}
    x = f.conv2d(f.pad(x, (1, 3, 2, 2)), w["w1"], w["b1"], stride=4)
    x = f.leaky_relu(f.batch_norm(x, w["mean"], w["variance"], w["gain"], w["offset"], eps=0.001), 0.2)
    x = f.max_pool2d(x, 3, 2, 1)
    x = w["half"] * f.conv2d(x, w["w2"], padding=1, groups=2) + x
    x = f.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    return f.linear(torch.cat([x, x], 1).mean((2, 3)), w["w3"], w["b3"])


@pytest.fixture
def imported(tmp_path):
    def make(content, **options):
        (tmp_path / "net.bin").write_bytes(content)
        return import_model(ImportRequest(tmp_path / "net.bin", tmp_path / "models", options=options))

    return make


def test_logits_are_those_of_the_operations(imported):
    bundle = imported(model([*NODES, node("Identity", ["logits"], ["scores"])], NUMBERS), **STATED)
    assert bundle.card.origin.format == "onnx"
    inputs = torch.from_numpy(prepare(film(), bundle.card.picture).channels)[None]
    prediction = load_model(bundle).run(film())
    np.testing.assert_allclose(prediction.logits, own_logits(inputs)[0], atol=1e-5)


@pytest.mark.parametrize(("end", "outputs"), [("Softmax", "exclusive"), ("Sigmoid", "independent")])
def test_what_a_graph_ends_with_is_told_by_the_card(imported, end, outputs):
    card_input = {"labels": "a,b,c", "input": "half-224-stretched"}
    bundle = imported(model([*NODES, node(end, ["logits"], ["scores"])], NUMBERS), **card_input)
    assert bundle.card.outputs == outputs
    prediction = load_model(bundle).run(film())
    inputs = torch.from_numpy(prepare(film(), bundle.card.picture).channels)[None]
    expected = own_logits(inputs)[0]
    expected = expected.softmax(0) if end == "Softmax" else expected.sigmoid()
    np.testing.assert_allclose(prediction.scores, expected, atol=1e-5)


def test_it_reads_a_film(imported, tmp_path):
    imported(model([*NODES, node("Identity", ["logits"], ["scores"])], NUMBERS), **STATED)
    Image.fromarray(film()).save(tmp_path / "film.png")
    (reading,) = run(
        tmp_path / "film.png", applications=["bundle-net"], model_folders=[tmp_path / "models"]
    ).readings
    assert [finding.name for finding in reading.findings] == ["a", "b", "c"]
    assert sum(finding.score for finding in reading.findings) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("nodes", "numbers", "message"),
    [
        ([node("Loop", ["picture"], ["scores"])], {}, "uses the operation 'Loop'"),
        ([node("Relu", ["nothing"], ["scores"])], {}, "takes 'nothing', which nothing before it gives"),
        ([node("Relu", ["picture"], ["other"])], {}, "nothing gives the output 'scores'"),
        ([node("Relu", ["picture"], ["scores"])], {}, "does not end with a layer that gives its classes"),
        ([node("Flatten", ["picture"], ["scores"], axis=2)], {}, "axis 2"),
        ([node("Conv", ["picture", "w1"], ["scores"], auto_pad="SAME_UPPER")], NUMBERS, "auto_pad 'SAME_UPPER'"),
        ([node("Conv", ["picture", "w"], ["scores"])], {}, "not among the numbers"),
        ([node("Conv", ["picture", "w"], ["scores"])], {"w": np.full((3, 3, 1, 1), np.nan, np.float32)}, "not finite"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named(imported, nodes, numbers, message):
    with pytest.raises(ModelError, match=message):
        imported(model(nodes, numbers), **STATED)


def test_other_inputs_are_refused(imported):
    with pytest.raises(ModelError, match="pictures"):
        imported(model(NODES, NUMBERS, shape=("n", 3, 8, 224, 224)), **STATED)
    with pytest.raises(UsageError, match="how a picture is prepared"):
        imported(model([*NODES, node("Identity", ["logits"], ["scores"])], NUMBERS), labels="a,b,c")


@pytest.mark.parametrize("seed", range(60))
def test_damaged_files_are_refused_with_our_words(tmp_path, seed):
    content = bytearray(model(NODES, NUMBERS))
    rng = np.random.default_rng(seed)
    for _ in range(4):
        content[rng.integers(len(content) if seed % 2 else 600)] = rng.integers(256)
    path = tmp_path / "net.onnx"
    path.write_bytes(bytes(content[: rng.integers(len(content))] if seed % 3 == 0 else content))
    try:
        import_model(
            ImportRequest(path, tmp_path / "models", options=STATED),
            format_name="onnx",
        )
    except (ModelError, UsageError):
        return


def test_a_file_that_only_begins_alike_is_of_no_format(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"\x08\x07\x12\x05tests and then nothing of a graph")
    assert detected_formats(tmp_path / "a.onnx") == ()
    with pytest.raises(ModelError, match="no whole ONNX file"):
        read_onnx(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([{"name": "a", "op": "eval", "inputs": ["x"]}], "operation 'eval'"),
        ([{"name": "a", "op": "relu", "inputs": ["b"]}], "needs"),
        ([{"name": "a", "op": "conv", "inputs": ["x"]}], "lacks or misstates"),
        ([{"name": "a.b", "op": "relu", "inputs": ["x"]}], "name of its own"),
        ([], "1 to"),
    ],
)
def test_a_card_cannot_ask_for_another_graph(nodes, message):
    with pytest.raises(UsageError, match=message):
        build_network("layer-graph", {"n_classes": 2, "nodes": nodes}, seed=0)
