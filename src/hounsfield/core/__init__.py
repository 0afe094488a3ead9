"""The vocabulary that all floors share: types, coded concepts, errors, the registry.

Begin with reading.py (what an application returns) and application.py (what it gets); grid.py is
the only geometry. Pure: no files, clock, network, random state or torch here.
"""

from hounsfield.core.application import Application, Inputs, Needs, Role, application, applications
from hounsfield.core.category import Category
from hounsfield.core.certainty import Agreement, Certainty, GuardVerdict, PossibleSet
from hounsfield.core.code import Code
from hounsfield.core.condition import Condition
from hounsfield.core.course import Course, TimePoint
from hounsfield.core.finding import Finding, Urgency
from hounsfield.core.given import Given
from hounsfield.core.grid import Grid
from hounsfield.core.image import Cine, Image, PlaneSpacing, SourceFrame
from hounsfield.core.measurement import Measurement
from hounsfield.core.model import BundledModel, Model, Prediction, ViewsModel, VolumeModel
from hounsfield.core.outcome import Outcome
from hounsfield.core.progress import Progress, Silent
from hounsfield.core.reading import (
    RESEARCH_USE,
    ExplanationMap,
    InputReference,
    ModelReference,
    Provenance,
    Reading,
)
from hounsfield.core.region import LabelRegion, Region
from hounsfield.core.registry import Registry
from hounsfield.core.rule import Measure, RuleCard
from hounsfield.core.rule_input import RuleInput
from hounsfield.core.study import Series, Study
from hounsfield.core.trend import Curve, Trend

__all__ = [
    "RESEARCH_USE",
    "Agreement",
    "Application",
    "BundledModel",
    "Category",
    "Certainty",
    "Cine",
    "Code",
    "Condition",
    "Course",
    "Curve",
    "ExplanationMap",
    "Finding",
    "Given",
    "Grid",
    "GuardVerdict",
    "Image",
    "InputReference",
    "Inputs",
    "LabelRegion",
    "Measure",
    "Measurement",
    "Model",
    "ModelReference",
    "Needs",
    "Outcome",
    "PlaneSpacing",
    "PossibleSet",
    "Prediction",
    "Progress",
    "Provenance",
    "Reading",
    "Region",
    "Registry",
    "Role",
    "RuleCard",
    "RuleInput",
    "Series",
    "Silent",
    "SourceFrame",
    "Study",
    "TimePoint",
    "Trend",
    "Urgency",
    "ViewsModel",
    "VolumeModel",
    "application",
    "applications",
]
