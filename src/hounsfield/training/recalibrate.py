"""A bundle that stays as it is but for its calibrator, thresholds, sureness, their figures, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core.errors import RecipeError
from hounsfield.training.bundle_card import calibrator, figures, locked
from hounsfield.training.train import judge, predictions_on_test, prepare_data
from hounsfield.zoo import InferenceSettings, write_bundle

if TYPE_CHECKING:
    from hounsfield.calibration import CalibratorChoice
    from hounsfield.evaluation import Evaluation, TableEvaluation
    from hounsfield.training.recipe import Recipe
    from hounsfield.zoo import Bundle


def recalibrate(
    recipe: Recipe, bundle: Bundle
) -> tuple[Bundle, CalibratorChoice, Evaluation | TableEvaluation]:
    """Decide calibrator and thresholds anew on the tuning part, judge on the test part, write the bundle.

    recipe: the one that trained `bundle`; its words on evidence and limits go into the card. Weights and
    guard are kept. Raises RecipeError if the split that
    the recipe makes is not the card's.
    """
    from hounsfield.inference import load_model
    from hounsfield.training.part_outputs import decide, load_pictures, run_part
    from hounsfield.training.trust import add_trust

    dataset, split = prepare_data(recipe)
    if split.digest != bundle.card.split_digest:
        raise RecipeError(
            f"the recipe splits its data as {split.digest[:12]}, the card of {bundle.name} states "
            f"{(bundle.card.split_digest or 'none')[:12]}: use the data and the recipe that trained it"
        )
    network = load_model(bundle).network
    groups = {p: tuple(dataset.groups[index] for index in split.indices(p)) for p in ("tune", "test")}
    parts = {part: load_pictures(recipe, dataset, split.indices(part)) for part in ("tune", "test")}
    outputs = {part: run_part(network, data, recipe) for part, data in parts.items()}
    choice, thresholds = decide(outputs["tune"].logits, parts["tune"].labels, groups["tune"], dataset.classes)
    tested = predictions_on_test(dataset, split, outputs["test"], choice, thresholds)
    evaluation = judge(tested, thresholds, seed=recipe.seed)
    card = bundle.card.model_copy(
        update={
            "thresholds": locked(thresholds),
            "calibrator": calibrator(choice, evaluation),
            "metrics": figures(evaluation),
            "evidence_level": recipe.card.evidence_level,
            "known_shortcuts": recipe.card.known_shortcuts,
            "recipe": recipe.model_dump(mode="json"),
            "version": recipe.card.version,
            "inference": InferenceSettings(**recipe.inference.model_dump()),
        }
    )
    written = write_bundle(
        bundle.folder, card=card, weights=bundle.weights(), guard_arrays=bundle.guard_arrays() or None
    )
    judged = {part: (parts[part], outputs[part].logits, groups[part]) for part in parts}
    return add_trust(written, load_model(written), judged, seed=recipe.seed), choice, evaluation
