"""What the perfusion rules share: the scan whose volumes they may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from hounsfield.core import Given, RuleInput
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown

MIN_ACQUISITION_S, MAX_SAMPLING_S, MIN_COVERAGE_CM = 60, exact("3.5"), 4
REFUSES = (
    "acquisition below 60 s or truncated curves",
    "sampling above 3.5 s",
    "coverage below 4 cm",
    "no arterial or venous peak, motion beyond correction",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfusionScan(RuleInput):
    """A perfusion scan, as far as its volumes depend on it; None where it is not stated."""

    acquisition_time_s: Annotated[float | None, Given("s", "duration of the acquisition", above=0)] = None
    sampling_interval_s: Annotated[float | None, Given("s", "time between two images", above=0)] = None
    coverage_cm: Annotated[float | None, Given("cm", "height of the slab", above=0)] = None
    has_both_peaks: Annotated[bool, Given("", "arterial and venous peaks were recorded")] = True
    is_motion_corrected: Annotated[bool, Given("", "motion is small or was corrected")] = True


def refuse_unfit(scan: PerfusionScan) -> None:
    """Raise RefusedInput where the volumes would be lower bounds only, or not to be trusted."""
    time_s, step_s, height_cm = scan.acquisition_time_s, scan.sampling_interval_s, scan.coverage_cm
    reasons = [
        (
            time_s is not None and exact(time_s) < MIN_ACQUISITION_S,
            f"the acquisition lasts {shown(time_s or 0)} s, at least 60 s are needed",
        ),
        (
            step_s is not None and exact(step_s) > MAX_SAMPLING_S,
            f"images are {shown(step_s or 0)} s apart, at most 3.5 s will do",
        ),
        (
            height_cm is not None and exact(height_cm) < MIN_COVERAGE_CM,
            f"the slab covers {shown(height_cm or 0)} cm, at least 4 cm are needed",
        ),
        (not scan.has_both_peaks, "the arterial or venous peak is missing"),
        (not scan.is_motion_corrected, "motion could not be corrected"),
    ]
    for is_so, reason in reasons:
        if is_so:
            raise RefusedInput(
                f"{reason}: the volumes are lower bounds at best. Judge the source images instead."
            )
