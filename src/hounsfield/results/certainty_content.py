"""How sure a reading is, as items of the structured report's group of the reading as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hounsfield.core import Code
from hounsfield.core import code as codes
from hounsfield.results import dicom_context as dicom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hounsfield.core import Certainty, PossibleSet

UNIT_OF_ENTROPY = Code("bit", "UCUM", "bit")
NO_UNIT = Code("1", "UCUM", "no units")


def certainty_numbers(source: dicom.DicomSource) -> Iterator[Any]:
    """TID 300 measurements: distance and limit of the guard, entropies of several answers."""
    certainty = source.reading.certainty
    if certainty is None:
        return
    if certainty.guard is not None:
        yield _number(source, codes.GUARD_DISTANCE, certainty.guard.distance, NO_UNIT)
        yield _number(source, codes.GUARD_LIMIT, certainty.guard.limit, NO_UNIT)
    if certainty.agreement is not None:
        way = f"{certainty.agreement.n_answers} answers by {certainty.agreement.way}"
        yield _number(source, codes.OPEN_ENTROPY, certainty.agreement.open_bits, UNIT_OF_ENTROPY, way)
        yield _number(source, codes.DISAGREEMENT, certainty.agreement.disagreeing_bits, UNIT_OF_ENTROPY, way)


def certainty_evaluations(source: dicom.DicomSource) -> list[Any]:
    """The guard's verdict as a code, and each finding that cannot be excluded by its concept."""
    import highdicom as hd

    certainty, reading = source.reading.certainty, source.reading
    if certainty is None:
        return []
    found = []
    if certainty.guard is not None:
        verdict = codes.FOREIGN_KIND if certainty.guard.is_foreign else codes.KNOWN_KIND
        found.append((codes.GUARD_VERDICT, verdict))
    if certainty.possible is not None:
        concepts = {finding.name: finding.concept for finding in reading.findings}
        found += [(codes.NOT_EXCLUDED, concepts[name]) for name in certainty.possible.names]
    return [hd.sr.QualitativeEvaluation(_concept(name), _concept(value)) for name, value in found]


def certainty_text(certainty: Certainty | None) -> str | None:
    """What the set promises, in a sentence for the report's comments; None where there is no set."""
    return None if certainty is None or certainty.possible is None else _promise(certainty.possible)


def _promise(possible: PossibleSet) -> str:
    text = (
        f"Set made to hold the true finding for {possible.coverage:g} of {possible.holds_for} (conformal, "
        f"{possible.method}, fitted on {possible.n_fitted}): {', '.join(possible.names) or 'empty'}."
    )
    if possible.measured is not None:
        text += f" Measured coverage {possible.measured:.3f} ({possible.low95:.3f} to {possible.high95:.3f})."
    return text


def _number(source: dicom.DicomSource, name: Code, value: float, unit: Code, way: str = "") -> Any:
    import highdicom as hd

    return hd.sr.Measurement(
        name=_concept(name),
        value=float(value),
        unit=_concept(unit),
        algorithm_id=hd.sr.AlgorithmIdentification(
            name=dicom.plain(source.provenance.application, 64),
            version=dicom.plain(source.provenance.application_version, 64),
            parameters=[*([way] if way else []), dicom.plain(dicom.made_by(source), 4096)],
        ),
    )


def _concept(code: Code) -> Any:
    import highdicom as hd

    return hd.sr.CodedConcept(code.value, code.scheme, dicom.plain(code.meaning, 64))
