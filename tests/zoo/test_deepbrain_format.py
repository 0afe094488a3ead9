"""The brain mask of deepbrain: its graph's names become a network of ours, and its published numbers come out."""

import numpy as np
import pytest
from safetensors.numpy import save_file

torch = pytest.importorskip("torch")

from hounsfield.core.errors import ModelError, UsageError  # noqa: E402
from hounsfield.inference import open_model, prepare_volume  # noqa: E402
from hounsfield.networks.segmentation import build_segmentation_network  # noqa: E402
from hounsfield.studies import read_studies  # noqa: E402
from hounsfield.zoo.model_formats import ImportRequest, detected_formats, import_model  # noqa: E402


def graph(widths=(2, 3, 4), seed=0):
    """Constants of a graph with those channels, by its names."""
    a, b, c = widths
    rng = np.random.default_rng(seed)
    sizes = {"": (1, a), "_1": (a, a), "_2": (a, b), "_3": (b, b), "_4": (b, c), "_5": (c, c)}
    sizes |= {"_6": (2 * c, c), "_7": (2 * b, b), "_8": (2 * a, a)}
    arrays = {f"conv3d{n}/kernel": rng.normal(size=(3, 3, 3, *size)) for n, size in sizes.items()}
    arrays |= {f"conv3d{n}/bias": rng.normal(size=size[1]) for n, size in sizes.items()}
    arrays |= {"conv3d_9/kernel": rng.normal(size=(1, 1, 1, a, 1)), "conv3d_9/bias": rng.normal(size=1)}
    for n, (out, into) in {"": (c, c), "_1": (b, c), "_2": (a, b)}.items():
        arrays[f"conv3d_transpose{n}/kernel"] = rng.normal(size=(3, 3, 3, out, into))
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def test_the_names_of_the_graph_are_known_and_every_weight_has_its_place(tmp_path):
    save_file(graph(), tmp_path / "graph.safetensors")
    assert detected_formats(tmp_path / "graph.safetensors") == ("deepbrain",)
    bundle = import_model(ImportRequest(tmp_path / "graph.safetensors", tmp_path / "models", name="mask"))
    assert bundle.card.class_names == ("background", "brain")
    assert open_model(bundle).network(torch.rand(1, 1, 8, 16, 8)).shape == (1, 1, 8, 16, 8)


@pytest.mark.parametrize(
    "spoil", [lambda a: a.pop("conv3d_3/bias"), lambda a: a.update(more=np.ones(2, np.float32))]
)
def test_another_graph_is_named(spoil, tmp_path):
    arrays = graph()
    spoil(arrays)
    save_file(arrays, tmp_path / "graph.safetensors")
    request = ImportRequest(tmp_path / "graph.safetensors", tmp_path / "models", name="mask")
    with pytest.raises(ModelError, match="no graph of deepbrain"):
        import_model(request, format_name="deepbrain")


def test_sides_that_pooling_does_not_divide_are_told():
    network = build_segmentation_network("pooled-unet", {"n_classes": 1, "features": (2, 2, 2)}, seed=0)
    with pytest.raises(UsageError, match="no multiples of 8"):
        network(torch.rand(1, 1, 8, 12, 8))


@pytest.mark.slow
@pytest.mark.real_data
def test_the_published_numbers_come_out(real_data, tmp_path):
    """README of the data: mean probability, voxels above one half, and the map itself to its 8 bits."""
    home = real_data / "models" / "deepbrain_t1_mask"
    model = open_model(import_model(ImportRequest(home / "graph_v2.safetensors", tmp_path, name="mask")))
    head = real_data / "models" / "meshnet_t1" / "t1_crop.nii.gz"
    image = read_studies(head, stated={"t1_crop": ("MR", "1")}).studies[0].series[0].image()
    logits = torch.from_numpy(model.logits(prepare_volume([image], model.preprocessing))[0])
    probability = torch.sigmoid(logits).numpy()
    assert probability.mean() == pytest.approx(0.09088136, abs=1e-6)
    assert np.count_nonzero(probability > 0.5) == pytest.approx(191_409, abs=2)
    expected = np.load(home / "expected_prob_v2_uint8.npz")
    np.testing.assert_allclose(np.rint(probability * 255), expected[expected.files[0]], atol=1)
    labels = model.segment([image])
    assert np.count_nonzero(labels) == pytest.approx(8 * 191_409, rel=0.01)
