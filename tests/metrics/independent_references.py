"""Figures beside what independent programs and published tables give for the same input, as rows.

`rows` needs no program beside our own: what others gave was written down once in peer_numbers.json, which says how, and
published values stand with the reference tables. A row is a figure, whose value it was held against, and the largest
difference over all values compared.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.metrics import (
    Boxes,
    FollowUp,
    FreeResponse,
    auroc_at,
    bleu_counts,
    frechet_distance,
    harrell_c,
    integrated_brier,
    kaplan_meier,
    kernel_distance,
    log_rank,
    mean_average_precision,
    ms_ssim,
    nrmse,
    psnr,
    rouge_l,
    rouge_n,
    ssim,
    survival_brier,
    uno_c,
)

PEERS = json.loads((Path(__file__).parent / "peer_numbers.json").read_text(encoding="utf-8"))
SIZES = {"ap": (0.0, 1e10), "ap_medium": (32.0**2, 96.0**2), "ap_small": (0.0, 32.0**2)}

REPORTS = [
    (
        "the heart is normal in size . there is no pleural effusion or pneumothorax .",
        "heart size is normal . no pleural effusion or pneumothorax is seen .",
    ),
    (
        "small left pleural effusion with adjacent atelectasis",
        "there is a small left pleural effusion and adjacent atelectasis",
    ),
    (
        "a 5 mm nodule in the right upper lobe is unchanged",
        "unchanged 5 mm nodule of the right upper lobe ; no new nodule",
    ),
    ("no acute cardiopulmonary process", "no evidence of acute cardiopulmonary process"),
    ("cardiomegaly", "the heart is enlarged"),
    (
        "endotracheal tube tip is 4 cm above the carina . lungs are clear .",
        "tip of the endotracheal tube lies 4 cm above the carina . the lungs are clear .",
    ),
]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, its independent reference, the largest difference found, and the one that is allowed."""

    figure: str
    reference: str
    difference: float
    allowed: float


def rows(references: Path | None = None) -> list[Row]:
    """All rows; references: the folder statistics_references, without which its rows are left out."""
    found = [*detection_rows(), *text_rows(), *picture_rows(), *feature_rows()]
    if references is not None:
        found += [*free_response_rows(references), *lung_rows(references), *survival_rows(references)]
    return found


def apart(ours, theirs) -> float:
    """The largest difference of two lists of numbers of one shape."""
    first, second = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert first.shape == second.shape
    return float(np.abs(first - second).max())


def scene() -> tuple[Boxes, Boxes]:
    """Found boxes and objects of 12 images and 3 labels; some objects are crowds."""
    rng = np.random.default_rng(20)
    objects, found = [], []
    for image in range(12):
        for label in range(3):
            for _ in range(int(rng.integers(0, 4))):
                low = rng.uniform(0, 80, 2)
                size = rng.uniform(6, 50, 2)
                objects.append((image, label, *low, *(low + size), int(rng.random() < 0.15)))
                for _ in range(int(rng.integers(0, 3))):
                    one = low + rng.normal(0, 3, 2)
                    other = low + size + rng.normal(0, 3, 2)
                    found.append((image, label, *one, *np.maximum(other, one + 1), rng.random()))
            for _ in range(int(rng.integers(0, 3))):
                low = rng.uniform(0, 80, 2)
                found.append((image, label, *low, *(low + rng.uniform(6, 50, 2)), rng.random()))

    def boxes(table, **last):
        return Boxes(
            table[:, 0].astype(int), table[:, 2:6].reshape(-1, 2, 2), label=table[:, 1].astype(int), **last
        )

    found, objects = np.array(found), np.array(objects)
    return boxes(found, score=found[:, 6]), boxes(objects, crowd=objects[:, 6] == 1)


def detection_rows() -> list[Row]:
    found, objects = scene()
    made = []
    for name, (low, high) in SIZES.items():
        figures = mean_average_precision(
            found.ignoring_sizes(low, high), objects.ignoring_sizes(low, high), n_images=12
        )
        difference = apart(figures.average_precision(), PEERS["detection"][name])
        made.append(Row(f"average precision, 101 points ({name})", "pycocotools 2.0.11", difference, 1e-12))
    stated = PEERS["detection"]["stats"][0]
    mean = mean_average_precision(found, objects, n_images=12).mean
    return [*made, Row("mAP over IoU 0.50 to 0.95", "pycocotools 2.0.11", apart(mean, stated), 1e-12)]


