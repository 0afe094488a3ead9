"""Whether a later window of cases differs from a reference: in input, gates, acquisition, answers, and what they mean.

Every column of the record is a monitor with one test (hounsfield.metrics, window_tests.py). The p values are adjusted
by Holm over all of them, so that a window without any change raises an alarm in `level` of audits at most.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hounsfield.core.errors import RefusedInput, UsageError
from hounsfield.metrics import (
    Windows,
    WindowTest,
    auroc,
    auroc_test,
    calibration_line,
    calibration_tests,
    category_test,
    distribution_test,
    holm,
    observed_to_expected,
    vector_test,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from hounsfield.evaluation.audit.drift_cases import DriftCases

Subject = Literal["input", "gate", "acquisition", "answer", "calibration", "performance"]
FEWEST_PATIENTS = 20
FEWEST_OF_A_CLASS = 10
# Vectors of more cases than this are compared on a sample: the kernel holds n x n numbers.
MOST_VECTORS = 1500
_MOST_PERMUTATIONS = 20_000


@dataclass(frozen=True, slots=True)
class Monitor:
    """One thing that was watched.

    n_reference, n_window: cases that state it. before, now: what it was, in words. test: None where too few cases
    state it, which why_not says. adjusted: p over all monitors, nan without a test. figures: for the JSON.
    """

    subject: Subject
    name: str
    n_reference: int
    n_window: int
    before: str = ""
    now: str = ""
    test: WindowTest | None = None
    adjusted: float = float("nan")
    why_not: str = ""
    figures: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class DriftOptions:
    """level: share of audits of unchanged windows that may raise an alarm. thresholds: by label, to watch decisions too.

    n_permutations: at least; more are dealt where many monitors need smaller p values.
    """

    level: float = 0.05
    thresholds: Mapping[str, float] | None = None
    n_permutations: int = 1999
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """A monitor before its test: values of both windows behind each other, and how they are tested and told."""

    subject: Subject
    name: str
    states: NDArray[np.bool_]
    ask: Callable[[NDArray[np.intp], Windows, np.random.Generator, int], tuple[WindowTest, ...]]
    tell: Callable[[NDArray[np.intp]], tuple[str, Mapping[str, Any]]]
    classes: NDArray[np.float64] | None = None
    names: tuple[str, ...] = ()


def watch_windows(
    reference: DriftCases, window: DriftCases, options: DriftOptions | None = None
) -> tuple[Monitor, ...]:
    """All monitors of the window against the reference, in the order input to performance, p adjusted by Holm.

    Both come from `split_windows`, so that no patient stands in both. Raises UsageError for a level so small that no
    number of permutations allowed here could reach it.
    """
    options = options or DriftOptions()
    questions = list(_questions(reference, window, options))
    n_tests = sum(len(question.names) or 1 for question in questions)
    n_permutations = max(options.n_permutations, ceil(2 * n_tests / options.level))
    if n_permutations > _MOST_PERMUTATIONS:
        raise UsageError(
            f"a level of {options.level:g} over {n_tests} monitors asks for {n_permutations} permutations; "
            f"{_MOST_PERMUTATIONS} are dealt. Give a level of {2 * n_tests / _MOST_PERMUTATIONS:.2g} or more with --level."
        )
    patients = np.concatenate([reference.patients, window.patients])
    is_later = np.arange(len(patients)) >= len(reference)
    monitors = []
    for number, question in enumerate(questions):
        rng = np.random.default_rng((options.seed, number))
        monitors += _answered(question, patients, is_later, rng, n_permutations)
    p = np.array([one.test.p if one.test else np.nan for one in monitors])
    return tuple(replace(one, adjusted=float(value)) for one, value in zip(monitors, holm(p), strict=True))


def _answered(
    question: _Question,
    patients: NDArray[np.str_],
    is_later: NDArray[np.bool_],
    rng: np.random.Generator,
    n_permutations: int,
) -> list[Monitor]:
    names = question.names or (question.name,)
    places = np.flatnonzero(question.states)
    before, now = places[~is_later[places]], places[is_later[places]]
    blank = Monitor(question.subject, names[0], len(before), len(now))
    why_not = _too_few(question, patients, before, now)
    if why_not:
        return [replace(blank, name=name, why_not=why_not) for name in names]
    (said_before, figures_before), (said_now, figures_now) = question.tell(before), question.tell(now)
    blank = replace(
        blank, before=said_before, now=said_now, figures={"before": figures_before, "now": figures_now}
    )
    try:
        tests = question.ask(places, Windows.of(patients[places], is_later[places]), rng, n_permutations)
    except RefusedInput as error:
        return [replace(blank, name=name, why_not=str(error)) for name in names]
    answered = [replace(blank, name=name, test=test) for name, test in zip(names, tests, strict=True)]
    if len(answered) > 1:  # words for each, in the order of the names
        parts = said_before.split("; "), said_now.split("; ")
        return [replace(one, before=parts[0][at], now=parts[1][at]) for at, one in enumerate(answered)]
    return answered


def _too_few(
    question: _Question, patients: NDArray[np.str_], before: NDArray[np.intp], now: NDArray[np.intp]
) -> str:
    for places, where in ((before, "reference"), (now, "window")):
        n_patients = len(np.unique(patients[places]))
        if n_patients < FEWEST_PATIENTS:
            return f"{n_patients} patients of the {where} state it; {FEWEST_PATIENTS} are needed"
        if question.classes is not None:
            n_positive = int(question.classes[places].sum())
            fewest = min(n_positive, len(places) - n_positive)
            if fewest < FEWEST_OF_A_CLASS:
                return f"the {where} has {fewest} labelled cases of one class; {FEWEST_OF_A_CLASS} are needed"
    return ""


def _questions(reference: DriftCases, window: DriftCases, options: DriftOptions) -> Iterator[_Question]:
    both = {
        name: _both(reference, window, name) for name in ("features", "gates", "tags", "scores", "labels")
    }
    for name, values in both["features"].items():
        yield _of_numbers("input", name, values)
    vectors = np.concatenate([reference.vectors, window.vectors])
    if vectors.shape[1]:
        yield _of_vectors(vectors)
    for name, values in both["gates"].items():
        yield _of_categories("gate", name, values)
    for name, values in both["tags"].items():
        yield _of_categories("acquisition", name, values)
    for name, values in both["scores"].items():
        yield _of_numbers("answer", name, values)
    for name, threshold in (options.thresholds or {}).items():
        if name in both["scores"]:
            called = np.where(both["scores"][name] >= threshold, "positive", "negative")
            known = np.isfinite(both["scores"][name])
            yield _of_categories("answer", f"{name} at {threshold:g}", called, known)
    for name, truth in both["labels"].items():
        if name in both["scores"]:
            yield from _of_labels(
                name, truth, both["scores"][name], np.concatenate([reference.patients, window.patients])
            )


def _both(reference: DriftCases, window: DriftCases, name: str) -> dict[str, NDArray[Any]]:
    first, second = getattr(reference, name), getattr(window, name)
    return {key: np.concatenate([first[key], second[key]]) for key in first}


def _of_numbers(subject: Subject, name: str, values: NDArray[np.float64]) -> _Question:
    def tell(places: NDArray[np.intp]) -> tuple[str, Mapping[str, Any]]:
        own = values[places]
        low, middle, high = (float(one) for one in np.quantile(own, (0.25, 0.5, 0.75)))
        figures = {"mean": float(own.mean()), "deviation": float(own.std()), "median": middle}
        return f"median {middle:.3g} (quartiles {low:.3g} to {high:.3g})", figures

    def ask(
        places: NDArray[np.intp], windows: Windows, rng: np.random.Generator, n: int
    ) -> tuple[WindowTest, ...]:
        return (distribution_test(values[places], windows, rng=rng, n_permutations=n),)

    return _Question(subject, name, np.isfinite(values), ask, tell)


def _of_vectors(vectors: NDArray[np.float64]) -> _Question:
    def ask(
        places: NDArray[np.intp], windows: Windows, rng: np.random.Generator, n: int
    ) -> tuple[WindowTest, ...]:
        if len(places) > MOST_VECTORS:
            # Patients, not cases, and of both windows alike, so that the test stays exact.
            names = rng.permutation(len(windows.is_later))
            taken = np.isin(windows.patient, names[: max(1, len(names) * MOST_VECTORS // len(places))])
            patient, is_later = windows.patient[taken], windows.is_later[windows.patient[taken]]
            return (
                vector_test(vectors[places][taken], Windows.of(patient, is_later), rng=rng, n_permutations=n),
            )
        return (vector_test(vectors[places], windows, rng=rng, n_permutations=n),)

    def tell(places: NDArray[np.intp]) -> tuple[str, Mapping[str, Any]]:
        return f"{vectors.shape[1]} features of {len(places)} cases", {"n_features": vectors.shape[1]}

    states = np.asarray(np.isfinite(vectors).all(axis=1))
    return _Question("input", "features of the network", states, ask, tell)


def _of_categories(
    subject: Subject, name: str, values: NDArray[Any], states: NDArray[np.bool_] | None = None
) -> _Question:
    def tell(places: NDArray[np.intp]) -> tuple[str, Mapping[str, Any]]:
        names, counts = np.unique(values[places], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        shares = {str(names[at]): float(counts[at] / len(places)) for at in order}
        shown = [f"{key} {share:.1%}" for key, share in list(shares.items())[:4]]
        return ", ".join(shown) + (", ..." if len(shares) > 4 else ""), {"shares": shares}

    def ask(
        places: NDArray[np.intp], windows: Windows, rng: np.random.Generator, n: int
    ) -> tuple[WindowTest, ...]:
        return (category_test(values[places], windows, rng=rng, n_permutations=n),)

    known = np.ones(len(values), dtype=bool) if states is None else states
    return _Question(subject, name, known, ask, tell)


def _of_labels(
    name: str, truth: NDArray[np.float64], score: NDArray[np.float64], patients: NDArray[np.str_]
) -> Iterator[_Question]:
    known = np.isfinite(truth) & np.isfinite(score)
    is_probability = bool(((score[known] >= 0) & (score[known] <= 1)).all())

    def tell_calibration(places: NDArray[np.intp]) -> tuple[str, Mapping[str, Any]]:
        positive, stated = truth[places] > 0, score[places]
        ratio = observed_to_expected(positive, stated, patients[places])
        said = f"O:E {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
        figures: dict[str, Any] = {"observed_to_expected": ratio.to_json()}
        try:
            slope = calibration_line(positive, stated, groups=patients[places].tolist()).slope
        except RefusedInput as error:
            return f"{said}; no slope: {error}", figures
        figures["slope"] = slope.to_json()
        return f"{said}; slope {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f})", figures

    def ask_calibration(
        places: NDArray[np.intp], windows: Windows, rng: np.random.Generator, n: int
    ) -> tuple[WindowTest, ...]:
        return calibration_tests(truth[places] > 0, score[places], windows, rng=rng, n_permutations=n)

    def tell_area(places: NDArray[np.intp]) -> tuple[str, Mapping[str, Any]]:
        value = auroc(truth[places] > 0, score[places])
        share = float(truth[places].mean())
        return f"AUROC {value:.3f}, {share:.1%} positive", {"auroc": value, "prevalence": share}

    def ask_area(
        places: NDArray[np.intp], windows: Windows, rng: np.random.Generator, n: int
    ) -> tuple[WindowTest, ...]:
        return (auroc_test(truth[places] > 0, score[places], windows, rng=rng, n_permutations=n),)

    labels = np.nan_to_num(truth)
    if is_probability:
        names = (f"{name}: level", f"{name}: slope")
        yield _Question("calibration", name, known, ask_calibration, tell_calibration, labels, names)
    yield _Question("performance", name, known, ask_area, tell_area, labels)
