"""The shipped brain tumour model beside two classical baselines, on the same test part.

    HOUNSFIELD_DATA=/folder/of/data python -m benchmarks.brain_tumour_baseline [--update-card]

Baselines: gradient boosting on histograms of oriented gradients, and logistic regression on 16x16
thumbnails. Both learn from the training part alone, of the split that the recipe makes; their settings were
fixed beforehand. Intervals: 95 %, cluster bootstrap over groups. `--update-card` writes the baselines into the
model's card.
"""

from __future__ import annotations

import argparse
import platform
import warnings
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.feature import hog
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from hounsfield.datasets import fit_picture
from hounsfield.evaluation import Evaluation, Predictions, evaluate
from hounsfield.inference import load_model
from hounsfield.metrics import dice
from hounsfield.training import load_recipe
from hounsfield.training.bundle_card import figures
from hounsfield.training.train import prepare_data
from hounsfield.zoo import Baseline, find_bundle, open_bundle, write_bundle

MODEL = "brain-tumour-mr"
RECIPE = Path(__file__).parents[1] / "recipes/brain_tumour_mr.yaml"


def gradients(picture):
    return hog(picture, orientations=9, pixels_per_cell=(24, 24), cells_per_block=(2, 2))


def thumbnail(picture):
    return np.asarray(Image.fromarray(picture).resize((16, 16), Image.Resampling.BOX)).ravel()


BASELINES = {
    "HOG, gradient boosting": (
        gradients,
        HistGradientBoostingClassifier(max_iter=200, learning_rate=0.08, random_state=0),
    ),
    "16x16, logistic regression": (
        thumbnail,
        make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000)),
    ),
}


def ours(dataset, indices) -> Evaluation:
    model = load_model(MODEL)
    runs = [model.run(dataset.cases[index].picture()) for index in indices]
    level = model.bundle.card.inference.mask_threshold
    overlap = [dice(dataset.cases[i].mask(), run.mask >= level) for i, run in zip(indices, runs, strict=True)]
    said = np.stack([run.probabilities for run in runs])
    return judge(dataset, indices, said, np.array(overlap))


def judge(dataset, indices, said, overlap=None) -> Evaluation:
    return evaluate(
        Predictions(
            classes=dataset.classes,
            names=tuple(dataset.cases[index].name for index in indices),
            groups=tuple(dataset.groups[index] for index in indices),
            labels=dataset.labels[indices],
            probabilities=said,
            uncalibrated=said,
            dice=overlap,
        )
    )


def cell(measured, name=None):
    interval = measured.overall if name is None else measured.by_class[name]
    return f"{interval.value:.3f} ({interval.low:.3f}-{interval.high:.3f})"


def update_card(results: dict[str, Evaluation]) -> str:
    """Write the baselines into the card of the shipped bundle; returns the bundle's new digest."""
    bundle = open_bundle(find_bundle(MODEL))
    told = {"auroc", "accuracy", "ece", "brier"}
    baselines = tuple(
        Baseline(name=name, metrics=tuple(f for f in figures(results[name]) if f.name in told))
        for name in BASELINES
    )
    written = write_bundle(
        bundle.folder,
        card=bundle.card.model_copy(update={"baselines": baselines}),
        weights=bundle.weights(),
        guard_arrays=bundle.guard_arrays() or None,
    )
    return written.digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update-card", action="store_true", help="write the baselines into the card")
    options = parser.parse_args()
    # 499 slices, hundreds of features: the solver's remark on convergence changes no figure here.
    warnings.filterwarnings("ignore", message="lbfgs failed to converge")
    recipe = load_recipe(RECIPE)
    dataset, split = prepare_data(recipe)
    if split.digest != open_bundle(find_bundle(MODEL)).card.split_digest:
        raise SystemExit("the split of these data is not the one that the model's card states")
    pictures = [
        fit_picture(case.picture(), size=recipe.picture.size, percentiles=recipe.picture.percentiles)
        for case in dataset.cases
    ]
    train, test = split.indices("train"), split.indices("test")
    results = {f"{MODEL} (ours)": ours(dataset, test)}
    for name, (describe, classifier) in BASELINES.items():
        features = np.stack([describe(picture) for picture in pictures])
        # One thread: on a busy machine the boosting's threads wait for each other far longer than they work.
        with threadpool_limits(1):
            classifier.fit(features[train], dataset.labels[train])
        results[name] = judge(dataset, test, classifier.predict_proba(features[test]))
    print(
        f"{len(train)} training and {len(test)} test slices; split {split.digest[:12]}; {platform.machine()}"
    )
    print_table(results, dataset.classes)
    if options.update_card:
        print(f"\ncard of {MODEL} written anew: digest {update_card(results)}")


def print_table(results, classes) -> None:
    print("| method | macro AUROC | " + " | ".join(classes) + " | accuracy | ECE | Dice |")
    print("|---|---|" + "---|" * (len(classes) + 3))
    for name, found in results.items():
        measured = found.figures
        cells = [cell(measured["auroc"]), *(cell(measured["auroc"], own) for own in classes)]
        cells += [cell(measured["accuracy"]), cell(measured["ece"])]
        cells.append(cell(measured["dice"]) if "dice" in measured else "")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
