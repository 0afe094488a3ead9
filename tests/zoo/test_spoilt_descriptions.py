"""Whatever stands in the description of an imported model, the answer is an import or an error of ours, never a crash."""

import contextlib
import copy
import json
import random

import pytest

pytest.importorskip("torch")

from tests.tiny_monai_bundles import config, metadata, write_monai_bundle
from tests.tiny_nnunet import CASES, dataset, plans
from tests.zoo.test_nnunet import trained

from hounsfield.core.errors import HounsfieldError
from hounsfield.zoo.model_formats import ImportRequest, import_model

# A network without channels is built with a warning, and then does not take the weights.
pytestmark = pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")

ODD = [None, "x", "", -1, 0, 1e30, 10**9, True, [], {}, [[]], ["x"], {"0": "x"}, [None], "$1/0", "@a", "%"]


def places(node, path=()):
    """Where every value of a tree stands."""
    if path:
        yield path
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def spoilt(tree, rng):
    """The tree with one value replaced, or taken away."""
    found = copy.deepcopy(tree)
    path = rng.choice(list(places(found)))
    node = found
    for key in path[:-1]:
        node = node[key]
    if rng.random() < 0.2 and isinstance(node, dict):
        del node[path[-1]]
    else:
        node[path[-1]] = copy.deepcopy(rng.choice(ODD))
    return found


def attempt(folder, parent, format_name):
    with contextlib.suppress(HounsfieldError):
        import_model(ImportRequest(folder, parent / "models"), format_name=format_name)


@pytest.mark.parametrize("name", ["as-it-is", "anisotropic", "turned"])
def test_spoilt_plans_and_data_sets(name, tmp_path):
    rng = random.Random(name)
    folder = trained(CASES[name], tmp_path)
    for _ in range(40):
        files = {"plans.json": plans(CASES[name]), "dataset.json": dataset(CASES[name])}
        which = rng.choice(list(files))
        files[which] = spoilt(files[which], rng)
        for file, content in files.items():
            (folder / file).write_text(json.dumps(content))
        attempt(folder, tmp_path, "nnunet")


@pytest.mark.parametrize("name", ["spleen_ct_segmentation", "brats_mri_segmentation"])
def test_spoilt_configurations(name, tmp_path):
    pytest.importorskip("monai")
    rng = random.Random(name)
    folder = write_monai_bundle(name, tmp_path)
    for _ in range(40):
        files = {"inference.json": config(name), "metadata.json": metadata(name)}
        which = rng.choice(["inference.json", "inference.json", "metadata.json"])
        files[which] = spoilt(files[which], rng)
        for file, content in files.items():
            (folder / "configs" / file).write_text(json.dumps(content))
        attempt(folder, tmp_path, "monai-bundle")
