"""From recognised weights to a bundle: names of classes, the picture's way in, what the outputs are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.model_card import Network
from hounsfield.zoo.model_formats import imported_card, named_classes
from hounsfield.zoo.picture_card import Scores
from hounsfield.zoo.published_networks.picture_inputs import PRESETS
from hounsfield.zoo.write_bundle import write_bundle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hounsfield.zoo.bundle import Bundle
    from hounsfield.zoo.model_formats import ImportRequest
    from hounsfield.zoo.published_networks.recognise import Recognised

LABELS = "names of the outputs in their order, separated by commas"
OUTPUTS = "exclusive (classes exclude each other) or independent (findings that stand alone)"
INPUT = f"how a picture is prepared: {', '.join(f'{key} ({said})' for key, (said, _) in PRESETS.items())}"
SCORES = {
    "exclusive": Scores(
        way="softmax", name="softmax of the network's outputs, not calibrated: no probability"
    ),
    "independent": Scores(
        way="sigmoid", name="sigmoid of the network's output, not calibrated: no probability"
    ),
}


def stated_labels(request: ImportRequest) -> tuple[str, ...]:
    """The names that option `labels` states, empty ones too; none where it is not given."""
    said = request.option("labels", "")
    return tuple(label.strip() for label in said.split(",")) if said else ()


def check_labels(labels: Sequence[str], n_outputs: int, name: str) -> None:
    """Raise ModelError unless there is one name for each output, all different but for empty ones."""
    if not labels:
        raise ModelError(
            f"{name} gives {n_outputs} outputs and does not name them. State them as option labels, in their order: a "
            "wrong order would give every finding the number of another."
        )
    if len(labels) != n_outputs:
        raise ModelError(
            f"{name} gives {n_outputs} outputs, and {len(labels)} names are stated ({', '.join(labels[:4])} ...): the "
            "weights are of another set of classes, or the names are"
        )
    given = [label for label in labels if label]
    if len(set(given)) != len(given):
        twice = next(label for label in given if given.count(label) > 1)
        raise ModelError(f"two outputs of {name} share the name {twice!r}")


def write_classifier(
    request: ImportRequest,
    format_name: str,
    found: Recognised,
    said: Mapping[str, Any],
    *,
    left_out: Sequence[str] = (),
) -> Bundle:
    """Write the bundle of a network that reads pictures.

    said: fields of the card that the format knows; beside these `labels`, names of the classes, and `picture_yx`, the sides of
    the picture that the file states (None: any). left_out: outputs
    that the bundle leaves out, each with the reason. Raises ModelError where classes or preprocessing are not known or do
    not fit the network.
    """
    fields = dict(said)
    labels = fields.pop("labels", ())
    stated_yx = fields.pop("picture_yx", ())
    if "classes" in request.facts:
        labels = [str(one["name"]) for one in request.facts["classes"]]
    check_labels(labels, found.n_classes, request.path.name)
    fields.setdefault("classes", named_classes(labels))
    fields.setdefault("task", "classification of pictures")
    fields.setdefault("modality", "Not stated")
    outputs = request.option("outputs", fields.get("outputs", "exclusive"), "exclusive", "independent")
    fields["outputs"] = outputs
    fields.setdefault("scores", SCORES[outputs])
    fields["network"] = Network(name=found.network, arguments=dict(found.arguments))
    fields["preprocessing"] = _preprocessing(request, fields)
    card = imported_card(request, format_name, fields)
    if left_out and card.origin is not None:
        card = card.model_copy(
            update={"origin": card.origin.model_copy(update={"left_out": tuple(left_out)})}
        )
    n_channels = int(found.arguments.get("in_channels", 1))
    if card.picture.channels != n_channels:
        raise ModelError(
            f"{request.path.name} takes pictures of {n_channels} channels, and the preprocessing that was stated makes "
            f"{card.picture.channels}: state the other one"
        )
    if any(side not in {None, card.picture.size_px} for side in stated_yx):
        raise ModelError(
            f"{request.path.name} takes pictures of {' x '.join(map(str, stated_yx))} pixels, and the preprocessing that was "
            f"stated makes {card.picture.size_px} x {card.picture.size_px}: state another one"
        )
    _try(found, card.picture.size_px, n_channels, request.path.name)
    return write_bundle(request.parent / card.name, card=card, weights=found.weights)


def _try(found: Recognised, size_px: int, n_channels: int, name: str) -> None:
    """Run the network without memory on a picture of the stated size: graphs of others need not fit together."""
    import torch

    from hounsfield.networks import networks

    try:
        with torch.device("meta"):
            network = networks.get(found.network)(**found.arguments).eval()
            logits, _ = network(torch.zeros(1, n_channels, size_px, size_px))
    except (RuntimeError, IndexError, TypeError, ValueError, UsageError) as error:
        raise ModelError(
            f"{name} does not run on a picture of {size_px} x {size_px} pixels: {error}"
        ) from error
    if tuple(logits.shape) != (1, found.n_classes):
        raise ModelError(
            f"{name} gives {tuple(logits.shape)} for one picture, and not a number for each of {found.n_classes} classes"
        )


def _preprocessing(request: ImportRequest, fields: Mapping[str, Any]) -> Any:
    stated = request.option("input", "", "", *PRESETS)
    if stated:
        return PRESETS[stated][1]
    found = request.facts.get("preprocessing", fields.get("preprocessing"))
    if found is None:
        raise UsageError(
            f"{request.path.name} does not say how a picture is prepared for it, and another way gives other numbers. "
            f"State it as option input, one of {', '.join(PRESETS)}, or as `preprocessing` of the card."
        )
    return found
