"""Imported nnU-Nets give the logits and labels that nnU-Net itself gave (benchmarks/nnunet_peer.py --freeze), and say what
does not fit."""

import dataclasses
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.tiny_nnunet import CASES, folder_name, plans, seeded_weight, write_trained, write_volumes  # noqa: E402

from hounsfield.core.errors import ModelError, UsageError  # noqa: E402
from hounsfield.inference import open_model, prepare_volume  # noqa: E402
from hounsfield.networks.segmentation import build_segmentation_network  # noqa: E402
from hounsfield.studies import read_studies  # noqa: E402
from hounsfield.zoo.formats._nnunet_plans import Plan  # noqa: E402
from hounsfield.zoo.model_formats import ImportRequest, detected_formats, import_model  # noqa: E402

FROZEN = json.loads((Path(__file__).parent / "nnunet_stock.json").read_text())


def state(case, fold, *, n_outputs=None):
    """The seeded weights under every name under which nnU-Net lists them."""
    name, arguments = Plan.of(plans(case), case.configuration, "test").network()
    options = {"n_classes": n_outputs or case.n_outputs, "in_channels": len(case.channels), **arguments}
    found = {}
    for key, value in build_segmentation_network(name, options, seed=0).state_dict().items():
        weight = torch.from_numpy(seeded_weight(case, fold, key, tuple(value.shape)))
        again = key.replace(".conv.", ".all_modules.0.").replace(".norm.", ".all_modules.1.")
        for own in dict.fromkeys((key, again)):
            found[own] = weight
            if own.startswith("encoder."):
                found[f"decoder.{own}"] = weight
    return found


def trained(case, parent, **options):
    return write_trained(case, parent, lambda fold: state(case, fold), **options)


def imported(source, parent, **request):
    return import_model(ImportRequest(source, parent / "models", **request))


def images(case, folder, bundle):
    found = []
    for path, channel in zip(write_volumes(case, folder), bundle.card.preprocessing.channels, strict=True):
        image = read_studies(path).studies[0].series[0].image()
        found.append(dataclasses.replace(image, unit=channel.unit or image.unit))
    return found


@pytest.mark.parametrize("name", FROZEN)
def test_logits_and_labels_are_those_of_nnunet_itself(name, tmp_path):
    case, stock = CASES[name], FROZEN[name]
    bundle = imported(trained(case, tmp_path), tmp_path)
    model = open_model(bundle)
    volumes = images(case, tmp_path, bundle)
    prepared = prepare_volume(volumes, model.preprocessing)
    logits = model.logits(prepared)
    assert list(logits.shape) == stock["shape"]
    np.testing.assert_allclose(logits.ravel()[stock["places"]], stock["logits"], atol=1e-4)
    rule = bundle.card.volume.voxel_labels
    labels = prepared.labels(lambda channel: logits[channel], len(logits), rule)
    if not case.mirror:  # the same by windows, which takes the network's time once more
        np.testing.assert_array_equal(model.segment(volumes), labels)
    assert labels.shape == case.shape
    rng = np.random.default_rng(stock["voxels_seed"])
    rng.integers(0, logits.size, len(stock["places"]))
    voxels = labels.ravel()[rng.integers(0, labels.size, len(stock["voxels"]))]
    assert "".join(map(str, voxels)) == stock["voxels"]
    np.testing.assert_allclose(np.bincount(labels.ravel()), stock["counts"], atol=1)


def test_the_card_says_what_the_plans_say(tmp_path):
    card = imported(trained(CASES["isotropic"], tmp_path), tmp_path, name="liver-tumour").card
    assert card.name == "liver-tumour"
    assert card.class_names == ("background", "liver", "tumour")
    assert (card.classes[1].value, card.classes[1].scheme) == ("10200004", "SCT")
    assert card.modality == "CT"
    assert card.preprocessing.channels[0].unit == "HU"
    assert card.preprocessing.channels[0].grey_values.high == 1200.0
    assert card.network.arguments["n_members"] == 2
    assert card.recipe["folds"] == ["0", "1"]
    assert card.origin.format == "nnunet"
    assert any("axes" in item for item in card.origin.unstated)
    assert "licence" in card.origin.unstated


def test_axes_that_the_user_knows_are_stated(tmp_path):
    card = imported(trained(CASES["as-it-is"], tmp_path), tmp_path, options={"axes": "LPS"}).card
    assert card.preprocessing.axes == ("S", "P", "L")
    assert not any("axes" in item for item in card.origin.unstated)
    with pytest.raises(UsageError, match="option axes is 'LPR'"):
        imported(trained(CASES["coarser"], tmp_path), tmp_path, options={"axes": "LPR"})


def test_a_reader_that_turned_the_files_states_the_axes(tmp_path):
    card = imported(trained(CASES["turned"], tmp_path), tmp_path).card
    assert card.preprocessing.axes == (
        "R",
        "S",
        "A",
    )  # x, z, y of files turned to the right, the front and the head


