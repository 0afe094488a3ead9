"""Writing phantoms as studies: `dicom/`, `truth.json` and `truth/masks.npz` in one folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hounsfield.core import Silent
from hounsfield.core.errors import UsageError
from hounsfield.phantoms._kinds import phantom_kinds
from hounsfield.phantoms.trouble import Trouble

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.core import Progress


def write_phantom(
    kind: str,
    folder: Path,
    *,
    gap: bool = False,
    trouble: Trouble | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Any:
    """Write the phantom `kind` (`chest-ct`, `fdg-pet`, ...) into `folder`.

    options: parameters of the kind (seed, n_slices, ...) and what it takes besides (`regions` of
    fdg-pet). gap: leave out two slices in the middle. Returns the Phantom, or the PhantomStudy of a kind
    with several images, as stored; its truth is what truth.json holds. An earlier phantom in `folder` is
    replaced. Raises UsageError if `folder` holds anything else, the kind is not known, or a parameter or
    trouble does not fit it; nothing is written then.
    """
    from hounsfield.phantoms.truth_files import discard, prepare_folder, write_truth

    known, trouble = phantom_kinds.get(kind), trouble or Trouble()
    parameters, besides = known.card.chosen(options)
    n_slices = getattr(parameters, "n_slices", None)
    if gap:
        if n_slices is None:
            raise UsageError(f"the phantom {known.card.name} has no stack of slices that could have a gap")
        trouble = trouble.with_middle_gap(n_slices)
    known.card.check(trouble)
    if n_slices is not None:
        trouble.left_out(n_slices)
    dicom = prepare_folder(folder)
    try:
        phantom = known.write(dicom, parameters, trouble, progress or Silent(), **besides)
    except UsageError:  # parameters that do not fit one another: it shows only while the phantom is made
        discard(folder)
        raise
    return replace(phantom, truth=write_truth(folder, phantom, trouble))
