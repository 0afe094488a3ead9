"""The folder is a MONAI bundle: its specification's keys, and a configuration without code."""

from __future__ import annotations

import json
from pydoc import locate

import numpy as np
import pytest
from tests.tiny_bundle import SIZE_PX, head_slice, tiny_card, write_tiny_bundle

from hounsfield.core.errors import ModelError
from hounsfield.zoo import Baseline, Estimate, Figure, MapEvidence, Network, open_bundle

# MONAI Bundle Specification, "metadata.json File": mandatory keys, and those of each tensor.
METADATA_KEYS = {
    *("version", "monai_version", "pytorch_version", "numpy_version", "required_packages_version"),
    *("task", "description", "authors", "copyright", "network_data_format", "changelog"),
}
TENSOR_KEYS = {
    *("type", "format", "modality", "num_channels", "spatial_shape", "dtype", "value_range"),
    *("is_patch_data", "channel_def"),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("models"), calibrated=True, guarded=True)


def config(bundle, name):
    return json.loads(bundle.read(f"configs/{name}.json"))


def test_metadata_holds_what_the_specification_demands(bundle):
    metadata = config(bundle, "metadata")
    assert set(metadata) >= METADATA_KEYS
    tensors = metadata["network_data_format"]
    assert set(tensors) == {"inputs", "outputs"}
    assert all(set(t) >= TENSOR_KEYS for group in tensors.values() for t in group.values())
    assert tensors["inputs"]["image"]["spatial_shape"] == [SIZE_PX, SIZE_PX]
    assert tensors["outputs"]["class_logits"]["channel_def"] == {
        "0": "glioma",
        "1": "meningioma",
        "2": "pituitary",
    }
    assert "+" not in metadata["pytorch_version"]


def texts(value):
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_configuration_holds_no_expression(bundle):
    """In MONAI's language a text that begins with $ is run as Python."""
    assert not [text for text in texts(config(bundle, "inference")) if text.startswith("$")]


@pytest.mark.parametrize("value", ["$__import__('os')", ["@weights"], {"a": "$1"}])
def test_arguments_that_monai_would_run_are_not_written(tmp_path, value):
    network = Network(name="unet-classifier", arguments={"n_classes": 3, "extra": value})
    with pytest.raises(ModelError, match="would be run or resolved"):
        write_tiny_bundle(tmp_path, network=network)


def test_configuration_builds_our_network_and_preprocessing(bundle):
    """What MONAI's ConfigParser does with `_target_`: locate it and call it with the rest as arguments."""
    import torch

    record = config(bundle, "inference")
    assert {"network_def", "preprocessing", "inferer"} <= set(record)
    built = {}
    for name in ("network_def", "preprocessing"):
        arguments = dict(record[name])
        built[name] = locate(arguments.pop("_target_"))(**arguments)
    built["network_def"].load_state_dict({k: torch.from_numpy(v) for k, v in bundle.weights().items()})
    picture = built["preprocessing"](head_slice())
    assert picture.shape == (1, SIZE_PX, SIZE_PX)
    assert picture.dtype == np.float32
    logits, mask = built["network_def"].eval()(torch.from_numpy(picture)[None])
    assert logits.shape == (1, 3)
    assert mask.shape == (1, 1, SIZE_PX, SIZE_PX)


def test_configured_path_gives_what_our_own_path_gives(bundle):
    import torch

    from hounsfield.inference import load_model

    model = load_model(open_bundle(bundle.folder))
    record = dict(config(bundle, "inference")["preprocessing"])
    picture = locate(record.pop("_target_"))(**record)(head_slice())
    with torch.inference_mode():
        logits, _ = model.network(torch.from_numpy(picture)[None])
    np.testing.assert_array_equal(logits[0].numpy(), model.run(head_slice()).logits)


def test_readme_and_licence_say_what_the_card_says(bundle):
    figure = Figure(
        name="macro AUROC",
        value=0.9312,
        low95=0.9011,
        high95=0.9555,
        n=150,
        n_groups=29,
        part="test",
        by_class={"glioma": Estimate(value=0.9123, low95=0.88, high95=0.94)},
    )
    worse = figure.model_copy(update={"value": 0.8501, "by_class": {}})
    card = tiny_card(
        metrics=[figure],
        baselines=[Baseline(name="HOG with boosting", metrics=[worse])],
        explanations={
            "grad-cam": MapEvidence(
                value=0.61, low95=0.52, high95=0.7, n=150, n_groups=29, part="test", chance=0.02
            )
        },
        known_shortcuts=["plane of the slice"],
    )
    changed = open_bundle(bundle.folder).card.model_copy(
        update={
            name: getattr(card, name) for name in ("metrics", "baselines", "explanations", "known_shortcuts")
        }
    )
    from hounsfield.zoo.card_text import licence_text, readme_text

    readme = readme_text(changed)
    for part in (
        "Research use only. Not a medical device.",
        "0.931 (0.901 to 0.956)",
        "| HOG with boosting | macro AUROC | 0.850",
        "macro AUROC, glioma | 0.912 (0.880 to 0.940)",
        "grad-cam: highest point on the truth in 0.610 (0.520 to 0.700) of 150 pictures",
        "plane of the slice",
        "temperature, fitted on nothing",
        "present from 0.6, absent up to 0.1",
        "patients",
    ):
        assert part in readme, part
    assert "cite: none" in licence_text(changed)
