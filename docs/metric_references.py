"""Write docs/reference/metrics.md: every figure of hounsfield.metrics beside an independent reference.

    HOUNSFIELD_DATA=../shared/data .venv/bin/python docs/metric_references.py

Needs the folder of real data, for the published examples whose tables may not be copied; a test marked real_data writes
the page again and compares. Without the folder `rows(None)` gives what needs none of it, and a test judges those.

To add a figure, add one line to ROWS: figure, where it is from, the reference, how far both may lie apart, and a
function of the folder that yields pairs of our value and the reference's.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import os
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, optimize, spatial, stats
from sklearn import metrics as peer

from hounsfield import metrics as own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "metrics.md"
EXACT = 1e-12  # of sums in another order
Pair = tuple[float, float]


@dataclass(frozen=True)
class Row:
    """One figure and its reference. at_most: how far both may lie apart; half of the last digit of a publication."""

    figure: str
    source: str
    reference: str
    at_most: float
    pairs: Callable[[Path], Iterable[Pair]]
    needs_data: bool = False


@dataclass(frozen=True)
class Judged:
    """A row, how many values were compared, and the largest difference."""

    row: Row
    n: int
    largest: float


def judge(row, data):
    """Compare; values that are both nan are equal, and one alone is infinitely far off."""
    pairs = [(float(ours), float(theirs)) for ours, theirs in row.pairs(data)]
    apart = [
        0.0 if math.isnan(a) and math.isnan(b) else math.inf if math.isnan(a - b) else abs(a - b)
        for a, b in pairs
    ]
    return Judged(row, len(pairs), max(apart, default=math.inf))


def rows(data):
    """All rows judged, or without a folder those that need none."""
    return [judge(row, data) for row in ROWS if data is not None or not row.needs_data]


def told(difference):
    """A difference to one digit; small ones differ between machines and are told by what they lie below."""
    for limit in (EXACT, 1e-8, 1e-7):
        if difference < limit:
            return f"below {limit:.0e}"
    return f"{difference:.0e}"


HEAD = """# Metrics and their references

<!-- Written by docs/metric_references.py: change the code or its rows, then run that. -->

Every figure of `hounsfield.metrics` beside an independent reference: another program, another way to compute it, or a published
example. Computed when this page was written; a test writes it again and fails where a difference is above the limit.
The limit of a published number is half a unit of its last digit (one unit where the publication itself rounded inputs), else
1e-6 or less. Random cases are drawn from fixed seeds. What has no reference of its kind is judged by simulation in
`tests/metrics/`: coverage of intervals, limits of repeated agreement, the debiased calibration error, planned power.

Research use only. Not a medical device.
"""


def others(data):
    """Rows by kind of what tests/metrics/independent_references.py compares: outlines, detection, reports, pictures, survival."""
    sys.path.insert(0, str(ROOT))
    from tests.metrics.independent_references import rows_by_kind

    return rows_by_kind(None if data is None else data / "statistics_references")


def section(kind, compared):
    """One kind of those rows as a table; their peers' numbers were written down once (tests/metrics/peer_numbers.json)."""
    lines = [f"| {r.figure} | {r.reference} | {told(r.difference)} | {r.allowed:.0e} |" for r in compared]
    head = ["| figure | independent reference | largest difference | limit |", "| --- | --- | --- | --- |"]
    return "\n".join([f"## {kind}", "", *head, *lines, ""])


def page(judged, by_kind=()):
    """The page as text. by_kind: what `others` gave."""
    lines = [
        f"| {one.row.figure} | {one.row.source} | {one.row.reference} | {one.n} | {told(one.largest)} | {one.row.at_most:.0e} |"
        for one in judged
    ]
    total, outside = sum(one.n for one in judged), [one for one in judged if not within(one)]
    said = f"{total} values in {len(judged)} rows; {len(outside)} rows outside their limit.\n"
    head = "| figure | where from | independent reference | values | largest difference | limit |"
    sections = [section(kind, compared) for kind, compared in dict(by_kind).items()]
    return "\n".join([HEAD, said, head, "| --- | --- | --- | --- | --- | --- |", *lines, "", *sections])


def within(one):
    """Whether a row lies within its limit; a little more for the rounding of the limit itself."""
    return one.largest <= one.row.at_most * (1 + 1e-9)