def text_rows() -> list[Row]:
    texts, references = zip(*[(text.split(), reference.split()) for text, reference in REPORTS], strict=True)
    one = bleu_counts(texts, [[reference] for reference in references])
    two = bleu_counts(texts, list(zip(references, references[1:] + references[:1], strict=True)))
    made = []
    for smoothing in ("none", "add-one", "halving"):
        ours, theirs = [], []
        for run in range(1, 5):
            ours += [one.bleu(run, smoothing=smoothing), two.bleu(run, smoothing=smoothing)]
            theirs += [PEERS["bleu"][f"{smoothing}-{run}"], PEERS["bleu"][f"{smoothing}-{run}-two"]]
        for name, place in (("fourth", 3), ("fifth", 4)):
            alone = bleu_counts([texts[place]], [[references[place]]])
            ours.append(alone.bleu(4, smoothing=smoothing))
            theirs.append(PEERS["bleu"][f"{smoothing}-4-{name}"])
        made.append(
            Row(f"BLEU-1 to BLEU-4, smoothing {smoothing}", "sacrebleu 2.6.0", apart(ours, theirs), 1e-12)
        )
    rules = {
        "rouge1": lambda text, reference: rouge_n(text, reference, run=1),
        "rouge2": lambda text, reference: rouge_n(text, reference, run=2),
        "rougeL": rouge_l,
    }
    for name, rule in rules.items():
        figures = [rule(text, reference) for text, reference in zip(texts, references, strict=True)]
        ours = [[figure.precision, figure.recall, figure.f1] for figure in figures]
        theirs = [pair[name] for pair in PEERS["rouge"]]
        made.append(Row(name.replace("rouge", "ROUGE-"), "rouge-score 0.1.2", apart(ours, theirs), 1e-12))
    return made


def pictures() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    y, x = np.mgrid[:192, :208]
    clean = np.sin(x / 9) * np.cos(y / 14) * 300 + rng.normal(0, 30, y.shape)
    return clean, clean + rng.normal(0, 60, clean.shape)


