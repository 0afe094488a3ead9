"""Bundles built like those of MONAI's zoo give the numbers that MONAI's own run of them gives; what would need code is told."""

import copy
import dataclasses
import json
import zipfile

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("monai")

from tests.tiny_monai_bundles import CONFIGS, RANGE, RAS, config, write_monai_bundle  # noqa: E402
from tests.tiny_nnunet import Case, write_volumes  # noqa: E402

from hounsfield.core.errors import ModelError, UsageError  # noqa: E402
from hounsfield.inference import open_model, prepare_volume  # noqa: E402
from hounsfield.studies import read_studies  # noqa: E402
from hounsfield.zoo.formats._monai_config import MonaiConfig  # noqa: E402
from hounsfield.zoo.model_formats import ImportRequest, detected_formats, import_model  # noqa: E402

# What MONAI says of itself on the way.
pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:monai", "ignore:NvImgCodec", "ignore::FutureWarning"
)

SPLEEN, BRATS = "spleen_ct_segmentation", "brats_mri_segmentation"


def case(name, **changes):
    """A phantom of 24 x 40 x 36 voxels; four channels for the network of MR."""
    fields = {"shape": (24, 40, 36), "spacing_mm": (2.3, 1.3, 1.1), "stored": "LPS"}
    channels = {str(i): "x" for i in range(4 if name == BRATS else 1)}
    return Case(*("phantom", "none", [1.0], [1]), channels=channels, **{**fields, **changes})


def theirs(folder, paths, bundle_config):
    """Input, logits and labels (x, y, z) by MONAI's parser, transforms, inferer and network."""
    from monai.bundle import ConfigParser

    parser = ConfigParser({**copy.deepcopy(bundle_config), "bundle_root": str(folder)})
    parser["network_def"].pop("img_size", None)
    parser["inferer"].pop("device", None)
    transforms = parser["postprocessing"]["transforms"]
    parser["postprocessing"]["transforms"] = [t for t in transforms if t["_target_"] != "SaveImaged"]
    network = parser.get_parsed_content("network_def")
    network.load_state_dict(torch.load(folder / "models" / "model.pt"))
    files = [str(path) for path in paths]
    data = parser.get_parsed_content("preprocessing")({"image": files if len(files) > 1 else files[0]})
    with torch.no_grad():
        logits = parser.get_parsed_content("inferer")(data["image"][None], network.eval())[0]
    seen = data["image"].numpy().copy()
    data["pred"] = logits
    labels = parser.get_parsed_content("postprocessing")(data)["pred"].numpy()[0]
    return seen, logits.numpy(), labels.transpose(2, 1, 0)


def ours(folder, paths, parent, **request):
    bundle = import_model(ImportRequest(folder, parent / "models", **request))
    model = open_model(bundle)
    images = []
    for path, channel in zip(paths, bundle.card.preprocessing.channels, strict=True):
        image = read_studies(path).studies[0].series[0].image()
        images.append(dataclasses.replace(image, unit=channel.unit or image.unit))
    prepared = prepare_volume(images, model.preprocessing)
    return prepared.values, model.logits(prepared), model.segment(images)


def compare(name, tmp_path, *, least_equal=0.9999, **changes):
    volume = changes.pop("volume", case(name))
    folder = write_monai_bundle(name, tmp_path, **changes)
    paths = write_volumes(volume, tmp_path)
    theirs_seen, theirs_logits, theirs_labels = theirs(folder, paths, {**config(name), **changes})
    seen, logits, labels = ours(folder, paths, tmp_path)
    assert seen.shape == theirs_seen.shape
    np.testing.assert_allclose(seen, theirs_seen, atol=1e-4)
    np.testing.assert_allclose(logits, theirs_logits, atol=1e-4)
    if name == BRATS:  # its labels 1, 2, 4 are core, oedema and enhancing: here 1, 2, 3 by channel
        theirs_labels = np.select([theirs_labels == 4], [3], theirs_labels)
    assert (labels == theirs_labels).mean() >= least_equal
    assert len(np.unique(labels)) > 1


FAST = [name for name in CONFIGS if "swin" not in name]


@pytest.mark.parametrize("name", FAST)
def test_logits_and_labels_are_those_of_monai(name, tmp_path):
    compare(name, tmp_path)


@pytest.mark.slow
def test_a_transformer_gives_the_logits_and_labels_of_monai(tmp_path):
    compare("swin_unetr_btcv_segmentation", tmp_path)


