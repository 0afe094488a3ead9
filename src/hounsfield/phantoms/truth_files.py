"""The side files of a phantom: `truth.json`, and its masks where no reader of studies looks for images."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from hounsfield.core.errors import ResultError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

DICOM_FOLDER, MASK_FOLDER, TRUTH_FILE = "dicom", "truth", "truth.json"


def parameters_sha256(phantom: Phantom) -> str:
    """SHA-256 of the parameters as sorted JSON."""
    return hashlib.sha256(json.dumps(dict(phantom.parameters), sort_keys=True).encode()).hexdigest()


def truth_record(phantom: Phantom, trouble: Trouble) -> dict[str, Any]:
    """What truth.json holds; the affine maps (z, y, x) to LPS millimetres."""
    return {
        "notice": "Synthetic phantom. Research use only. Not a medical device.",
        "kind": phantom.kind,
        "parameters": dict(phantom.parameters),
        "parameters_sha256": parameters_sha256(phantom),
        "trouble": trouble.to_json(),
        "grid": {
            "shape_zyx": list(phantom.grid.shape),
            "affine_zyx_to_lps_mm": np.asarray(phantom.grid.affine).tolist(),
            "unit": phantom.unit,
        },
        **phantom.truth,
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


def write_truth(folder: Path, phantom: Phantom, trouble: Trouble) -> dict[str, Any]:
    """Write truth.json and the masks (`truth/masks.npz`, bits packed along x) into `folder`; returns the record."""
    record = truth_record(phantom, trouble)
    (folder / TRUTH_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (folder / MASK_FOLDER).mkdir(exist_ok=True)
    packed = {name: np.packbits(mask, axis=-1) for name, mask in phantom.masks.items()}
    np.savez_compressed(folder / MASK_FOLDER / "masks.npz", shape_zyx=np.array(phantom.grid.shape), **packed)  # type: ignore[arg-type]  # numpy's stub mistakes ** for allow_pickle
    return record


def read_masks(folder: Path) -> dict[str, np.ndarray[Any, np.dtype[np.bool_]]]:
    """The true masks of a written phantom by name, bool (z, y, x), on the grid of its truth.json."""
    with np.load(folder / MASK_FOLDER / "masks.npz") as held:
        n_columns = int(held["shape_zyx"][2])
        return {
            name: np.unpackbits(held[name], axis=-1, count=n_columns).astype(np.bool_)
            for name in held.files
            if name != "shape_zyx"
        }
