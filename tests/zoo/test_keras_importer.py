"""Layers models of Keras: the numbers of a plain NumPy formula come out, and what is not read is named."""

import json

import numpy as np
import pytest

from hounsfield.core.errors import ModelError
from hounsfield.inference import load_model, prepare
from hounsfield.zoo.model_formats import ImportRequest, import_model

from tests.zoo.foreign_models import film  # isort: skip

RNG = np.random.default_rng(7)
STATED = {"labels": "a,b,c"}
PICTURE = {"size_px": 30, "normalisation": "range", "fit": "stretch", "interpolation": "linear"}


def drawn(*shape):
    return RNG.normal(0, 0.4, shape).astype(np.float32)


ARRAYS = {
    "first/kernel": drawn(3, 3, 1, 4),
    "first/bias": drawn(4),
    "norm/gamma": drawn(4) + 1,
    "norm/beta": drawn(4),
    "norm/moving_mean": drawn(4),
    "norm/moving_variance": np.abs(drawn(4)) + 0.5,
    "depth/depthwise_kernel": drawn(3, 3, 4, 2),
    "depth/bias": drawn(8),
    "point/kernel": drawn(1, 1, 8, 4),
    "out/kernel": drawn(4 * 4 * 8, 3),
    "out/bias": drawn(3),
}


def layer(kind, name, inputs=(), **config):
    return {
        "class_name": kind,
        "name": name,
        "config": {"name": name, **config},
        "inbound_nodes": [[[one, 0, 0, {}] for one in inputs]] if inputs else [],
    }


LAYERS = [
    layer("InputLayer", "picture", batch_input_shape=[None, 30, 30, 1]),
    layer("Rescaling", "scaled", ["picture"], scale=2.0, offset=-1.0),
    layer("Conv2D", "first", ["scaled"], strides=[2, 2], padding="same", activation="relu"),
    layer("BatchNormalization", "norm", ["first"], axis=[3], epsilon=0.01),
    layer("DepthwiseConv2D", "depth", ["norm"], padding="same", activation="tanh"),
    layer("Dropout", "drop", ["depth"], rate=0.3),
    layer("Conv2D", "point", ["drop"], use_bias=False, padding="valid"),
    layer("Add", "sum", ["point", "norm"]),
    layer("LeakyReLU", "bent", ["sum"], alpha=0.3),
    layer("MaxPooling2D", "high", ["bent"], pool_size=[4, 4], padding="same"),
    layer("AveragePooling2D", "even", ["bent"], pool_size=[4, 4], padding="same"),
    layer("Concatenate", "both", ["high", "even"], axis=-1),
    layer("Flatten", "flat", ["both"]),
    layer("Dense", "out", ["flat"], activation="softmax"),
]


