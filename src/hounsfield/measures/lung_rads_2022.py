"""Lung-RADS v2022: category of a nodule, airway lesion or cyst in screening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from hounsfield.core import Condition, Given, Outcome
from hounsfield.core.code import VOLUME
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, round_half_up, shown
from hounsfield.measures._nodule_growth import Growth, growth_over
from hounsfield.measures._nodule_size import NoduleSize, sphere_volume_mm3
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hounsfield.core import Category

NoduleType = Literal["solid", "part_solid", "non_solid", "airway", "cyst", "benign", "none"]
Status = Literal["baseline", "new", "growing", "slow", "stable", "solid_component_new_or_growing"]
Level = Literal["subsegmental", "segmental_or_proximal"]
Cyst = Literal[
    "growing_cystic_part",
    "thick_walled",
    "multilocular",
    "became_multilocular",
    "growing_wall_or_nodularity",
    "growing_multilocular",
]
ExamState = Literal["complete", "prior_awaited", "lungs_incomplete", "inflammatory"]

ORDER = ("1", "2", "3", "4A", "4B", "4X")
MAX_THICKNESS_MM = 2.5  # ACR and STR: technical limit
OF_CYST: dict[Cyst, str] = {
    "growing_cystic_part": "3",
    "thick_walled": "4A",
    "multilocular": "4A",
    "became_multilocular": "4A",
    "growing_wall_or_nodularity": "4B",
    "growing_multilocular": "4B",
}
# What the next step is, and how many of the screened population had cancer: never a patient's probability.
MEANINGS = {
    "0": "incomplete: prior awaited, lungs not fully seen, or inflammation (LDCT in 1 to 3 months)",
    "1": "negative: LDCT in 12 months (below 1 % of the population)",
    "2": "benign: LDCT in 12 months (below 1 % of the population)",
    "3": "probably benign: LDCT in 6 months (1 to 2 % of the population)",
    "4A": "suspicious: LDCT in 3 months (5 to 15 % of the population)",
    "4B": "very suspicious: referral (above 15 % of the population)",
    "4X": "very suspicious by further features: referral (above 15 % of the population)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreeningNodule(NoduleSize):
    """One nodule, airway lesion or cyst of a low-dose screening CT; statements of a reader beside sizes."""

    type: Annotated[NoduleType | None, Given("", "kind of lesion; benign: calcified or fat")]
    status: Annotated[Status | None, Given("", "against earlier screens; none: from prior_mm")] = None
    prior_mm: Annotated[
        float | None, Given("mm", "mean diameter at the earlier scan", above=0, at_most=300)
    ] = None
    interval_months: Annotated[float | None, Given("mo", "time since that scan", above=0)] = None
    prior_category: Annotated[
        Literal["2", "3", "4A", "4B"] | None, Given("", "category at the earlier scan, for a stable lesion")
    ] = None
    juxtapleural_smooth_oval_lentiform_triangular: Annotated[
        bool, Given("", "juxtapleural, solid, smooth, and oval, lentiform or triangular")
    ] = False
    level: Annotated[Level | None, Given("", "level of an airway lesion")] = None
    cyst: Annotated[Cyst | None, Given("", "kind of an atypical cyst")] = None
    exam: Annotated[ExamState, Given("", "whether the examination can be categorised")] = "complete"
    suspicious_features: Annotated[bool, Given("", "further suspicious features, by a reader (4X)")] = False
    slice_thickness_mm: Annotated[float | None, Given("mm", "slice thickness", above=0)] = None

    def check(self) -> None:
        """What the type needs, and the technical limit."""
        needs = {"airway": ("level", self.level), "cyst": ("cyst", self.cyst)}
        name, value = needs.get(self.type or "", ("", "given"))
        if self.type in {"solid", "part_solid", "non_solid"} and not self.has_size:
            name, value = "mean_diameter_mm or volume_mm3", None
        if self.type == "part_solid" and not self.has_solid_size and self.exam == "complete":
            name, value = "solid_mm or solid_volume_mm3", None
        if value is None and self.exam == "complete":
            raise RefusedInput(f"a lesion of type {self.type} needs {name}: state it.")
        if (self.prior_mm is None) != (self.interval_months is None):
            raise RefusedInput("growth needs both prior_mm and interval_months: give both or neither.")
        thick = self.slice_thickness_mm is not None and exact(self.slice_thickness_mm) > MAX_THICKNESS_MM
        if thick and (self.volume_mm3 is not None or self._is_small_and_new):
            raise RefusedInput(
                f"slices are {shown(self.slice_thickness_mm or 0)} mm thick: above {MAX_THICKNESS_MM} mm neither volumes "
                "nor new nodules below 6 mm can be categorised."
            )

    @property
    def _is_small_and_new(self) -> bool:
        return self.status == "new" and self.has_size and not self.reaches(6)


CARD = RuleCard(
    name="lung-rads-2022",
    version="1.0.0",
    source="ACR Lung-RADS v2022 (November 2022); Christensen 2024, Chest 165:738",
    takes="numbers",
    inputs=ScreeningNodule,
    formula="size (mean diameter to 0.1 mm, or volume) against 4, 6, 8, 15 mm (part-solid: solid part; non-solid: "
    "30 mm) by baseline, new, growing, slow or stable; airway by level; cyst by wall; the highest counts",
    population="people in lung-cancer screening by low-dose CT",
    refuses=(
        "type of nodule unknown",
        "size missing",
        "volume or new nodule below 6 mm on slices above 2.5 mm",
    ),
)


@measure(CARD)
def lung_rads_2022(nodule: ScreeningNodule) -> Outcome:
    """Category of one lesion (0, 1, 2, 3, 4A, 4B, 4X) and, with a prior size, its growth.

    The examination has the highest category of its lesions: `lung_rads_of_exam`. Suffix S and 4X are
    a reader's. Raises RefusedInput where type or size is missing.
    """
    growth = None
    if nodule.prior_mm is not None and nodule.diameter is not None and nodule.interval_months is not None:
        growth = growth_over(nodule.prior_mm, float(nodule.diameter), interval_months=nodule.interval_months)
    category, conditions = _category(nodule, nodule.status or _status_of(growth))
    if category in {"3", "4A", "4B"} and nodule.suspicious_features:
        category = "4X"
    based_on = nodule.to_json()
    categories: list[Category] = []
    if growth is not None:
        categories.append(CARD.category("growth", growth, growth.replace("_", " "), based_on=based_on))
    if category is not None:
        categories.append(CARD.category("lung-rads", category, MEANINGS[category], based_on=based_on))
    numbers = []
    if nodule.diameter is not None:
        volume_mm3 = sphere_volume_mm3(float(nodule.diameter))
        note = f"sphere of {nodule.diameter} mm; to 1 mm3: {round_half_up(volume_mm3)}"
        numbers.append(CARD.number("sphere-volume", volume_mm3, unit="mm3", quantity=VOLUME, note=note))
    step = (
        f"{nodule.type or 'type unknown'}, {nodule.size_text}, {nodule.status or growth or 'status unknown'}"
    )
    return CARD.outcome(
        measurements=numbers,
        categories=categories,
        conditions=conditions,
        steps=[f"{step}: {category or 'no category'}"],
    )


def lung_rads_of_exam(nodules: Iterable[ScreeningNodule]) -> str:
    """Category of an examination: 0 if any lesion has it, else the highest; 1 without a lesion.

    Raises RefusedInput where a lesion gets no category.
    """
    found = [lung_rads_2022(nodule).category("lung-rads") for nodule in nodules]
    if None in found:
        raise RefusedInput("a lesion has no category, so the examination has none: complete its inputs.")
    if "0" in found:
        return "0"
    return max((category or "1" for category in found), key=ORDER.index, default="1")


def _status_of(growth: Growth | None) -> Status | None:
    return {"growing": "growing", "not_growing_within_12_months": "stable"}.get(growth or "")  # type: ignore[return-value]


def _category(nodule: ScreeningNodule, status: Status | None) -> tuple[str | None, list[Condition]]:
    """The category, or None with the reason as a condition."""
    if nodule.exam != "complete":
        return "0", []
    if nodule.type in {"none", "benign"}:
        return "1", []
    if nodule.type == "cyst" and nodule.cyst is not None:
        return OF_CYST[nodule.cyst], []
    if nodule.type is None or status is None:
        missing = "type of the nodule" if nodule.type is None else "state against earlier screens"
        text = f"The {missing} is not known: no category."
        return None, [Condition("lung-rads-undetermined", "warning", text)]
    return _by_status(nodule, status)


def _by_status(nodule: ScreeningNodule, status: Status) -> tuple[str | None, list[Condition]]:
    if nodule.type == "airway":
        proximal = "4A" if status in {"baseline", "new"} else "4B"
        return "2" if nodule.level == "subsegmental" else proximal, []
    if nodule.type == "non_solid":
        return _non_solid(nodule, status)
    if status == "slow":
        return "4B", []
    if status == "stable":
        return _stable(nodule)
    return (_solid(nodule, status), []) if nodule.type == "solid" else _part_solid(nodule, status)


def _solid(nodule: ScreeningNodule, status: Status) -> str:
    if (
        nodule.juxtapleural_smooth_oval_lentiform_triangular
        and status in {"baseline", "new"}
        and not nodule.reaches(10)
    ):
        return "2"
    limits_mm: dict[Status, tuple[tuple[float, str], ...]] = {
        "baseline": ((15, "4B"), (8, "4A"), (6, "3")),
        "new": ((8, "4B"), (6, "4A"), (4, "3")),
    }
    growing = ((8.0, "4B"), (0.0, "4A"))
    return next(
        (category for limit, category in limits_mm.get(status, growing) if nodule.reaches(limit)), "2"
    )


def _part_solid(nodule: ScreeningNodule, status: Status) -> tuple[str, list[Condition]]:
    if status == "baseline":
        if not nodule.reaches(6):
            return "2", []
        return ("4B" if nodule.solid_reaches(8) else "4A" if nodule.solid_reaches(6) else "3"), []
    if nodule.solid_reaches(4):
        return "4B", []
    if nodule.reaches(6):
        return "4A", []
    if status == "new":
        return "3", []
    text = "A growing part-solid nodule below 6 mm in all is not listed: taken as category 3, a default of this project."
    return "3", [Condition("lung-rads-not-listed", "warning", text)]


def _non_solid(nodule: ScreeningNodule, status: Status) -> tuple[str, list[Condition]]:
    if not nodule.reaches(30) or status in {"stable", "slow"}:
        return "2", []
    if status in {"baseline", "new"}:
        return "3", []
    text = "A non-solid nodule of 30 mm or more that grows fast is not listed: taken as category 3."
    return "3", [Condition("lung-rads-not-listed", "warning", text)]


def _stable(nodule: ScreeningNodule) -> tuple[str | None, list[Condition]]:
    """One step down from the earlier category, unless the size itself crossed a limit."""
    if nodule.prior_category is None:
        text = "A stable nodule is categorised by its earlier category: state prior_category."
        return None, [Condition("lung-rads-undetermined", "warning", text)]
    by_size = _solid(nodule, "baseline") if nodule.type == "solid" else _part_solid(nodule, "baseline")[0]
    if ORDER.index(by_size) > ORDER.index(nodule.prior_category):
        return by_size, []
    return {"2": "2", "3": "2", "4A": "3", "4B": "4B"}[nodule.prior_category], []
