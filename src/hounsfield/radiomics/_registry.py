"""The registry of radiomic rules: what a person can call with numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.core import Registry

if TYPE_CHECKING:
    from hounsfield.core.rule import Measure

# The other modules hold functions of arrays, which no rule registers.
FUNCTIONS = (
    "discretisation",
    "intensity_histogram",
    "intensity_statistics",
    "local_intensity",
    "resampling",
    "resegmentation",
)
radiomic_rules: Registry[Measure] = Registry("radiomic rule", "hounsfield.radiomics", besides=FUNCTIONS)
