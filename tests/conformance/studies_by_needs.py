"""A small synthetic study for every kind of image that an application can ask for.

An application is tested without a line of its own as long as its main role asks for one of these kinds;
the first application on another kind adds one function here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread
from pydicom.uid import MRImageStorage
from tests.tiny_bundle import head_slice, write_tiny_bundle
from tests.tiny_dicom import ct_instance

from hounsfield.core import applications
from hounsfield.phantoms import Trouble, write_phantom
from hounsfield.pipeline import run
from hounsfield.zoo import InferenceSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

    from hounsfield.core import Application, Reading
    from hounsfield.pipeline import Run

Kind = tuple[str, str]


def chest_volume(folder: Path, *, flip: bool = False) -> None:
    write_phantom("chest-ct", folder, seed=3, n_slices=60, matrix_px=96, trouble=Trouble(flip=flip))


def pet_volume(folder: Path, *, flip: bool = False) -> None:
    write_phantom(
        "fdg-pet", folder, seed=3, regions="seg", n_slices=40, matrix_px=64, trouble=Trouble(flip=flip)
    )


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


def chest_film(folder: Path, *, flip: bool = False) -> None:
    """One frontal chest film; a single film has no second way of storing it."""
    write_phantom("chest-film", folder, seed=3)


STUDIES: dict[Kind, Callable[..., None]] = {
    ("CT", "volume"): chest_volume,
    ("PT", "volume"): pet_volume,
    ("MR", "slice"): head_slice_after_contrast,
    ("DX", "slice"): chest_film,
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


class Synthetic:
    """Synthetic studies and what the applications made of them, each written when first asked for."""

    def __init__(self, make_folder: Callable[[str], Path]) -> None:
        self._make_folder = make_folder
        self._studies: dict[tuple, Path] = {}
        self._results: dict[str, tuple[Path, Reading, Path]] = {}
        self.models = make_folder("models")
        for write in BUNDLES.values():
            write(self.models)

    def study(self, kind: Kind, **options) -> Path:
        """The folder of the study of that kind."""
        key = (kind, *options.items())
        if key not in self._studies:
            self._studies[key] = self._make_folder("study")
            STUDIES[kind](self._studies[key], **options)
        return self._studies[key]

    def read(self, name: str, folder: Path, **options) -> Run:
        """Run one application over a folder, as the command does."""
        return run(folder, applications=[name], model_folders=[self.models], **options)

    def results(self, name: str) -> tuple[Path, Reading, Path]:
        """Study, the one reading of it by the application, and the folder of its results."""
        if name not in self._results:
            study, out = self.study(kind_of(applications.get(name))), self._make_folder("out")
            (reading,) = self.read(name, study, out=out).readings
            (record,) = json.loads((out / "readings.json").read_text("utf-8"))["readings"]
            self._results[name] = study, reading, out / record["folder"]
        return self._results[name]


def images_of(folder: Path) -> list[tuple[Path, Dataset]]:
    """The files of a written study that hold an image, and their data sets."""
    found = [(path, dcmread(path)) for path in sorted((folder / "dicom").iterdir())]
    return [(path, ds) for path, ds in found if ds.Modality not in {"SEG", "RTSTRUCT"}]
