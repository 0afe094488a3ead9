"""Figures of one label by group, each group's difference from the others, and whether chance explains it.

Intervals of rates come from resampling patients. The test of a difference of rates is a score test whose variance is
summed over patients (Rao and Scott 1992, Biometrics 48:577), or that of one design effect for both parts where that is
larger: it supposes equal rates, as the null does, and thereby holds its level where a group is small or a rate near 0.
Areas are compared by DeLong's placements summed over patients (Obuchowski 1997, Biometrics 53:567).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.evaluation.audit.groups import FEWEST_PATIENTS
from hounsfield.metrics import Interval, percentile_interval, placements, resampled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hounsfield.evaluation.audit.groups import Group

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

# Shown in this order. observed_minus_stated: prevalence minus mean probability, calibration in the large.
RATES = ("false_negative_rate", "false_positive_rate", "ppv", "observed_minus_stated")
FIGURES = ("auroc", *RATES)
SPOKEN = {
    "auroc": "AUROC",
    "false_negative_rate": "false-negative rate",
    "false_positive_rate": "false-positive rate",
    "ppv": "PPV",
    "observed_minus_stated": "observed minus stated probability",
}
Z_95 = 1.959963984540054
_BLOCK = 50  # resamples whose weights are held at once


@dataclass(frozen=True, slots=True, eq=False)
class LabelCases:
    """The cases of one label whose truth is known.

    truth, called: bool (n,); probability: (n,); patient: (n,) numbers from 0. name: the label. threshold: at and above
    it a case is called positive.
    """

    name: str
    truth: NDArray[np.bool_]
    probability: Array
    patient: NDArray[np.intp]
    threshold: float

    @property
    def called(self) -> NDArray[np.bool_]:
        """Whether each case is called positive."""
        return np.asarray(self.probability >= self.threshold)


@dataclass(frozen=True, slots=True)
class GroupDifference:
    """The group's figure minus that of the other values of its column; p unadjusted."""

    interval: Interval
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class GroupFigures:
    """One label in one group. figures and differences by name; a figure from too few patients is absent from both.

    n, n_positive: None where the group has fewer than FEWEST_PATIENTS patients, which is all that is said of it.
    """

    label: str
    group: Group
    n: int | None
    n_positive: int | None
    figures: Mapping[str, Interval] = field(default_factory=dict)
    differences: Mapping[str, GroupDifference] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """Label, column, value."""
        return self.label, self.group.column, self.group.value

    def to_json(self) -> dict[str, Any]:
        """Counts, figures and differences, as value and ci95."""
        record: dict[str, Any] = {"column": self.group.column, "value": self.group.value, "n": self.n}
        if self.n is None:
            return record | {"withheld": f"fewer than {FEWEST_PATIENTS} patients"}
        record["n_positive"] = self.n_positive
        record["figures"] = {name: interval_record(one) for name, one in self.figures.items()}
        record["differences"] = {
            name: {**interval_record(one.interval), "p": one.p if math.isfinite(one.p) else None}
            for name, one in self.differences.items()
        }
        return record


def figures_by_group(
    cases: LabelCases, groups: Sequence[Group], *, rng: np.random.Generator, n_resamples: int
) -> list[GroupFigures]:
    """Figures and differences of every group. groups: their masks are over the cases of `cases`."""
    base = rate_parts(cases.truth, cases.called, cases.probability)
    parts = [one.members for one in groups] + [one.others for one in groups]
    sums = [sum_by_patient(base * part[:, None], cases.patient) for part in parts]
    matrix = np.concatenate(sums, axis=1)
    draws = drawn_sums(matrix, rng=rng, n_resamples=n_resamples).reshape(n_resamples, len(parts), -1)
    rates = rates_of(draws)
    totals = rates_of(matrix.sum(axis=0).reshape(len(parts), -1))
    found = []
    for at, group in enumerate(groups):
        both = (at, at + len(groups))
        made = {
            name: (totals[name][list(both)], rates[name][:, list(both)])
            for name in RATES
            if _enough(cases, group, name)
        }
        found.append(_of_group(cases, group, made))
    return found


def rate_parts(truth: NDArray[np.bool_], called: NDArray[np.bool_], probability: Array) -> Array:
    """What is summed for the rates: case, positive, called, both, probability; (n, 5)."""
    true, said = truth.astype(np.float64), called.astype(np.float64)
    return np.stack([np.ones_like(true), true, said, true * said, probability], axis=1)


def rates_of(sums: Array) -> dict[str, Array]:
    """The rates from sums (..., 5) of cases, positives, called, positives called, probabilities; nan where undefined."""
    n, positive, called, hit, stated = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "false_negative_rate": 1.0 - hit / positive,
            "false_positive_rate": (called - hit) / (n - positive),
            "ppv": hit / called,
            "observed_minus_stated": (positive - stated) / n,
        }


def drawn_sums(by_patient: Array, *, rng: np.random.Generator, n_resamples: int) -> Array:
    """Sums over resampled patients, (n_resamples, k), of `by_patient` (patients, k)."""
    blocks = [min(_BLOCK, n_resamples - start) for start in range(0, n_resamples, _BLOCK)]
    patients = range(by_patient.shape[0])
    return np.concatenate(
        [resampled(_themselves, patients, rng=rng, n_resamples=n) @ by_patient for n in blocks]
    )


def _themselves(weights: Array) -> Any:
    """The weights of a draw, so that one product sums all columns over many draws."""
    return weights


