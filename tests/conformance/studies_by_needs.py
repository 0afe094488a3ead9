"""A small synthetic study for every kind of image that an application can ask for.

An application is tested without a line of its own as long as its main role asks for one of these kinds;
the first application on another kind adds one function here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread
from pydicom.uid import MRImageStorage
from tests.tiny_bundle import head_slice, write_tiny_bundle
from tests.tiny_dicom import ct_instance

from hounsfield.phantoms import Trouble, write_chest_ct, write_fdg_pet
from hounsfield.zoo import InferenceSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.core import Application

Kind = tuple[str, str]


def chest_volume(folder: Path, *, flip: bool = False) -> None:
    write_chest_ct(folder, seed=3, n_slices=60, matrix_px=96, trouble=Trouble(flip=flip))


def pet_volume(folder: Path, *, flip: bool = False) -> None:
    write_fdg_pet(folder, seed=3, regions="seg", n_slices=40, matrix_px=64, trouble=Trouble(flip=flip))


def head_slice_after_contrast(folder: Path, *, flip: bool = False) -> None:
    """One T1 slice of no head, but of that kind; a single slice has no second way of storing it."""
    picture = np.clip(np.round(head_slice()), 0, None).astype("<u2")
    ds = ct_instance(0, shape_yx=picture.shape)
    ds.Modality = "MR"
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "KVP", "ConvolutionKernel"):
        delattr(ds, keyword)
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SE", "NONE", "", "2D"
    ds.EchoTime, ds.RepetitionTime, ds.EchoTrainLength = 12, 500, 1
    ds.ContrastBolusAgent, ds.BodyPartExamined = "Gadolinium", "HEAD"
    ds.PixelData = picture.tobytes()
    (folder / "dicom").mkdir(parents=True)
    ds.save_as(folder / "dicom" / "slice.dcm", enforce_file_format=True)


STUDIES: dict[Kind, Callable[..., None]] = {
    ("CT", "volume"): chest_volume,
    ("PT", "volume"): pet_volume,
    ("MR", "slice"): head_slice_after_contrast,
}
# Small bundles for the applications whose shipped model takes no synthetic picture; others open their own.
BUNDLES = {
    "brain-tumour-mr": lambda parent: write_tiny_bundle(
        parent, calibrated=True, guarded=True, inference=InferenceSettings(mask_threshold=0.01)
    )
}


def kind_of(application: Application) -> Kind:
    """The kind of study that an application's main role asks for."""
    main = application.needs.main
    kinds = [
        (modality, main.geometry) for modality in main.modalities if (modality, main.geometry) in STUDIES
    ]
    assert kinds, (
        f"{application.name} asks for {main.modalities} as {main.geometry}: add a synthetic study of that kind "
        "to tests/conformance/studies_by_needs.py"
    )
    return kinds[0]


def images_of(folder: Path) -> list[tuple[Path, Dataset]]:
    """The files of a written study that hold an image, and their data sets."""
    found = [(path, dcmread(path)) for path in sorted((folder / "dicom").iterdir())]
    return [(path, ds) for path, ds in found if ds.Modality not in {"SEG", "RTSTRUCT"}]
