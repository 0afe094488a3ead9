"""The U-Nets and MeshNets of others, by their published sizes and real weights."""

import json

import nibabel
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hounsfield.core.errors import UsageError  # noqa: E402 - torch must be there first
from hounsfield.networks.segmentation import build_segmentation_network  # noqa: E402
from hounsfield.zoo.foreign_weights import read_foreign_weights  # noqa: E402

# nnU-Net's default plan of a patch of 128 cubed: six stages, at most 320 features.
SIX = {
    "features": (32, 64, 128, 256, 320, 320),
    "sides": ((3, 3, 3),) * 6,
    "strides": ((1, 1, 1), *((2, 2, 2),) * 5),
}


def n_parameters(name, options):
    with torch.device("meta"):
        return sum(p.numel() for p in build_segmentation_network(name, options, seed=0).parameters())


# Counted once with dynamic-network-architectures 0.4.4, PlainConvUNet and ResidualEncoderUNet with these arguments.
@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("unet", SIX | {"n_down": (2,) * 6, "n_up": (2,) * 5}, 31_196_399),
        (
            "residual-unet",
            SIX | {"n_down": (1, 3, 4, 6, 6, 6), "n_up": (1,) * 5},
            102_350_575,
        ),
    ],
)
def test_parameters_are_as_many_as_those_of_nnunet(name, options, expected):
    assert n_parameters(name, {"n_classes": 3, "stages": options}) == expected


FOUR = {
    "features": (4, 8, 8, 8),
    "sides": [[3, 3, 3]] * 4,
    "strides": [[1, 1, 1], *[[2, 2, 2]] * 3],
    "n_down": [1] * 4,
    "n_up": [1] * 3,
}


# Drawn once with the peer's own networks: weights and input as `filled` gives them here, output at four places.
def filled(network):
    """Weights that depend on their place alone, so that any implementation can be given the same ones."""
    with torch.no_grad():
        for _, parameter in sorted(network.named_parameters()):
            n = parameter.numel()
            parameter.copy_((torch.sin(torch.arange(n) * 0.7 + n) * 0.15).view_as(parameter))
    return network.eval()


def volume(*sides):
    n = int(np.prod(sides))
    return torch.sin(torch.arange(n) * 0.37).view(1, 1, *sides)


GEOMETRY = {
    "features": (4, 6, 8),
    "sides": ((1, 3, 3), (3, 3, 3), (3, 3, 3)),
    "strides": ((1, 1, 1), (1, 2, 2), (2, 2, 2)),
    "n_up": (1, 2),
}


@pytest.mark.parametrize(
    ("name", "n_down", "expected"),
    [
        ("unet", (2, 1, 2), [0.021053, -0.079534, -0.142174, 0.069525]),
        ("residual-unet", (1, 2, 2), [0.02105, -0.079535, -0.1422, 0.069434]),
    ],
)
def test_outputs_are_those_of_the_networks_of_nnunet(name, n_down, expected):
    network = filled(
        build_segmentation_network(name, {"n_classes": 3, "stages": GEOMETRY | {"n_down": n_down}}, seed=0)
    )
    with torch.no_grad():
        found = network(volume(8, 16, 16))[0]
    told = [found[0, 0, 0, 0], found[1, 4, 8, 8], found[2, 7, 15, 15], found.std()]
    assert [float(one) for one in told] == pytest.approx(expected, abs=2e-6)


def test_sides_that_the_strides_do_not_divide_are_refused():
    network = build_segmentation_network("unet", {"n_classes": 2, "stages": FOUR}, seed=0)
    with pytest.raises(UsageError, match=r"multiples of \(8, 8, 8\), not a picture of \(8, 12, 8\); pad it"):
        network(torch.zeros(1, 1, 8, 12, 8))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("unet", {"stages": FOUR | {"features": (4, 8)}}, "a U-Net of 2 stages needs as many kernel sizes"),
        ("unet", {"stages": FOUR | {"sides": ((2, 3, 3),) * 4}}, "even sides have no middle"),
        ("unet", {"stages": FOUR, "layers": {"norm": "group"}}, "instance, batch or none"),
        ("unet", {"stages": FOUR | {"width": 3}}, "cannot be built from features, .*width"),
        ("unet", {"stages": {"features": (4, 8)}}, "missing 4 required"),
        ("meshnet", {"activation": "swish"}, "activation of relu, elu, gelu"),
        ("meshnet", {"dilations": ()}, "one dilation or more"),
    ],
)
def test_impossible_shapes_are_refused(name, options, message):
    with pytest.raises(UsageError, match=message):
        build_segmentation_network(name, {"n_classes": 2} | options, seed=0)


