"""Networks of pictures as others publish them: the numbers of their formulas come out of the bundle, or an error says why."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file
from tests.zoo.foreign_models import (
    N_XRV,
    densenet_logits,
    densenet_shapes,
    draw,
    film,
    resnet_logits,
    resnet_shapes,
    vit_logits,
    vit_shapes,
    xrv_weights,
)

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.inference import load_model, prepare
from hounsfield.pipeline import run
from hounsfield.zoo.model_formats import ImportRequest, detected_formats, import_model
from hounsfield.zoo.published_networks.torchxrayvision_weights import KNOWN

PEER = json.loads((Path(__file__).parent / "torchxrayvision_outputs.json").read_text(encoding="utf-8"))
THREE = {"labels": "a,b,c", "input": "half-224-stretched"}


def tensors(weights):
    return {key: torch.from_numpy(value) for key, value in weights.items()}


@pytest.fixture
def imported(tmp_path):
    """Save content as torch does (or a folder as it is), and import it."""

    def make(content, *, format_name="picture-classifier", facts=None, zipped=True, **options):
        path = content
        if not isinstance(content, Path):
            path = tmp_path / "w.pt"
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
        request = ImportRequest(path, tmp_path / "models", name="net", facts=facts or {}, options=options)
        return import_model(request, format_name=format_name)

    return make


def given(bundle):
    """The film as the network takes it."""
    return torch.from_numpy(prepare(film(), bundle.card.picture).channels)[None]


class TestTorchXRayVision:
    """A small DenseNet of its class; what its own code gave for it lies beside this file."""

    weights = xrv_weights(PEER["blocks"], PEER["growth"], PEER["seed"])
    kept = tuple(k for k, label in enumerate(PEER["labels"]) if label)

    def test_inputs_logits_and_scores_are_those_of_its_own_code(self, imported):
        bundle = imported(tensors(self.weights), format_name=None, weights=PEER["weights"])
        np.testing.assert_allclose(given(bundle)[0, 0, 112, ::16], PEER["input_row_112"], atol=2e-3)
        prediction = load_model(bundle).run(film())
        own = np.array(PEER["logits"])[list(self.kept)]
        np.testing.assert_allclose(prediction.logits, own, atol=1e-5 * np.abs(own).max())
        np.testing.assert_allclose(prediction.scores, np.array(PEER["scores"])[list(self.kept)], atol=1e-6)
        assert prediction.probabilities is None

    def test_absent_labels_stay_absent(self, imported):
        card = imported(tensors(self.weights), format_name="torchxrayvision", weights=PEER["weights"]).card
        assert card.class_names == tuple(label for label in PEER["labels"] if label)
        assert card.network.arguments["n_classes"] == 11
        assert card.origin.left_out[0] == "output 3 (no name)"
        assert len(card.origin.left_out) == 7
        assert card.outputs == "independent"
        assert "no probability" in card.scores.name

    @pytest.mark.parametrize("zipped", [True, False], ids=["archive", "before 1.6"])
    def test_a_whole_pickled_network_gives_its_weights_and_names(self, imported, zipped):
        """As its releases store them: the object, not its state dict; nothing of its class is run."""
        labels = [f"f{k}" for k in range(N_XRV)]
        network = Pickled(tensors(self.weights), torch.full((N_XRV,), 0.25), labels)
        bundle = imported(network, format_name=None, zipped=zipped)
        assert bundle.card.class_names == tuple(labels)
        assert set(bundle.card.scores.operating_points.values()) == {0.25}
        logits = load_model(bundle).run(film()).logits
        np.testing.assert_allclose(logits, PEER["logits"], atol=1e-5 * np.abs(logits).max())

    @pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
    def test_torchscript_gives_its_weights_and_its_code_is_not_run(self, tmp_path, imported):
        labels = [f"f{k}" for k in range(N_XRV)]
        network = Pickled(tensors(self.weights), torch.full((N_XRV,), 0.25), labels)
        torch.jit.script(network).save(str(tmp_path / "script.pt"))
        bundle = imported(tmp_path / "script.pt", format_name="torchxrayvision", labels=",".join(labels))
        assert bundle.card.class_names == tuple(labels)
        logits = load_model(bundle).run(film()).logits
        np.testing.assert_allclose(logits, PEER["logits"], atol=1e-5 * np.abs(logits).max())

    def test_an_operating_point_that_is_no_number_leaves_its_output_out(self, imported):
        known = "resnet50-res512-all"
        shapes = resnet_shapes((3, 4, 6, 3), narrows=True, width=8, n_classes=N_XRV)
        weights = draw(shapes, seed=2)
        bundle = imported(tensors(weights), format_name=None, weights=known)
        assert bundle.card.origin.left_out == (
            "Lung Lesion (no operating point)",
            "Enlarged Cardiomediastinum (no operating point)",
        )
        assert bundle.card.picture.size_px == 512
        expected = resnet_logits(weights, given(bundle))[0].numpy()
        kept = [k for k, label in enumerate(KNOWN[known].labels) if label in bundle.card.class_names]
        found = load_model(bundle).run(film()).logits
        np.testing.assert_allclose(found, expected[kept], rtol=1e-4, atol=1e-4 * np.abs(expected).max())

    def test_names_are_not_guessed(self, imported, tmp_path):
        with pytest.raises(ModelError, match="does not say which finding"):
            imported(tensors(self.weights), format_name="torchxrayvision")
        with pytest.raises(ModelError, match="holds no operating points"):
            imported(
                tensors(self.weights),
                format_name="torchxrayvision",
                labels=",".join(map(str, range(N_XRV))),
            )
        with pytest.raises(ModelError, match=r"18 outputs, and 2 names"):
            imported(tensors(self.weights), format_name="torchxrayvision", labels="a,b")
        path = tmp_path / KNOWN["densenet121-res224-nih"].file
        torch.save(tensors(self.weights), path)
        with pytest.raises(ModelError, match="By its name it may be densenet121-res224-nih"):
            imported(path, format_name="torchxrayvision")

    def test_it_reads_a_film(self, imported, tmp_path):
        bundle = imported(tensors(self.weights), format_name="torchxrayvision", weights=PEER["weights"])
        Image.fromarray(film()).save(tmp_path / "film.png")
        done = run(tmp_path / "film.png", applications=["bundle-net"], model_folders=[bundle.folder.parent])
        (reading,) = done.readings
        assert reading.status == "complete"
        assert len(reading.findings) == 11
        np.testing.assert_allclose(
            [finding.score for finding in reading.findings],
            np.array(PEER["scores"])[list(self.kept)],
            atol=1e-6,
        )
        assert all(f.probability is None and f.presence == "indeterminate" for f in reading.findings)
        assert "0.5 is its authors' operating point" in reading.findings[0].reason
        assert reading.findings[2].concept.value == "36118008"  # pneumothorax, SNOMED CT


class Pickled(torch.nn.Module):
    """What torch.save leaves of a network that is saved whole."""

    pathologies: list[str]

    def __init__(self, weights, points, labels):
        super().__init__()
        self.pathologies = labels
        self.register_buffer("op_threshs", points)
        for key, value in weights.items():
            owner = self
            *parts, last = key.split(".")
            for part in parts:
                if part not in owner._modules:
                    owner.add_module(part, torch.nn.Module())
                owner = owner._modules[part]
            if value.dtype.is_floating_point and "running" not in last:
                owner.register_parameter(last, torch.nn.Parameter(value))
            else:
                owner.register_buffer(last, value)

    def forward(self, x):
        return x


def lightning(weights):
    return {"state_dict": {f"model.{key}": value for key, value in weights.items()}, "epoch": 3}


def old_names(weights):
    """DataParallel and the names of torch before 0.4, which counted no batches either."""
    found = {}
    for key, value in weights.items():
        if "num_batches" not in key:
            name = re.sub(r"\.(norm|conv)([12])\.", r".\1.\2.", key)
            found[f"module.{name}"] = value
    return {"state_dict": found, "arch": "DENSENET121"}


def chexnet(weights):
    """CheXNet's clones: the network in a class of their own, its classifier in a Sequential with a sigmoid."""
    renamed = {k.replace("classifier.", "classifier.0."): v for k, v in weights.items()}
    return old_names({f"densenet121.{key}": value for key, value in renamed.items()})


