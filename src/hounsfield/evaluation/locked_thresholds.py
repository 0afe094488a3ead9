"""Thresholds chosen on tuning data and locked: written with what they came from, refused on the same patients.

The file keeps no name of a patient or case: each stands as a digest that also depends on the data, so that two files
cannot be joined by it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput, StudyError, UsageError
from hounsfield.evaluation.document import figure_record, head_record
from hounsfield.evaluation.label_statistics import parts_of
from hounsfield.metrics import DecisionCounts, count_decisions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from hounsfield.evaluation.prediction_table import PredictionTable

LARGEST_FILE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """How a threshold is chosen. at_least: of a sensitivity or specificity, above 0 to 1; None for Youden's index.

    sensitivity: the highest threshold that reaches it. specificity: the lowest that reaches it. youden: where
    sensitivity + specificity is largest, the highest of several (Youden 1950, Cancer 3:32).
    """

    kind: Literal["sensitivity", "specificity", "youden"]
    at_least: float | None = None

    def __post_init__(self) -> None:
        if self.kind != "youden" and not (self.at_least is not None and 0.0 < self.at_least <= 1.0):
            raise UsageError(f"--{self.kind} {self.at_least} is no share above 0 and up to 1, such as 0.95")

    @property
    def text(self) -> str:
        """`sensitivity of at least 0.95`, for people and files."""
        return (
            "largest Youden index" if self.kind == "youden" else f"{self.kind} of at least {self.at_least:g}"
        )


@dataclass(frozen=True, slots=True)
class LockedThreshold:
    """The threshold of one label, and what it decided on the data that it was chosen on."""

    threshold: float
    counts: DecisionCounts

    def to_json(self) -> dict[str, Any]:
        """Threshold, counts, and both shares with Wilson's interval."""
        return {
            "threshold": self.threshold,
            "n": self.counts.n,
            "n_positive": self.counts.n_positive,
            "sensitivity": figure_record(self.counts.sensitivity),
            "specificity": figure_record(self.counts.specificity),
        }


@dataclass(frozen=True, slots=True)
class ThresholdFile:
    """Locked thresholds as they were read: by label, the rule in words, and digests of data, patients and cases."""

    thresholds: Mapping[str, float]
    rule: str
    predictions: str
    patients: frozenset[str]
    cases: frozenset[str]


def choose_thresholds(
    table: PredictionTable, rule: ThresholdRule
) -> tuple[dict[str, LockedThreshold], dict[str, str]]:
    """Threshold of each label by `rule`, and for labels without one the reason."""
    chosen, withheld = {}, {}
    for k, label in enumerate(table.labels):
        part = parts_of(table, k)["all", ""]
        threshold = None if part.too_few else _CHOICES[rule.kind](part.truth, part.probability, rule.at_least)
        if threshold is None:
            withheld[label] = part.too_few or f"no threshold has a {rule.text}"
            continue
        chosen[label] = LockedThreshold(threshold, count_decisions(part.truth, part.probability >= threshold))
    return chosen, withheld


def _at_sensitivity(
    truth: NDArray[np.bool_], probability: NDArray[np.float64], at_least: float | None
) -> float | None:
    falling = np.sort(probability[truth])[::-1]
    # Rounded first: 0.95 of 20 is 19, though 0.95 * 20 may come out a hair above it.
    return float(falling[max(1, math.ceil(round((at_least or 0.0) * falling.size, 9))) - 1])


def _at_specificity(
    truth: NDArray[np.bool_], probability: NDArray[np.float64], at_least: float | None
) -> float | None:
    rising, limits = np.sort(probability[~truth]), np.unique(probability)
    cleared = np.searchsorted(rising, limits, side="left") / rising.size
    fit = np.flatnonzero(cleared >= (at_least or 0.0) - 1e-12)
    return float(limits[fit[0]]) if fit.size else None


def _at_youden(
    truth: NDArray[np.bool_], probability: NDArray[np.float64], at_least: float | None
) -> float | None:
    del at_least
    limits = np.unique(probability)[::-1]
    hits, alarms = np.sort(probability[truth]), np.sort(probability[~truth])
    found = 1 - np.searchsorted(hits, limits, side="left") / hits.size
    cleared = np.searchsorted(alarms, limits, side="left") / alarms.size
    return float(limits[int((found + cleared).argmax())])


