"""Breast density from four histograms: the authors' numbers for their examination, from the file to the reading."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.uid import DigitalMammographyXRayImageStorageForPresentation
from safetensors.numpy import save_file
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import ModelError, RefusedInput
from hounsfield.core.uid import derive_uid
from hounsfield.inference import open_model
from hounsfield.pipeline import run
from hounsfield.zoo.model_formats import ImportRequest, import_model

VIEWS = ("L-CC", "R-CC", "L-MLO", "R-MLO")


def small_weights(seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"fc1.weight": (6, 200), "fc1.bias": (6,), "fc2.weight": (4, 6), "fc2.bias": (4,)}
    return {key: rng.normal(0, 1, shape).astype(np.float32) for key, shape in shapes.items()}


def breast(seed, shape_yx=(90, 70)):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape_yx[0], : shape_yx[1]]
    inside = (y - shape_yx[0] / 2) ** 2 + x**2 < 35**2
    return np.where(inside, rng.integers(60, 255, shape_yx), 0).astype(np.uint8)


def own_numbers(pictures, weights):
    """The authors' formula in NumPy."""
    shares = []
    for picture in pictures:
        values = picture.astype(np.float64)
        counts, _ = np.histogram((values - values.mean()) / values.std(), bins=50)
        shares.append(counts / picture.size)
    hidden = np.maximum(weights["fc1.weight"] @ np.concatenate(shares) + weights["fc1.bias"], 0)
    logits = weights["fc2.weight"] @ hidden + weights["fc2.bias"]
    return np.exp(logits) / np.exp(logits).sum()


@pytest.fixture
def bundle(tmp_path):
    save_file(small_weights(), tmp_path / "density.pth")
    return import_model(ImportRequest(tmp_path / "density.pth", tmp_path / "models", name="density"))


def test_views_of_any_sizes_give_the_authors_formula(bundle):
    pictures = [breast(0), breast(1, (100, 80)), breast(2), breast(3, (77, 91))]
    prediction = open_model(bundle).run_views(pictures)
    np.testing.assert_allclose(prediction.scores, own_numbers(pictures, small_weights()), atol=0.01)
    assert prediction.probabilities is None


def test_what_is_no_examination_is_refused(bundle):
    model = open_model(bundle)
    with pytest.raises(RefusedInput, match=r"4 views \(L-CC, R-CC, L-MLO, R-MLO\), not 3"):
        model.run_views([breast(0)] * 3)
    with pytest.raises(RefusedInput, match="view R-CC has no contrast"):
        model.run_views([breast(0), np.zeros((50, 50)), breast(2), breast(3)])


def test_another_number_of_inputs_is_named(tmp_path):
    weights = small_weights() | {"fc1.weight": np.zeros((6, 100), np.float32)}
    save_file(weights, tmp_path / "density.safetensors")
    request = ImportRequest(tmp_path / "density.safetensors", tmp_path / "models")
    with pytest.raises(ModelError, match="takes 100 numbers"):
        import_model(request, format_name="histogram-classifier")


def write_mammogram(folder, name, picture):
    """A mammogram for presentation whose header alone says which view it is."""
    side, position = name.split("-")
    instance = ct_instance(0, shape_yx=picture.shape)
    instance.Modality = "MG"
    instance.SOPClassUID = instance.file_meta.MediaStorageSOPClassUID = (
        DigitalMammographyXRayImageStorageForPresentation
    )
    instance.SOPInstanceUID = instance.file_meta.MediaStorageSOPInstanceUID = derive_uid("view", name)
    instance.SeriesInstanceUID = derive_uid("series", name)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept"):
        if keyword in instance:
            delattr(instance, keyword)
    instance.ImageLaterality, instance.ViewPosition = side, position
    instance.ImageType = ["ORIGINAL", "PRIMARY"]
    instance.PresentationIntentType = "FOR PRESENTATION"
    instance.WindowCenter, instance.WindowWidth = 128, 256
    instance.PixelData = picture.astype("<u2").tobytes()
    instance.save_as(folder / f"{derive_uid('file', name)}.dcm", enforce_file_format=True)


@pytest.mark.parametrize("kind", ["png", "dicom"])
def test_an_examination_is_read(bundle, tmp_path, kind):
    """Files in any order: views are told by header or file name, not by place."""
    folder = tmp_path / "study"
    folder.mkdir()
    pictures = {name: breast(k) for k, name in enumerate(VIEWS)}
    for name in sorted(VIEWS, reverse=True):
        if kind == "png":
            Image.fromarray(pictures[name]).save(folder / f"{name}.png")
        else:
            write_mammogram(folder, name, pictures[name])
    done = run(folder, applications=["bundle-density"], model_folders=[bundle.folder.parent])
    (reading,) = done.readings
    assert reading.status == "complete"
    expected = own_numbers([pictures[name] for name in VIEWS], small_weights())
    np.testing.assert_allclose([f.score for f in reading.findings], expected, atol=0.01)
    assert all(f.probability is None for f in reading.findings)


def test_a_missing_view_stops_it(bundle, tmp_path):
    for k, name in enumerate(VIEWS[:3]):
        Image.fromarray(breast(k)).save(tmp_path / f"{name}.png")
    done = run(tmp_path, applications=["bundle-density"], model_folders=[bundle.folder.parent])
    (reading,) = done.readings
    assert reading.status == "refused"
    assert reading.conditions[0].code == "companion-missing"


@pytest.mark.real_data
def test_the_authors_numbers_come_out(tmp_path):
    """Reference for these images: 0.0819444, 0.78304, 0.133503, 0.00151265; bins meet grey levels, hence 0.003."""
    folder = Path(os.environ["HOUNSFIELD_DATA"]) / "models" / "breast_density_histogram"
    bundle = import_model(ImportRequest(folder / "model.safetensors", tmp_path, name="density"))
    done = run(folder / "images", applications=["bundle-density"], model_folders=[tmp_path])
    (reading,) = done.readings
    scores = [finding.score for finding in reading.findings]
    np.testing.assert_allclose(scores, [0.0819444, 0.78304, 0.133503, 0.00151265], atol=0.003)
    assert bundle.card.origin.source_sha256.startswith("d3ec0586")
