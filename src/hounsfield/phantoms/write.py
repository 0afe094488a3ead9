"""Writing phantoms as studies: `dicom/`, `truth.json` and `truth/masks.npz` in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hounsfield.core import Silent
from hounsfield.core.errors import UsageError
from hounsfield.phantoms.chest_ct import ChestCtParameters, make_chest_ct
from hounsfield.phantoms.fdg_pet import FdgPetParameters, make_fdg_pet
from hounsfield.phantoms.trouble import Trouble, place

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom

Regions = Literal["seg", "rtstruct"]


def write_chest_ct(
    folder: Path, *, trouble: Trouble | None = None, progress: Progress | None = None, **parameters: Any
) -> Phantom:
    """Write a chest CT study into `folder`; returns it as stored, its truth being what truth.json holds.

    parameters: those of ChestCtParameters (seed, n_slices, emphysema_fraction, ...). An earlier phantom in
    `folder` is replaced; raises UsageError if it holds anything else or a parameter does not fit.
    """
    from hounsfield.phantoms.dicom_ct import ct_slice
    from hounsfield.phantoms.dicom_series import save, write_series
    from hounsfield.phantoms.enhanced_ct import enhanced_ct
    from hounsfield.phantoms.truth_files import prepare_folder

    trouble, progress = trouble or Trouble(), progress or Silent()
    chosen = _parameters(ChestCtParameters, parameters)
    trouble.left_out(chosen.n_slices)
    dicom = prepare_folder(folder)
    phantom = place(make_chest_ct(chosen, tilt_deg=trouble.tilt_deg, progress=progress), trouble)
    if trouble.enhanced:
        save(enhanced_ct(phantom, trouble), dicom / "00001.dcm", trouble)
    else:
        write_series(dicom, phantom, ct_slice, trouble=trouble, progress=progress)
    return _with_truth(folder, phantom, trouble)


def write_fdg_pet(
    folder: Path,
    *,
    regions: str | None = None,
    trouble: Trouble | None = None,
    progress: Progress | None = None,
    **parameters: Any,
) -> Phantom:
    """Write an FDG-PET study into `folder`; returns it as stored, its truth being what truth.json holds.

    regions: `seg` or `rtstruct` writes the neighbourhoods of the spheres as given lesions beside the images.
    parameters: those of FdgPetParameters. An earlier phantom in `folder` is replaced; raises UsageError if
    it holds anything else, a parameter does not fit, or the trouble is one that no PET has (a tilt, an
    enhanced object).
    """
    from hounsfield.phantoms.dicom_pet import pet_slice
    from hounsfield.phantoms.dicom_series import write_series
    from hounsfield.phantoms.truth_files import prepare_folder

    trouble, progress = trouble or Trouble(), progress or Silent()
    chosen = _parameters(FdgPetParameters, parameters)
    _check_pet(trouble, regions)
    trouble.left_out(chosen.n_slices)
    dicom = prepare_folder(folder)
    phantom = place(make_fdg_pet(chosen, progress=progress), trouble)
    write_series(dicom, phantom, pet_slice, trouble=trouble, progress=progress)
    if regions is not None:
        _write_regions(dicom, phantom, regions, trouble)
    return _with_truth(folder, phantom, trouble)


def write_phantom(
    kind: str,
    folder: Path,
    *,
    gap: bool = False,
    trouble: Trouble | None = None,
    progress: Progress | None = None,
    **options: Any,
) -> Phantom:
    """Write the phantom `kind` (`chest-ct`, `fdg-pet`), as the command does.

    options: parameters and, for PET, `regions`. gap: leave out two slices in the middle. Raises UsageError.
    """
    writers: dict[str, tuple[Any, int]] = {
        "chest-ct": (write_chest_ct, ChestCtParameters().n_slices),
        "fdg-pet": (write_fdg_pet, FdgPetParameters().n_slices),
    }
    if kind not in writers:
        raise UsageError(f"there is no phantom {kind!r}: {' and '.join(writers)} can be made")
    write, usual_n_slices = writers[kind]
    trouble = trouble or Trouble()
    if gap:
        trouble = trouble.with_middle_gap(int(options.get("n_slices", usual_n_slices)))
    written: Phantom = write(folder, trouble=trouble, progress=progress, **options)
    return written


def _parameters(kind: type[Any], chosen: Mapping[str, Any]) -> Any:
    """The frozen parameters; an unknown name is refused with those that exist."""
    unknown = sorted(set(chosen) - set(kind.__dataclass_fields__))
    if unknown:
        raise UsageError(
            f"this phantom has no parameter {', '.join(unknown)}; it has {', '.join(kind.__dataclass_fields__)}"
        )
    return kind(**chosen)


def _check_pet(trouble: Trouble, regions: str | None) -> None:
    if trouble.tilt_deg:
        raise UsageError("a PET gantry does not tilt; use tilt_deg with chest-ct, or oblique_deg here")
    if trouble.enhanced:
        raise UsageError("the PET phantom is written as one object a slice; use enhanced with chest-ct")
    if regions not in {None, "seg", "rtstruct"}:
        raise UsageError(f"regions is {regions!r}; choose seg or rtstruct, or leave it out")


def _write_regions(dicom: Path, phantom: Phantom, regions: str, trouble: Trouble) -> None:
    from hounsfield.phantoms.dicom_pet import pet_slice
    from hounsfield.phantoms.sphere_regions import write_rtstruct, write_seg

    left_out = trouble.left_out(phantom.grid.shape[0])
    images = [pet_slice(phantom, k, trouble) for k in range(phantom.grid.shape[0]) if k not in left_out]
    {"seg": write_seg, "rtstruct": write_rtstruct}[regions](dicom, phantom, images)


def _with_truth(folder: Path, phantom: Phantom, trouble: Trouble) -> Phantom:
    from dataclasses import replace

    from hounsfield.phantoms.truth_files import write_truth

    return replace(phantom, truth=write_truth(folder, phantom, trouble))
