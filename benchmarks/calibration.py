"""Calibrators, conformal promises and the correction of prevalence on real predictions, on films that fitted nothing.

    python -m benchmarks.calibration [--data FOLDER] [--films N] [--resamples N] [--splits N] [--write FILE]

Four networks of chest films and fourteen findings (`chexnet_predictions`: 16,081 films of 4,331 patients). Patients are
halved by the hash of their number; calibrators are fitted on one half and judged on the other, intervals resample the
patients of that other half. The error is the mean distance of stated and observed over ten bins of equal count, the mean
over findings. Conformal promises are for one film of a new patient: one film of each is drawn, and patients are halved
anew as often as --splits says, since a promise holds over such draws.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks._chest_films import part_of
from benchmarks._table import heading, table, with_data_option
from hounsfield.calibration import (
    CALIBRATORS,
    apply_platt,
    apply_temperature,
    at_priors,
    calibrate_per_label,
    coverage_band,
    estimated_priors,
    fit_beta_per_label,
    fit_conformal_labels,
    fit_isotonic_per_label,
    fit_platt,
    fit_platt_per_label,
    fit_risk_control,
    fit_temperature,
    one_case_a_group,
    sigmoid,
)
from hounsfield.metrics import calibration_error, cluster_bootstrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Judged = Callable[[NDArray[Any]], NDArray[Any]]

COVERAGE, LEVEL = 0.9, 0.1
THRESHOLDS = (1.0, *np.round(np.geomspace(0.9, 1e-4, 200), 6).tolist(), 0.0)
FEWEST_POSITIVES = 200  # of a finding in each half, for which a prevalence can be changed and judged
RAISED = 3.0  # times the prevalence of the half that is judged, in the population made from it
_EDGE = 1e-7


@dataclass(frozen=True, eq=False)
class Films:
    """Truth (n, findings), logits (n, findings) of each network, and the patient of each film."""

    findings: tuple[str, ...]
    truth: NDArray[np.bool_]
    logits: dict[str, NDArray[np.float64]]
    patients: NDArray[np.str_]

    def of(self, chosen: NDArray[Any]) -> Films:
        """These films alone; chosen: numbers, or bool (n,)."""
        logits = {name: values[chosen] for name, values in self.logits.items()}
        return Films(self.findings, self.truth[chosen], logits, self.patients[chosen])

    @property
    def halves(self) -> tuple[Films, Films]:
        """The films of the patients to fit on, and of those to judge on."""
        to_fit = np.array([part_of(patient) == "choose" for patient in self.patients])
        return self.of(to_fit), self.of(~to_fit)


def read_films(data: Path, most: int | None = None) -> Films:
    """The table of predictions, or its first films up to `most`."""
    folder = data / "chexnet_predictions"
    rows = _rows(folder / "predictions.csv.gz")[:most]
    others = _rows(folder / "predictions_models_bcd.csv.gz")[:most]
    findings = tuple(name[5:] for name in rows[0] if name.startswith("prob_"))

    def logits(table_rows: list[dict[str, str]], prefix: str) -> NDArray[np.float64]:
        said = np.array([[float(row[prefix + name]) for name in findings] for row in table_rows])
        inside = said.clip(_EDGE, 1 - _EDGE)
        return np.asarray(np.log(inside) - np.log1p(-inside))

    found = {"A": logits(rows, "prob_"), **{name: logits(others, f"{name}_") for name in "BCD"}}
    truth = np.array([[row[name] == "1" for name in findings] for row in rows])
    return Films(findings, truth, found, np.array([row["patient_id"] for row in rows]))


def _rows(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def fitted(
    logits: NDArray[np.float64], truth: NDArray[np.bool_], patients: NDArray[Any]
) -> dict[str, Judged]:
    """Every calibrator, fitted on these films: from logits (n, findings) to probabilities."""
    pairs = np.stack([np.zeros(logits.size), logits.ravel()], axis=1)
    temperature = fit_temperature(pairs, truth.ravel().astype(int))
    line = fit_platt(logits.ravel(), truth.ravel())
    slopes, offsets = fit_platt_per_label(logits, truth)
    isotonic, beta = fit_isotonic_per_label(logits, truth), fit_beta_per_label(logits, truth)
    chosen = calibrate_per_label(logits, truth, patients.tolist())

    def cooled(values: NDArray[Any]) -> NDArray[Any]:
        return apply_temperature(np.stack([np.zeros_like(values), values], axis=-1), temperature)[..., 1]

    return {
        "none": sigmoid,
        "temperature, one for all": cooled,
        "platt, one for all": lambda values: apply_platt(values, **line),
        "platt-per-label": lambda v: CALIBRATORS["platt-per-label"](v, slopes=slopes, offsets=offsets),
        "beta-per-label": lambda values: CALIBRATORS["beta-per-label"](values, **beta),
        "isotonic-per-label": lambda values: CALIBRATORS["isotonic-per-label"](values, **isotonic),
        f"as training chooses ({chosen.name})": chosen.apply,
    }


def error(truth: NDArray[np.bool_], stated: NDArray[np.float64]) -> float:
    """Mean over findings of the calibration error in ten bins of equal count; both (n, findings)."""
    return float(
        np.mean([calibration_error(t, s, bins="count").mean for t, s in zip(truth.T, stated.T, strict=True)])
    )


def losses(truth: NDArray[np.bool_], stated: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log loss of each film, the mean over findings: (n,)."""
    said = np.where(truth, stated, 1 - stated).clip(1e-12)
    return np.asarray(-np.log(said).mean(axis=1), dtype=np.float64)


