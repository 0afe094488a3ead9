"""Areas, decisions, classes, calibration, agreement, readers and outlines beside their independent references, as rows."""

from __future__ import annotations

import csv
import gzip
import json
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats
from sklearn import linear_model
from sklearn import metrics as sk
from tests.metrics.comparison import Row, apart
from tests.metrics.test_measurement_agreement import JUDGES, LARGE, MINI
from tests.metrics.test_surface_area import MONAI, PAIRS, SURFACE_DISTANCE, figures

from hounsfield.metrics import (
    Marks,
    auroc,
    average_precision,
    bland_altman,
    brier,
    calibration_line,
    class_auroc,
    class_log_loss,
    confusion_figures,
    correlation,
    count_decisions,
    count_overlap,
    delong,
    delong_study,
    dice,
    intraclass_correlation,
    match_centres,
    pairwise_auroc,
    wilson_interval,
)

if TYPE_CHECKING:
    from pathlib import Path

SKLEARN = "scikit-learn"


def label_rows() -> list[Row]:
    """One label with ties in its score."""
    rng = np.random.default_rng(8)
    truth = rng.random(400) < 0.3
    score = np.round(1 / (1 + np.exp(-(rng.normal(size=400) + truth))), 2)
    called = score >= 0.6
    decided = count_decisions(truth, called)
    shares = [(decided.true_positive, decided.n_positive), (0, 9), (9, 9), (1, 30)]
    ours = [(i.low, i.high) for i in (wilson_interval(k, n, z=stats.norm.ppf(0.975)) for k, n in shares)]
    theirs = [stats.binomtest(k, n).proportion_ci(0.95, "wilson") for k, n in shares]
    line = calibration_line(truth, score.clip(0.01, 0.99))
    logit = np.log(score.clip(0.01, 0.99) / (1 - score.clip(0.01, 0.99)))[:, None]
    model = linear_model.LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(logit, truth)
    return [
        Row("AUROC", SKLEARN, apart(auroc(truth, score), sk.roc_auc_score(truth, score)), 1e-12),
        Row(
            "average precision",
            SKLEARN,
            apart(average_precision(truth, score), sk.average_precision_score(truth, score)),
            1e-12,
        ),
        Row("Brier score", SKLEARN, apart(brier(truth, score), sk.brier_score_loss(truth, score)), 1e-12),
        Row("F1", SKLEARN, apart(decided.f1, sk.f1_score(truth, called)), 1e-12),
        Row(
            "sensitivity, PPV",
            SKLEARN,
            apart(
                [decided.sensitivity.value, decided.ppv.value],
                [sk.recall_score(truth, called), sk.precision_score(truth, called)],
            ),
            1e-12,
        ),
        Row("Wilson interval", "SciPy", apart(ours, theirs), 1e-12),
        Row("calibration slope", SKLEARN, apart(line.slope.value, model.coef_[0, 0]), 1e-5),
    ]


def class_rows() -> list[Row]:
    """Four classes that exclude each other."""
    rng = np.random.default_rng(9)
    truth = rng.integers(0, 4, 300)
    said = rng.dirichlet(np.ones(4), 300)
    said[np.arange(300), truth] += rng.random(300)
    said /= said.sum(axis=1, keepdims=True)
    chosen = said.argmax(axis=1)
    ours = confusion_figures(truth, chosen, 4)
    kappas = [(ours.kappa(w).value, sk.cohen_kappa_score(truth, chosen, weights=p)) for w, p in _WEIGHTS]
    areas = [
        (class_auroc(truth, said, average), sk.roc_auc_score(truth, said, multi_class="ovr", average=average))
        for average in ("macro", "weighted", "micro")
    ]
    pairs = sk.roc_auc_score(truth, said, multi_class="ovo")
    return [
        Row("kappa: plain, linear, quadratic", SKLEARN, apart(*zip(*kappas, strict=True)), 1e-12),
        Row("MCC", SKLEARN, apart(ours.mcc, sk.matthews_corrcoef(truth, chosen)), 1e-12),
        Row(
            "balanced accuracy",
            SKLEARN,
            apart(ours.balanced_accuracy, sk.balanced_accuracy_score(truth, chosen)),
            1e-12,
        ),
        Row("class AUROC: macro, weighted, micro", SKLEARN, apart(*zip(*areas, strict=True)), 1e-12),
        Row("pairwise AUROC (Hand and Till)", SKLEARN, apart(pairwise_auroc(truth, said), pairs), 1e-12),
        Row("log loss", SKLEARN, apart(class_log_loss(truth, said), sk.log_loss(truth, said)), 1e-12),
    ]


_WEIGHTS = (("none", None), ("linear", "linear"), ("quadratic", "quadratic"))


def agreement_rows() -> list[Row]:
    """Measurements against measurements; published values are held to their last printed digit."""
    published = {"1,1": 0.17, "2,1": 0.29, "3,1": 0.71, "1,k": 0.44, "2,k": 0.62, "3,k": 0.91}
    ours = [intraclass_correlation(JUDGES, form).value for form in published]
    limits = bland_altman(MINI, LARGE)
    x = np.random.default_rng(1).normal(size=40)
    y = np.round(x + np.random.default_rng(2).normal(size=40))
    found = [correlation(x, y).value, correlation(x, y, by_rank=True).value]
    theirs = [stats.pearsonr(x, y).statistic, stats.spearmanr(x, y).statistic]
    return [
        Row("ICC, six forms", "Shrout and Fleiss 1979", apart(ours, list(published.values())), 5e-3),
        Row(
            "bias and its interval (Bland and Altman)",
            "Bland and Altman 1986",
            apart([limits.bias.value, limits.bias.low, limits.bias.high], [-2.1, -22.0, 17.8]),
            6e-2,
        ),
        Row("Pearson, Spearman", "SciPy", apart(found, theirs), 1e-12),
    ]


