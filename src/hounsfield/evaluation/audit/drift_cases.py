"""The record as columns: what is compared between a reference and a later window."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from hounsfield.evaluation.audit.drift_record import Record

# Gates that spoke in fewer cases than this are looked at together.
_RARE_GATE = 5
NOTHING_SAID = "nothing said"


@dataclass(frozen=True, slots=True, eq=False)
class DriftCases:
    """n cases in the order of their time.

    cases, patients, times, models: (n,) text. features, scores, labels: (n,) numbers by name, nan where absent; labels
    are 0 and 1. vectors: (n, f) or (n, 0). gates, tags: (n,) text by name. told_at: (n,) time of the label, "" without.
    """

    cases: NDArray[np.str_]
    patients: NDArray[np.str_]
    times: NDArray[np.str_]
    models: NDArray[np.str_]
    told_at: NDArray[np.str_]
    vectors: NDArray[np.float64]
    features: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    scores: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    labels: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    gates: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    tags: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.cases)

    def take(self, chosen: NDArray[Any]) -> DriftCases:
        """The cases of these places or of this mask, every column."""
        return DriftCases(*(_taken(getattr(self, one.name), chosen) for one in fields(self)))


def cases_of(record: Record) -> tuple[DriftCases, tuple[str, ...]]:
    """The columns, and in sentences what was not used: cases written twice, labels of no case.

    Of a case with two lines of one label the later line holds. Raises UsageError if there is no case, or vectors of
    two lengths.
    """
    told = list(record.left_out)
    by_name = {line.case: line for line in reversed(record.cases)}
    lines = sorted(by_name.values(), key=lambda line: line.time)
    if not lines:
        raise UsageError("the record holds no case. `hu audit record` adds them.")
    if len(lines) < len(record.cases):
        told.append(f"{len(record.cases) - len(lines)} lines repeat a case; its first line holds")
    strangers = sum(line.case not in by_name for line in record.labels)
    if strangers:
        told.append(f"{strangers} lines of labels name a case that the record does not hold")
    truth: dict[str, dict[str, float]] = {}
    told_at: dict[str, str] = {}
    for label_line in sorted(record.labels, key=lambda one: one.time):
        own = truth.setdefault(label_line.case, {})
        own.update({name: float(value) for name, value in label_line.labels.items()})
        told_at.setdefault(label_line.case, label_line.time)
    lengths = {len(line.vector) for line in lines} - {0}
    if len(lengths) > 1:
        raise UsageError(f"the record holds vectors of {sorted(lengths)} numbers. Give one model a record.")
    width = next(iter(lengths), 0)
    vectors = [line.vector or (float("nan"),) * width for line in lines]
    columns = DriftCases(
        np.array([line.case for line in lines]),
        np.array([line.patient for line in lines]),
        np.array([line.time for line in lines]),
        np.array([line.model for line in lines]),
        np.array([told_at.get(line.case, "") for line in lines]),
        np.array(vectors, dtype=np.float64).reshape(len(lines), width),
        _numbers([line.features for line in lines]),
        _numbers([line.scores for line in lines]),
        _numbers([truth.get(line.case, {}) for line in lines]),
        _gates([line.gates for line in lines]),
        _words([line.tags for line in lines], "unstated"),
    )
    return columns, tuple(told)


def split_windows(
    columns: DriftCases, is_reference: NDArray[Any], *, newest: int | None = None
) -> tuple[DriftCases, DriftCases, int]:
    """Reference and later window (its `newest` cases, else all), and how many cases were left out of the window.

    Left out are cases of patients of the reference: they are no new evidence. is_reference: (n,) bool. Raises
    UsageError if either is empty.
    """
    reference = columns.take(np.flatnonzero(is_reference))
    later = columns.take(np.flatnonzero(~np.asarray(is_reference, dtype=bool)))
    known = np.isin(later.patients, reference.patients)
    window = later.take(np.flatnonzero(~known))
    if newest is not None:
        window = window.take(np.arange(len(window))[-newest:])
    if not len(reference) or not len(window):
        raise UsageError(
            f"the reference holds {len(reference)} cases and the window {len(window)} of other patients; both need some. "
            "Choose another date with --reference-until."
        )
    return reference, window, int(known.sum())


def _taken(values: Any, chosen: NDArray[Any]) -> Any:
    if isinstance(values, dict):
        return {name: column[chosen] for name, column in values.items()}
    return values[chosen]


def _numbers(rows: list[Mapping[str, float]]) -> dict[str, NDArray[np.float64]]:
    return {
        name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in _names(rows)
    }


def _words(rows: list[Mapping[str, str]], absent: str) -> dict[str, NDArray[np.str_]]:
    return {name: np.array([row.get(name) or absent for row in rows]) for name in _names(rows)}


def _gates(rows: list[Mapping[str, str]]) -> dict[str, NDArray[np.str_]]:
    counts = Counter(name for row in rows for name in row)
    rare = {name for name, n in counts.items() if n < _RARE_GATE}
    columns = _words([{k: v for k, v in row.items() if k not in rare} for row in rows], NOTHING_SAID)
    if rare:
        spoke = ["spoke" if rare & set(row) else NOTHING_SAID for row in rows]
        columns["rare gates together"] = np.array(spoke)
    return columns


def _names(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({name for row in rows for name in row})