def around_value(
    statistic: Callable[[NDArray[np.intp]], float],
    groups: list[str],
    rng: np.random.Generator,
    n_resamples: int,
) -> tuple[float, float, float]:
    """Value and 95 % interval, laid around the value.

    A mean of distances grows when cases are drawn twice: resamples tell its spread, and are moved by what their mean
    exceeds the value.
    """
    seen: list[float] = []

    def kept(index: NDArray[np.intp]) -> float:
        seen.append(statistic(index))
        return seen[-1]

    found = cluster_bootstrap(kept, groups, rng=rng, n_resamples=n_resamples)
    moved = found.value - float(np.mean(seen[:n_resamples]))
    return found.value, max(0.0, found.low + moved), found.high + moved


def errors(films: Films, network: str, n_resamples: int) -> list[dict[str, Any]]:
    """Error of each calibrator on the half that fitted nothing, and that of chance alone; gain: log loss less than none's."""
    to_fit, to_judge = films.halves
    rows: list[dict[str, Any]] = []
    groups, truth = to_judge.patients.tolist(), to_judge.truth
    plain = losses(truth, sigmoid(to_judge.logits[network]))
    for name, apply in fitted(to_fit.logits[network], to_fit.truth, to_fit.patients).items():
        stated = apply(to_judge.logits[network])
        rng = np.random.default_rng(0)

        def own_error(index: NDArray[np.intp], stated: NDArray[np.float64] = stated) -> float:
            return error(truth[index], stated[index])

        value, low, high = around_value(own_error, groups, rng, n_resamples)
        drawn = [error(rng.random(stated.shape) < stated, stated) for _ in range(20)]
        gained = plain - losses(truth, stated)
        gain = cluster_bootstrap(lambda index, gained=gained: float(gained[index].mean()), groups, rng=rng)
        row = {"network": network, "calibrator": name, "error": value, "low95": low, "high95": high}
        row |= {"by_chance": float(np.mean(drawn)), "gain": (gain.value, gain.low, gain.high)}
        rows.append(row)
    return rows


