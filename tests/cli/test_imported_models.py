"""From `hounsfield models import` to `hounsfield read`: an exported nnU-Net and a MONAI bundle read a CT as DICOM and as NIfTI."""

import json

import nibabel as nib
import numpy as np
import pydicom
import pytest
from tests.cli.test_command import hu
from tests.tiny_dicom import ct_instance
from tests.tiny_nnunet import CASES, volumes, write_volumes
from tests.zoo.test_nnunet import trained, zipped

pytest.importorskip("torch")

pytestmark = pytest.mark.slow

CASE = CASES["as-it-is"]


@pytest.fixture
def ask(monkeypatch, capsys, tmp_path):
    """The command with a models folder of its own; it must end well."""
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(tmp_path / "installed"))

    def command(*words):
        code, printed, said = hu(monkeypatch, capsys, *words)
        assert code == 0, said
        return printed

    return command


def write_ct(folder):
    folder.mkdir()
    for k, plane in enumerate(volumes(CASE)[0]):
        instance = ct_instance(
            k, shape_yx=plane.shape, spacing_mm=CASE.spacing_mm, origin_mm=(-31.0, 22.0, 14.0)
        )
        instance.PixelData = (plane + 1024).astype("<u2").tobytes()
        instance.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)
    return folder


def reading(out):
    return json.loads(next(out.rglob("reading.json")).read_text())


def volume_ml(record):
    return {m["region_names"][0] if "region_names" in m else str(m.get("regions")): m["value"] for m in record["measurements"]}


def test_an_exported_nnunet_reads_a_ct(ask, tmp_path):
    folder = trained(CASE, tmp_path)
    ask("models", "import", zipped(folder, tmp_path / "export.zip", root=tmp_path), "--name", "parts")
    ask("read", write_ct(tmp_path / "ct"), "--model", "parts", "--out", tmp_path / "from-dicom")
    nifti = write_volumes(CASE, tmp_path)[0]
    ask("read", nifti, "--state", f"{nifti.name}=CT:HU", "--model", "parts", "--out", tmp_path / "from-nifti")
    seg = next(
        dataset
        for path in (tmp_path / "from-dicom").rglob("*.dcm")
        if (dataset := pydicom.dcmread(path)).Modality == "SEG"
    )
    named = {item.SegmentLabel for item in seg.SegmentSequence}
    masks = {path.name.split(".")[0]: nib.load(path) for path in (tmp_path / "from-nifti").rglob("masks/*.nii.gz")}
    assert len(named) == len(masks) > 1
    dicom, other = reading(tmp_path / "from-dicom"), reading(tmp_path / "from-nifti")
    assert dicom["status"] == other["status"] == "complete"
    assert volume_ml(dicom) == pytest.approx(volume_ml(other))
    voxels = sum(int(np.count_nonzero(mask.dataobj)) for mask in masks.values())
    assert sum(volume_ml(other).values()) == pytest.approx(voxels * 1.5 / 1000, rel=1e-3)


def test_a_monai_bundle_reads_a_ct(ask, tmp_path):
    pytest.importorskip("monai")
    from tests.tiny_monai_bundles import write_monai_bundle

    ask("models", "import", write_monai_bundle("spleen_ct_segmentation", tmp_path))
    ask("read", write_ct(tmp_path / "ct"), "--model", "spleen-ct-segmentation", "--out", tmp_path / "out")
    found = reading(tmp_path / "out")
    assert found["status"] == "complete"
    assert "model-imported" in {condition["code"] for condition in found["conditions"]}
