"""The shipped brain tumour model beside two classical baselines, on the same test part.

    HOUNSFIELD_DATA=/folder/of/data python -m benchmarks.brain_tumour_baseline

Baselines: gradient boosting on histograms of oriented gradients, and logistic regression on 16x16
thumbnails. Both learn from the training part alone, of the split that the recipe makes. Intervals: 95 %,
cluster bootstrap over groups.
"""

from __future__ import annotations

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

from hounsfield.datasets import fit_picture
from hounsfield.evaluation import Evaluation, Predictions, evaluate
from hounsfield.inference import load_model
from hounsfield.metrics import dice
from hounsfield.training import load_recipe
from hounsfield.training.train import prepare_data

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
    model = load_model("brain-tumour-mr")
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


def main() -> None:
    # 499 slices, hundreds of features: the solver's remark on convergence changes no figure here.
    warnings.filterwarnings("ignore", message="lbfgs failed to converge")
    recipe = load_recipe(RECIPE)
    dataset, split = prepare_data(recipe)
    pictures = [
        fit_picture(case.picture(), size=recipe.picture.size, percentiles=recipe.picture.percentiles)
        for case in dataset.cases
    ]
    train, test = split.indices("train"), split.indices("test")
    results = {"brain-tumour-mr (ours)": ours(dataset, test)}
    for name, (describe, classifier) in BASELINES.items():
        features = np.stack([describe(picture) for picture in pictures])
        classifier.fit(features[train], dataset.labels[train])
        results[name] = judge(dataset, test, classifier.predict_proba(features[test]))
    print(
        f"{len(train)} training and {len(test)} test slices; split {split.digest[:12]}; {platform.machine()}"
    )
    print("| method | macro AUROC | " + " | ".join(dataset.classes) + " | accuracy | ECE | Dice |")
    print("|---|---|" + "---|" * (len(dataset.classes) + 3))
    for name, found in results.items():
        figures = found.figures
        cells = [cell(figures["auroc"]), *(cell(figures["auroc"], own) for own in dataset.classes)]
        cells += [cell(figures["accuracy"]), cell(figures["ece"])]
        cells.append(cell(figures["dice"]) if "dice" in figures else "")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
