"""Candidates of a detector against known lesions, in the tables of LUNA16: read, matched, and judged.

A table has a column that names the scan (`seriesuid`, else the first), `coordX`, `coordY`, `coordZ` in millimetres, and
`probability` (candidates) or `diameter_mm` (lesions). Irrelevant findings count neither as hit nor as false.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation.case_table import Rows
from hounsfield.evaluation.document import figure_record
from hounsfield.metrics import (
    SEVEN_RATES,
    Interval,
    Marks,
    Matched,
    match_centres,
    percentile_interval,
    resampled,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SERIES_COLUMNS = ("seriesuid", "scan", "series")
# LUNA16 states no size of irrelevant findings (-1) and takes 10 mm.
UNSTATED_DIAMETER_MM = 10.0
# Where the curve's band is drawn, in false positives a scan.
BAND_RATES = tuple(float(rate) for rate in np.geomspace(0.125, 8.0, 49))


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Candidates matched with lesions. scans: names, in the order of the numbers in the marks. left_out: in sentences.

    has_list: whether the scans were listed; else scans without any mark are unknown.
    """

    scans: tuple[str, ...]
    candidates: Marks
    lesions: Marks
    matched: Matched
    has_list: bool
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DetectionEvaluation:
    """sensitivity: at the seven rates, by rate. threshold: of the candidates there. band: along BAND_RATES.

    cpm: mean of the seven. found: share of lesions that any candidate hits.
    """

    detections: Detections
    sensitivity: Mapping[float, Interval]
    threshold: Mapping[float, float | None]
    band: tuple[Interval, ...]
    cpm: Interval
    found: Interval
    n_patients: int
    has_patients: bool
    n_resamples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """The part `detection` of evaluation.json."""
        matched = self.detections.matched
        return {
            "n_scans": matched.n_images,
            "n_lesions": int(matched.hit_score.size),
            "n_lesions_never_hit": int(np.isneginf(matched.hit_score).sum()),
            "n_candidates": int(self.detections.candidates.image.size),
            "n_candidates_ignored": matched.n_ignored,
            "n_false": int(matched.false_score.size),
            "cpm": figure_record(self.cpm),
            "found": figure_record(self.found),
            "sensitivity_at": [
                {
                    "false_per_scan": rate,
                    "sensitivity": figure_record(interval),
                    "threshold": self.threshold[rate],
                }
                for rate, interval in self.sensitivity.items()
            ],
        }


def read_detections(
    candidates: Path,
    truth: Path,
    *,
    ignored: Path | None = None,
    series: Path | None = None,
    series_column: str | None = None,
) -> Detections:
    """Tables of candidates and lesions, matched by the rule of LUNA16 (a hit lies within the lesion's radius).

    ignored: irrelevant findings. series: all scans, those without a mark too. Raises UsageError for a missing table or
    column and for tables without a scan in common, StudyError naming the line of what cannot be read.
    """
    said, true = _read(candidates, series_column, "probability"), _read(truth, series_column, "diameter_mm")
    passed = _read(ignored, series_column, "diameter_mm") if ignored is not None else None
    listed = _listed(series, series_column) if series is not None else None
    scans = listed or list(dict.fromkeys([*true.scans, *said.scans]))
    if true.scans and said.scans and not set(true.scans) & set(said.scans):
        raise UsageError(
            f"{candidates.name} and {truth.name} have no scan in common ({said.scans[0]!r}, {true.scans[0]!r}). Name the "
            "scans alike in both."
        )
    number = {name: at for at, name in enumerate(scans)}
    too_small = np.flatnonzero(~(true.last > 0))
    if too_small.size:
        raise StudyError(
            f"{truth.name} line {too_small[0] + 2}: a lesion of {true.last[too_small[0]]:g} mm; its diameter must be above 0."
        )
    lesions = true.marks(number, radius_mm=true.last / 2)
    marks = said.marks(number, score=said.last)
    irrelevant, left_out = None, []
    if passed is not None:
        passed, n_elsewhere = passed.within(number)
        diameter_mm = np.where(passed.last < 0, UNSTATED_DIAMETER_MM, passed.last)
        irrelevant = passed.marks(number, radius_mm=diameter_mm / 2)
        if n_elsewhere:
            left_out.append(f"{n_elsewhere} irrelevant findings lie in scans that are not judged")
    matched = match_centres(marks, lesions, n_images=len(scans), irrelevant=irrelevant)
    return Detections(tuple(scans), marks, lesions, matched, listed is not None, tuple(left_out))


