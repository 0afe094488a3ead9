"""From how many cases each kind of figure is told: one place, so that no page tells what another withholds."""

from __future__ import annotations

from typing import Literal

from hounsfield.core.errors import RefusedInput

Kind = Literal["ranking", "proportion", "calibration-line", "calibration-bins", "agreement", "reader-study"]

# Kind -> cases of each class (the smaller counts), all cases, why.
_FEWEST: dict[str, tuple[int, int, str]] = {
    "ranking": (10, 20, "below ten of each class the interval by DeLong covers less than it says"),
    "proportion": (0, 10, "one case would move the share by more than ten points"),
    "calibration-line": (100, 200, "Collins 2016, Stat Med 35:214"),
    "calibration-bins": (0, 100, "ten bins of ten cases"),
    "agreement": (0, 10, "the limits' own intervals would be as wide as the limits"),
    "reader-study": (10, 20, "the covariance of readers is that of areas"),
}


def why_withheld(kind: Kind, *, n_positive: int, n_negative: int) -> str | None:
    """None if a figure of this kind may be told of so many cases; otherwise the sentence that says why not.

    For a figure of one class, or without classes, give the cases as n_positive and 0. The limits are ours, not a
    standard's, but for that of the calibration line (Collins 2016, Stat Med 35:214). Raises RefusedInput for an unknown
    kind or a negative count.
    """
    if kind not in _FEWEST:
        raise RefusedInput(f"no kind of figure is called {kind!r}; known are {', '.join(_FEWEST)}.")
    if min(n_positive, n_negative) < 0:
        raise RefusedInput(f"{n_positive} and {n_negative} cases; counts are 0 or more.")
    of_each, of_all, reason = _FEWEST[kind]
    if min(n_positive, n_negative) < of_each:
        return (
            f"{n_positive} positive and {n_negative} negative cases; {of_each} of each are needed ({reason})"
        )
    if n_positive + n_negative < of_all:
        return f"{n_positive + n_negative} cases; {of_all} are needed ({reason})"
    return None
