"""First-order features of a region by IBSI, from its values: 18 statistics and 23 of the histogram."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np

from hounsfield.core import Code, Condition, Given, Outcome, RuleInput
from hounsfield.core.code import private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import shown
from hounsfield.core.rule import Measure, RuleCard
from hounsfield.radiomics._registry import radiomic_rules
from hounsfield.radiomics.discretisation import fixed_bin_number, fixed_bin_size, require_calibrated_unit
from hounsfield.radiomics.intensity_histogram import IntensityHistogram, intensity_histogram
from hounsfield.radiomics.intensity_statistics import IntensityStatistics, intensity_statistics
from hounsfield.radiomics.resegmentation import within_range, without_outliers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hounsfield.core import Measurement

# Unit of the values: UCUM, and squared.
UNITS = {"HU": ("[hnsf'U]", "[hnsf'U]2"), "SUVbw": ("g/ml{SUVbw}", "g2/ml2"), "1": ("1", "1")}
SQUARED = frozenset({"variance", "energy"})
RATIOS = frozenset(
    {
        "skewness",
        "excess_kurtosis",
        "coefficient_of_variation",
        "quartile_coefficient_of_dispersion",
    }
)
NOT_OF_THE_HISTOGRAM = frozenset({"energy", "root_mean_square"})
# Codes of the IBSI scheme as in the dictionary of pydicom 3.0.2; it has none for 16 of the statistics.
HISTOGRAM_CODES = {
    "mean": "X6K6",
    "variance": "CH89",
    "skewness": "88K1",
    "excess_kurtosis": "C3I7",
    "median": "WIFQ",
    "minimum": "1PR8",
    "percentile_10": "GPMT",
    "percentile_90": "OZ0C",
    "maximum": "3NCY",
    "interquartile_range": "WR0O",
    "range": "5Z3W",
    "mean_absolute_deviation": "D2ZX",
    "robust_mean_absolute_deviation": "WRZB",
    "median_absolute_deviation": "4RNL",
    "coefficient_of_variation": "CWYJ",
    "quartile_coefficient_of_dispersion": "SLWD",
    "mode": "AMMC",
    "entropy_bits": "TLU2",
    "uniformity": "BJ5W",
    "maximum_gradient": "12CE",
    "maximum_gradient_level": "8E6O",
    "minimum_gradient": "VQB3",
    "minimum_gradient_level": "RHQZ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstOrderInputs(RuleInput):
    """Values of one region, and every parameter that its features depend on."""

    values: Annotated[tuple[float, ...], Given("1", "values of the region's voxels, in `unit`")]
    unit: Annotated[Literal["HU", "SUVbw", "1"], Given("", "unit of the values")]
    bins: Annotated[Literal["number", "size"], Given("", "fixed bin number or fixed bin size")]
    n_bins: Annotated[int | None, Given("1", "bins of a fixed number", at_least=2)] = None
    bin_width: Annotated[float | None, Given("1", "width of bins of a fixed size, in `unit`", above=0)] = None
    lowest: Annotated[float | None, Given("1", "lower limit of the range, in `unit`; it counts in")] = None
    highest: Annotated[float | None, Given("1", "upper limit of the range, in `unit`; it counts in")] = None
    leave_outliers_out: Annotated[bool, Given("", "leave values beyond 3 SD out, after the range")] = False

    def check(self) -> None:
        """Raise RefusedInput unless the parameter of the chosen bins, and no other, is stated."""
        stated = {"number": self.n_bins is not None, "size": self.bin_width is not None}
        if not stated[self.bins] or all(stated.values()):
            wanted = "n_bins" if self.bins == "number" else "bin_width"
            raise RefusedInput(f"bins of a fixed {self.bins} need {wanted} and nothing of the other kind.")
        if self.bins == "size":
            require_calibrated_unit(self.unit)

    @property
    def parameters(self) -> str:
        """Every parameter in one phrase: two results compare only where these are equal."""
        limits = f"{_limit(self.lowest)} to {_limit(self.highest)}"
        bins = f"{self.n_bins} bins" if self.bins == "number" else f"bins of {shown(self.bin_width or 0.0)}"
        outliers = "without values beyond 3 SD" if self.leave_outliers_out else "outliers kept"
        return f"unit {self.unit}, range {limits}, {outliers}, {bins}"


CARD = RuleCard(
    name="ibsi-1",
    version="1.0.0",
    source="Zwanenburg 2020, Radiology 295:328; IBSI reference manual, arXiv:1612.07003",
    takes="numbers",
    inputs=FirstOrderInputs,
    formula="re-segmentation (range, then 3 SD), discretisation (fixed number floor(N (x - min) / (max - min)) + 1, fixed "
    "size floor((x - m) / w) + 1), 18 intensity statistics, 23 features of the histogram",
    population="regions of one image; results compare only with equal parameters",
    refuses=(
        "a constant region with a fixed bin number",
        "bins of a fixed size in uncalibrated units",
        "a range that leaves no value",
    ),
    evidence="verified",
)


def ibsi_1(inputs: FirstOrderInputs) -> Outcome:
    """First-order features by IBSI of the values of a region, with every parameter in their notes.

    Raises RefusedInput if the range leaves nothing, or the region cannot be discretised.
    """
    values = _kept(inputs)
    conditions = []
    lowest = inputs.lowest
    if inputs.bins == "size" and lowest is None:
        lowest = float(values.min())
        text = (
            f"Without a lower limit the bins begin at this region's minimum of {shown(lowest)}: they do not compare "
            "between patients."
        )
        conditions.append(Condition("bins-not-comparable", "warning", text))
    if inputs.bins == "number":
        levels, n_bins = fixed_bin_number(values, inputs.n_bins or 0), inputs.n_bins
    else:
        levels = fixed_bin_size(values, width=inputs.bin_width or 0.0, lowest=lowest or 0.0)
        n_bins = max(int(levels.max()), 2)
    statistics, histogram = intensity_statistics(values), intensity_histogram(levels, n_bins)
    return CARD.outcome(
        measurements=[*_of_statistics(statistics, inputs), *_of_histogram(histogram, inputs)],
        conditions=conditions,
        steps=[
            inputs.parameters,
            f"{values.size} of {len(inputs.values)} values kept, in {n_bins} bins",
        ],
    )


radiomic_rules.add(CARD.name, Measure(CARD, ibsi_1))


def _kept(inputs: FirstOrderInputs) -> NDArray[np.float64]:
    """The values after re-segmentation: the range, then outliers."""
    values = np.array(inputs.values, dtype=np.float64)
    lowest = -np.inf if inputs.lowest is None else inputs.lowest
    highest = np.inf if inputs.highest is None else inputs.highest
    inside = within_range(values, np.ones(values.shape, dtype=bool), lowest=lowest, highest=highest)
    if inputs.leave_outliers_out:
        inside = without_outliers(values, inside)
    if not inside.any():
        raise RefusedInput(
            f"no value of {values.size} lies in the range; widen it, or check the unit ({inputs.unit})."
        )
    return values[inside]


def _of_statistics(statistics: IntensityStatistics, inputs: FirstOrderInputs) -> list[Measurement]:
    plain, squared = UNITS[inputs.unit]
    return [
        CARD.number(
            f"intensity-{name.replace('_', '-')}",
            value,
            unit="1" if name in RATIOS else squared if name in SQUARED else plain,
            quantity=private_code(f"INTENSITY_{name.upper()}", f"Intensity {name.replace('_', ' ')}"),
            note=inputs.parameters,
        )
        for name, value in asdict(statistics).items()
        if value is not None
    ]


def _of_histogram(histogram: IntensityHistogram, inputs: FirstOrderInputs) -> list[Measurement]:
    features = asdict(histogram)
    levels = {
        name: value for name, value in features.pop("levels").items() if name not in NOT_OF_THE_HISTOGRAM
    }
    return [
        CARD.number(
            f"histogram-{name.removesuffix('_bits').replace('_', '-')}",
            value,
            unit="bit" if name == "entropy_bits" else "1",
            quantity=Code(HISTOGRAM_CODES[name], "IBSI", _meaning(name)),
            note=inputs.parameters,
        )
        for name, value in {**levels, **features}.items()
        if value is not None
    ]


def _meaning(name: str) -> str:
    return f"Intensity histogram {name.removesuffix('_bits').replace('_', ' ')}"


def _limit(value: float | None) -> str:
    return "open" if value is None else shown(value)