def binary(n_sets=25, n=80):
    """Sets of truth, score with ties, and decision; both classes occur in each."""
    rng = np.random.default_rng(11)
    for _ in range(n_sets):
        truth = rng.permutation(np.arange(n) < rng.integers(5, n - 5))
        score = np.round(np.clip(0.5 * rng.random(n) + 0.3 * truth + 0.1, 0, 1), 2)
        yield truth, score, score > 0.45


def classes(n_sets=10, n=120):
    """Sets of classes and probabilities of four classes."""
    rng = np.random.default_rng(12)
    for _ in range(n_sets):
        truth = rng.permutation(np.append(np.arange(4), rng.choice(4, n - 4, p=[0.5, 0.3, 0.15, 0.05])))
        stated = rng.dirichlet(np.ones(4), n) + np.eye(4)[truth] * rng.random((n, 1))
        yield truth, stated / stated.sum(axis=1, keepdims=True)


def columns(n_sets=20, n=40):
    """Pairs of columns that agree more or less."""
    rng = np.random.default_rng(13)
    for _ in range(n_sets):
        one = rng.normal(50, 10, n)
        yield one, one + rng.normal(1, 4, n)


def ranked(ours, theirs):
    """Pairs of two functions of truth and score."""
    return lambda _data: ((ours(t, s), theirs(t, s)) for t, s, _ in binary())


def decided(ours, theirs):
    """Pairs of a function of the four counts and one of truth and decision."""
    return lambda _data: ((ours(own.count_decisions(t, d)), theirs(t, d)) for t, _, d in binary())


def classed(ours, theirs):
    """Pairs of two functions of classes and probabilities."""
    return lambda _data: ((ours(t, p), theirs(t, p)) for t, p in classes())


def measured(ours, theirs):
    """Pairs of two functions of two columns."""
    return lambda _data: ((ours(a, b), theirs(a, b)) for a, b in columns())


def averaged(figure, theirs, how):
    """Pairs of an average over classes and that of scikit-learn."""
    return classed(
        lambda t, p: own.confusion_matrix(t, p.argmax(1), n_classes=4).average(figure, how),
        lambda t, p: theirs(t, p.argmax(1), average=how),
    )


def given(*pairs):
    """Pairs of published examples, each of a function that computes ours."""
    return lambda _data: ((ours(), theirs) for ours, theirs in pairs)


def wilson(_data):
    for k, n in ((0, 20), (1, 29), (81, 263), (15, 148), (29, 29)):
        found = own.wilson_interval(k, n)
        theirs = stats.binomtest(k, n).proportion_ci(method="wilson")
        yield from zip((found.low, found.high), theirs, strict=True)


def brute_delong(_data):
    for truth, score, _ in binary(10):
        wins = score[truth, None] - score[None, ~truth]
        kernel = (wins > 0) + 0.5 * (wins == 0)
        variance = kernel.mean(1).var(ddof=1) / len(kernel) + kernel.mean(0).var(ddof=1) / kernel.shape[1]
        yield own.delong(truth, score).covariance[0, 0], variance


def bootstrap_areas(_data):
    truth, score, _ = next(binary(1))
    patients = np.arange(truth.size) // 4
    found = own.auroc_resamples([truth], [score], patients, rng=np.random.default_rng(1), n_resamples=50)
    rng = np.random.default_rng(1)
    for area in found[:, 0]:
        drawn = rng.integers(0, 20, 20)
        cases = np.concatenate([np.flatnonzero(patients == one) for one in drawn])
        yield area, peer.roc_auc_score(truth[cases], score[cases])


def fitted_line(_data):
    for truth, score, _ in binary(6, 200):
        p = np.clip(score, 0.02, 0.98)
        logit = np.log(p / (1 - p))

        def loss(b, x=logit, y=truth):
            return np.logaddexp(0, b[0] + b[1] * x).sum() - (y * (b[0] + b[1] * x)).sum()

        def slope(b, x=logit, y=truth):
            rest = 1 / (1 + np.exp(-(b[0] + b[1] * x))) - y
            return np.array([rest.sum(), (rest * x).sum()])

        best = optimize.minimize(loss, [0.0, 1.0], jac=slope, method="BFGS", options={"gtol": 1e-9}).x
        found = own.calibration_line(truth, p)
        yield from zip((found.intercept.value, found.slope.value), best, strict=True)


