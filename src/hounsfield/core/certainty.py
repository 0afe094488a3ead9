"""How sure a model's reading is: the guard's verdict, the conformal set, and how far several answers agree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class GuardVerdict:
    """How far a picture lies from those that the model learned from, unit 1; above `limit` it is foreign."""

    distance: float
    limit: float

    @property
    def is_foreign(self) -> bool:
        """Whether the picture is not of the model's kind."""
        return self.distance > self.limit

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {"distance": self.distance, "limit": self.limit, "verdict": self.verdict}

    @property
    def verdict(self) -> str:
        """`known` or `foreign`."""
        return "foreign" if self.is_foreign else "known"


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far several answers to one picture agree.

    way: `copies` (changed copies of the picture), `dropout` or `members` (of an ensemble). open_bits: mean entropy of
    the answers, what the picture leaves open to each; disagreeing_bits: what their mean has beyond that. open_place
    and disagreeing_place: share of the n_compared cases of the tuning part that had less, 0 to 1, None if unknown.
    """

    way: str
    n_answers: int
    open_bits: float
    disagreeing_bits: float
    open_place: float | None = None
    disagreeing_place: float | None = None
    n_compared: int = 0

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "way": self.way,
            "answers": self.n_answers,
            "open_bits": self.open_bits,
            "disagreeing_bits": self.disagreeing_bits,
            "open_place": self.open_place,
            "disagreeing_place": self.disagreeing_place,
            "compared": self.n_compared,
        }


@dataclass(frozen=True, slots=True)
class PossibleSet:
    """The findings that cannot be excluded at a stated rate: a conformal set.

    names: of Findings, the likeliest first; empty where the picture is unlike every one. coverage: share of cases whose
    set is to hold the truth. holds_for: of what that is promised (`patients` or `pictures`). measured: the share on
    data that fitted nothing, with its 95 % interval low95 to high95, None if it was not measured.
    """

    names: tuple[str, ...]
    coverage: float
    method: str
    n_fitted: int
    holds_for: str
    measured: float | None = None
    low95: float | None = None
    high95: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "findings": list(self.names),
            "coverage": self.coverage,
            "method": self.method,
            "fitted": self.n_fitted,
            "holds_for": self.holds_for,
            "measured": self.measured,
            "low95": self.low95,
            "high95": self.high95,
        }


@dataclass(frozen=True, slots=True)
class Certainty:
    """What a reading tells of its own sureness; each part is None where the bundle does not hold it.

    calibrator: name of what turned raw outputs into probabilities. shares: of each finding among the cases that it was
    fitted on, as far as the card states them; the card holds them, `reading.json` does not.
    """

    guard: GuardVerdict | None = None
    agreement: Agreement | None = None
    possible: PossibleSet | None = None
    calibrator: str | None = None
    shares: Mapping[str, float] = field(default_factory=dict)

    def renamed(self, names: Mapping[str, str]) -> Certainty:
        """The same with a model's class names changed to names of findings."""
        shares = {names.get(name, name): share for name, share in self.shares.items()}
        if self.possible is None:
            return replace(self, shares=shares)
        changed = tuple(names[name] for name in self.possible.names)
        return replace(self, possible=replace(self.possible, names=changed), shares=shares)

    def of_guard_alone(self) -> Certainty:
        """What a refused reading may tell: the verdict, and nothing that would be a result."""
        return Certainty(guard=self.guard)

    def to_json(self) -> dict[str, Any]:
        """The form used in `reading.json`."""
        return {
            "guard": self.guard.to_json() if self.guard else None,
            "agreement": self.agreement.to_json() if self.agreement else None,
            "possible": self.possible.to_json() if self.possible else None,
            "calibrator": self.calibrator,
        }