def windows(x, side, stride, empty):
    """Windows of TensorFlow's "same" padding: (rows, columns, side, side, channels)."""
    n = -(-len(x) // stride)
    total = max((n - 1) * stride + side - len(x), 0)
    edges = (total // 2, total - total // 2)
    padded = np.pad(x, (edges, edges, (0, 0)), constant_values=empty)
    rows = [[padded[r * stride :, c * stride :][:side, :side] for c in range(n)] for r in range(n)]
    return np.array(rows)


def own_logits(x):
    """The layers one by one, channels last."""
    w = {key: value.astype(np.float64) for key, value in ARRAYS.items()}
    x = x * 2.0 - 1.0
    x = np.maximum(np.einsum("rcijk,ijko->rco", windows(x, 3, 2, 0), w["first/kernel"]) + w["first/bias"], 0)
    deviation = np.sqrt(w["norm/moving_variance"] + 0.01)
    norm = (x - w["norm/moving_mean"]) / deviation * w["norm/gamma"] + w["norm/beta"]
    deep = np.einsum("rcijk,ijkm->rckm", windows(norm, 3, 1, 0), w["depth/depthwise_kernel"])
    deep = np.tanh(deep.reshape(*deep.shape[:2], 8) + w["depth/bias"])
    x = deep @ w["point/kernel"][0, 0] + norm
    x = np.where(x > 0, x, 0.3 * x)
    high, even = windows(x, 4, 4, -np.inf).max((2, 3)), np.nanmean(windows(x, 4, 4, np.nan), (2, 3))
    return np.concatenate([high, even], -1).ravel() @ w["out/kernel"] + w["out/bias"]


def write(folder, layers=LAYERS, arrays=ARRAYS, chain=False):
    folder.mkdir(exist_ok=True)
    config = {"layers": layers, "output_layers": [["out", 0, 0]]}
    entries = [{"name": k, "shape": list(v.shape), "dtype": "float32"} for k, v in arrays.items()]
    model = {
        "format": "layers-model",
        "modelTopology": {
            "model_config": {"class_name": "Sequential" if chain else "Functional", "config": config}
        },
        "weightsManifest": [{"paths": ["group1.bin"], "weights": entries}],
    }
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
    (folder / "group1.bin").write_bytes(b"".join(v.astype("<f4").tobytes() for v in arrays.values()))
    return folder


def imported(folder, picture=PICTURE, **options):
    facts = {"preprocessing": picture}
    return import_model(
        ImportRequest(folder, folder.parent / "models", facts=facts, options={**STATED, **options})
    )


def test_scores_are_those_of_the_layers(tmp_path):
    bundle = imported(write(tmp_path / "net"))
    assert bundle.card.origin.format == "keras-layers"
    assert bundle.card.outputs == "exclusive"
    prediction = load_model(bundle).run(film())
    expected = own_logits(prepare(film(), bundle.card.picture).pixels[..., None])
    np.testing.assert_allclose(prediction.logits, expected, atol=1e-4)
    np.testing.assert_allclose(prediction.scores, np.exp(expected) / np.exp(expected).sum(), atol=1e-5)


def test_a_chain_of_layers(tmp_path):
    """A Sequential model, whose first layer states the shape; sigmoid and one output."""
    arrays = {"a/kernel": drawn(3, 3, 1, 2), "a/bias": drawn(2), "b/kernel": drawn(2, 1), "b/bias": drawn(1)}
    layers = [
        layer("Conv2D", "a", batch_input_shape=[None, 30, 30, 1], activation="relu"),
        layer("GlobalAveragePooling2D", "g"),
        layer("Dense", "b", activation="sigmoid"),
    ]
    bundle = imported(write(tmp_path / "net", layers, arrays, chain=True), labels="finding")
    pixels = prepare(film(), bundle.card.picture).pixels
    seen = np.lib.stride_tricks.sliding_window_view(pixels, (3, 3))
    features = np.maximum(np.einsum("rcij,ijo->rco", seen, arrays["a/kernel"][:, :, 0]) + arrays["a/bias"], 0)
    logit = features.mean((0, 1)) @ arrays["b/kernel"] + arrays["b/bias"]
    prediction = load_model(bundle).run(film())
    np.testing.assert_allclose(prediction.logits, logit, atol=1e-5)
    np.testing.assert_allclose(prediction.scores, 1 / (1 + np.exp(-logit)), atol=1e-5)
    assert bundle.card.outputs == "independent"


def changed(number, **config):
    layers = [dict(one) for one in LAYERS]
    layers[number] = {**layers[number], "config": {**layers[number]["config"], **config}}
    return layers


def test_another_size_than_the_file_states_is_refused(tmp_path):
    """Padding "same" depends on the size: another one would give other numbers without a word."""
    with pytest.raises(
        ModelError, match="30 x 30 pixels, and the preprocessing that was stated makes 64 x 64"
    ):
        imported(write(tmp_path / "net"), picture={**PICTURE, "size_px": 64})


@pytest.mark.parametrize(
    ("layers", "arrays", "message"),
    [
        ([*LAYERS[:9], layer("Lambda", "trick", ["bent"]), *LAYERS[9:]], ARRAYS, "'trick' is a Lambda"),
        (changed(2, activation="swish"), ARRAYS, "activation 'swish'"),
        (changed(2, data_format="channels_first"), ARRAYS, "channels first"),
        (changed(0, batch_input_shape=[None, None, None, 1]), ARRAYS, "of a stated size"),
        (changed(11, axis=1), ARRAYS, "joins axis 1"),
        (LAYERS, {k: v for k, v in ARRAYS.items() if k != "depth/bias"}, "lacks the weight 'bias' of layer 'depth'"),
        (LAYERS, {**ARRAYS, "other/kernel": drawn(2)}, "'other/kernel', which no layer takes"),
        (LAYERS, {**ARRAYS, "out/kernel": drawn(5, 3)}, "does not run on a picture"),
        ([{"class_name": "Conv2D"}], ARRAYS, "as Keras does"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named(tmp_path, layers, arrays, message):
    folder = write(tmp_path / "net", layers, arrays)
    request = ImportRequest(folder, tmp_path / "models", facts={"preprocessing": PICTURE}, options=STATED)
    with pytest.raises(ModelError, match=message):
        import_model(request, format_name="keras-layers")
