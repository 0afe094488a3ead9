"""Regions given with a study are inputs of a reading, if and only if the application asked for them."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from tests.tiny_dicom import write_ct_series

import hounsfield
from hounsfield.core import Needs, Reading, Role, applications
from hounsfield.core.application import Application
from hounsfield.imaging.affine import ras_xyz_from_lps_zyx
from hounsfield.studies import read_study

NEEDS = Needs((Role("thorax", modalities=("CT",), unit="HU"), Role("lesion", kind="regions", optional=True)))


@pytest.fixture
def read(monkeypatch):
    """Read a folder with an application that asks for the given regions, or with one that does not."""

    def read(folder, *, asks=True):
        def run(inputs):
            return Reading.complete(regions=inputs.given_regions("thorax") if asks else ())

        monkeypatch.setitem(applications._members, "given", Application("given", "Given", "1", NEEDS, run))
        (reading,) = hounsfield.read(folder, applications=["given"])
        return reading

    return read


def study(folder, *, last_column):
    write_ct_series(folder, 5)
    (series,) = read_study(folder).series
    mask = np.zeros(series.grid.shape, dtype=np.uint8)
    mask[1:3, 4:6, 7:last_column] = 1
    affine = ras_xyz_from_lps_zyx(series.grid.affine)
    nib.save(nib.Nifti1Image(mask.transpose(2, 1, 0), affine), folder / "lesion_mask.nii.gz")
    return folder


def test_regions_that_were_asked_for_are_inputs_with_their_conditions(tmp_path, read):
    reading = read(study(tmp_path, last_column=9))
    assert [region.name for region in reading.regions] == ["lesion-mask"]
    reference = reading.inputs[1]
    assert (reference.role, reference.files) == ("regions", ("lesion_mask.nii.gz",))
    assert len(reference.pixel_sha256) == 64
    assert "mask-by-name" in [condition.code for condition in reading.conditions]


def test_regions_nobody_asked_for_are_none(tmp_path, read):
    reading = read(study(tmp_path, last_column=9), asks=False)
    assert len(reading.inputs) == 1
    assert "mask-by-name" not in [condition.code for condition in reading.conditions]


def test_uid_follows_from_the_marked_voxels(tmp_path, read):
    narrow, wide = study(tmp_path / "a", last_column=9), study(tmp_path / "b", last_column=10)
    assert read(narrow).uid == read(narrow).uid
    assert read(narrow).uid != read(wide).uid
    assert read(narrow, asks=False).uid == read(wide, asks=False).uid
    assert read(narrow).inputs[0].pixel_sha256 == read(wide).inputs[0].pixel_sha256
