"""Probabilities for a site whose prevalence the user states, beside those of the calibrator.

The correction (`calibration.at_priors`) is right where only the shares of the classes differ and not how a case looks.
Presences keep resting on the probabilities as calibrated, whose thresholds are locked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.calibration import EXCLUSIVE_CALIBRATORS, at_priors
from hounsfield.core import Condition
from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hounsfield.core import Finding, Reading

_SUM_TOLERANCE = 1e-3


def check_prevalence(stated: Mapping[str, float]) -> None:
    """Raises UsageError for a prevalence that is not between 0 and 1, both excluded."""
    for name, share in stated.items():
        if not 0.0 < share < 1.0:
            raise UsageError(
                f"the prevalence of {name} is {share:g}; give a share between 0 and 1, such as 0.2 for 20 %"
            )


def at_stated_prevalence(reading: Reading, stated: Mapping[str, float]) -> Reading:
    """The reading with corrected probabilities of the findings whose prevalence is stated, by finding's name.

    Unchanged where it states none of these findings with a probability. Where the correction cannot be made the reading
    says why in a condition, and shows none.
    """
    known = {finding.name for finding in reading.findings if finding.probability is not None}
    own = {name: share for name, share in stated.items() if name in known}
    if not own or reading.certainty is None:
        return reading
    fitted = reading.certainty.shares
    exclusive = reading.certainty.calibrator in EXCLUSIVE_CALIBRATORS
    reason = _against(own, fitted, known, exclusive=exclusive)
    if reason is not None:
        told = Condition("prevalence-not-used", "warning", f"The stated prevalence was not used: {reason}")
        return replace(reading, conditions=(*reading.conditions, told))
    corrected = _of_classes(reading, own, fitted) if exclusive else _of_each(reading, own, fitted)
    findings = tuple(
        replace(finding, at_prevalence=corrected[finding.name], prevalence=own[finding.name])
        if finding.name in corrected
        else finding
        for finding in reading.findings
    )
    text = (
        "Beside the calibrated probabilities stand those corrected for the prevalence that was stated for this site: "
        f"{', '.join(f'{name} {share:g}' for name, share in sorted(own.items()))}. They are right only if the sites differ in "
        "how frequent the findings are and not in how cases look; presences rest on the probabilities as calibrated."
    )
    told = Condition("prevalence-stated", "note", text)
    return replace(reading, findings=findings, conditions=(*reading.conditions, told))


def _against(
    own: Mapping[str, float], fitted: Mapping[str, float], known: set[str], *, exclusive: bool
) -> str | None:
    """Why the correction cannot be made; None where it can."""
    without = sorted(name for name in own if not 0.0 < fitted.get(name, 0.0) < 1.0)
    if without:
        return (
            f"the model's card does not say how frequent {', '.join(without)} was among the cases that its calibrator was "
            "fitted on, and nothing is guessed. Ask for a bundle whose card states shares."
        )
    if not exclusive:
        return None
    missing = sorted(known - set(own))
    if missing:
        return f"these findings exclude each other; state the prevalence of {', '.join(missing)} too."
    if abs(sum(own.values()) - 1.0) > _SUM_TOLERANCE:
        return (
            f"these findings exclude each other, and their shares sum to {sum(own.values()):g} instead of 1."
        )
    return None


def _probability(finding: Finding) -> float:
    return float(finding.probability or 0.0)


def _of_classes(reading: Reading, own: Mapping[str, float], fitted: Mapping[str, float]) -> dict[str, float]:
    """Of classes that exclude each other, all at once."""
    findings = [finding for finding in reading.findings if finding.name in own]
    before = np.array([fitted[finding.name] for finding in findings])
    after = np.array([own[finding.name] for finding in findings])
    # Cards round shares, and users state two digits.
    said = at_priors(
        np.array([_probability(finding) for finding in findings]),
        fitted=before / before.sum(),
        target=after / after.sum(),
    )
    return {finding.name: float(value) for finding, value in zip(findings, said, strict=True)}


def _of_each(reading: Reading, own: Mapping[str, float], fitted: Mapping[str, float]) -> dict[str, float]:
    """Of findings that stand alone, each against its absence."""
    return {
        finding.name: float(
            at_priors(
                np.array([1 - _probability(finding), _probability(finding)]),
                fitted=np.array([1 - fitted[finding.name], fitted[finding.name]]),
                target=np.array([1 - own[finding.name], own[finding.name]]),
            )[1]
        )
        for finding in reading.findings
        if finding.name in own
    }