def hausdorff(_data):
    rng, spacing_mm = np.random.default_rng(14), (2.5, 0.7, 1.0)
    for _ in range(8):
        masks = [ndimage.gaussian_filter(rng.random((12, 14, 16)), 2) > 0.5 for _ in range(2)]
        edges = [np.argwhere(m & ~ndimage.binary_erosion(m)) * spacing_mm for m in masks]
        ways = (spatial.distance.directed_hausdorff(*pair)[0] for pair in (edges, edges[::-1]))
        yield own.surface_distances(*masks, spacing_mm).hausdorff_mm, max(ways)
        near = [spatial.cKDTree(b).query(a)[0] for a, b in (edges, edges[::-1])]
        yield own.surface_distances(*masks, spacing_mm).mean_mm, np.concatenate(near).mean()


def isotonic(truth, score):
    from sklearn.isotonic import IsotonicRegression

    return ((IsotonicRegression().fit_transform(score, truth) - truth) ** 2).mean()


def equal_count(truth, score):
    from sklearn.calibration import calibration_curve

    spread = score + np.arange(score.size) * 1e-6  # without ties every bin holds as many
    observed, stated = calibration_curve(truth, spread / 2, n_bins=8, strategy="quantile")
    return np.abs(observed - stated).mean()


def weighted_kappa(weights):
    return classed(
        lambda t, p: own.cohen_kappa(peer.confusion_matrix(t, p.argmax(1)), weights=weights or "none").value,
        lambda t, p: peer.cohen_kappa_score(t, p.argmax(1), weights=weights),
    )


