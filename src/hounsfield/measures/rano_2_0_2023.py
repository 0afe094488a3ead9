"""RANO 2.0 for gliomas: the radiographic part, with a minor response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.measures._rano import REFUSES, TumourSizes, radiographic_response
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Outcome

CARD = RuleCard(
    name="rano-2.0-2023",
    version="1.0.0",
    source="Wen 2023, J Clin Oncol 41:5187; volumes: Ellingson 2017, Neurotherapeutics 14:307",
    takes="numbers",
    inputs=TumourSizes,
    evidence="unverified",
    formula="as rano-2010 against the MR after radiotherapy as baseline; non-enhancing disease: minor response from "
    "25 % (products) or 40 % (volumes) below baseline",
    population="adults with glioma, MR after radiotherapy as baseline",
    refuses=REFUSES,
)


@measure(CARD)
def rano_2_0_2023(sizes: TumourSizes) -> Outcome:
    """Radiographic response with the minor response of non-enhancing disease; never the overall class.

    Raises RefusedInput without contrast-enhanced T1 for enhancing disease, or where sizes are
    incomplete.
    """
    return radiographic_response(CARD, sizes, has_minor=sizes.is_non_enhancing)