@pytest.mark.parametrize("wrapped", [dict, lightning, old_names, chexnet])
def test_densenet_under_every_wrapping(imported, wrapped):
    weights = draw(densenet_shapes(channels=3))
    bundle = imported(wrapped(tensors(weights)), outputs="independent", **THREE)
    expected = densenet_logits(weights, given(bundle))[0].numpy()
    prediction = load_model(bundle).run(film())
    np.testing.assert_allclose(prediction.logits, expected, atol=1e-5)
    np.testing.assert_allclose(prediction.scores, 1 / (1 + np.exp(-expected)), atol=1e-5)


@pytest.mark.parametrize(
    "shape",
    [
        {"stages": (2, 2, 2, 2)},
        {"stages": (1, 2, 1)},
        {"stages": (3, 4, 6, 3), "narrows": True},
    ],
    ids=["18", "own", "50"],
)
def test_resnet(imported, shape):
    weights = draw(resnet_shapes(channels=3, **shape))
    bundle = imported(tensors(weights), **THREE)
    expected = resnet_logits(weights, given(bundle))[0].numpy()
    found = load_model(bundle).run(film())
    np.testing.assert_allclose(found.logits, expected, atol=1e-4 * np.abs(expected).max())
    assert found.scores.sum() == pytest.approx(1.0)