def asah(data):
    """Areas, variances, interval, paired and unpaired tests of three scores."""
    folder = data / "statistics_references"
    with (folder / "asah.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    published = json.loads((folder / "references.json").read_text("utf-8"))["delong_asah"]
    truth = np.array([line["outcome"] == "Poor" for line in table])
    scores = {name: np.array([float(line[name]) for line in table]) for name in published["auc"]}
    single = {name: own.delong(truth, score) for name, score in scores.items()}
    for name, found in single.items():
        yield found.auroc[0], published["auc"][name]
        yield found.covariance[0, 0], published["variance"][name]
    yield from zip(
        (single["ndka"].interval().low, single["ndka"].interval().high), published["ci95_ndka"], strict=True
    )
    for pair, expected in published["paired"].items():
        found = own.delong(truth, np.stack([scores[name] for name in pair.split("-")])).paired()
        yield from ((found.statistic, expected["z"]), (found.p, expected["p"]))
        yield from zip((found.difference.low, found.difference.high), expected["ci"], strict=True)
    for pair, expected in published["unpaired"].items():
        one, two = (single[name] for name in pair.split(","))
        yield one.unpaired(two).statistic, expected["D"]
        yield one.unpaired(two).p, expected["p"]


def reader_table(name):
    """How the tests read a table of readers."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from tests.metrics.test_reader_studies import ratings_of, rows_of

    return ratings_of(rows_of(name))


def of_study(study, expected):
    """Components, F test and interval of a study that other readers and cases would repeat."""
    for ours, theirs in (("var", "Var"), ("cov1", "Cov1"), ("cov2", "Cov2"), ("cov3", "Cov3")):
        yield getattr(study, ours), expected[theirs]
    found, interval = study.random_readers(), study.difference()
    yield from (
        (found.p, expected["p"]),
        (interval.low, expected["ci"][0]),
        (interval.high, expected["ci"][1]),
    )


def van_dyke(data):
    folder = data / "statistics_references"
    published = json.loads((folder / "references.json").read_text("utf-8"))["mrmc_vandyke_published"]
    study = own.delong_study(*reader_table(folder / "vandyke_mrmc.csv"))
    yield from of_study(study, published["random_readers_random_cases_delong"])


def recomputed_studies(data):
    folder = data / "statistics_references"
    references = json.loads((folder / "references.json").read_text("utf-8"))["mrmc_own_recomputation"]
    for name, expected in references.items():
        who, how = name.split("_")
        build = own.delong_study if how == "delong" else own.jackknife_study
        yield from of_study(build(*reader_table(folder / f"{who.lower()}_mrmc.csv")), expected)


def tomosynthesis(data):
    """wAFROC areas, two modalities by five readers."""
    folder = data / "statistics_references"
    reader_table(folder / "franken_mrmc.csv")
    from tests.metrics.test_reader_studies import merits_of, rows_of

    marks = defaultdict(list)
    for line in rows_of(folder / "froc_tony_marks.csv"):
        marks[line["treatment"], line["reader"]].append(line)
    found = merits_of((rows_of(folder / "froc_tony_cases.csv"), marks)).mean(axis=1)
    published = json.loads((folder / "references.json").read_text("utf-8"))["froc_tony_published"]
    means = published["FOMs"]["trtMeans"]
    yield from zip(found, (means["trtBT"]["Estimate"], means["trtDM"]["Estimate"]), strict=True)


def luna(data):
    """Sensitivity at seven rates and CPM of a detector of lung nodules on 888 CTs."""

    def table(name, last):
        opened = gzip.open if name.endswith(".gz") else open
        with opened(data / "lung_nodule_marks" / name, "rt", encoding="utf-8") as file:
            lines = list(csv.DictReader(file))
        position = np.array([[float(line[f"coord{axis}"]) for axis in "XYZ"] for line in lines])
        return (
            np.array([int(line["scan"]) for line in lines]),
            position,
            np.array([float(line[last]) for line in lines]),
        )

    image, position, diameter = table("nodules.csv", "diameter_mm")
    nodules = own.Marks(image, position, radius_mm=diameter / 2)
    image, position, diameter = table("irrelevant_findings.csv.gz", "diameter_mm")
    other = own.Marks(image, position, radius_mm=np.where(diameter < 0, 10.0, diameter) / 2)
    image, position, score = table("detector_dpn26_candidates.csv.gz", "probability")
    found = own.match_centres(
        own.Marks(image, position, score=score), nodules, n_images=888, irrelevant=other
    )
    yield found.curve().cpm, 0.84197


JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
FORMS = {"1,1": 0.17, "2,1": 0.29, "3,1": 0.71, "1,k": 0.44, "2,k": 0.62, "3,k": 0.91}


def shrout_fleiss(_data):
    return (
        (own.intraclass_correlation(JUDGES, form).value.value, published) for form, published in FORMS.items()
    )


def krippendorff(_data):
    gaps = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
            [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
        ]
    )
    for scale, alpha in (("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)):
        yield own.krippendorff_alpha(gaps, scale=scale).value, alpha


def exact_power(_data):
    """The power at the planned number lies above the goal, and below it with one case fewer."""
    for expected, bound in ((0.9, 0.75), (0.95, 0.9), (0.8, 0.6)):
        n = own.proportion_cases_against(expected, bound)

        def power(n, expected=expected, bound=bound):
            return stats.binom.sf(stats.binom.ppf(0.975, n, bound), n, expected)

        yield float(power(n) >= 0.8), 1.0
        yield float(power(n - 1) < 0.8), 1.0


def fleiss(_data):
    chosen = [
        *([0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]),
        *([7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]),
    ]
    yield own.fleiss_kappa(np.array(chosen)).value, 0.210


# Bland and Altman 1986, table 1: first and second readings of a large and a small peak flow meter, l/min.
LARGE = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427])
LARGE_AGAIN = np.array([490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421])
SMALL = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451])
SMALL_AGAIN = np.array([525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443])


def peak_flow(_data):
    found = own.limits_of_agreement(LARGE, SMALL, method="approximate")
    yield from ((found.bias.value, -2.1), (found.bias.low, -22.0), (found.bias.high, 17.8), (found.sd, 38.8))


def peak_flow_again(_data):
    for first, again, sd in ((LARGE, LARGE_AGAIN, 21.6), (SMALL, SMALL_AGAIN, 28.2)):
        found = own.repeatability(np.append(first, again), np.tile(np.arange(17), 2))
        yield found.within_sd.value * math.sqrt(2), sd


def scale_and_shift(one, two):
    """Correlation times Lin's factor of bias."""
    ratio = one.std() / two.std()
    shift = (one.mean() - two.mean()) ** 2 / (one.std() * two.std())
    return stats.pearsonr(one, two).statistic * 2 / (ratio + 1 / ratio + shift)


def counted_benefit(truth, score):
    called = score >= 0.3
    return (called & truth).mean() - (called & ~truth).mean() * 0.3 / 0.7


def psych_limits(_data):
    limits = {"1,1": (-0.13, 0.72), "2,1": (0.02, 0.76), "3,1": (0.34, 0.95)}
    for form, expected in limits.items():
        found = own.intraclass_correlation(JUDGES, form).value
        yield from zip((found.low, found.high), expected, strict=True)


def brier_of_classes(truth, stated):
    return sum(peer.brier_score_loss(truth == k, stated[:, k]) for k in range(4))


def slope_cases(_data):
    """Beside the information matrix summed over every one of the logits."""
    logits = np.random.default_rng(15).normal(-5, 2.5, 100_000)
    p = 1 / (1 + np.exp(-logits))
    design = np.stack([np.ones_like(logits), logits], axis=1)
    information = design.T @ (design * (p * (1 - p))[:, None]) / logits.size
    yield (
        own.calibration_slope_cases(logits, standard_error=0.051),
        math.ceil(np.linalg.inv(information)[1, 1] / 0.051**2),
    )


def curves(_data):
    """Every point of both curves, from scikit-learn's without its dropped ones."""
    for truth, score, _ in binary(10):
        for mine, theirs in zip(
            own.roc_curve(truth, score)[:2],
            peer.roc_curve(truth, score, drop_intermediate=False)[:2],
            strict=True,
        ):
            yield from zip(mine, theirs, strict=True)


def bins(_data):
    from sklearn.calibration import calibration_curve

    for truth, score, _ in binary(10):
        spread = np.clip(score + 1e-7, 0, 1)  # off the edges, which belong to other bins there
        observed, stated = calibration_curve(truth, spread, n_bins=10)
        found = own.calibration_bins(truth, spread)
        yield from zip([one.observed for one in found], observed, strict=True)
        yield from zip([one.stated for one in found], stated, strict=True)


def binned_error(truth, stated):
    """Calibration error from the histogram of scipy."""
    edges = np.linspace(0, 1, 11)
    gap = stats.binned_statistic(stated, stated - truth, "sum", edges).statistic
    return np.abs(gap).sum() / len(truth)


def moved(truth, score):
    """Odds of the score times the ratio of odds of the two prevalences."""
    p = score[0]
    odds = p / (1 - p) * (0.1 / 0.9) / (truth.mean() / (1 - truth.mean()))
    return odds / (1 + odds)


def plain_clusters(_data):
    truth, score, _ = next(binary(1))
    patients = np.arange(truth.size) // 4
    found = own.cluster_bootstrap(
        lambda i: own.auroc(truth[i], score[i]), patients, rng=np.random.default_rng(1), n_resamples=200
    )
    areas = own.auroc_resamples([truth], [score], patients, rng=np.random.default_rng(1), n_resamples=200)
    quick = own.percentile_interval(found.value, areas[:, 0])
    yield from ((found.low, quick.low), (found.high, quick.high))


NEWCOMBE = own.DecisionCounts(true_positive=56, false_positive=48, true_negative=32, false_negative=14)
RATERS = np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])

