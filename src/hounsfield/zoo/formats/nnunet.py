"""nnU-Net v2: a trained folder (plans.json, dataset.json, fold_0/checkpoint_final.pth, ...) or an exported zip.

Read `Nnunet.convert` first; `_nnunet_folder.py` finds the files, `_nnunet_plans.py` translates the plans and
`_nnunet_labels.py` channels and labels. Sources: Isensee 2021, Nat Methods 18:203; nnU-Net 2.7.0, `PlansManager`,
`DefaultPreprocessor`, `LabelManager` and `nnUNetPredictor` for what the plans mean. Its networks are rebuilt here, its code is
not run.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from hounsfield.core.errors import ModelError
from hounsfield.zoo.fitting_weights import check_weights_fit
from hounsfield.zoo.foreign_weights import read_foreign_weights, state_dict_of
from hounsfield.zoo.formats._nnunet_folder import TrainedFolder, has_trained_folder, trained_folder
from hounsfield.zoo.formats._nnunet_labels import channels_of, labels_of
from hounsfield.zoo.formats._nnunet_plans import Plan, stored_axes
from hounsfield.zoo.formats._totalsegmentator import task_of
from hounsfield.zoo.model_card import Network
from hounsfield.zoo.model_formats import imported_card, model_format
from hounsfield.zoo.volume_card import VolumeInference
from hounsfield.zoo.write_bundle import write_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_card import ModelCard
    from hounsfield.zoo.model_formats import ImportRequest

    Weights = dict[str, NDArray[Any]]

# Layers that nnU-Net's networks list twice or more: the same weights under other names.
_AGAIN = ("decoder.encoder.", ".all_modules.")


@model_format("nnunet")
class Nnunet:
    """nnU-Net v2 trained folders and zips, with the tasks of TotalSegmentator among them."""

    title = "nnU-Net v2: a trained folder, or a zip that nnUNetv2_export_model_to_zip wrote"
    options: ClassVar[Mapping[str, str]] = {
        "configuration": "which one, where there are several: 3d_fullres, 3d_lowres, 2d, or the trained folder's name",
        "folds": 'numbers joined by commas, or "all" for the network of all cases; else every fold there is',
        "checkpoint": "final (else, where there is none, best), best or latest",
        "axes": "directions in which the axes x, y, z of the training files grew (RAS, LPS, ...), where you know them",
    }

    def detects(self, path: Path) -> bool:
        """Whether it holds plans.json, dataset.json and a fold's checkpoint."""
        return has_trained_folder(path)

    def convert(self, request: ImportRequest) -> Bundle:
        """Write the bundle. Raises ModelError naming the file and the key that is missing or not carried out here."""
        with ExitStack() as stack:
            folder = trained_folder(request, stack)
            dataset = folder.read_json("dataset.json")
            members = [_member(folder, fold) for fold in folder.folds]
            plan = Plan.of(folder.read_json("plans.json"), members[0]["configuration"], folder.name)
            card = _card(request, folder, plan, dataset, members[0])
            for member in members:
                check_weights_fit(_single(card.network), member["weights"], folder.name)
                _check_again(member["weights"], member["again"], folder.name)
        weights = [member["weights"] for member in members]
        joined = weights[0] if len(weights) == 1 else _joined(weights)
        return write_bundle(request.parent / card.name, card=card, weights=joined)


def _member(folder: TrainedFolder, fold: str) -> dict[str, Any]:
    """What the checkpoint of one fold holds that is needed: weights, configuration, trainer, mirrored axes."""
    path = folder.checkpoint(fold)
    tree = read_foreign_weights(path).tree
    said = f"{folder.name}/fold_{fold}/{path.name}"
    arguments = tree.get("init_args") if isinstance(tree, dict) else None
    if not isinstance(arguments, dict) or not isinstance(arguments.get("configuration"), str):
        raise ModelError(
            f"{said} does not say in init_args which configuration it is of: it is no nnU-Net v2"
        )
    axes = tree.get("inference_allowed_mirroring_axes")
    weights, again = _split(state_dict_of(tree, said, place="network_weights"))
    return {
        "weights": weights,
        "again": again,
        "configuration": arguments["configuration"],
        "trainer": str(tree.get("trainer_name", "")),
        "mirror_axes": tuple(int(axis) for axis in axes) if isinstance(axes, (list, tuple)) else (),
    }