def evaluate_detections(
    detections: Detections,
    *,
    patients: Sequence[str] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
) -> DetectionEvaluation:
    """Sensitivity at false positives a scan, its mean (CPM) and the band of the curve, resampling patients.

    patients: of each scan; scans are their own where None. The same seed gives the same intervals. Raises UsageError
    where there is no lesion.
    """
    matched = detections.matched
    if not matched.hit_score.size:
        raise UsageError("the truth holds no lesion, so there is no sensitivity. Look at the table.")
    rates = (*SEVEN_RATES, *BAND_RATES)
    ever, ranked = np.isfinite(matched.hit_score), matched.ranked()

    def statistics(weights: NDArray[np.float64]) -> list[float]:
        curve, own = ranked.curve(weights), weights[matched.target_image]
        share = float(own @ ever) / float(own.sum()) if own.sum() else float("nan")
        return [*curve.sensitivity_at(rates), curve.cpm, share]

    names = list(patients) if patients is not None else list(detections.scans)
    rng = np.random.Generator(np.random.PCG64(seed))
    draws = resampled(statistics, names, rng=rng, n_resamples=n_resamples)
    values = statistics(np.ones(matched.n_images))
    found = [percentile_interval(value, draws[:, k]) for k, value in enumerate(values)]
    n_rates = len(SEVEN_RATES)
    curve = matched.curve()
    limits = {rate: _threshold(curve.threshold, curve.false_per_image, rate) for rate in SEVEN_RATES}
    return DetectionEvaluation(
        detections,
        dict(zip(SEVEN_RATES, found[:n_rates], strict=True)),
        limits,
        tuple(found[n_rates:-2]),
        found[-2],
        found[-1],
        len(set(names)),
        patients is not None,
        n_resamples,
        seed,
    )


def _threshold(
    thresholds: NDArray[np.float64], false_per_scan: NDArray[np.float64], rate: float
) -> float | None:
    """The lowest score at which no more than `rate` false candidates a scan remain."""
    fit = np.flatnonzero(false_per_scan <= rate)
    return float(thresholds[fit[-1]]) if fit.size else None


@dataclass(frozen=True, slots=True, eq=False)
class _Points:
    """Rows of one table: scan, position, and the last column (probability or diameter)."""

    name: str
    scans: list[str]
    position_mm: NDArray[np.float64]
    last: NDArray[np.float64]

    def within(self, number: Mapping[str, int]) -> tuple[_Points, int]:
        """The rows in these scans, and how many lie elsewhere."""
        kept = np.array([scan in number for scan in self.scans], dtype=bool)
        scans = [scan for scan in self.scans if scan in number]
        return _Points(self.name, scans, self.position_mm[kept], self.last[kept]), int((~kept).sum())

    def marks(
        self,
        number: Mapping[str, int],
        *,
        radius_mm: NDArray[np.float64] | None = None,
        score: NDArray[np.float64] | None = None,
    ) -> Marks:
        """Raises StudyError naming the line of a scan that is not listed."""
        for row, scan in enumerate(self.scans):
            if scan not in number:
                raise StudyError(
                    f"{self.name} line {row + 2} names the scan {scan!r}, which the list of scans does not hold."
                )
        image = np.array([number[scan] for scan in self.scans], dtype=np.int64)
        return Marks(image, self.position_mm, radius_mm=radius_mm, score=score)


def _read(path: Path, series_column: str | None, last: str) -> _Points:
    table = Rows(path)
    column = _series_column(table, series_column)
    scans = table.column(column)
    numbers = [np.array(table.numbers(name)) for name in ("coordX", "coordY", "coordZ", last)]
    for name, values in zip(("coordX", "coordY", "coordZ", last), numbers, strict=True):
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            raise StudyError(
                f"{path.name} line {wrong[0] + 2}, column {name!r}: {values[wrong[0]]} is no finite number."
            )
    return _Points(path.name, scans, np.stack(numbers[:3], axis=1).reshape(-1, 3), numbers[3])


def _series_column(table: Rows, stated: str | None) -> str:
    if stated is not None:
        table.require(stated)
        return stated
    return next((name for name in SERIES_COLUMNS if name in table.header), table.header[0])


def _listed(path: Path, series_column: str | None) -> list[str]:
    """All scans; the column is named as in the other tables, else the first. Raises StudyError for one named twice."""
    table = Rows(path)
    named = series_column if series_column in table.header else None
    scans = table.column(named or _series_column(table, None))
    if not scans or len(set(scans)) < len(scans):
        raise StudyError(
            f"{path.name} lists {len(scans)} scans, {len(set(scans))} of them distinct; one row a scan is taken."
        )
    return scans