def outline_rows() -> list[Row]:
    """Eight pairs of masks: anisotropic, at the edge, of one voxel, far apart, hollow."""
    by_area = [apart(figures(name, "surface area"), SURFACE_DISTANCE[name]) for name in PAIRS]
    by_voxel = [apart(figures(name, "border voxels"), MONAI[name]) for name in PAIRS]
    rng = np.random.default_rng(3)
    one, other = rng.random((6, 7, 8)) < 0.4, rng.random((6, 7, 8)) < 0.4
    flat = (one.ravel(), other.ravel())
    counts = count_overlap(one, other)
    theirs = [
        sk.jaccard_score(*flat),
        sk.rand_score(*flat),
        sk.adjusted_rand_score(*flat),
        sk.mutual_info_score(*flat),
    ]
    ours = [counts.jaccard, counts.rand, counts.adjusted_rand, counts.mutual_information_nats]
    names = "surface Dice, HD95, Hausdorff distance, mean distances"
    return [
        Row("Dice", SKLEARN, apart(dice(one, other), sk.f1_score(*flat)), 1e-12),
        Row(
            "Jaccard, Rand, adjusted Rand, mutual information (Taha and Hanbury)",
            SKLEARN,
            apart(ours, theirs),
            1e-12,
        ),
        Row(f"{names}, by surface area", "surface-distance 0.1", max(by_area), 1e-6),
        Row(f"{names}, by border voxels", "MONAI 1.6.1 (32 bits)", max(by_voxel), 1e-5),
    ]


def read(path: Path) -> list[dict[str, str]]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(content.decode("utf-8").splitlines()))


def asah_rows(references: Path) -> list[Row]:
    """pROC's own example: 113 patients, three scores."""
    rows = read(references / "asah.csv")
    published = json.loads((references / "references.json").read_text("utf-8"))["delong_asah"]
    truth = np.array([row["outcome"] == "Poor" for row in rows])
    names = ["wfns", "s100b", "ndka"]
    found = delong(truth, np.array([[float(row[name]) for row in rows] for name in names]))
    tests = []
    for pair, expected in published["paired"].items():
        one, two = (names.index(name) for name in pair.split("-"))
        test = found.paired(one, two)
        tests.append(apart([test.statistic, test.p], [expected["z"], expected["p"]]))
    variances = [published["variance"][name] for name in names]
    return [
        Row("AUROC", "pROC 1.19", apart(found.auroc, [published["auc"][n] for n in names]), 1e-9),
        Row("DeLong variance", "pROC 1.19", apart(np.diag(found.covariance), variances), 1e-9),
        Row("DeLong's paired test: Z and p", "pROC 1.19", max(tests), 1e-8),
    ]


def reader_rows(references: Path) -> list[Row]:
    """Van Dyke's study, two modalities by five readers, and Franken's at the edge of the method."""
    known = json.loads((references / "references.json").read_text("utf-8"))
    made = []
    for study, key, reference in (
        ("vandyke", known["mrmc_vandyke_published"]["random_readers_random_cases_delong"], "MRMCaov 0.3.0"),
        ("franken", known["mrmc_own_recomputation"]["Franken_delong"], "recomputed apart"),
    ):
        found = delong_study(*_ratings(read(references / f"{study}_mrmc.csv")))
        test = found.random_readers()
        ours = [found.var, found.cov1, found.cov2, found.cov3, test.p]
        theirs = [key["Var"], key["Cov1"], key["Cov2"], key["Cov3"], key["p"]]
        name = "Obuchowski-Rockette: variance, covariances, p"
        made.append(Row(f"{name} ({study.capitalize()})", reference, apart(ours, theirs), 1e-6))
    return made


def _ratings(rows: list[dict[str, str]]) -> tuple[np.ndarray, np.ndarray]:
    axes = [sorted({row[name] for row in rows}) for name in ("treatment", "reader", "case")]
    truth, ratings = np.zeros(len(axes[2]), dtype=bool), np.full([len(axis) for axis in axes], np.nan)
    for row in rows:
        place = tuple(axes[k].index(row[n]) for k, n in enumerate(("treatment", "reader", "case")))
        ratings[place], truth[place[2]] = float(row["rating"]), row["truth"] == "1"
    return truth, ratings


def candidate_rows(marks: Path) -> list[Row]:
    """A real detector on LUNA16: 55,677 candidates of 888 scans."""

    def columns(name, column):
        rows = read(marks / name)
        place = np.array([[float(row[f"coord{axis}"]) for axis in "XYZ"] for row in rows])
        return (
            np.array([int(row["scan"]) for row in rows]),
            place,
            np.array([float(row[column]) for row in rows]),
        )

    image, place, diameter = columns("nodules.csv", "diameter_mm")
    nodules = Marks(image, place, radius_mm=diameter / 2)
    image, place, diameter = columns("irrelevant_findings.csv.gz", "diameter_mm")
    ignored = Marks(image, place, radius_mm=np.where(diameter < 0, 10.0, diameter) / 2)
    image, place, score = columns("detector_dpn26_candidates.csv.gz", "probability")
    matched = match_centres(Marks(image, place, score=score), nodules, n_images=888, irrelevant=ignored)
    return [Row("CPM by LUNA16's rules", "LUNA16's script", apart(matched.curve().cpm, 0.84197), 5e-6)]
