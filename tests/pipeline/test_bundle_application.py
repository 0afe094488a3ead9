"""A model without an application of its own: it runs by its name, and says no more than its card can answer for."""

import json

import numpy as np
import pydicom
import pytest
from PIL import Image as Picture
from pydicom.uid import MRImageStorage
from tests.cli.test_command import hu
from tests.tiny_bundle import head_slice, write_tiny_bundle
from tests.tiny_dicom import ct_instance

pytest.importorskip("torch")

from tests.tiny_volume_bundle import write_volume_bundle

from hounsfield.core.errors import MissingModel, UsageError
from hounsfield.core.uid import derive_uid
from hounsfield.pipeline import run
from hounsfield.pipeline.bundle_application import dicom_modalities
from hounsfield.zoo import Channel, GreyValues

HU_200 = GreyValues(way="range", low=-1000, high=1400, clip=False)  # 200 HU becomes 0.5


def write_ct(folder, hu):
    """A CT whose slices hold these HU (z, y, x)."""
    folder.mkdir()
    for k, plane in enumerate(hu):
        instance = ct_instance(k, shape_yx=plane.shape)
        instance.PixelData = (plane + 1024).astype("<u2").tobytes()
        instance.save_as(folder / f"{k}.dcm", enforce_file_format=True)


@pytest.fixture
def ct(tmp_path):
    """A CT of 6 slices with a box of 300 HU, 4 x 5 pixels in four slices, in tissue of 40 HU."""
    pixels = np.full((6, 16, 16), 40)
    pixels[1:5, 4:8, 5:10] = 300
    write_ct(tmp_path / "study", pixels)
    return tmp_path / "study"


@pytest.fixture
def organs(tmp_path):
    """A folder of models with one that labels what is brighter than 200 HU."""
    classes = [
        {"name": n, "value": n.upper(), "scheme": "99TEST", "meaning": n} for n in ("background", "bright")
    ]
    write_volume_bundle(
        tmp_path / "models",
        classes=classes,
        modality="CT",
        preprocessing={"channels": [Channel(name="CT", unit="HU", grey_values=HU_200)]},
    )
    return tmp_path / "models"


def test_a_bundle_of_volumes_reads_a_ct(ct, organs, tmp_path):
    done = run(ct, applications=["bundle-bright-things"], model_folders=[organs], out=tmp_path / "out")
    (reading,) = done.readings
    assert reading.status == "complete"
    (region,) = reading.regions
    assert region.n_voxels == 4 * 4 * 5
    (volume,) = reading.measurements
    assert volume.value == pytest.approx(80 * region.grid.voxel_volume_mm3 / 1000)
    assert {c.code for c in reading.conditions} >= {"model-imported", "model-without-guard"}
    assert [m.name for m in reading.provenance.models] == ["bright-things"]
    kinds = {pydicom.dcmread(path).Modality for path in (tmp_path / "out").rglob("*.dcm")}
    assert {"SEG", "SR"} <= kinds


def test_the_command_takes_a_model_by_its_name(ct, organs, monkeypatch, capsys):
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(organs))
    _, printed, _ = hu(monkeypatch, capsys, "read", ct, "--model", "bright-things", "--json")
    (reading,) = json.loads(printed)["readings"]
    assert reading["application"] == "bundle-bright-things"


def test_a_model_that_is_not_there(ct, organs):
    with pytest.raises(MissingModel, match="no model named 'bright-thing'"):
        run(ct, applications=["bundle-bright-thing"], model_folders=[organs])
    with pytest.raises(UsageError):
        run(ct, applications=["bundel-bright-things"], model_folders=[organs])


