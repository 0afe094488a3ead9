"""RANO criteria of 2010 for high-grade glioma: the radiographic part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hounsfield.measures._rano import REFUSES, TumourSizes, radiographic_response
from hounsfield.measures._rule import RuleCard, measure

if TYPE_CHECKING:
    from hounsfield.core import Outcome

CARD = RuleCard(
    name="rano-2010",
    version="1.0.0",
    source="Wen 2010, J Clin Oncol 28:1963; volumes: Ellingson 2017, Neurotherapeutics 14:307",
    takes="numbers",
    inputs=TumourSizes,
    evidence="secondary",
    formula="products: PR at least 50 % below baseline, PD at least 25 % above nadir; volumes: 65 % and 40 %; "
    "CR all gone for 4 weeks; else SD",
    population="adults with high-grade glioma, MR with contrast agent",
    refuses=REFUSES,
)


@measure(CARD)
def rano_2010(sizes: TumourSizes) -> Outcome:
    """Radiographic response by products of diameters or volumes; never the overall class.

    Progression within 12 weeks after radiotherapy, inside the 80 % isodose, gets no class. Raises
    RefusedInput without contrast-enhanced T1, or where sizes are incomplete.
    """
    return radiographic_response(CARD, sizes, has_minor=False)