def test_regions_are_named_by_what_is_left_of_them(tmp_path):
    card = imported(trained(CASES["anisotropic"], tmp_path), tmp_path).card
    assert card.class_names == (
        "background",
        "whole_tumor without tumor_core",
        "tumor_core without enhancing_tumor",
        "enhancing_tumor",
    )
    assert card.volume.voxel_labels.paint == (1, 2, 3)


def test_folds_and_checkpoints_are_chosen(tmp_path):
    folder = trained(CASES["isotropic"], tmp_path, checkpoint="checkpoint_best.pth")
    card = imported(folder, tmp_path, options={"folds": "1"}).card
    assert (card.recipe["folds"], card.recipe["checkpoint"]) == (["1"], "checkpoint_best.pth")
    assert card.network.name == "unet"
    with pytest.raises(ModelError, match=r"no fold 4 .* there are 0, 1"):
        imported(folder, tmp_path, options={"folds": "0,4"})
    with pytest.raises(ModelError, match=r"holds no checkpoint_final.pth; there are checkpoint_best.pth"):
        imported(folder, tmp_path, options={"checkpoint": "final"})


def zipped(folder, target, *, root):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(root))
    return target


def test_an_exported_zip_is_the_folder(tmp_path):
    case = CASES["as-it-is"]
    folder = trained(case, tmp_path)
    archive = zipped(folder, tmp_path / "export.zip", root=tmp_path)
    assert detected_formats(archive) == detected_formats(folder) == ("nnunet",)
    assert detected_formats(tmp_path / f"Dataset701_{case.name}") == ("nnunet",)
    one, other = imported(folder, tmp_path, name="one"), imported(archive, tmp_path, name="other")
    assert one.card.files["models/model.safetensors"] == other.card.files["models/model.safetensors"]


def test_of_several_configurations_one_is_named(tmp_path):
    case = CASES["as-it-is"]
    folder = trained(case, tmp_path)
    shutil.copytree(folder, folder.with_name("nnUNetTrainer__nnUNetPlans__2d"))
    with pytest.raises(ModelError, match=r"__2d, nnUNetTrainer__nnUNetPlans__3d_fullres\. State one"):
        imported(folder.parent, tmp_path)
    assert imported(folder.parent, tmp_path, options={"configuration": "3d_fullres"}).card.modality == "CT"


@pytest.mark.parametrize(
    "name", ["../plans.json", "/plans.json", "C:/plans.json", "a//plans.json", "a\\..\\b.json"]
)
def test_a_zip_that_reaches_outside_is_refused(name, tmp_path):
    folder = trained(CASES["as-it-is"], tmp_path)
    archive = zipped(folder, tmp_path / "export.zip", root=tmp_path)
    with zipfile.ZipFile(archive, "a") as stream:
        stream.writestr(zipfile.ZipInfo(name), "{}")
    with pytest.raises(ModelError, match="outside its folder"):
        import_model(ImportRequest(archive, tmp_path), format_name="nnunet")
    assert detected_formats(archive) == ()


def test_a_zip_with_a_link_or_a_bomb_is_refused(tmp_path, monkeypatch):
    folder = trained(CASES["as-it-is"], tmp_path)
    archive = zipped(folder, tmp_path / "export.zip", root=tmp_path)
    monkeypatch.setattr("hounsfield.zoo.safe_archive.MOST_MEMBERS", 2)
    with pytest.raises(ModelError, match="holds 3 files"):
        import_model(ImportRequest(archive, tmp_path), format_name="nnunet")
    monkeypatch.undo()
    link = zipfile.ZipInfo("fold_0/checkpoint_final.pth")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "a") as stream:
        stream.writestr(link, "/etc/passwd")
    with pytest.raises(ModelError, match="a link or device"):
        import_model(ImportRequest(archive, tmp_path), format_name="nnunet")


def changed(folder, file, change):
    path = folder / file
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def configuration(content):
    return content["configurations"]["3d_fullres"]