def test_transformer_of_timm(imported):
    weights = draw(vit_shapes(width=192, grid=14))
    bundle = imported(tensors(weights), **THREE)
    expected = vit_logits(weights, given(bundle), heads=3)[0].numpy()
    np.testing.assert_allclose(load_model(bundle).run(film()).logits, expected, atol=1e-4)


def test_heads_that_the_width_does_not_tell_are_asked_for(imported):
    weights = draw(vit_shapes(width=24, grid=14))
    with pytest.raises(ModelError, match="option heads"):
        imported(tensors(weights), **THREE)
    bundle = imported(tensors(weights), heads="4", **THREE)
    expected = vit_logits(weights, given(bundle), heads=4)[0].numpy()
    np.testing.assert_allclose(load_model(bundle).run(film()).logits, expected, atol=1e-4)


def torchvision_names(weights):
    """The same transformer as torchvision names it."""
    pairs = [
        ("cls_token", "class_token"), ("pos_embed", "encoder.pos_embedding"), ("patch_embed.proj", "conv_proj"),
        ("blocks.", "encoder.layers.encoder_layer_"), ("norm1", "ln_1"), ("norm2", "ln_2"),
        ("attn.qkv.", "self_attention.in_proj_"), ("attn.proj", "self_attention.out_proj"), ("mlp.fc1", "mlp.0"),
        ("mlp.fc2", "mlp.3"), ("head.", "heads.head."),
    ]  # fmt: skip
    found = {}
    for key, value in weights.items():
        name = key
        for timm_name, torchvision_name in pairs:
            name = name.replace(timm_name, torchvision_name)
        found["encoder.ln." + name.removeprefix("norm.") if name.startswith("norm.") else name] = value
    return found


def hugging_face_names(weights):
    """The same transformer as release 4 of transformers names it."""
    pairs = [
        ("cls_token", "vit.embeddings.cls_token"), ("pos_embed", "vit.embeddings.position_embeddings"),
        ("patch_embed.proj", "vit.embeddings.patch_embeddings.projection"), ("blocks.", "vit.encoder.layer."),
        ("norm1", "layernorm_before"), ("norm2", "layernorm_after"), ("attn.proj", "attention.output.dense"),
        ("mlp.fc1", "intermediate.dense"), ("mlp.fc2", "output.dense"), ("head.", "classifier."),
    ]  # fmt: skip
    found = {}
    for key, value in weights.items():
        name = key
        for timm_name, other in pairs:
            name = name.replace(timm_name, other)
        name = "vit.layernorm." + name.removeprefix("norm.") if name.startswith("norm.") else name
        if "attn.qkv" in name:
            for part, third in zip(("query", "key", "value"), np.split(value, 3), strict=True):
                found[name.replace("attn.qkv", f"attention.attention.{part}")] = third
        else:
            found[name] = value
    return found


def test_transformer_of_torchvision(imported):
    weights = draw(vit_shapes(width=192, grid=14))
    bundle = imported(tensors(torchvision_names(weights)), **THREE)
    expected = vit_logits(weights, given(bundle), heads=3)[0].numpy()
    np.testing.assert_allclose(load_model(bundle).run(film()).logits, expected, atol=1e-4)


def write_folder(folder, weights, config, preprocessor=None):
    folder.mkdir()
    save_file(
        {key: np.asarray(value, order="C") for key, value in weights.items()}, folder / "model.safetensors"
    )
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if preprocessor:
        (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor), encoding="utf-8")
    return folder


VIT = {
    "model_type": "vit",
    "num_attention_heads": 4,
    "layer_norm_eps": 1e-12,
    "id2label": {"1": "b", "0": "a", "2": "c"},
}
VIT_PICTURE = {
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.3, 0.4],
    "resample": 2,
    "size": {"height": 64, "width": 64},
    "rescale_factor": 1 / 255,
}