@pytest.mark.parametrize("stored", ["RAS", "PIR"])
def test_axes_as_the_file_stores_them_do_not_matter(stored, tmp_path):
    compare(SPLEEN, tmp_path, volume=case(SPLEEN, stored=stored))


def with_transforms(*transforms):
    return {
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [{"_target_": "LoadImaged", "keys": "@image_key"}, *transforms],
        }
    }


FIRST = {"_target_": "EnsureChannelFirstd", "keys": "@image_key"}
RESIZE = {"_target_": "Resized", "keys": "@image_key", "spatial_size": [32, 32, 16], "mode": "trilinear"}
FOREGROUND = {"_target_": "CropForegroundd", "keys": "@image_key", "source_key": "image"}
PERCENTILES = {
    "_target_": "ScaleIntensityRangePercentilesd",
    "keys": "@image_key",
    "lower": 1,
    "upper": 99,
    "b_min": -1,
    "b_max": 1,
    "clip": True,
}


@pytest.mark.parametrize(
    "transforms", [(FIRST, RAS, RANGE, RESIZE), (FIRST, RAS, PERCENTILES), (FIRST, RAS, RANGE, FOREGROUND)]
)
def test_other_transforms_are_those_of_monai(transforms, tmp_path):
    compare(SPLEEN, tmp_path, **with_transforms(*transforms))


def test_the_card_says_what_the_metadata_say(tmp_path):
    card = import_model(ImportRequest(write_monai_bundle(SPLEEN, tmp_path), tmp_path / "models")).card
    assert (card.name, card.version, card.modality) == ("spleen-ct-segmentation", "0.5.3", "CT")
    assert card.class_names == ("background", "spleen")
    assert (card.classes[1].scheme, card.classes[1].value) == ("SCT", "78961009")
    assert card.preprocessing.axes == ("R", "A", "S")
    assert card.preprocessing.channels[0].unit == "HU"
    assert card.intended_use == "This is an example, not to be used for diagnostic purposes"
    assert card.licence.startswith("Apache-2.0")
    assert card.authors == "MONAI team"
    assert card.origin.format == "monai-bundle"


def test_a_zip_is_the_folder(tmp_path):
    folder = write_monai_bundle(SPLEEN, tmp_path)
    archive = tmp_path / "spleen_v0.5.3.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                stream.write(path, path.relative_to(tmp_path))
    assert detected_formats(archive) == detected_formats(folder) == ("monai-bundle",)
    one = import_model(ImportRequest(folder, tmp_path / "models", name="one"))
    other = import_model(ImportRequest(archive, tmp_path / "models", name="other"))
    assert one.card.files["models/model.safetensors"] == other.card.files["models/model.safetensors"]


def test_an_imported_bundle_is_no_bundle_of_others(tmp_path):
    bundle = import_model(ImportRequest(write_monai_bundle(SPLEEN, tmp_path), tmp_path / "models"))
    assert "monai-bundle" not in detected_formats(bundle.folder)


def changed(name, change):
    content = copy.deepcopy(CONFIGS[name])
    change(content)
    return content


