"""Z-score of a brain volume against one normative table."""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt
from typing import Annotated, Literal

from hounsfield.core import Code, Given, Outcome, RuleInput
from hounsfield.core.code import VOLUME, private_code
from hounsfield.core.errors import RefusedInput
from hounsfield.core.exact import exact, shown
from hounsfield.measures._rule import RuleCard, measure

Z_SCORE = Code("121416", "DCM", "Z-Score of measurement")
PERCENTILE = Code("121415", "DCM", "Percentile Ranking of measurement")
ASYMMETRY = private_code("VOLUME_ASYMMETRY", "Asymmetry of left and right volume")
FLAG_AT_OR_BELOW = exact("-1.645")  # fifth centile
MAX_VOXEL_MM = exact("1.2")


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeAndNorm(RuleInput):
    """A volume, its patient and scan, and the entry of one normative table for that age and sex."""

    volume_mm3: Annotated[float, Given("mm3", "measured volume", above=0)]
    icv_ml: Annotated[float, Given("ml", "intracranial volume", at_least=500, at_most=2500)]
    age_years: Annotated[float, Given("a", "age of the patient", at_least=0, at_most=120)]
    sex: Annotated[Literal["M", "F"], Given("", "sex of the patient")]
    norm: Annotated[str, Given("", "the table: cohort, scanner field, protocol, side, software and version")]
    slope_mm3_per_ml: Annotated[float, Given("mm3/ml", "the table's slope on intracranial volume")]
    icv_mean_ml: Annotated[float, Given("ml", "the table's mean intracranial volume", above=0)]
    mu_mm3: Annotated[float, Given("mm3", "the table's mean for that age and sex", above=0)]
    sd_mm3: Annotated[float, Given("mm3", "the table's standard deviation", above=0)]
    norm_min_age_years: Annotated[float | None, Given("a", "lowest age of the table", at_least=0)] = None
    norm_max_age_years: Annotated[float | None, Given("a", "highest age of the table", at_least=0)] = None
    is_same_software: Annotated[bool, Given("", "segmented with the table's software and version")] = True
    largest_voxel_mm: Annotated[float | None, Given("mm", "largest voxel edge", above=0)] = None
    is_3d_t1: Annotated[bool, Given("", "three-dimensional T1 without contrast agent")] = True
    has_lesion: Annotated[bool, Given("", "lesion or surgery in the lobe")] = False
    left_mm3: Annotated[float | None, Given("mm3", "volume of the left side", above=0)] = None
    right_mm3: Annotated[float | None, Given("mm3", "volume of the right side", above=0)] = None


CARD = RuleCard(
    name="volume-z",
    version="1.0.0",
    source="z = (v - b (ICV - mean ICV) - mu) / sigma; the norm is the table's that is named with the result",
    takes="numbers",
    inputs=VolumeAndNorm,
    formula="adjusted = v - b (ICV - mean ICV); z = (adjusted - mu) / sigma; percentile = 100 Phi(z); flag z <= -1.645",
    population="the cohort of the named table, within its ages",
    refuses=(
        "software or version other than the table's",
        "age outside the table",
        "no three-dimensional T1, contrast agent, or a voxel edge above 1.2 mm",
        "lesion or surgery in the lobe",
    ),
    uncertainty="scan against rescan of automatic volumes about 1 to 3 %",
)


@measure(CARD)
def volume_z(subject: VolumeAndNorm) -> Outcome:
    """Volume adjusted for head size, z-score, percentile; with both sides, their asymmetry.

    Raises RefusedInput where the table does not hold for patient, scan or software. No table is part
    of this project: the numbers of the table are inputs and it is named in every note.
    """
    _refuse_unfit(subject)
    adjusted = exact(subject.volume_mm3) - exact(subject.slope_mm3_per_ml) * (
        exact(subject.icv_ml) - exact(subject.icv_mean_ml)
    )
    z = (adjusted - exact(subject.mu_mm3)) / exact(subject.sd_mm3)
    percentile = 50.0 * (1.0 + erf(float(z) / sqrt(2.0)))
    note = f"norm: {subject.norm}"
    numbers = [
        CARD.number("adjusted-volume", adjusted, unit="mm3", quantity=VOLUME, note=note),
        CARD.number("z-score", z, unit="1", quantity=Z_SCORE, note=note),
        CARD.number("percentile", percentile, unit="%", quantity=PERCENTILE, note=note),
    ]
    if subject.left_mm3 is not None and subject.right_mm3 is not None:
        left, right = exact(subject.left_mm3), exact(subject.right_mm3)
        numbers.append(
            CARD.number("asymmetry", 200 * (left - right) / (left + right), unit="%", quantity=ASYMMETRY)
        )
    slope = shown(subject.slope_mm3_per_ml)
    head = f"({shown(subject.icv_ml)} - {shown(subject.icv_mean_ml)})"
    value = "at or below the 5th centile" if z <= FLAG_AT_OR_BELOW else "above the 5th centile"
    return CARD.outcome(
        measurements=numbers,
        categories=[
            CARD.category(
                "volume-flag", value, f"volume {value} of the norm", based_on={"z": z, "norm": subject.norm}
            )
        ],
        steps=[
            f"adjusted = {shown(subject.volume_mm3)} - {slope} x {head} = {shown(adjusted)} mm³",
            f"z = ({shown(adjusted)} - {shown(subject.mu_mm3)}) / {shown(subject.sd_mm3)} = {shown(z)}: {value}",
        ],
    )


def _refuse_unfit(subject: VolumeAndNorm) -> None:
    age, lowest, highest = exact(subject.age_years), subject.norm_min_age_years, subject.norm_max_age_years
    voxel_mm = subject.largest_voxel_mm
    is_outside = (lowest is not None and age < exact(lowest)) or (
        highest is not None and age > exact(highest)
    )
    reasons = [
        (is_outside, f"the age {shown(age)} lies outside the table"),
        (not subject.is_same_software, "the volume was segmented by other software than the table's"),
        (
            voxel_mm is not None and exact(voxel_mm) > MAX_VOXEL_MM,
            f"a voxel edge is {shown(voxel_mm or 0)} mm, at most 1.2 mm will do",
        ),
        (not subject.is_3d_t1, "the scan is no three-dimensional T1 without contrast agent"),
        (subject.has_lesion, "a lesion or surgery changes the lobe"),
    ]
    for is_so, reason in reasons:
        if is_so:
            raise RefusedInput(f"{reason}: the norm does not hold, so no z-score is given.")