def sum_by_patient(values: Array, patient: NDArray[np.intp]) -> Array:
    """Sums of values (n, k) over the cases of each patient, (patients, k)."""
    n_patients = int(patient.max()) + 1
    return np.stack([np.bincount(patient, own, minlength=n_patients) for own in values.T], axis=1)


def interval_record(interval: Interval) -> dict[str, Any]:
    """`value` and `ci95`; null where undefined."""
    value, low, high = (
        float(number) if np.isfinite(number) else None
        for number in (interval.value, interval.low, interval.high)
    )
    return {"value": value, "ci95": [low, high]}


def _enough(cases: LabelCases, group: Group, name: str) -> bool:
    """Whether enough patients stand behind the figure's denominator, in the group and in what it is compared with."""
    behind = {
        "false_negative_rate": (cases.truth,),
        "false_positive_rate": (~cases.truth,),
        "ppv": (cases.called,),
        "observed_minus_stated": (cases.truth, ~cases.truth),
        "auroc": (cases.truth, ~cases.truth),
    }[name]
    compared = (group.members, group.others) if group.others.any() else (group.members,)
    return all(
        np.unique(cases.patient[part & own]).size >= FEWEST_PATIENTS for part in compared for own in behind
    )


def _of_group(cases: LabelCases, group: Group, made: Mapping[str, tuple[Array, Array]]) -> GroupFigures:
    if np.unique(cases.patient[group.members]).size < FEWEST_PATIENTS:
        return GroupFigures(cases.name, group, None, None)
    figures: dict[str, Interval] = {}
    differences: dict[str, GroupDifference] = {}
    if _enough(cases, group, "auroc"):
        figures["auroc"] = _area(*_area_influence(cases, group.members), cases, group.members)
        if group.others.any():
            differences["auroc"] = _area_difference(cases, group)
    for name, (values, draws) in made.items():
        figures[name] = percentile_interval(float(values[0]), draws[:, 0])
        if not group.others.any():
            continue
        apart = percentile_interval(float(values[0] - values[1]), draws[:, 0] - draws[:, 1])
        differences[name] = GroupDifference(apart, _rate_p(cases, group, name))
    n, n_positive = int(group.members.sum()), int((group.members & cases.truth).sum())
    return GroupFigures(cases.name, group, n, n_positive, figures, differences)


def _rate_p(cases: LabelCases, group: Group, name: str) -> float:
    """The p of the score test of equal rates; 1 where no case differs from the pooled rate."""
    counted, among = {
        "false_negative_rate": (~cases.called, cases.truth),
        "false_positive_rate": (cases.called, ~cases.truth),
        "ppv": (cases.truth, cases.called),
        "observed_minus_stated": (cases.truth - cases.probability, np.ones_like(cases.truth)),
    }[name]
    own, other = group.members & among, group.others & among
    both = own | other
    apart = np.where(both, counted - np.asarray(counted, dtype=np.float64)[both].mean(), 0.0)
    influence = apart * (own / own.sum() - other / other.sum())
    # The sum over patients alone is too small where events are rare, which raises false alarms: then that of a common
    # design effect holds.
    alone = float((apart**2).sum())
    alike = max(1.0, float((np.bincount(cases.patient, apart) ** 2).sum()) / alone) if alone else 1.0
    common = math.sqrt(alone / both.sum() * alike * (1.0 / own.sum() + 1.0 / other.sum()))
    error = max(common, _error(influence, cases.patient, both))
    return _two_sided(float(influence.sum()), error, cases, (own, other))


def _area(value: float, influence: Array, cases: LabelCases, part: NDArray[np.bool_]) -> Interval:
    error = _error(influence, cases.patient, part)
    return Interval(value, max(0.0, value - Z_95 * error), min(1.0, value + Z_95 * error))


def _area_difference(cases: LabelCases, group: Group) -> GroupDifference:
    """The group's area minus that of the others."""
    own, own_influence = _area_influence(cases, group.members)
    other, other_influence = _area_influence(cases, group.others)
    apart, both, influence = own - other, group.members | group.others, own_influence - other_influence
    error = _error(influence, cases.patient, both)
    interval = Interval(apart, apart - Z_95 * error, apart + Z_95 * error)
    return GroupDifference(interval, _two_sided(apart, error, cases, (group.members, group.others)))


def _area_influence(cases: LabelCases, part: NDArray[np.bool_]) -> tuple[float, Array]:
    """The area of the cases in `part`, and how much each case moves it, (n,)."""
    truth = cases.truth[part]
    of_positives, of_negatives = placements(truth, cases.probability[part])
    area = float(of_positives.mean())
    moved = np.empty(truth.size)
    moved[truth] = (of_positives[0] - area) / truth.sum()
    moved[~truth] = (of_negatives[0] - area) / (~truth).sum()
    influence = np.zeros(cases.truth.size)
    influence[part] = moved
    return area, influence


def _error(influence: Array, patient: NDArray[np.intp], part: NDArray[np.bool_]) -> float:
    """Standard error, summed over patients, with the correction for their number."""
    n = np.unique(patient[part]).size
    return math.sqrt(float((np.bincount(patient, influence) ** 2).sum()) * n / (n - 1))


def _two_sided(apart: float, error: float, cases: LabelCases, parts: tuple[Mask, Mask]) -> float:
    """The p of `apart` over its error, by Student's distribution with the patients of the smaller part less one."""
    from scipy.special import stdtr

    if error <= 1e-12:
        return 1.0
    freedom = min(np.unique(cases.patient[part]).size for part in parts) - 1
    return float(2.0 * stdtr(freedom, -abs(apart) / error))