def promises(films: Films, network: str, n_splits: int) -> dict[str, Any]:
    """Conformal sets of each finding and control of missed findings over halvings of the patients.

    within: share of findings and halvings whose coverage lies in its 95 % band; risk: mean share of present findings
    that are missed at the threshold that promises LEVEL, with the interval of the mean over halvings.
    """
    coverages: list[list[float]] = []
    within, risks, sizes = [], [], []
    for number in range(n_splits):
        rng = np.random.default_rng(number)
        own = films.of(one_case_a_group(films.patients.tolist(), rng=rng))
        to_fit = rng.permutation(len(own.truth)) < len(own.truth) // 2
        first, second = own.of(to_fit), own.of(~to_fit)
        stated = {half: sigmoid(one.logits[network]) for half, one in (("fit", first), ("judge", second))}
        sets = fit_conformal_labels(stated["fit"], first.truth, coverage=COVERAGE)
        inside = sets.sets(stated["judge"])
        covered = []
        for k in range(len(films.findings)):
            present = second.truth[:, k]
            if not present.any() or not first.truth[:, k].any():
                continue
            share = float(inside[present, k].mean())
            n_fitted, n_test = int(first.truth[:, k].sum()), int(present.sum())
            low, high = coverage_band(n_fitted=n_fitted, n_test=n_test, coverage=COVERAGE)
            within.append(low - 1e-9 <= share <= high + 1e-9)
            covered.append(share)
        coverages.append(covered)
        control = fit_risk_control(missed(first.truth, stated["fit"]), THRESHOLDS, level=LEVEL)
        at = THRESHOLDS.index(control.setting)
        risks.append(float(missed(second.truth, stated["judge"])[:, at].mean()))
        sizes.append(float((stated["judge"] >= control.setting).sum(axis=1).mean()))
    spread = np.array([np.mean(one) for one in coverages])
    return {
        "network": network,
        "n_splits": n_splits,
        "coverage": float(spread.mean()),
        "coverage_low95": float(np.quantile(spread, 0.025)),
        "coverage_high95": float(np.quantile(spread, 0.975)),
        "within": float(np.mean(within)),
        "n_within": len(within),
        "risk": float(np.mean(risks)),
        "risk_low95": float(np.quantile(risks, 0.025)),
        "risk_high95": float(np.quantile(risks, 0.975)),
        "findings_named": float(np.mean(sizes)),
    }