def test_two_classes_of_one_name_stay_apart(tmp_path):
    names = ("background", "Bright!", "bright")
    classes = [{"name": n, "value": n.upper(), "scheme": "99TEST", "meaning": n} for n in names]
    weights = {
        "layers.0.weight": np.zeros((1, 1, 3, 3, 3), np.float32),
        "layers.0.bias": np.zeros(1, np.float32),
        "head.weight": np.array([0.0, 1.0, 2.0], np.float32).reshape(3, 1, 1, 1, 1),
        "head.bias": np.array([0.0, -0.5, -1.03], np.float32),  # the third wins from 0.53, 272 HU, on
    }
    weights["layers.0.weight"][0, 0, 1, 1, 1] = 1.0
    write_volume_bundle(
        tmp_path / "models",
        weights=weights,
        classes=classes,
        network={
            "name": "meshnet",
            "arguments": {"n_classes": 3, "channels": 1, "dilations": [1], "norm": "none"},
        },
        modality="CT",
        preprocessing={"channels": [Channel(name="CT", unit="HU", grey_values=HU_200)]},
    )
    pixels = np.full((4, 8, 8), 40)
    pixels[1, 2:4], pixels[2, 2:4] = 230, 300
    write_ct(tmp_path / "study", pixels)
    (reading,) = run(
        tmp_path / "study", applications=["bundle-bright-things"], model_folders=[tmp_path / "models"]
    ).readings
    assert [(r.name, r.n_voxels) for r in reading.regions] == [("bright", 16), ("bright-2", 16)]


def test_channels_of_one_modality_are_told_apart_by_what_they_call_themselves(tmp_path):
    plain = GreyValues(way="unit-range", clip=False)
    channels = [Channel(name=n, modalities=("MR",), grey_values=plain) for n in ("FLAIR", "T1")]
    arguments = {"n_classes": 2, "in_channels": 2, "channels": 1, "dilations": [1], "norm": "none"}
    kernel = np.zeros((1, 2, 3, 3, 3), np.float32)
    kernel[0, 0, 1, 1, 1] = 1.0  # only FLAIR counts
    weights = {
        "layers.0.weight": kernel,
        "layers.0.bias": np.zeros(1, np.float32),
        "head.weight": np.array([0.0, 1.0], np.float32).reshape(2, 1, 1, 1, 1),
        "head.bias": np.array([0.0, -0.5], np.float32),
    }
    write_volume_bundle(
        tmp_path / "models",
        weights=weights,
        network={"name": "meshnet", "arguments": arguments},
        preprocessing={"channels": channels},
    )
    (tmp_path / "study").mkdir()
    rng = np.random.default_rng(0)
    for number, (description, bright) in enumerate((("ax T1 se", 3), ("ax FLAIR", 6))):
        values = rng.integers(0, 10, (8, 8, 8))
        values[:, :, bright] = 100
        for k, plane in enumerate(values):
            write_mr(tmp_path / "study" / f"{number}-{k}.dcm", k, plane, description)
    done = run(tmp_path / "study", applications=["bundle-bright-things"], model_folders=[tmp_path / "models"])
    (reading,) = done.readings
    assert reading.status == "complete"
    assert [(ref.role, ref.series) for ref in reading.inputs] == [
        ("flair", uid("ax FLAIR")),
        ("t1", uid("ax T1 se")),
    ]
    assert np.unique(np.argwhere(reading.regions[0].mask)[:, 2]).tolist() == [6]


def uid(description):
    return derive_uid("test", description)


def write_mr(path, k, plane, description):
    instance = ct_instance(k, shape_yx=plane.shape)
    instance.file_meta.MediaStorageSOPClassUID = instance.SOPClassUID = MRImageStorage
    instance.SOPInstanceUID = derive_uid("test", description, str(k))
    instance.file_meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
    instance.SeriesInstanceUID, instance.SeriesDescription = uid(description), description
    instance.Modality = "MR"
    for name in ("RescaleType", "RescaleSlope", "RescaleIntercept", "KVP"):
        delattr(instance, name)
    instance.PixelData = plane.astype("<u2").tobytes()
    instance.save_as(path, enforce_file_format=True)


