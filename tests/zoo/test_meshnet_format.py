"""MeshNets of brainchop: every dialect becomes the same bundle, and the published ones give their published numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

torch = pytest.importorskip("torch")

from hounsfield.core.errors import ModelError, UsageError  # noqa: E402
from hounsfield.inference import open_model  # noqa: E402
from hounsfield.studies import read_studies  # noqa: E402
from hounsfield.zoo.model_formats import ImportRequest, detected_formats, import_model  # noqa: E402

WIDTH, DILATIONS, N_CLASSES = 4, (1, 2, 1), 3


def numbers(seed=0):
    """Kernels (out, in, 3, 3, 3) and biases of each layer in turn."""
    rng = np.random.default_rng(seed)
    shapes = [(WIDTH, 1, 3), (WIDTH, WIDTH, 3), (WIDTH, WIDTH, 3), (N_CLASSES, WIDTH, 1)]
    kernels = [rng.normal(size=(a, b, s, s, s)).astype(np.float32) for a, b, s in shapes]
    return kernels, [rng.normal(size=a).astype(np.float32) for a, *_ in shapes]


def layers_json(**changes):
    sizes = [(1, WIDTH, 3, d) for d in DILATIONS[:1]] + [(WIDTH, WIDTH, 3, d) for d in DILATIONS[1:]]
    sizes.append((WIDTH, N_CLASSES, 1, 1))
    layers = [
        {
            "in_channels": a,
            "out_channels": b,
            "kernel_size": k,
            "padding": d * (k - 1) // 2,
            "stride": 1,
            "dilation": d,
        }
        for a, b, k, d in sizes
    ]
    return {"bnorm": False, "elu": True, "dropout_p": 0, "bias": True, "layers": layers, **changes}


def write_safetensors(folder):
    """The weights in safetensors under the name of a pickle."""
    folder.mkdir()
    kernels, biases = numbers()
    named = {f"model.{2 * k}.weight": kernel for k, kernel in enumerate(kernels)}
    named |= {f"model.{2 * k}.bias": bias for k, bias in enumerate(biases)}
    (folder / "model.json").write_text(json.dumps(layers_json()))
    save_file(named, folder / "model.pth")


def bare(kernels, biases):
    pairs = zip(kernels, biases, strict=True)
    return b"".join(k.transpose(2, 3, 4, 1, 0).astype("<f4").tobytes() + b.tobytes() for k, b in pairs)


def write_bare_numbers(folder):
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps(layers_json()))
    (folder / "model.bin").write_bytes(bare(*numbers()))


def write_tfjs(folder):
    folder.mkdir()
    kernels, biases = numbers()
    layers = [{"class_name": "InputLayer", "config": {"batch_input_shape": [None, 8, 8, 8, 1]}}]
    manifest = []
    for k, (kernel, bias) in enumerate(zip(kernels, biases, strict=True)):
        dilation = [*DILATIONS, 1][k]
        config = {
            "filters": len(bias),
            "kernel_size": list(kernel.shape[2:]),
            "dilation_rate": [dilation] * 3,
        }
        layers.append(
            {"class_name": "Conv3D", "config": {**config, "activation": "linear", "padding": "same"}}
        )
        if k < len(kernels) - 1:
            layers.append({"class_name": "Activation", "config": {"activation": "elu"}})
        shape = list(kernel.transpose(2, 3, 4, 1, 0).shape)
        manifest.append({"name": f"{k}/kernel", "shape": shape, "dtype": "float32"})
        manifest.append({"name": f"{k}/bias", "shape": [len(bias)], "dtype": "float32"})
    (folder / "model.bin").write_bytes(bare(kernels, biases))
    topology = {"model_config": {"config": {"layers": layers}}}
    groups = [{"paths": ["model.bin"], "weights": manifest}]
    (folder / "model.json").write_text(json.dumps({"modelTopology": topology, "weightsManifest": groups}))


def expected(volume):
    """The network written out with torch's functions."""
    kernels, biases = numbers()
    x = torch.from_numpy(volume)[None, None]
    for kernel, bias, dilation in zip(kernels, biases, (*DILATIONS, 1), strict=True):
        padding = dilation * (kernel.shape[-1] - 1) // 2
        x = torch.nn.functional.conv3d(
            x, torch.from_numpy(kernel), torch.from_numpy(bias), padding=padding, dilation=dilation
        )
        x = torch.nn.functional.elu(x) if kernel.shape[-1] == 3 else x
    return x[0]