_CHOICES = {"sensitivity": _at_sensitivity, "specificity": _at_specificity, "youden": _at_youden}


def thresholds_record(
    table: PredictionTable,
    chosen: Mapping[str, LockedThreshold],
    withheld: Mapping[str, str],
    *,
    rule: ThresholdRule,
    files: Sequence[Path],
) -> dict[str, Any]:
    """What the file holds. files: the tables that the thresholds came from, predictions first.

    Raises UsageError if no label has a threshold.
    """
    if not chosen:
        reasons = "; ".join(f"{label}: {reason}" for label, reason in withheld.items())
        raise UsageError(f"no threshold can be chosen ({reasons})")
    digests = {path.name: _file_digest(path) for path in files}
    salt = digests[files[0].name]
    return head_record(
        "thresholds",
        "Thresholds locked on tuning data",
        rule=rule.text,
        thresholds={label: one.to_json() for label, one in chosen.items()},
        withheld=dict(withheld),
        data={
            "predictions": files[0].name,
            "sha256": digests,
            "n_cases": len(table.cases),
            "n_patients": len(set(table.patients.tolist())) if table.has_patients else None,
            "patients": sorted(_pseudonyms(salt, table.patients)) if table.has_patients else [],
            "cases": sorted(_pseudonyms(salt, table.cases)),
        },
    )


def write_thresholds(record: Mapping[str, Any], path: Path) -> None:
    """Write the record of `thresholds_record`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_thresholds(path: Path) -> ThresholdFile:
    """Raises UsageError if there is no such file, StudyError if it is none that `write_thresholds` wrote."""
    if not path.is_file():
        raise UsageError(
            f"there is no file {path} of thresholds. Make one with --lock-thresholds on tuning data."
        )
    if path.stat().st_size > LARGEST_FILE_BYTES:
        raise StudyError(f"{path.name} is larger than any file of thresholds.")
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise StudyError(
            f"{path.name} holds no thresholds as --lock-thresholds writes them ({type(error).__name__}: {error}). Make it "
            "again on tuning data."
        ) from error


def _parsed(record: Any) -> ThresholdFile:
    data = record["data"]
    thresholds = {str(label): float(one["threshold"]) for label, one in record["thresholds"].items()}
    if record["form"] != "thresholds" or not all(0 <= limit <= 1 for limit in thresholds.values()):
        raise ValueError("its form is another")
    return ThresholdFile(
        thresholds,
        str(record["rule"]),
        str(data["sha256"][data["predictions"]]),
        frozenset(map(str, data["patients"])),
        frozenset(map(str, data["cases"])),
    )


def thresholds_for(table: PredictionTable, locked: ThresholdFile, predictions: Path) -> dict[str, float]:
    """Thresholds of the labels of `table`, which must hold other data than those they came from.

    Raises RefusedInput where the file or a patient (or case) is the same, UsageError if no label has a threshold.
    """
    same = "Sensitivity and specificity there would be too good. Judge them on other patients."
    if _file_digest(predictions) == locked.predictions:
        raise RefusedInput(f"the thresholds were chosen on {predictions.name} itself (equal SHA-256). {same}")
    kinds = (("patients", table.patients, locked.patients), ("cases", table.cases, locked.cases))
    for word, names, known in kinds:
        n_shared = len(_pseudonyms(locked.predictions, names) & known)
        if n_shared:
            n_all = len(set(names.tolist()))
            raise RefusedInput(
                f"{n_shared} of {n_all} {word} in {predictions.name} are among those that the thresholds were chosen on. "
                f"{same}"
            )
    found = {label: limit for label, limit in locked.thresholds.items() if label in table.labels}
    if not found:
        raise UsageError(
            f"the thresholds are of {', '.join(locked.thresholds)}, the predictions of {', '.join(table.labels)}"
        )
    return found


def _pseudonyms(salt: str, names: NDArray[np.str_]) -> set[str]:
    return {sha256(f"{salt}\0{name}".encode()).hexdigest()[:16] for name in set(names.tolist())}


def _file_digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
