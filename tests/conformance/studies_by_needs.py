"""A small synthetic study for every kind of image that an application can ask for.

An application is tested without a line of its own as long as its main role asks for one of these kinds;
the first application on another kind adds one function here.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmread
from pydicom.uid import MRImageStorage
from tests.tiny_bundle import head_slice, map_evidence, write_tiny_bundle
from tests.tiny_dicom import ct_instance
from tests.tiny_volume_bundle import write_brain_bundle

from hounsfield.core import applications
from hounsfield.phantoms import Trouble, write_phantom
from hounsfield.pipeline import run
from hounsfield.zoo import Agreement, Answers, Calibrator, Conformal, InferenceSettings

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


def abdomen_volume(folder: Path, *, flip: bool = False) -> None:
    write_phantom("abdomen-ct", folder, seed=3, n_slices=52, matrix_px=128, trouble=Trouble(flip=flip))


def head_visits(folder: Path, *, flip: bool = False) -> None:
    """Two visits of one patient, each with its lesions outlined."""
    options = {"visit_days": (0, 365), "matrix_px": 96, "contrasts": ("flair",), "regions": "seg"}
    write_phantom("brain-mr", folder, seed=3, trouble=Trouble(flip=flip), **options)


def head_volume(folder: Path, *, flip: bool = False) -> None:
    """One T1-weighted head."""
    options = {"visit_days": (0,), "matrix_px": 96, "contrasts": ("t1",)}
    write_phantom("brain-mr", folder, seed=3, trouble=Trouble(flip=flip), **options)


def head_volumes(folder: Path, *, flip: bool = False) -> None:
    """Two T1-weighted heads of one patient, a year apart."""
    options = {"visit_days": (0, 365), "matrix_px": 96, "contrasts": ("t1",)}
    write_phantom("brain-mr", folder, seed=3, trouble=Trouble(flip=flip), **options)


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


def cardiac_volume(folder: Path, *, flip: bool = False) -> None:
    """A gated scan without contrast agent, with the arteries given: what a score of calcium needs."""
    size = {"matrix_px": 160, "field_of_view_mm": 240.0}
    write_phantom("cardiac-ct", folder, seed=3, regions="seg", trouble=Trouble(flip=flip), **size)


def chest_film(folder: Path, *, flip: bool = False) -> None:
    """One frontal chest film; a single film has no second way of storing it."""
    write_phantom("chest-film", folder, seed=3)


STUDIES: dict[Kind, Callable[..., None]] = {
    ("CT", "volume"): chest_volume,
    ("PT", "volume"): pet_volume,
    ("MR", "slice"): head_slice_after_contrast,
    ("MR", "volume"): head_volume,
    ("DX", "slice"): chest_film,
}
# Applications that need a study of their own, of a modality that has one for all others.
OWN_STUDIES: dict[str, Callable[..., None]] = {
    "body_composition_ct": abdomen_volume,
    "brain_atrophy_mr": head_volumes,
    "coronary_calcium": cardiac_volume,
    "lesion_growth": head_visits,
}
# Small bundles for the applications whose shipped model takes no synthetic picture; others open their own.
BUNDLES = {
    "brain-tumour-mr": lambda parent: write_tiny_bundle(
        parent,
        calibrated=True,
        guarded=True,
        inference=InferenceSettings(mask_threshold=0.01),
        explanations=map_evidence(lrp_epsilon=0.6, grad_cam=0.5),
    ),
    "brain-volumes-mr": write_brain_bundle,
}


def _sure_bundle(parent: Path, **changes: Any) -> None:
    """A bundle that holds all of what a reading tells of its sureness, but for what `changes` takes away."""
    classes = ("glioma", "meningioma", "pituitary")
    calibrator = Calibrator(
        name="temperature",
        parameters={"temperature": 2.0},
        fitted_on="nothing",
        shares=dict(zip(classes, (0.5, 0.3, 0.2), strict=True)),
    )
    whole = {
        "calibrated": True,
        "guarded": True,
        "calibrator": calibrator,
        "conformal": Conformal(
            method="lac",
            coverage=0.9,
            limits={"": 0.7},
            n_fitted={"": 15},
            holds_for="patients",
            fitted_on="nothing",
        ),
        "inference": InferenceSettings(mask_threshold=0.01, answers=Answers(way="copies", number=4)),
        "agreement": Agreement(open_bits=(0.0, 1.0), disagreeing_bits=(0.0, 0.5), n=9, n_groups=3),
    }
    write_tiny_bundle(parent, **{**whole, **changes})


# The same models with everything that a reading says of its sureness: tests/conformance/test_learned_applications.py.
SURE_BUNDLES = {"brain-tumour-mr": _sure_bundle}


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
        return self._written(STUDIES[kind], options)

    def study_for(self, name: str, **options) -> Path:
        """The folder of a study that the application reads: its own, or that of the kind it asks for."""
        return self._written(OWN_STUDIES.get(name) or STUDIES[kind_of(applications.get(name))], options)

    def _written(self, write: Callable[..., None], options: dict[str, Any]) -> Path:
        key = (write, *options.items())
        if key not in self._studies:
            self._studies[key] = self._make_folder("study")
            write(self._studies[key], **options)
        return self._studies[key]

    def read(self, name: str, folder: Path, **options) -> Run:
        """Run one application over a folder, as the command does."""
        return run(folder, applications=[name], model_folders=[self.models], **options)

    def results(self, name: str) -> tuple[Path, Reading, Path]:
        """Study, the one reading of it by the application, and the folder of its results."""
        if name not in self._results:
            study, out = self.study_for(name), self._make_folder("out")
            (reading,) = self.read(name, study, out=out).readings
            (record,) = json.loads((out / "readings.json").read_text("utf-8"))["readings"]
            self._results[name] = study, reading, out / record["folder"]
        return self._results[name]


def images_of(folder: Path) -> list[tuple[Path, Dataset]]:
    """The files of a written study (or of several visits) that hold an image, and their data sets."""
    found = [(path, dcmread(path)) for path in sorted((folder / "dicom").rglob("*.dcm"))]
    return [(path, ds) for path, ds in found if ds.Modality not in {"SEG", "RTSTRUCT"}]


def copy_needed_regions(application: Application, folder: Path, to: Path) -> None:
    """Copy the files that outline regions, where the application cannot do without."""
    if any(role.kind == "regions" and not role.optional for role in application.needs.roles):
        for path in sorted((folder / "dicom").rglob("*.dcm")):
            if dcmread(path, stop_before_pixels=True).Modality in {"SEG", "RTSTRUCT"}:
                shutil.copy(path, to)