def picture_rows() -> list[Row]:
    from skimage import metrics as peer

    flat = pictures()
    solid = tuple(
        np.stack([picture[:40, :50] * factor for factor in np.linspace(0.5, 1, 14)]) for picture in flat
    )
    by = {"norm": "euclidean", "range": "min-max", "mean": "mean"}
    found = defaultdict(list)
    for first, second in (flat, solid):
        theirs = peer.structural_similarity(
            first, second, data_range=1000.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        found["SSIM, 2D and 3D"].append(ssim(first, second, data_range=1000.0) - theirs)
        theirs = peer.peak_signal_noise_ratio(first, second, data_range=1000.0)
        found["PSNR, 2D and 3D"].append(psnr(first, second, data_range=1000.0) - theirs)
        for ours, name in by.items():
            # Moved up, so that the mean has a size to divide by.
            theirs = peer.normalized_root_mse(first + 50, second + 50, normalization=name)
            found["NRMSE, three forms"].append(nrmse(first + 50, second + 50, by=ours) - theirs)
    made = [
        Row(name, "scikit-image 0.26", float(np.abs(differences).max()), 1e-10)
        for name, differences in found.items()
    ]
    theirs = PEERS["ms_ssim"]["pytorch_msssim"]
    ours = ms_ssim(*flat, data_range=1000.0)
    return [*made, Row("MS-SSIM", "pytorch-msssim 1.0 (window of 32 bits)", apart(ours, theirs), 1e-7)]


def features() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    mix = rng.normal(size=(12, 12))
    return rng.normal(size=(300, 12)) @ mix, rng.normal(size=(260, 12)) @ (mix * 0.8) + 0.3


def feature_rows() -> list[Row]:
    first, second = features()
    peer = PEERS["features"]
    distance = kernel_distance(first[:260], second, rng=np.random.default_rng(0), n_resamples=3).value
    shrunk = frechet_distance(first[:10], second[:11], shrink_covariance=True)
    return [
        Row(
            "Frechet distance",
            "torchmetrics 1.9.0",
            apart(frechet_distance(first, second), peer["fid"]),
            1e-10,
        ),
        Row(
            "Frechet distance, shrunk covariance",
            "scikit-learn 1.9.1 ledoit_wolf, scipy sqrtm",
            apart(shrunk, peer["fid_shrunk"]),
            1e-10,
        ),
        Row("kernel distance (KID)", "torchmetrics 1.9.0", apart(distance, peer["kid"]), 1e-10),
    ]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def free_response_studies(folder: Path, name: str) -> dict[tuple[str, str], FreeResponse]:
    """By modality and reader what was marked in the set `name` (tony, jt or fed)."""
    cases = table(folder / f"froc_{name}_cases.csv")
    number = {row["case"]: place for place, row in enumerate(cases)}
    lesions = [(row["case"], str(n + 1)) for row in cases for n in range(int(row["n_lesions"]))]
    marks = defaultdict(list)
    for row in table(folder / f"froc_{name}_marks.csv"):
        marks[row["treatment"], row["reader"]].append(row)
    studies = {}
    for key, own in marks.items():
        rated = {
            (row["case"], row["lesion"]): float(row["rating"]) for row in own if row["mark_type"] == "LL"
        }
        beside = [row for row in own if row["mark_type"] == "NL"]
        studies[key] = FreeResponse(
            np.array([rated.get(lesion, -np.inf) for lesion in lesions]),
            np.array([number[case] for case, _ in lesions]),
            np.array([float(row["rating"]) for row in beside]),
            np.array([number[row["case"]] for row in beside], dtype=int),
            len(cases),
        )
    return studies


FREE_RESPONSE = {
    "wafroc_auc": ("wAFROC", "wafroc", 1e-8),
    "afroc_auc_lesion_weighted_equally": ("AFROC area (JAFROC figure)", "jafroc", 1e-8),
    "inferred_roc_auc": ("inferred ROC area", "inferred_roc", 1e-8),
    "max_llf": ("lesion localisation fraction", "lesion_localisation_fraction", 6e-7),
    "max_nlf": ("false marks per case", "false_marks_per_case", 6e-7),
}


def free_response_rows(folder: Path) -> list[Row]:
    stated = json.loads((folder / "references.json").read_text("utf-8"))["froc_own_recomputation"]
    differences = defaultdict(list)
    for name, reference in stated.items():
        studies = free_response_studies(folder, name)
        for key, (_, attribute, _) in FREE_RESPONSE.items():
            ours = [
                [getattr(studies[modality, reader], attribute) for reader in reference["readers"]]
                for modality in reference["modalities"]
            ]
            differences[key].append(apart(ours, reference[key]))
    return [
        Row(title, "references.json: TONY, JT and FED, 48 readings", max(differences[key]), allowed)
        for key, (title, _, allowed) in FREE_RESPONSE.items()
    ]


CODED = {"yes": 1, "no": 0, "Post": 1, "Pre": 0, "I": 1, "II": 2, "III": 3}
SURVIVAL = {
    "lung": ("time", "status", "lung_cox_age_sex_ecog", (180, 365, 600)),
    "gbsg2": ("time", "cens", "gbsg2_cox_all_tgrade_ordinal", (500, 1000, 1800)),
    "rossi": ("week", "arrest", "rossi_cox_all", (13, 26, 51)),
}


def survival_set(folder: Path, name: str) -> tuple[FollowUp, np.ndarray, tuple[int, ...], dict]:
    """Follow-up, linear predictor of the published Cox model, times to judge at, and the published numbers."""
    time, event, model, moments = SURVIVAL[name]
    stated = json.loads((folder / "references.json").read_text("utf-8"))["survival_lifelines_0_30_3"][model]
    rows = table(folder / f"survival_{name}.csv")
    rows = [row for row in rows if all(row[column] for column in stated["coef"])]
    risk = [
        sum(factor * float(CODED.get(row[column], row[column])) for column, factor in stated["coef"].items())
        for row in rows
    ]
    follow_up = FollowUp(
        np.array([float(row[time]) for row in rows]), np.array([row[event] == "1" for row in rows])
    )
    return follow_up, np.array(risk), moments, stated


def predicted_survival(risk: np.ndarray, moments: tuple[int, ...]) -> np.ndarray:
    """Some survival curves that follow the risk; the middle time has 55 % at the mean risk."""
    return np.stack([np.exp(-0.6 * (t / moments[1]) * np.exp(risk - risk.mean())) for t in moments], axis=1)


def lung_rows(folder: Path) -> list[Row]:
    """All 228 patients of the lung set: the published curve, the test of the sexes, and age as a risk."""
    stated = json.loads((folder / "references.json").read_text("utf-8"))["survival_lifelines_0_30_3"]
    rows = table(folder / "survival_lung.csv")
    follow_up = FollowUp(
        np.array([float(row["time"]) for row in rows]), np.array([row["status"] == "1" for row in rows])
    )
    expected, curve = stated["lung_km"], kaplan_meier(follow_up)
    at = [curve.at(float(day)).value for day in expected["survival_at"]]
    year, sex = curve.at(365), np.array([row["sex"] for row in rows])
    medians = [curve.median.value, *(kaplan_meier(follow_up.of(sex == one)).median.value for one in "12")]
    theirs = [expected["median"], expected["median_male"], expected["median_female"]]
    test = log_rank(follow_up, sex)
    by_age = harrell_c(follow_up, np.array([float(row["age"]) for row in rows])).c.value
    compared = {
        "Kaplan-Meier survival": (apart(at, list(expected["survival_at"].values())), 1e-12),
        "its 95 % limits at 365 days": (apart([year.low, year.high], expected["ci95_at_365"]), 1e-8),
        "median survival of all, men and women": (apart(medians, theirs), 0.0),
        "log-rank of the sexes, chi2 and p": (
            apart([test.chi2, test.p], [expected["logrank_sex_chi2"], expected["logrank_sex_p"]]),
            1e-11,
        ),
        "Harrell's C of age": (apart(by_age, stated["lung_harrell_c_of_minus_age"]), 1e-12),
    }
    return [Row(figure, "lifelines 0.30.3 (references.json)", *pair) for figure, pair in compared.items()]


def survival_rows(folder: Path) -> list[Row]:
    found = defaultdict(list)
    for name in SURVIVAL:
        follow_up, risk, moments, stated = survival_set(folder, name)
        peer = PEERS["survival"][name]
        each, rng = np.arange(risk.size), np.random.default_rng(0)
        harrell = harrell_c(follow_up, risk)
        counts = [harrell.n_concordant, harrell.n_discordant, harrell.n_tied_risk]
        found["Harrell's C", "lifelines 0.30.3 (references.json)"].append(
            harrell.c.value - stated["harrell_c"]
        )
        found["pairs of Harrell's C", "scikit-survival 0.28.0"].append(apart(counts, peer["counts"]))
        uno = [uno_c(follow_up, risk, each, until=t, rng=rng, n_resamples=1).value for t in moments]
        found["Uno's C", "scikit-survival 0.28.0"].append(apart(uno, peer["uno"]))
        areas = [area.value for area in auroc_at(follow_up, risk, moments, each, rng=rng, n_resamples=1)]
        found["AUROC at a time", "scikit-survival 0.28.0"].append(apart(areas, peer["auc"]))
        chances = predicted_survival(risk, moments)
        brier = survival_brier(follow_up, chances, moments)
        found["Brier score at a time", "scikit-survival 0.28.0"].append(apart(brier, peer["brier"]))
        whole = integrated_brier(follow_up, chances, moments)
        found["integrated Brier score", "scikit-survival 0.28.0"].append(whole - peer["ibs"])
        curve = kaplan_meier(follow_up)
        limits = [[at.value, at.low, at.high] for at in map(curve.at, moments)]
        found["Kaplan-Meier survival and limits", "lifelines 0.30.3"].append(apart(limits, peer["km"]))
        if peer["median"][0] is not None:
            median = [curve.median.value, curve.median.low, curve.median.high]
            found["median survival and limits", "lifelines 0.30.3"].append(apart(median, peer["median"]))
        test = log_rank(follow_up, np.digitize(risk, np.quantile(risk, [1 / 3, 2 / 3])))
        found["log-rank of three groups, chi2 and p", "lifelines 0.30.3"].append(
            apart([test.chi2, test.p], peer["logrank3"])
        )
    # Limits rest on 1.959964 standard errors here and on more digits there.
    allowed = {"Kaplan-Meier survival and limits": 1e-8}
    return [
        Row(figure, reference, float(np.abs(differences).max()), allowed.get(figure, 1e-11))
        for (figure, reference), differences in found.items()
    ]