@pytest.mark.parametrize("write", [write_safetensors, write_bare_numbers, write_tfjs])
def test_every_dialect_gives_the_same_network(write, tmp_path):
    write(tmp_path / "Net 3")
    assert detected_formats(tmp_path / "Net 3") == ("meshnet",)
    bundle = import_model(ImportRequest(tmp_path / "Net 3", tmp_path / "models"))
    assert (bundle.name, bundle.card.class_names[1:]) == ("net-3", ("White Matter", "Grey Matter"))
    volume = np.random.default_rng(1).uniform(size=(8, 9, 10)).astype(np.float32)
    with torch.no_grad():
        found = open_model(bundle).network(torch.from_numpy(volume)[None, None])[0]
    torch.testing.assert_close(found, expected(volume), rtol=1e-5, atol=1e-5)


def test_codes_are_those_of_the_standard_where_it_has_them(tmp_path):
    write_safetensors(tmp_path / "net")
    labels = ["Unknown", "Left-Thalamus-Proper*", "ctx-lh-bankssts"]
    (tmp_path / "net" / "colormap.json").write_text(json.dumps({"labels": labels}))
    classes = import_model(ImportRequest(tmp_path / "net", tmp_path / "models")).card.classes
    assert [(c.name, c.scheme) for c in classes] == [
        (labels[0], "99HOUNSFIELD"),
        (labels[1], "SCT"),
        (labels[2], "99HOUNSFIELD"),
    ]
    assert classes[1].value == "42695009"


def drop_a_bias(folder):
    content = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(content[:-4])


def add_a_number(folder):
    (folder / "model.bin").write_bytes((folder / "model.bin").read_bytes() + bytes(4))


def other_layers(**changes):
    def write(folder):
        (folder / "model.json").write_text(json.dumps(layers_json(**changes)))

    return write


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop_a_bias, "ends within the layers"),
        (add_a_number, "the layers of model.json take"),
        (other_layers(bnorm=True), "batch normalisation"),
        (other_layers(layers=layers_json()["layers"][1:]), "describes no MeshNet"),
        (lambda folder: (folder / "model.bin").unlink(), "holds none of"),
        (lambda folder: (folder / "model.json").write_text("[]"), "describes no MeshNet"),
    ],
)
def test_what_does_not_fit_is_named(spoil, said, tmp_path):
    write_bare_numbers(tmp_path / "net")
    spoil(tmp_path / "net")
    with pytest.raises(ModelError, match=said):
        import_model(ImportRequest(tmp_path / "net", tmp_path / "models"), format_name="meshnet")
    assert not (tmp_path / "models").exists()


def test_a_wrong_number_of_names_and_a_wrong_option(tmp_path):
    write_safetensors(tmp_path / "net")
    with pytest.raises(UsageError, match="two numbers"):
        import_model(ImportRequest(tmp_path / "net", tmp_path / "models", options={"percentiles": "5"}))


PUBLISHED = {
    "model5_gw_ae": {},
    "model5_gw_ae/tfjs": {},
    "model11_gw_ae": {},
    "model20chan3cls": {"percentiles": "5,95"},
    "model18cls": {},
    "model30chan18cls": {},
    "model21_104class": {},
    "mindgrab": {"percentiles": "2,98"},
}


@pytest.mark.real_data
@pytest.mark.parametrize("folder", PUBLISHED)
def test_published_networks_are_imported(folder, real_data, tmp_path):
    path = real_data / "models" / "meshnet_t1" / folder
    assert detected_formats(path) == ("meshnet",)
    bundle = import_model(ImportRequest(path, tmp_path, name="net", options=PUBLISHED[folder]))
    assert open_model(bundle).n_channels == len(bundle.card.classes)


def head_image(path: Path):
    return read_studies(path, stated={path.name.split(".")[0]: ("MR", "1")}).studies[0].series[0].image()


@pytest.mark.slow
@pytest.mark.real_data
def test_the_published_volumes_come_out(real_data, tmp_path):
    """README of the data: model5 on the whole volume."""
    home = real_data / "models" / "meshnet_t1"
    request = ImportRequest(home / "model5_gw_ae", tmp_path, name="net", options={"crop": "none"})
    labels = open_model(import_model(request)).segment([head_image(home / "t1_crop.nii.gz")])
    assert np.bincount(labels.ravel()).tolist() == pytest.approx([15_523_464, 518_540, 735_212], abs=20)


@pytest.mark.slow
@pytest.mark.real_data
def test_axes_turned_and_reversed_change_nothing(real_data, tmp_path):
    import nibabel as nib

    home = real_data / "models" / "meshnet_t1"
    model = open_model(import_model(ImportRequest(home / "model5_gw_ae", tmp_path, name="net")))
    stored = nib.load(home / "t1_crop.nii.gz")
    turned = nib.as_closest_canonical(stored)
    nib.save(turned, tmp_path / "turned.nii.gz")
    assert nib.aff2axcodes(turned.affine) != nib.aff2axcodes(stored.affine)
    counts = [
        np.bincount(model.segment([head_image(path)]).ravel()).tolist()
        for path in (home / "t1_crop.nii.gz", tmp_path / "turned.nii.gz")
    ]
    assert counts[0] == counts[1]
