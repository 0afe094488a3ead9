"""Apparent diffusion coefficient of the mono-exponential model S(b) = S0 exp(-b ADC)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from hounsfield.core import Code, Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ADC = Code("113041", "DCM", "Apparent Diffusion Coefficient")
S0 = private_code("ADC_S0", "Signal at b = 0 of the fit")
UM2_PER_MM2 = 1e6
NOISE_FLOOR_SDS = 2
# Change of the mean ADC of a lesion, in percent, that is true with 95 % confidence.
REPEATABILITY_PERCENT = {"brain": 8.0, "liver": 27.0, "prostate": 27.0, "breast": 15.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdcInputs(RuleInput):
    """Mean signals of one region at two or more b-values."""

    b_s_mm2: Annotated[tuple[float, ...], Given("s/mm2", "b-values", at_least=0, at_most=10000)]
    signal: Annotated[tuple[float, ...], Given("1", "mean signal at each b-value", above=0)]
    background_sd: Annotated[
        float | None, Given("1", "SD of the background's signal", at_least=0, at_most=1e9)
    ] = None
    organ: Annotated[
        Literal["brain", "liver", "prostate", "breast"] | None, Given("", "organ of the lesion")
    ] = None


CARD = RuleCard(
    name="adc-mono",
    version="1.0.0",
    source="mono-exponential model, unweighted least squares on ln(S); repeatability: Boss 2024, Radiology "
    "(QIBA DWI committee, proposed update)",
    takes="numbers",
    inputs=AdcInputs,
    formula="S(b) = S0 exp(-b ADC); ADC = minus the slope of ln(S) over b, unweighted least squares",
    population="regions of trace-weighted images; the same b-values at follow-up",
    refuses=(
        "fewer than two different b-values",
        "a signal of 0 or below",
        "a signal below twice the background's SD",
    ),
    uncertainty="a change of the mean ADC above 8 % (brain), 27 % (liver, prostate) or 15 % (breast) is true with 95 % "
    "confidence",
    evidence="verified",
)


def adc_map(
    b_s_mm2: Sequence[float], signal: NDArray[np.floating], *, background_sd: float = 0.0
) -> NDArray[np.float64]:
    """ADC in um2/s (1e-6 mm2/s) of each voxel; signal (n_b, ...), one image for each b-value.

    Unweighted least squares on ln(S). A voxel is nan (masked) where a signal is not above 0, or below twice
    the background's SD. Negative values are kept. Raises RefusedInput for fewer than two different b-values.
    """
    b = _checked_b(b_s_mm2, len(signal))
    s = np.asarray(signal, dtype=np.float64)
    usable = (s > 0.0).all(axis=0) & (s >= NOISE_FLOOR_SDS * background_sd).all(axis=0)
    log_s = np.log(np.where(usable, s, 1.0))
    centred = b - b.mean()
    slope = np.tensordot(centred, log_s, axes=(0, 0)) / float(centred @ centred)
    masked: NDArray[np.float64] = np.where(usable, -slope * UM2_PER_MM2, np.nan)
    return masked


def trace_weighted(directions: NDArray[np.floating]) -> NDArray[np.float64]:
    """Geometric mean over directions (first axis, signals above 0) of images of one b-value, before the fit."""
    mean: NDArray[np.float64] = np.exp(np.log(np.asarray(directions, dtype=np.float64)).mean(axis=0))
    return mean


@measure(CARD)
def adc_mono(inputs: AdcInputs) -> Outcome:
    """ADC in um2/s (1e-6 mm2/s) and S0 of a region; a negative ADC is kept and told.

    With an organ the ADC carries its repeatability as uncertainty. Raises RefusedInput for one b-value, or a
    signal at the noise floor (below twice the background's SD).
    """
    b = _checked_b(inputs.b_s_mm2, len(inputs.signal))
    lowest = min(inputs.signal)
    if inputs.background_sd is not None and exact(lowest) < NOISE_FLOOR_SDS * exact(inputs.background_sd):
        raise RefusedInput(
            f"a mean signal is {shown(lowest)}, below twice the background's SD of {shown(inputs.background_sd)}: "
            "at the noise floor the ADC is too low. Leave the highest b-value out."
        )
    adc = float(adc_map(inputs.b_s_mm2, np.array(inputs.signal)))
    s0 = float(np.exp(np.log(inputs.signal).mean() + adc / UM2_PER_MM2 * b.mean()))
    uncertainty = None
    if inputs.organ is not None:
        # A change is the difference of two measurements: its limit is the square root of 2 above that of one.
        uncertainty = abs(adc) * REPEATABILITY_PERCENT[inputs.organ] / 100.0 / sqrt(2.0)
    conditions = []
    if adc < 0.0:
        text = f"The ADC is negative ({adc:.1f} um2/s): the signal rises with b, as in noise."
        conditions.append(Condition("adc-negative", "warning", text))
    note = f"unweighted fit of {len(b)} b-values"
    return CARD.outcome(
        measurements=[
            CARD.number("adc", adc, unit="um2/s", quantity=ADC, uncertainty=uncertainty, note=note),
            CARD.number("s0", s0, unit="1", quantity=S0),
        ],
        conditions=conditions,
        steps=[
            "; ".join(
                f"S({shown(at)}) = {shown(s)}" for at, s in zip(inputs.b_s_mm2, inputs.signal, strict=True)
            ),
            f"ADC = minus the slope of ln(S) over b = {shown(adc)} um2/s",
        ],
    )


def _checked_b(b_s_mm2: Sequence[float], n_signals: int) -> NDArray[np.float64]:
    b = np.asarray(b_s_mm2, dtype=np.float64)
    if len(b) != n_signals or len(set(b_s_mm2)) < 2:
        raise RefusedInput(
            f"{len(b)} b-values of which {len(set(b_s_mm2))} differ, and {n_signals} signals: an ADC needs one "
            "signal for each of at least two different b-values."
        )
    return b
