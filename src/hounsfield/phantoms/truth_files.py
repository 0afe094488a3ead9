"""The side files of a phantom: `truth.json`, and its masks where no reader of studies looks for images.

The masks of the only image lie in `truth/masks.npz`, those of one of several in `truth/NAME/masks.npz`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ResultError, UsageError
from hounsfield.phantoms.phantom import PhantomStudy

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

DICOM_FOLDER, MASK_FOLDER, TRUTH_FILE = "dicom", "truth", "truth.json"


def parameters_sha256(phantom: Phantom | PhantomStudy) -> str:
    """SHA-256 of the parameters as sorted JSON."""
    return hashlib.sha256(json.dumps(dict(phantom.parameters), sort_keys=True).encode()).hexdigest()


def truth_record(phantom: Phantom | PhantomStudy, trouble: Trouble) -> dict[str, Any]:
    """What truth.json holds; the affine maps (z, y, x) to LPS millimetres, null where the image states none."""
    record = {
        "notice": "Synthetic phantom. Research use only. Not a medical device.",
        "kind": phantom.kind,
        "parameters": dict(phantom.parameters),
        "parameters_sha256": parameters_sha256(phantom),
        "trouble": trouble.to_json(),
    }
    if isinstance(phantom, PhantomStudy):
        images = {
            name: {"day": image.day, "grid": _grid_record(image), **image.truth}
            for name, image in phantom.images.items()
        }
        return {**record, "images": images, **phantom.truth}
    return {**record, "grid": _grid_record(phantom), **phantom.truth}


def _grid_record(image: Phantom) -> dict[str, Any]:
    affine = image.grid.affine
    return {
        "shape_zyx": list(image.grid.shape),
        "affine_zyx_to_lps_mm": None if affine is None else np.asarray(affine).tolist(),
        "unit": image.unit,
    }


def prepare_folder(folder: Path) -> Path:
    """Make `folder`/dicom empty and return it; raises UsageError if `folder` holds what no phantom wrote."""
    try:
        if folder.exists() and any(folder.iterdir()) and not (folder / TRUTH_FILE).is_file():
            raise UsageError(
                f"the folder {folder} is not empty and holds no phantom ({TRUTH_FILE} is missing). Nothing was "
                "written. Name a new folder."
            )
        for name in (DICOM_FOLDER, MASK_FOLDER):
            if (folder / name).exists():
                shutil.rmtree(folder / name)
        (folder / DICOM_FOLDER).mkdir(parents=True)
    except OSError as error:
        raise ResultError(
            f"the folder {folder} cannot be written ({error}). Choose one that you may write to."
        ) from error
    return folder / DICOM_FOLDER


def discard(folder: Path) -> None:
    """Take back what was begun in `folder`, and `folder` itself if nothing is left in it."""
    for name in (DICOM_FOLDER, MASK_FOLDER):
        if (folder / name).exists():
            shutil.rmtree(folder / name)
    (folder / TRUTH_FILE).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def write_truth(folder: Path, phantom: Phantom | PhantomStudy, trouble: Trouble) -> dict[str, Any]:
    """Write truth.json and the masks (bits packed along x) into `folder`; returns the record."""
    record = truth_record(phantom, trouble)
    (folder / TRUTH_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    images = phantom.images if isinstance(phantom, PhantomStudy) else {"": phantom}
    for name, image in images.items():
        place = folder / MASK_FOLDER / name
        place.mkdir(parents=True, exist_ok=True)
        packed = {label: np.packbits(mask, axis=-1) for label, mask in image.masks.items()}
        np.savez_compressed(place / "masks.npz", shape_zyx=np.array(image.grid.shape), **packed)  # type: ignore[arg-type]  # numpy's stub mistakes ** for allow_pickle
    return record


def read_masks(folder: Path, image: str = "") -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
    """The true masks of a written phantom by name, bool (z, y, x), on the grid of its truth.json.

    image: name of the image, where the study holds several.
    """
    with np.load(folder / MASK_FOLDER / image / "masks.npz") as held:
        n_columns = int(held["shape_zyx"][2])
        return {
            name: np.unpackbits(held[name], axis=-1, count=n_columns).astype(np.bool_)
            for name in held.files
            if name != "shape_zyx"
        }