# Published networks: folder and file, how they are built, and what they say of the middle of a real head (their README).
PUBLISHED = [
    (
        "model5_gw_ae",
        "model.pth",
        5,
        3,
        (1, 2, 4, 8, 16, 8, 4, 2, 1),
        "relu",
        [-1.078626, -4.779881, -3.145198],
        [147139, 60500, 54505],
    ),
    (
        "model5_gw_ae",
        "tfjs/model.json",
        5,
        3,
        (1, 2, 4, 8, 16, 8, 4, 2, 1),
        "relu",
        [-1.078626, -4.779881, -3.145198],
        [147139, 60500, 54505],
    ),
    (
        "model11_gw_ae",
        "model.json",
        11,
        3,
        (1, 2, 4, 8, 4, 2, 2, 1),
        "relu",
        [0.526256, -4.619295, -2.362276],
        [160849, 44557, 56738],
    ),
    (
        "model20chan3cls",
        "model.json",
        20,
        3,
        (1, 2, 4, 8, 16, 8, 4, 2, 1),
        "elu",
        [3.523105, -1.875634, -2.164306],
        [262144],
    ),
    (
        "model18cls",
        "model.pth",
        21,
        18,
        (1, 2, 4, 8, 16, 8, 4, 2, 1),
        "elu",
        [9.912109, 10.624973, 4.447295],
        [242060, 4032, 1125],
    ),
    (
        "model30chan18cls",
        "model.json",
        30,
        18,
        (1, 2, 4, 8, 16, 8, 4, 2, 1),
        "elu",
        [6.678068, 1.391608, -3.903522],
        [214419, 14437, 4682],
    ),
    (
        "model21_104class",
        "model.pth",
        21,
        104,
        (1, 2, 2, 4, 4, 8, 8, 16),
        "relu",
        [3.294057, -17.673819, -4.479537],
        [44059],
    ),
]


def with_weights(network, arrays):
    """Kernels and biases in the order of the layers, of either format, put into a MeshNet; all must be used."""
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv3d)]
    kernels = [a for a in arrays.values() if a.ndim == 5]
    biases = [a for a in arrays.values() if a.ndim == 1]
    assert len(convolutions) == len(kernels) == len(biases) == len(arrays) // 2
    for module, stored, bias in zip(convolutions, kernels, biases, strict=True):
        same = stored.shape[2:] == module.weight.shape[2:]
        kernel = np.ascontiguousarray(stored if same else stored.transpose(4, 3, 0, 1, 2))
        assert kernel.shape == tuple(module.weight.shape)
        module.weight.data = torch.from_numpy(kernel)
        module.bias.data = torch.from_numpy(np.array(bias))
    return network.eval()


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("folder", "file", "channels", "n_classes", "dilations", "activation", "logits", "voxels"),
    PUBLISHED,
    ids=[f"{row[0]}-{row[1].rsplit('.')[-1]}" for row in PUBLISHED],
)
def test_published_networks_give_their_published_numbers(
    real_data, folder, file, channels, n_classes, dilations, activation, logits, voxels
):
    home = real_data / "models" / "meshnet_t1"
    head = np.asarray(nibabel.load(home / "t1_crop.nii.gz").dataobj)[96:160, 96:160, 96:160] / 255
    options = {"n_classes": n_classes, "channels": channels, "dilations": dilations, "activation": activation}
    network = build_segmentation_network("meshnet", options | {"norm": "none"}, seed=0)
    with_weights(network, in_order(read_foreign_weights(home / folder / file).arrays()))
    with torch.no_grad():
        found = network(torch.from_numpy(head.astype(np.float32))[None, None])[0]
    assert found[: len(logits), 32, 32, 32].tolist() == pytest.approx(logits, abs=1e-4)
    counts = np.bincount(found.argmax(0).flatten().numpy(), minlength=n_classes)[: len(voxels)]
    assert counts.tolist() == pytest.approx(voxels, abs=2)


def in_order(arrays):
    """By the number in each name, where names are those of torch; manifests of TensorFlow are in order."""
    if not all(name.split(".")[0] == "model" for name in arrays):
        return arrays
    return dict(sorted(arrays.items(), key=lambda item: int(item[0].split(".")[1])))


@pytest.mark.real_data
def test_the_published_brain_mask_gives_its_published_numbers(real_data):
    home = real_data / "models" / "meshnet_t1"
    whole = np.asarray(nibabel.load(home / "t1_crop.nii.gz").dataobj).astype(np.float64)
    low, high = np.percentile(whole, [2, 98])
    head = ((whole - low) / (high - low)).clip(0, 1)[96:160, 96:160, 96:160]
    layers = json.loads((home / "mindgrab" / "layers.json").read_text())["forward_pass"]
    dilations = [one["params"]["dilation"] for one in layers if one["op"] == "conv3d"][:-1]
    options = {
        "channels": 15,
        "dilations": dilations,
        "activation": "gelu",
        "norm": "instance",
    }
    network = build_segmentation_network("meshnet", options | {"n_classes": 2}, seed=0)
    arrays = in_order(read_foreign_weights(home / "mindgrab" / "model.safetensors").arrays())
    convolutions = [m for m in network.modules() if isinstance(m, torch.nn.Conv3d)]
    kernels = [a for a in arrays.values() if a.ndim == 5]
    for module, kernel in zip(convolutions, kernels, strict=True):
        module.weight.data = torch.from_numpy(np.array(kernel))
    network.head.bias.data = torch.from_numpy(np.array(next(a for a in arrays.values() if a.ndim == 1)))
    with torch.no_grad():
        found = network.eval()(torch.from_numpy(head.astype(np.float32))[None, None])[0]
    assert found[:, 32, 32, 32].tolist() == pytest.approx([-26.461498, 23.745539], abs=2e-3)
    counts = np.bincount(found.argmax(0).flatten().numpy(), minlength=2)
    assert counts.tolist() == pytest.approx([212048, 50096], abs=10)