CHANGES = [
    (lambda c: c["network_def"].update(_target_="my_code.Net"), "'Net' is none of the networks of MONAI"),
    (
        lambda c: c["network_def"].update(out_channels=3),
        r"channels background, spleen|names the output channels 0, 1",
    ),
    (lambda c: c["network_def"].update(channels=[4, 8, 12]), "has the shape"),
    (lambda c: c["network_def"].update(num_res_units=0), "lacks|no place for"),
    (lambda c: c["network_def"].update(attention=True), "takes no argument 'attention'"),
    (lambda c: c["network_def"].update(act={"_target_": "torch.nn.ReLU"}), "made of other components"),
    (lambda c: c["network_def"].update(norm="$__import__('os').system('true')"), "is code and is not run"),
    (lambda c: c["network_def"].update(norm="$torch.load('x')"), "is code and is not run"),
    (lambda c: c["network_def"].update(norm="@nothing"), "has no entry 'nothing'"),
    (lambda c: c["network_def"].update(norm="%other.json#norm"), "a reference to another file"),
    (
        lambda c: c["preprocessing"]["transforms"].append({"_target_": "RandFlipd"}),
        "transform RandFlipd at preprocessing::transforms::6",
    ),
    (lambda c: c["preprocessing"]["transforms"][3].update(scale_extent=True), "scale_extent of Spacingd"),
    (lambda c: c["preprocessing"]["transforms"][3].update(mode="bicubic"), "mode of Spacingd"),
    (lambda c: c["preprocessing"]["transforms"][4].update(gamma=2), "gamma of ScaleIntensityRanged"),
    (lambda c: c["preprocessing"].update(_target_="my_code.Prepare"), "preprocessing is a Prepare"),
    (lambda c: c["postprocessing"]["transforms"].append({"_target_": "FillHolesd"}), "transform FillHolesd"),
    (lambda c: c["inferer"].update(_target_="my_code.Inferer"), "inferer Inferer is not known"),
    (lambda c: c["inferer"].update(roi_size=[-1, 96, 96]), "roi_size of SlidingWindowInferer"),
    (lambda c: c["inferer"].update(overlap=1.5), "overlap"),
    (lambda c: c.pop("inferer"), "has no inferer"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES, ids=[said for _, said in CHANGES])
def test_what_cannot_be_carried_out_is_named(change, said, tmp_path):
    folder = write_monai_bundle(SPLEEN, tmp_path)
    content = {"bundle_root": ".", "image_key": "image", **changed(SPLEEN, change)}
    (folder / "configs" / "inference.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=said):
        import_model(ImportRequest(folder, tmp_path / "models"))


def test_overlapping_channels_need_an_order(tmp_path):
    post = [t for t in CONFIGS[BRATS]["postprocessing"]["transforms"] if t["_target_"] != "Lambdad"]
    folder = write_monai_bundle(BRATS, tmp_path, postprocessing={"_target_": "Compose", "transforms": post})
    with pytest.raises(ModelError, match=r"may overlap, and nobody states which lies over which"):
        import_model(ImportRequest(folder, tmp_path / "models"))
    card = import_model(ImportRequest(folder, tmp_path / "models", options={"paint": "1,0,2"})).card
    assert card.volume.voxel_labels.order == (1, 0, 2)
    assert card.class_names == ("background", "Tumor core", "Whole tumor", "Enhancing tumor")
    with pytest.raises(UsageError, match=r"option paint is 'a'"):
        import_model(ImportRequest(folder, tmp_path / "models", options={"paint": "a"}))


def test_weights_that_are_missing_are_told(tmp_path):
    folder = write_monai_bundle(SPLEEN, tmp_path)
    (folder / "models" / "model.pt").rename(folder / "models" / "best.pt")
    with pytest.raises(ModelError, match=r"models/model.pt is not in the bundle; there are best.pt"):
        import_model(ImportRequest(folder, tmp_path / "models"))
    assert import_model(ImportRequest(folder, tmp_path / "models", options={"weights": "best.pt"})).name


def value(expression, **entries):
    return MonaiConfig({"x": expression, **entries}, "test.json").value("x")


def test_plain_expressions_are_worked_out():
    assert value("$@a + [1] * 2", a=[3]) == [3, 1, 1]
    assert value("$'hi' if @a#b > 2 and not @c else -1", a={"b": 3}, c=False) == "hi"
    assert (
        value("$@bundle_root + '/models/' + @name", bundle_root=".", name="$'m' + '.pt'") == "./models/m.pt"
    )
    assert value("$int(@a[1] / 2)", a=[0, 7]) == 3
    assert value("@a::1", a=["x", "y"]) == "y"
    assert value("%a", a={"k": "@b"}, b=5) == {"k": 5}
    assert value("$max(len(@a), 2)", a=[1, 2, 3]) == 3


@pytest.mark.parametrize(
    "expression",
    [
        "$__import__('os')",
        "$().__class__.__bases__",
        "$[i for i in range(10)]",
        "$(lambda: 1)()",
        "$open('/etc/passwd')",
        "$@a.pop()",
        "$2 ** 9999999",
        "$'a' * 999999999",
        "$@x",
        "$1 / 0",
        "$(",
        "$" + "1+" * 1500 + "1",
        "$" + "-" * 1500 + "1",
    ],
)
def test_anything_else_is_refused(expression):
    with pytest.raises(ModelError, match=r"test\.json"):
        value(expression, a=[1])


def test_references_that_grow_without_end_are_given_up():
    doubled = {f"a{n}": f"$[@a{n + 1}, @a{n + 1}]" for n in range(35)}
    with pytest.raises(ModelError, match="so often that following it was given up"):
        MonaiConfig({**doubled, "a35": 1}, "test.json").value("a0")
    with pytest.raises(ModelError, match="refers to itself"):
        MonaiConfig({"a": "@b", "b": "@a"}, "test.json").value("a")