def write_slice(folder):
    folder.mkdir()
    picture = head_slice()
    Picture.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(folder / "slice.png")
    return folder


def test_a_bundle_of_pictures_without_calibrator_gives_scores_alone(tmp_path):
    write_tiny_bundle(tmp_path / "models")
    study = write_slice(tmp_path / "study")
    (reading,) = run(
        study, applications=["bundle-brain-tumour-mr"], model_folders=[tmp_path / "models"]
    ).readings
    assert len(reading.findings) == 3
    assert {f.presence for f in reading.findings} == {"indeterminate"}
    assert all(f.probability is None and f.score is not None for f in reading.findings)
    assert {c.code for c in reading.conditions} >= {"model-without-guard", "model-not-calibrated"}


def test_a_calibrated_and_guarded_bundle_of_pictures(tmp_path):
    write_tiny_bundle(tmp_path / "models", calibrated=True, guarded=True)
    study = write_slice(tmp_path / "study")
    (reading,) = run(
        study, applications=["bundle-brain-tumour-mr"], model_folders=[tmp_path / "models"]
    ).readings
    assert {f.calibrator for f in reading.findings} == {"temperature"}
    assert reading.certainty.guard.verdict == "known"
    assert not {"model-without-guard", "model-not-calibrated"} & {c.code for c in reading.conditions}
    noise = tmp_path / "noise"
    noise.mkdir()
    rng = np.random.default_rng(0)
    Picture.fromarray(rng.integers(0, 255, (96, 80), dtype=np.uint8)).save(noise / "noise.png")
    (foreign,) = run(
        noise, applications=["bundle-brain-tumour-mr"], model_folders=[tmp_path / "models"]
    ).readings
    assert foreign.status == "refused"
    assert foreign.findings == ()


@pytest.mark.parametrize(
    ("said", "modalities"),
    [
        ("CT", ("CT",)),
        ("MRI (T1)", ("MR",)),
        ("X-ray", ("CR", "DX")),
        ("PET/CT", ("PT", "CT")),
        ("histology", ()),
    ],
)
def test_words_of_cards_become_modalities(said, modalities):
    assert dicom_modalities(said) == modalities


def test_regions_of_one_map_are_written_as_masks_of_their_own(ct, tmp_path, monkeypatch):
    """The map of labels is shared to save memory; what is written is the same, byte for byte."""
    from hounsfield.core import LabelRegion, Needs, Reading, Region, Role, applications
    from hounsfield.core.application import Application
    from hounsfield.core.code import LUNG, SPATIAL_CONCEPT

    written = []
    for kind in ("labels", "masks"):

        def read(inputs, kind=kind):
            grid = inputs["ct"].image().grid
            labels = np.zeros(grid.shape, dtype=np.uint8)
            labels[1:3, 2:6, 3:9], labels[3, 1:4, 2:5] = 1, 2
            make = {
                "labels": lambda k: LabelRegion(f"r{k}", LUNG, grid, (labels, k), category=SPATIAL_CONCEPT),
                "masks": lambda k: Region(f"r{k}", LUNG, grid, labels == k, category=SPATIAL_CONCEPT),
            }[kind]
            return Reading.complete(regions=[make(1), make(2)])

        role = Role("ct", modalities=("CT",), unit="HU")
        monkeypatch.setitem(
            applications._members, "tmp", Application("tmp", "t", "1.0.0", Needs((role,)), read)
        )
        done = run(ct, applications=["tmp"], out=tmp_path / kind)
        assert [r.n_voxels for r in done.readings[0].regions] == [2 * 4 * 6, 3 * 3]
        seg = next(path for path in (tmp_path / kind).rglob("segmentation.dcm"))
        masks = sorted((tmp_path / kind).rglob("*.nii.gz"))
        written.append((pydicom.dcmread(seg).PixelData, [path.read_bytes() for path in masks]))
    assert written[0] == written[1]
    assert len(written[0][1]) == 2
