"""Figures on the tables of statistics_references: free-response studies and survival, beside what they should give."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
from tests.metrics.comparison import PEERS, Row, apart

from hounsfield.metrics import (
    FollowUp,
    FreeResponse,
    auroc_at,
    harrell_c,
    integrated_brier,
    kaplan_meier,
    log_rank,
    survival_brier,
    uno_c,
)

if TYPE_CHECKING:
    from pathlib import Path


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
        Row(
            title,
            "RJafroc 2.1.3 or recomputed apart: TONY, JT and FED, 48 readings",
            max(differences[key]),
            allowed,
        )
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
    return [Row(figure, "lifelines 0.30.3", *pair) for figure, pair in compared.items()]


def survival_rows(folder: Path) -> list[Row]:
    found = defaultdict(list)
    for name in SURVIVAL:
        follow_up, risk, moments, stated = survival_set(folder, name)
        peer = PEERS["survival"][name]
        each, rng = np.arange(risk.size), np.random.default_rng(0)
        harrell = harrell_c(follow_up, risk)
        counts = [harrell.n_concordant, harrell.n_discordant, harrell.n_tied_risk]
        found["Harrell's C", "lifelines 0.30.3"].append(harrell.c.value - stated["harrell_c"])
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