CHANGES = [
    (
        "plans.json",
        lambda c: configuration(c).update(previous_stage="3d_lowres"),
        "second stage of a cascade",
    ),
    ("plans.json", lambda c: configuration(c).pop("spacing"), "lacks spacing of 3d_fullres"),
    ("plans.json", lambda c: configuration(c).update(inherits_from="3d_fullres"), "inherits without end"),
    ("plans.json", lambda c: c["configurations"].clear(), "has no configuration '3d_fullres'"),
    (
        "plans.json",
        lambda c: configuration(c).update(normalization_schemes=["MyNormalization"]),
        "normalisation 'MyNormalization'",
    ),
    (
        "plans.json",
        lambda c: c["foreground_intensity_properties_per_channel"]["0"].pop("std"),
        "of channel 0 lacks std",
    ),
    (
        "plans.json",
        lambda c: configuration(c)["architecture"].update(network_class_name="my.Mamba"),
        "network Mamba, which is not built here",
    ),
    (
        "plans.json",
        lambda c: configuration(c)["architecture"]["arch_kwargs"].update(attention=True),
        "has attention, unknown here",
    ),
    (
        "plans.json",
        lambda c: configuration(c)["architecture"]["arch_kwargs"].update(nonlin="torch.nn.ReLU"),
        "rectifies by ReLU",
    ),
    (
        "plans.json",
        lambda c: configuration(c)["resampling_fn_data_kwargs"].update(order_z=1),
        "carried out here are order",
    ),
    (
        "plans.json",
        lambda c: configuration(c).update(resampling_fn_data="my_resampling"),
        "resamples by my_resampling",
    ),
    ("plans.json", lambda c: c.update(image_reader_writer="NaturalImage2DIO"), "NaturalImage2DIO read"),
    ("plans.json", lambda c: c.update(transpose_forward=[0, 0, 1]), r"transpose_forward is \[0, 0, 1\]"),
    (
        "plans.json",
        lambda c: configuration(c).update(patch_size=[16, 24, 5000]),
        "less than or equal to 4096",
    ),
    ("dataset.json", lambda c: c["labels"].pop("background"), "no label named background"),
    ("dataset.json", lambda c: c["labels"].update({"part 7": 9}), "consecutive from 1"),
    ("dataset.json", lambda c: c["labels"].update({"part 7": [6, 7]}), "needs regions_class_order"),
    ("dataset.json", lambda c: c["labels"].update({"part 8": 8}), "names another number of classes"),
    ("dataset.json", lambda c: c["channel_names"].update({"1": "PET"}), "the plans normalise 1"),
    ("dataset.json", lambda c: c.pop("labels"), "lacks labels"),
]


@pytest.mark.parametrize(("file", "change", "said"), CHANGES, ids=[change[2] for change in CHANGES])
def test_what_does_not_fit_is_named(file, change, said, tmp_path):
    folder = trained(CASES["as-it-is"], tmp_path)
    changed(folder, file, change)
    with pytest.raises(ModelError, match=said):
        imported(folder, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda s: s.pop("encoder.stages.0.0.convs.0.conv.weight"),
            "lacks 'encoder.stages.0.0.convs.0.conv.weight'",
        ),
        (lambda s: s.update({"attention.weight": torch.ones(2)}), "no place for: 'attention.weight'"),
        (lambda s: s.update({"decoder.seg_layers.1.bias": torch.ones(3)}), "has the shape"),
        (
            lambda s: s.update({"decoder.encoder.stages.0.0.convs.0.conv.bias": torch.ones(6)}),
            "differs from the layer",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(change, said, tmp_path):
    def altered(fold):
        found = state(CASES["as-it-is"], fold)
        change(found)
        return found

    folder = write_trained(CASES["as-it-is"], tmp_path, altered)
    with pytest.raises(ModelError, match=said):
        imported(folder, tmp_path)


def test_a_checkpoint_of_something_else_is_told(tmp_path):
    folder = trained(CASES["as-it-is"], tmp_path)
    torch.save({"state_dict": {"a": torch.ones(1)}}, folder / "fold_0" / "checkpoint_final.pth")
    with pytest.raises(ModelError, match="does not say in init_args"):
        imported(folder, tmp_path)


def test_other_folders_are_not_taken_for_nnunet(tmp_path):
    (tmp_path / "plans.json").write_text("{}")
    assert detected_formats(tmp_path) == ()
    assert detected_formats(tmp_path / "plans.json") == ()


@pytest.mark.parametrize(
    ("dataset_name", "licence", "limit"),
    [
        ("Dataset297_TotalSegmentator_total_3mm_1559subj", "Apache-2.0", None),
        ("Dataset301_heart_highres_1559subj", "licence for this task", "neighbourhood of the heart"),
    ],
)
def test_a_task_of_totalsegmentator_is_known_by_its_data_set(dataset_name, licence, limit, tmp_path):
    folder = trained(CASES["as-it-is"], tmp_path)
    changed(folder, "plans.json", lambda c: c.update(dataset_name=dataset_name))
    names = (
        "spleen",
        "kidney_right",
        "vertebrae_L5",
        "heart_atrium_left",
        "small_bowel",
        "liver",
        "rib_left_1",
    )
    labels = {"background": 0, **{name: number for number, name in enumerate(names, 1)}}
    changed(folder, "dataset.json", lambda c: c.update(labels=labels))
    card = imported(folder, tmp_path).card
    assert card.preprocessing.axes == ("S", "A", "R")
    assert licence in card.licence
    assert "licence" not in card.origin.unstated
    assert limit is None or any(limit in item for item in card.not_for)
    codes = {item.name: (item.scheme, item.value) for item in card.classes}
    assert codes["spleen"] == ("SCT", "78961009")
    assert codes["vertebrae_L5"] == ("SCT", "49668003")
    assert codes["heart_atrium_left"] == ("SCT", "82471001")
    assert codes["small_bowel"] == ("SCT", "30315005")
    assert codes["kidney_right"][0] == "99HOUNSFIELD"  # a plain code of the kidney would lose the side


def test_the_folder_has_the_name_that_nnunet_gives(tmp_path):
    assert trained(CASES["slices"], tmp_path).name == folder_name(CASES["slices"])