# fmt: off
ROWS = (
    Row("AUROC", "Hanley and McNeil 1982", "scikit-learn `roc_auc_score`", EXACT, ranked(own.auroc, peer.roc_auc_score)),
    Row("average precision", "as in `average_precision`", "scikit-learn `average_precision_score`", EXACT, ranked(own.average_precision, peer.average_precision_score)),
    Row("ROC curve, every point", "definition", "scikit-learn `roc_curve`", EXACT, curves),
    Row("DeLong variance", "DeLong 1988", "every pair of cases, counted", EXACT, brute_delong),
    Row("AUROC, DeLong variance, interval, paired and unpaired tests", "DeLong 1988", "pROC 1.19 on its table aSAH", 1e-6, asah, needs_data=True),
    Row("AUROC of resampled patients", "Field and Welsh 2007", "scikit-learn `roc_auc_score` of the cases drawn", EXACT, bootstrap_areas),
    Row("Wilson interval", "Wilson 1927", "scipy `binomtest`", 1e-6, wilson),
    Row("interval of resampled clusters", "Field and Welsh 2007", "`auroc_resamples`, another file", EXACT, plain_clusters),
    Row("sensitivity + specificity of decisions", "definition", "scikit-learn `balanced_accuracy_score`", EXACT, lambda _data: ((own.sensitivity(t, d) + own.specificity(t, d), 2 * peer.balanced_accuracy_score(t, d)) for t, _, d in binary())),
    Row("predictive values by Bayes", "Altman and Bland 1994", "scikit-learn `precision_score`", EXACT, decided(lambda c: own.predictive_values(sensitivity=c.sensitivity.value, specificity=c.specificity.value, prevalence=c.n_positive / c.n).positive, peer.precision_score)),
    Row("probability at another prevalence", "Saerens 2002", "ratio of odds, by hand", EXACT, ranked(lambda t, s: own.at_prevalence(s[0], calibrated_at=t.mean(), used_at=0.1), moved)),
    Row("sensitivity", "definition", "scikit-learn `recall_score`", EXACT, decided(lambda c: c.sensitivity.value, peer.recall_score)),
    Row("specificity", "definition", "scikit-learn `recall_score` of negatives", EXACT, decided(lambda c: c.specificity.value, lambda t, d: peer.recall_score(~t, ~d))),
    Row("PPV", "definition", "scikit-learn `precision_score`", EXACT, decided(lambda c: c.ppv.value, peer.precision_score)),
    Row("NPV", "definition", "scikit-learn `precision_score` of negatives", EXACT, decided(lambda c: c.npv.value, lambda t, d: peer.precision_score(~t, ~d))),
    Row("likelihood ratio, positive", "Simel 1991", "scikit-learn `class_likelihood_ratios`", EXACT, decided(lambda c: c.likelihood_ratio_positive.value, lambda t, d: peer.class_likelihood_ratios(t, d)[0])),
    Row("likelihood ratio, negative", "Simel 1991", "scikit-learn `class_likelihood_ratios`", EXACT, decided(lambda c: c.likelihood_ratio_negative.value, lambda t, d: peer.class_likelihood_ratios(t, d)[1])),
    Row("F1", "van Rijsbergen 1979", "scikit-learn `f1_score`", EXACT, decided(lambda c: c.f1, peer.f1_score)),
    Row("MCC", "Matthews 1975", "scikit-learn `matthews_corrcoef`", EXACT, decided(lambda c: c.mcc, peer.matthews_corrcoef)),
    Row("balanced accuracy", "definition", "scikit-learn `balanced_accuracy_score`", EXACT, decided(lambda c: c.balanced_accuracy.value, peer.balanced_accuracy_score)),
    Row("Youden's index, interval", "Newcombe 1998, method 10", "its table II, 56/70 and 48/80", 5e-5, given((lambda: NEWCOMBE.youden.low, 0.0524), (lambda: NEWCOMBE.youden.high, 0.3339))),
    Row("PPV at a prevalence", "Mercaldo 2007", "PPV of the cases at their own prevalence", EXACT, decided(lambda c: c.at_prevalence(c.n_positive / c.n)[0].value, peer.precision_score)),
    Row("Cohen's kappa", "Cohen 1960", "scikit-learn `cohen_kappa_score`", EXACT, weighted_kappa(None)),
    Row("Cohen's kappa, linear weights", "Cohen 1968", "scikit-learn `cohen_kappa_score`", EXACT, weighted_kappa("linear")),
    Row("Cohen's kappa, quadratic weights", "Cohen 1968", "scikit-learn `cohen_kappa_score`", EXACT, weighted_kappa("quadratic")),
    Row("Cohen's kappa of a published table", "Fleiss, Levin and Paik 2003", "table 18.1: 0.68", 5e-3, given((lambda: own.cohen_kappa(RATERS).value, 0.68))),
    Row("Krippendorff's alpha, four scales", "Krippendorff 2004", "Krippendorff 2011, example C", 5e-4, krippendorff),
    Row("Brier score", "Brier 1950", "scikit-learn `brier_score_loss`", EXACT, ranked(own.brier, peer.brier_score_loss)),
    Row("refinement of the Brier score", "Dimitriadis 2021", "scikit-learn `IsotonicRegression`", EXACT, ranked(lambda t, s: own.brier_parts(t, s).refinement, isotonic)),
    Row("calibration error, bins of equal count", "Nixon 2019", "scikit-learn `calibration_curve`", 1e-9, ranked(lambda t, s: own.calibration_error(t, (s + np.arange(s.size) * 1e-6) / 2, n_bins=8, bins="count").mean, equal_count)),
    Row("expected calibration error, bins of equal width", "Naeini 2015", "`calibration_error`, another file", EXACT, ranked(own.expected_calibration_error, lambda t, s: own.calibration_error(t, s).mean)),
    Row("calibration bins: stated and observed", "as in `calibration_bins`", "scikit-learn `calibration_curve`", EXACT, bins),
    Row("calibration error of the likeliest class", "Guo 2017", "scipy `binned_statistic`", EXACT, classed(own.top_label_calibration_error, lambda t, p: binned_error(p.argmax(1) == t, p.max(1)))),
    Row("calibration error of each class, averaged", "Kull 2019", "scipy `binned_statistic`", EXACT, classed(own.classwise_calibration_error, lambda t, p: np.mean([binned_error(t == k, p[:, k]) for k in range(4)]))),
    Row("calibration intercept and slope", "Cox 1958", "scipy `minimize` of the likelihood", 1e-6, fitted_line),
    Row("one-vs-rest AUROC, macro", "Provost and Domingos 2000", "scikit-learn `roc_auc_score`", EXACT, classed(own.one_vs_rest_auroc, lambda t, p: peer.roc_auc_score(t, p, multi_class="ovr"))),
    Row("one-vs-rest AUROC, weighted", "Provost and Domingos 2000", "scikit-learn `roc_auc_score`", EXACT, classed(lambda t, p: own.one_vs_rest_auroc(t, p, average="weighted"), lambda t, p: peer.roc_auc_score(t, p, multi_class="ovr", average="weighted"))),
    Row("one-vs-rest AUROC, micro", "Provost and Domingos 2000", "scikit-learn `roc_auc_score`", EXACT, classed(lambda t, p: own.one_vs_rest_auroc(t, p, average="micro"), lambda t, p: peer.roc_auc_score(t, p, multi_class="ovr", average="micro"))),
    Row("pairwise AUROC", "Hand and Till 2001", "scikit-learn `roc_auc_score`", EXACT, classed(own.hand_till_auroc, lambda t, p: peer.roc_auc_score(t, p, multi_class="ovo"))),
    Row("log loss", "Good 1952", "scikit-learn `log_loss`", EXACT, classed(own.log_loss, peer.log_loss)),
    Row("top 2 of four classes", "definition", "scikit-learn `top_k_accuracy_score`", EXACT, classed(lambda t, p: own.top_k_accuracy(t, p, k=2).value, peer.top_k_accuracy_score)),
    Row("F1 of classes, macro", "definition", "scikit-learn `f1_score`", EXACT, averaged(lambda c: c.f1, peer.f1_score, "macro")),
    Row("F1 of classes, weighted", "definition", "scikit-learn `f1_score`", EXACT, averaged(lambda c: c.f1, peer.f1_score, "weighted")),
    Row("sensitivity of classes, macro", "definition", "scikit-learn `recall_score`", EXACT, averaged(lambda c: c.sensitivity.value, peer.recall_score, "macro")),
    Row("MCC of several classes", "Gorodkin 2004", "scikit-learn `matthews_corrcoef`", EXACT, classed(lambda t, p: own.confusion_matrix(t, p.argmax(1), n_classes=4).mcc, lambda t, p: peer.matthews_corrcoef(t, p.argmax(1)))),
    Row("Hamming loss of labels", "definition", "scikit-learn `hamming_loss`", EXACT, classed(lambda t, p: own.label_decisions(np.eye(4)[t], p > 0.3).hamming, lambda t, p: peer.hamming_loss(np.eye(4)[t], p > 0.3))),
    Row("exact match of labels", "definition", "scikit-learn `accuracy_score`", EXACT, classed(lambda t, p: own.label_decisions(np.eye(4)[t], p > 0.3).exact_match.value, lambda t, p: peer.accuracy_score(np.eye(4)[t], p > 0.3))),
    Row("mean absolute error", "definition", "scikit-learn `mean_absolute_error`", EXACT, measured(lambda a, b: own.measurement_errors(a, b).mean_absolute, peer.mean_absolute_error)),
    Row("root mean square error", "definition", "scikit-learn `root_mean_squared_error`", EXACT, measured(lambda a, b: own.measurement_errors(a, b).root_mean_square, peer.root_mean_squared_error)),
    Row("R2", "definition", "scikit-learn `r2_score`", EXACT, measured(lambda a, b: own.measurement_errors(a, b).r2, peer.r2_score)),
    Row("bias, lower limit", "Student 1908", "scipy `ttest_1samp`", 1e-9, measured(lambda a, b: own.measurement_errors(a, b).bias.low, lambda a, b: stats.ttest_1samp(b - a, 0).confidence_interval().low)),
    Row("Pearson's correlation, lower limit", "Fisher 1921", "scipy `pearsonr`", 1e-9, measured(lambda a, b: own.pearson(a, b).low, lambda a, b: stats.pearsonr(a, b).confidence_interval().low)),
    Row("Spearman's correlation", "Spearman 1904", "scipy `spearmanr`", EXACT, measured(lambda a, b: own.spearman(a, b).value, lambda a, b: stats.spearmanr(a, b).statistic)),
    Row("slope of the difference on the mean", "Bland and Altman 1999", "scipy `linregress`", EXACT, measured(lambda a, b: own.proportional_bias(a, b).value, lambda a, b: stats.linregress((a + b) / 2, a - b).slope)),
    Row("intraclass correlation, six forms", "Shrout and Fleiss 1979", "its table 4", 5e-3, shrout_fleiss),
    Row("intraclass correlation, intervals", "Shrout and Fleiss 1979", "R package psych on the same table", 5e-3, psych_limits),
    Row("concordance correlation", "Lin 1989", "scipy `pearsonr` times the factor of bias", EXACT, measured(lambda a, b: own.concordance(a, b).value, scale_and_shift)),
    Row("limits of agreement: bias with interval, SD", "Bland and Altman 1986", "its peak flow meters", 5e-2, peak_flow),
    Row("repeatability, SD of a difference", "Bland and Altman 1986", "its peak flow meters: 21.6, 28.2", 5e-2, peak_flow_again),
    Row("Fleiss' kappa", "Fleiss 1971", "textbook example of ten cases, 14 raters: 0.210", 5e-4, fleiss),
    Row("net benefit at 0.3", "Vickers and Elkin 2006", "hits and alarms, counted", EXACT, ranked(lambda t, s: own.net_benefit(t, s, np.array([0.3]))[0][0], counted_benefit)),
    Row("Brier score of several classes", "Brier 1950", "scikit-learn `brier_score_loss`, summed", EXACT, classed(own.brier_several, brier_of_classes)),
    Row("Holm's adjustment", "Holm 1979", "by hand", EXACT, lambda _data: zip(own.holm(np.array([0.01, 0.04, 0.03, 0.005])), (0.03, 0.06, 0.06, 0.02), strict=True)),
    Row("patients for a calibration slope", "Riley 2021", "inverse of the whole information matrix", EXACT, slope_cases),
    Row("patients for a sensitivity", "Buderer 1996", "1.96^2 p (1 - p) / w^2 by hand", EXACT, given((lambda: own.proportion_cases(0.9, half_width=0.1), 35), (lambda: own.enrolled(positive=35, negative=49, prevalence=0.2).patients, 175))),
    Row("cases to show a share above a bound", "Flahault 2005", "scipy `binom`: enough, and one fewer is not", EXACT, exact_power),
    Row("standard error of an area", "Hanley and McNeil 1982", "its example: 0.032", 1e-3, given((lambda: own.auroc_standard_error(0.893, n_positive=51, n_negative=58), 0.032))),
    Row("patients for observed over expected", "Riley 2021", "pmvalsampsize: 905 (it rounds to the nearest, we up)", 1.0, given((lambda: own.observed_expected_cases(0.018, standard_error=0.2455), 905))),
    Row("reader study: components, test, interval", "Obuchowski and Rockette 1995, Hillis 2007", "MRMCaov 0.3.0 on Van Dyke", 1e-6, van_dyke, needs_data=True),
    Row("reader studies by DeLong and jackknife", "Obuchowski and Rockette 1995, Hillis 2007", "a second program, on Van Dyke and Franken", 1e-9, recomputed_studies, needs_data=True),
    Row("wAFROC of two modalities", "Chakraborty 2017", "RJafroc 2.1.3 on TONY", 1e-9, tomosynthesis, needs_data=True),
    Row("FROC, CPM of a detector", "Setio 2017 (LUNA16)", "two other programs, on the nodule marks: 0.84197", 5e-6, luna, needs_data=True),
    Row("Dice", "Dice 1945", "scipy `distance.dice`", EXACT, lambda _data: ((own.dice(t, d), 1 - spatial.distance.dice(t, d)) for t, _, d in binary())),
    Row("Hausdorff and mean surface distance", "as in `surface`", "scipy `directed_hausdorff`, `cKDTree`", 1e-9, hausdorff),
)
# fmt: on


def main():
    """Write the page."""
    folder = os.environ.get("HOUNSFIELD_DATA")
    if not folder:
        raise SystemExit("HOUNSFIELD_DATA is not set: the page needs the folder of real data.")
    judged = rows(Path(folder))
    PAGE.write_text(page(judged, others(Path(folder))), encoding="utf-8")
    for one in judged:
        if not within(one):
            print(f"{one.row.figure}: {one.largest:.3g} is above {one.row.at_most:.0e}")
    print(PAGE.relative_to(ROOT))


if __name__ == "__main__":
    main()