def _split(weights: Weights) -> tuple[Weights, Weights]:
    """Each weight under one name, and those that are listed again under others."""
    own, again = {}, {}
    for key, value in weights.items():
        if any(part in key for part in _AGAIN):
            again[key] = value
        else:
            own[key.removeprefix("_orig_mod.").removeprefix("module.")] = value
    return own, again


def _check_again(own: Weights, again: Weights, said: str) -> None:
    known = {value.tobytes() for value in own.values()}
    for key, value in again.items():
        if value.tobytes() not in known:
            raise ModelError(
                f"{said}: {key!r} differs from the layer that it names again: the file is damaged"
            )


def _joined(members: list[Weights]) -> Weights:
    return {
        f"members.{number}.{key}": value for number, one in enumerate(members) for key, value in one.items()
    }


def _single(network: Network) -> Network:
    """The network of one fold."""
    if network.name != "ensemble":
        return network
    options = network.arguments
    plain = {name: options[name] for name in ("n_classes", "in_channels")}
    return Network(name=options["member"], arguments={**plain, **options["options"]})


def _card(
    request: ImportRequest,
    folder: TrainedFolder,
    plan: Plan,
    dataset: Mapping[str, Any],
    member: Mapping[str, Any],
) -> ModelCard:
    axes = stored_axes(plan.reader, request.options.get("axes"), folder.name)
    task = task_of(plan.dataset_name)
    labels = labels_of(dataset, folder.name)
    try:
        channels = channels_of(dataset, plan.grey_values(), folder.name)
        said = {
            "classes": labels.classes,
            "outputs": "voxels",
            "task": "segmentation",
            "title": f"{plan.dataset_name} ({plan.name}, nnU-Net v2)",
            "modality": ", ".join(sorted({m for c in channels for m in c.modalities})) or "Not stated",
            "network": _network(plan, labels.n_outputs, len(channels), member, len(folder.folds)),
            "preprocessing": plan.preprocessing(channels, task.axes if task and axes is None else axes),
            "volume": VolumeInference(
                windows=plan.windows(member["mirror_axes"]), voxel_labels=labels.voxel_labels
            ),
            "recipe": _recipe(folder, plan, member),
            **(task.facts if task else {}),
        }
    except ValueError as error:  # of pydantic, which names the field
        raise ModelError(f"plans.json of {folder.name} cannot be carried out: {error}") from error
    unstated = () if axes or task else ("preprocessing.axes (the reader of the training files kept theirs)",)
    return imported_card(request, "nnunet", said, also_unstated=unstated)


def _network(plan: Plan, n_outputs: int, n_channels: int, member: Mapping[str, Any], n_folds: int) -> Network:
    has_batch_norm = any(key.endswith("running_mean") for key in member["weights"])
    name, arguments = plan.network(norm="batch" if has_batch_norm else None)
    plain = {"n_classes": n_outputs, "in_channels": n_channels}
    if n_folds == 1:
        return Network(name=name, arguments={**plain, **arguments})
    return Network(
        name="ensemble", arguments={**plain, "n_members": n_folds, "member": name, "options": arguments}
    )


def _recipe(folder: TrainedFolder, plan: Plan, member: Mapping[str, Any]) -> dict[str, Any]:
    """How it was trained, as far as the files say it."""
    return {
        "framework": "nnU-Net v2",
        "dataset": plan.dataset_name,
        "plans": plan.plans_name,
        "configuration": plan.name,
        "trainer": member["trainer"],
        "folds": list(folder.folds),
        "checkpoint": folder.checkpoint_name,
    }