def missed(truth: NDArray[np.bool_], stated: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of a film's present findings below each threshold, (films with a finding, thresholds)."""
    some = truth.any(axis=1)
    true, said = truth[some], stated[some]
    below = [((said < one) & true).sum(axis=1) / true.sum(axis=1) for one in THRESHOLDS]
    return np.stack(below, axis=1)


def prevalence(films: Films, network: str, n_resamples: int) -> dict[str, Any]:
    """Error where findings are RAISED times as frequent, before and after correcting for it.

    Of the half that is judged all films with the finding are kept, and as many without it as make up the prevalence:
    the same films among others. estimated: largest distance of the prevalence that `estimated_priors` finds without
    labels from the true one.
    """
    to_fit, to_judge = films.halves
    slopes, offsets = fit_platt_per_label(to_fit.logits[network], to_fit.truth)
    stated = CALIBRATORS["platt-per-label"](to_judge.logits[network], slopes=slopes, offsets=offsets)
    rng = np.random.default_rng(0)
    before, after, apart, names = [], [], [], []
    for k, finding in enumerate(films.findings):
        if min(to_fit.truth[:, k].sum(), to_judge.truth[:, k].sum()) < FEWEST_POSITIVES:
            continue
        share, true = float(to_fit.truth[:, k].mean()), to_judge.truth[:, k]
        target = min(0.5, RAISED * float(true.mean()))
        n_without = round(float(true.sum()) * (1 - target) / target)
        without = rng.choice(np.flatnonzero(~true), n_without, replace=False)
        kept = np.concatenate([np.flatnonzero(true), without])
        both = np.stack([1 - stated[kept, k], stated[kept, k]], axis=-1)
        fitted_shares = np.array([1 - share, share])
        moved = at_priors(both, fitted=fitted_shares, target=np.array([1 - target, target]))[:, 1]
        groups = to_judge.patients[kept].tolist()
        held = true[kept]

        def own_error(
            index: NDArray[np.intp], said: NDArray[np.float64], held: NDArray[np.bool_] = held
        ) -> float:
            return calibration_error(held[index], said[index], bins="count").mean

        pair = [
            around_value(lambda index, said=said: own_error(index, said), groups, rng, n_resamples)
            for said in (both[:, 1], moved)
        ]
        before.append(pair[0])
        after.append(pair[1])
        names.append(finding)
        apart.append(abs(float(estimated_priors(both, fitted=fitted_shares)[1]) - target))
    return {
        "network": network,
        "findings": names,
        "raised": RAISED,
        "before": before,
        "after": after,
        "estimated_apart": apart,
    }


def main() -> None:
    """Print the three tables."""
    parser = with_data_option(argparse.ArgumentParser(description=__doc__))
    parser.add_argument("--films", type=int, default=None, help="first films of the table (default: all)")
    parser.add_argument("--resamples", type=int, default=200, help="resamples of patients (default 200)")
    parser.add_argument("--splits", type=int, default=100, help="halvings for the promises (default 100)")
    parser.add_argument("--write", type=Path, default=None, help="keep the figures there, as JSON")
    options = parser.parse_args()
    films = read_films(options.data, options.films)
    to_fit, to_judge = films.halves
    counts = [f"{len(half.truth)} films of {len(set(half.patients))} patients" for half in (to_fit, to_judge)]
    networks = sorted(films.logits)
    record = {
        "films": counts,
        "errors": [row for name in networks for row in errors(films, name, options.resamples)],
        "promises": [promises(films, name, options.splits) for name in networks],
        "prevalence": [prevalence(films, name, options.resamples) for name in networks],
    }
    print(heading("Calibration on real predictions", inputs=f"fitted on {counts[0]}, judged on {counts[1]}"))
    show(record)
    if options.write:
        options.write.write_text(json.dumps(rounded(record), indent=1) + "\n", encoding="utf-8")


def rounded(value: Any) -> Any:
    """The same with five digits after the point."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return round(value, 5) if isinstance(value, float) else value


def show(record: dict[str, Any]) -> None:
    """Print the tables of a record."""
    rows = [
        (
            row["network"],
            row["calibrator"],
            f"{row['error']:.4f} ({row['low95']:.4f} to {row['high95']:.4f})",
            f"{row['by_chance']:.4f}",
            "{:.5f} ({:.5f} to {:.5f})".format(*row["gain"]),
        )
        for row in record["errors"]
    ]
    print(table(("network", "calibrator", "error (95 % interval)", "by chance", "log loss gained"), rows))
    print(f"\nPromises: sets of each finding at {COVERAGE:.0%}, missed findings at most {LEVEL:.0%}\n")
    rows = [
        (
            one["network"],
            f"{one['coverage']:.3f} ({one['coverage_low95']:.3f} to {one['coverage_high95']:.3f})",
            f"{one['within']:.1%} of {one['n_within']}",
            f"{one['risk']:.3f} ({one['risk_low95']:.3f} to {one['risk_high95']:.3f})",
            f"{one['findings_named']:.2f}",
        )
        for one in record["promises"]
    ]
    columns = (
        "network",
        "coverage, mean over findings",
        "within the 95 % band",
        "missed share",
        "findings named",
    )
    print(table(columns, rows))
    print(
        f"\nError of platt-per-label where a finding is {RAISED:g} times as frequent, and after correcting for it\n"
    )
    rows = [
        (
            one["network"],
            finding,
            *(f"{value:.3f} ({low:.3f} to {high:.3f})" for value, low, high in (before, after)),
            f"{apart:.3f}",
        )
        for one in record["prevalence"]
        for finding, before, after, apart in zip(
            one["findings"], one["before"], one["after"], one["estimated_apart"], strict=True
        )
    ]
    print(table(("network", "finding", "as fitted", "corrected", "estimated prevalence, distance"), rows))


if __name__ == "__main__":
    main()
