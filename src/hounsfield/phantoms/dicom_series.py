"""Writing a series to files, with the trouble that was asked for: order, gaps, doubles, compression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from hounsfield.core.progress import step
from hounsfield.phantoms.dicom_attributes import uid

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.core import Progress
    from hounsfield.phantoms.phantom import Phantom
    from hounsfield.phantoms.trouble import Trouble

    MakeSlice = Callable[[Phantom, int, Trouble], Dataset]

TRANSFER_SYNTAX_UID = {"jpeg-ls": JPEGLSLossless, "rle": RLELossless, "jpeg-2000": JPEG2000Lossless}


def write_series(
    folder: Path, phantom: Phantom, make_slice: MakeSlice, *, trouble: Trouble, progress: Progress
) -> list[Path]:
    """Write one file a slice into `folder`; returns their paths. `phantom` is already placed."""
    n_slices = phantom.grid.shape[0]
    left_out = trouble.left_out(n_slices)
    kept = [k for k in range(n_slices) if k not in left_out]
    order = _file_order(kept, phantom, trouble)
    numbers = _shuffled(len(order), phantom, "numbers") if trouble.shuffle else np.arange(len(order))
    paths = []
    for place, (k, is_second) in enumerate(order):
        if place % 10 == 0:
            step(progress, f"{phantom.kind} phantom: files", place / len(order))
        data = make_slice(phantom, k, trouble)
        data.InstanceNumber = int(numbers[place]) + 1
        if is_second:
            data.SOPInstanceUID = uid(phantom, "instance", str(k), "again")
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        path = folder / f"{place + 1:05d}.dcm"
        save(data, path, trouble)
        paths.append(path)
    return paths


def save(data: Dataset, path: Path, trouble: Trouble) -> None:
    """Write one object, compressed if asked."""
    if trouble.compression is not None:
        data.compress(TRANSFER_SYNTAX_UID[trouble.compression], generate_instance_uid=False)
    data.save_as(path, enforce_file_format=True)


def _shuffled(n: int, phantom: Phantom, purpose: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    seed = [int(phantom.parameters["seed"]), len(purpose)]
    return np.random.Generator(np.random.PCG64(seed)).permutation(n)


def _file_order(kept: list[int], phantom: Phantom, trouble: Trouble) -> list[tuple[int, bool]]:
    """Slices in the order of their file names, and whether each is the second of its kind."""
    order = [(k, False) for k in kept]
    if trouble.duplicate:
        order.append((kept[len(kept) // 2], True))
    if trouble.shuffle:
        return [order[int(i)] for i in _shuffled(len(order), phantom, "files")]
    return order