class TestHuggingFace:
    """Folders of the hub: classes and preprocessing come from their configurations."""

    weights = draw(vit_shapes(width=24, grid=4))

    def test_a_transformer_with_its_names_and_its_pictures(self, imported, tmp_path):
        folder = write_folder(tmp_path / "hub", hugging_face_names(self.weights), VIT, VIT_PICTURE)
        bundle = imported(folder, format_name=None)
        assert bundle.card.class_names == ("a", "b", "c")
        assert bundle.card.picture.mean == (0.5, 0.4, 0.3)
        assert bundle.card.picture.size_px == 64
        expected = vit_logits(self.weights, given(bundle), heads=4, epsilon=1e-12)[0].numpy()
        np.testing.assert_allclose(load_model(bundle).run(film()).logits, expected, atol=1e-4)

    def test_timm_says_crop_and_filter(self, imported, tmp_path):
        said = {
            "input_size": [3, 224, 224],
            "mean": [0.5, 0.5, 0.5],
            "std": [0.5, 0.5, 0.5],
            "crop_pct": 0.9,
            "interpolation": "bicubic",
        }
        config = {"architecture": "resnet18", "label_names": ["a", "b", "c"], "pretrained_cfg": said}
        folder = write_folder(tmp_path / "hub", draw(resnet_shapes(channels=3)), config)
        card = imported(folder, format_name=None).card
        assert card.picture.shorter_px == 248
        assert card.picture.interpolation == "pillow-bicubic-8-bit"
        assert card.class_names == ("a", "b", "c")

    @pytest.mark.parametrize(
        ("config", "preprocessor", "message"),
        [
            ({"hidden_act": "relu"}, {}, "hidden_act 'relu'"),
            ({"id2label": {"0": "a", "2": "b"}}, {}, "without a gap"),
            ({"id2label": {"0": "a", "1": "b"}}, {}, "3 outputs, and 2 names"),
            ({"qkv_bias": False}, {}, "qkv_bias"),
            ({}, {"do_center_crop": True}, "do_center_crop"),
            ({}, {"size": {"height": 64, "width": 32}}, "squares"),
            ({}, {"size": None}, "does not say completely"),
        ],
    )
    def test_what_is_not_done_is_named(self, imported, tmp_path, config, preprocessor, message):
        weights = hugging_face_names(self.weights)
        folder = write_folder(tmp_path / "hub", weights, {**VIT, **config}, {**VIT_PICTURE, **preprocessor})
        with pytest.raises(ModelError, match=message):
            imported(folder, format_name="hugging-face")


class TestErrors:
    """What users of other programs lose months to is an error here that names it."""

    weights = draw(densenet_shapes(channels=3))

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda w: w.pop("features.norm5.bias"), r"lacks 'features.norm5.bias'"),
            (lambda w: w.update(extra=torch.zeros(2)), r"holds what a densenet has not: 'extra'"),
            (
                lambda w: w.update({"features.norm0.bias": torch.zeros(5)}),
                r"features.norm0.bias has the shape \(5,\), a densenet with 3 classes needs \(16,\)",
            ),
            (
                lambda w: w["features.norm0.bias"].fill_(np.nan),
                "features.norm0.bias holds numbers that are not finite",
            ),
            (lambda w: w.pop("classifier.weight"), "no known network"),
        ],
    )
    def test_weights_that_do_not_fit(self, imported, change, message):
        weights = {key: value.clone() for key, value in tensors(self.weights).items()}
        change(weights)
        with pytest.raises(ModelError, match=message):
            imported(weights, **THREE)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"input": "imagenet-224"}, ModelError, "3 outputs and does not name them"),
            ({"input": "imagenet-224", "labels": "a,b"}, ModelError, "3 outputs, and 2 names"),
            ({"input": "imagenet-224", "labels": "a,a,b"}, ModelError, "share the name 'a'"),
            ({"labels": "a,b,c"}, UsageError, "does not say how a picture is prepared"),
            ({"labels": "a,b,c", "input": "torchxrayvision-224"}, ModelError, "pictures of 3 channels"),
            ({"labels": "a,b,c", "input": "any"}, UsageError, "known are"),
            ({"heads": "many"}, UsageError, "not a number"),
        ],
    )
    def test_what_weights_do_not_say_must_be_stated(self, imported, options, error, message):
        with pytest.raises(error, match=message):
            imported(tensors(self.weights), **options)

    def test_formats_do_not_overlap(self, tmp_path):
        torch.save(tensors(self.weights), tmp_path / "a.pt")
        torch.save(tensors(TestTorchXRayVision.weights), tmp_path / "b.pt")
        torch.save({"unet.weight": torch.zeros(3)}, tmp_path / "c.pt")
        (tmp_path / "d.txt").write_text("no weights")
        found = [detected_formats(tmp_path / name) for name in ("a.pt", "b.pt", "c.pt", "d.txt")]
        assert found == [("picture-classifier",), ("torchxrayvision",), (), ()]
