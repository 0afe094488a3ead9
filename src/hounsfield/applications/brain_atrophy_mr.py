"""Change of brain volumes between T1-weighted heads of one patient, in per cent a year.

Read `read_brain_atrophy_mr` first: the first and the last visit are labelled by the same network (that of
`brain_volumes_mr`), and the rule `atrophy-rate` says whether a rate may be given. Scan against rescan alone differs by 1 to 3 %.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hounsfield.applications._brain_volumes import HEAD, MODEL, WHOLE, against, label_brain
from hounsfield.core import Condition, Inputs, Needs, Reading, application
from hounsfield.core.code import BRAIN
from hounsfield.core.errors import RefusedInput
from hounsfield.core.progress import step
from hounsfield.measures.atrophy_rate import VolumeAtTwoTimes, atrophy_rate

if TYPE_CHECKING:
    from hounsfield.applications._brain_volumes import LabelledBrain
    from hounsfield.core import Measurement

VERSION = "1.0.0"
LEAST_ML = 1.0  # a smaller structure changes by more than 3 % with a handful of voxels
_MM3_PER_ML = 1000.0
_SCANNER = ("Manufacturer", "ManufacturerModelName", "MagneticFieldStrength", "EchoTime", "RepetitionTime")


@application(
    name="brain_atrophy_mr",
    title="Change of brain volumes on T1-weighted MR",
    version=VERSION,
    needs=Needs((HEAD,), visits=2),
    models=[MODEL],
    codes=[BRAIN],
    memory_mb=8000,
)
def read_brain_atrophy_mr(inputs: Inputs) -> Reading:
    """Label the first and the last visit and give the yearly change of each structure."""
    first = inputs.earlier[0]
    brains = []
    for number, visit in enumerate((first, inputs)):
        step(inputs.progress, f"brain_atrophy_mr: visit of day {visit.day}", number / 2)
        refusal = against(visit[HEAD.name])
        found = refusal if refusal is not None else label_brain(visit)
        if isinstance(found, Condition):
            text = f"Visit of day {visit.day}: {found.text}"
            return Reading.refused(Condition(found.code, "refusal", text, found.instances))
        brains.append(found)
    before, now = brains
    differing = _differences(first, inputs)
    rates, refused = _rates(before, now, inputs.day - first.day, is_same_scanner=not differing)
    conditions = [*now.conditions, *refused]
    if differing:
        text = f"Scanner or sequence differ between the visits ({', '.join(differing)})."
        conditions.append(Condition("visits-differ", "warning", text))
    text = (
        "Rates are of volumes that a network labelled at two visits; scan against rescan alone differs by 1 to 3 %, which is a "
        "normal year's change."
    )
    conditions.append(Condition("labels-not-judged", "warning", text))
    reading = Reading.complete(
        measurements=[*now.volumes, *rates], regions=list(now.regions), conditions=conditions
    )
    cut = [c for brain in brains for c in brain.conditions if c.code == "brain-cut-off"]
    return reading.as_partial() if cut else reading


def _rates(
    before: LabelledBrain, now: LabelledBrain, days: int, *, is_same_scanner: bool
) -> tuple[list[Measurement], list[Condition]]:
    """A rate for each structure that both visits hold and that is large enough; or why there is none."""
    rates: list[Measurement] = []
    for region in now.regions:
        earlier_ml, now_ml = before.volume_ml(region.name), now.volume_ml(region.name)
        if earlier_ml is None or now_ml is None or min(earlier_ml, now_ml) < LEAST_ML:
            continue
        given = VolumeAtTwoTimes(
            v1_mm3=earlier_ml * _MM3_PER_ML,
            v2_mm3=now_ml * _MM3_PER_ML,
            days=float(days),
            is_same_scanner=is_same_scanner,
        )
        try:
            outcome = atrophy_rate(given)
        except RefusedInput as refusal:
            text = f"No rate of change is given: {refusal}"
            return [], [Condition("atrophy-rate-refused", "warning", text)]
        symmetric = next(m for m in outcome.measurements if m.note == "the result")
        name = "atrophy-rate" if region.name == WHOLE else f"atrophy-rate-{region.name}"
        rates.append(replace(symmetric, name=name, regions=(region.name,)))
    return rates, []


def _differences(first: Inputs, last: Inputs) -> list[str]:
    """What the two headers state differently of scanner and sequence; what one does not state is no difference."""
    then, now = first[HEAD.name].tags, last[HEAD.name].tags
    return [
        keyword
        for keyword in _SCANNER
        if then.get(keyword) not in (None, "")
        and now.get(keyword) not in (None, "")
        and then[keyword] != now[keyword]
    ]
