"""Bundles: a model's weights, configuration and card in one folder, verified at every opening.

Begin with model_card.py (what a bundle says of itself), then bundle.py (how one is opened) and
write_bundle.py. The layout is that of a MONAI bundle plus `hounsfield.json`. Nothing here runs a
network: that is `inference`. No torch, and pickles are never read.
"""

from hounsfield.zoo.bundle import Bundle, open_bundle, verify_bundle
from hounsfield.zoo.card_part import Estimate
from hounsfield.zoo.find_bundle import (
    default_search,
    find_bundle,
    installed_bundles,
    shipped_models,
    user_models,
)
from hounsfield.zoo.guard_card import Detection, Guard, GuardCurve
from hounsfield.zoo.model_card import (
    Agreement,
    Answers,
    AuditNote,
    AuditSummary,
    Baseline,
    Calibrator,
    ClassCode,
    Conformal,
    DataSource,
    Figure,
    InferenceSettings,
    MapEvidence,
    MapTest,
    ModelCard,
    Network,
    Threshold,
)
from hounsfield.zoo.picture_card import Preprocessing, Scores
from hounsfield.zoo.views_card import View, ViewsPreprocessing
from hounsfield.zoo.volume_card import (
    Channel,
    GreyValues,
    Origin,
    VolumeInference,
    VolumePreprocessing,
    VoxelLabels,
    WindowSettings,
)
from hounsfield.zoo.write_bundle import write_bundle

__all__ = [
    "Agreement",
    "Answers",
    "AuditNote",
    "AuditSummary",
    "Baseline",
    "Bundle",
    "Calibrator",
    "Channel",
    "ClassCode",
    "Conformal",
    "DataSource",
    "Detection",
    "Estimate",
    "Figure",
    "GreyValues",
    "Guard",
    "GuardCurve",
    "InferenceSettings",
    "MapEvidence",
    "MapTest",
    "ModelCard",
    "Network",
    "Origin",
    "Preprocessing",
    "Scores",
    "Threshold",
    "View",
    "ViewsPreprocessing",
    "VolumeInference",
    "VolumePreprocessing",
    "VoxelLabels",
    "WindowSettings",
    "default_search",
    "find_bundle",
    "installed_bundles",
    "open_bundle",
    "shipped_models",
    "user_models",
    "verify_bundle",
    "write_bundle",
]
