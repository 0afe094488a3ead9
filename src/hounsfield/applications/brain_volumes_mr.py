"""Volumes of the brain and its structures on a T1-weighted head, by an imported network.

Read `read_brain_volumes_mr` first. No network ships with this project: import one of MeshNet's that labels 3, 18 or 104 classes
under the name `brain-volumes-mr` (docs/how-to/measure-brain-volumes.md). Its labels were judged by nobody here, and the
reading says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.applications._brain_volumes import HEAD, MODEL, against, label_brain
from hounsfield.core import Condition, Inputs, Needs, Reading, application
from hounsfield.core.code import BRAIN
from hounsfield.core.progress import step

if TYPE_CHECKING:
    from hounsfield.applications._brain_volumes import LabelledBrain

VERSION = "1.0.0"


@application(
    name="brain_volumes_mr",
    title="Brain volumes on T1-weighted MR",
    version=VERSION,
    needs=Needs((HEAD,)),
    models=[MODEL],
    codes=[BRAIN],
    memory_mb=6000,
)
def read_brain_volumes_mr(inputs: Inputs) -> Reading:
    """Measure the volume of the brain and of each structure that the model labels."""
    refusal = against(inputs[HEAD.name])
    if refusal is not None:
        return Reading.refused(refusal)
    step(inputs.progress, "brain_volumes_mr: labelling", 0.1)
    brain = label_brain(inputs)
    if isinstance(brain, Condition):
        return Reading.refused(brain)
    reading = Reading.complete(
        measurements=list(brain.volumes),
        regions=list(brain.regions),
        conditions=[*brain.conditions, *always_told(brain)],
    )
    return reading.as_partial() if any(c.code == "brain-cut-off" for c in brain.conditions) else reading


def always_told(brain: LabelledBrain) -> list[Condition]:
    """What is to be said of every such reading."""
    text = (
        "Volumes are those of a network's labels, which were not compared with outlines by hand on scans of this kind; the "
        "brain is all that it labelled but ventricles and fluid."
    )
    found = [Condition("labels-not-judged", "warning", text)]
    text = (
        "No z-score is given: it holds for one normative table of the same software and version. With such a table, "
        "`hounsfield measure volume-z` gives it from the volumes here."
    )
    found.append(Condition("norm-not-given", "note", text))
    if not any(region.laterality for region in brain.regions):
        text = "The network does not tell left from right: each volume is of both sides together."
        found.append(Condition("sides-not-told-apart", "note", text))
    return found
