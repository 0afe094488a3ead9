"""What every registered phantom must do, at its usual size: valid, labelled, repeatable, readable, told in the list."""

from __future__ import annotations

import hashlib
import json
import subprocess

import numpy as np
import pydicom
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import PhantomStudy, Trouble, phantom_kinds, write_phantom
from hounsfield.phantoms.truth_files import read_masks
from hounsfield.studies import read_study

KINDS = {kind.card.name: kind.card for kind in phantom_kinds}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder and phantom of a kind, written once."""
    made = {}

    def written(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            made[kind] = folder, write_phantom(kind, folder, seed=5)
        return made[kind]

    return written


def objects_of(folder):
    return [
        pydicom.dcmread(path, stop_before_pixels=True) for path in sorted((folder / "dicom").rglob("*.dcm"))
    ]


def images_of(phantom):
    return phantom.images if isinstance(phantom, PhantomStudy) else {"": phantom}


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_what_it_is(kind):
    told = KINDS[kind]
    assert told.name == kind
    assert told.summary.endswith(".")
    assert told.sources
    assert told.parameters().seed == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_is_labelled_synthetic(kind, written):
    folder, _ = written(kind)
    objects = objects_of(folder)
    assert objects
    for ds in objects:
        assert "Synthetic" in str(ds.PatientName)
        assert "Research use only" in ds.PatientComments
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    assert "Research use only" in truth["notice"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_object_of_each_series_is_valid(kind, written, peer_program):
    folder, _ = written(kind)
    of_series = {}
    for path in sorted((folder / "dicom").rglob("*.dcm")):
        of_series.setdefault(pydicom.dcmread(path, stop_before_pixels=True).SeriesInstanceUID, path)
    for path in of_series.values():
        said = subprocess.run([peer_program("dciodvfy"), path], capture_output=True, text=True, check=False)
        lines = (said.stdout + said.stderr).splitlines()
        assert [line for line in lines if line.startswith("Error")] == [], path.name


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_read_without_a_refusal(kind, written):
    folder, phantom = written(kind)
    study_series = (
        [s for s in read_study(folder).series if s.kind in {"image", "cine"}] if _days(phantom) == 1 else []
    )
    refusals = [c for s in study_series for c in s.conditions if c.severity == "refusal"]
    assert refusals == []


def _days(phantom):
    return len({image.day for image in images_of(phantom).values()})


@pytest.mark.parametrize("kind", KINDS)
def test_masks_lie_on_the_grids_of_the_truth(kind, written):
    folder, phantom = written(kind)
    for name, image in images_of(phantom).items():
        masks = read_masks(folder, name)
        assert set(masks) == set(image.masks)
        for label, mask in masks.items():
            assert mask.shape == image.array.shape[-3:], label
            # The frames of a cine share a grid of one slice.
            assert image.grid.shape[0] in {1, mask.shape[0]}
            assert image.grid.shape[1:] == mask.shape[1:]
            np.testing.assert_array_equal(mask, image.masks[label])


def digest(folder):
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".npz":
            found.update(path.read_bytes())
    return found.hexdigest()


@pytest.mark.parametrize("kind", KINDS)
def test_equal_seeds_give_equal_bytes_and_others_do_not(kind, written, tmp_path):
    folder, _ = written(kind)
    write_phantom(kind, tmp_path / "same", seed=5)
    write_phantom(kind, tmp_path / "other", seed=6)
    assert digest(tmp_path / "same") == digest(folder)
    assert digest(tmp_path / "other") != digest(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_parameters_and_trouble_are_refused_before_anything_is_written(kind, tmp_path):
    with pytest.raises(UsageError, match="seed"):
        write_phantom(kind, tmp_path / "new", seed=-1)
    with pytest.raises(UsageError, match="no parameter colour"):
        write_phantom(kind, tmp_path / "new", colour="red")
    unfit = {"tilt_deg": 5.0, "enhanced": True, "flip": True}
    for name in set(unfit) - KINDS[kind].troubles:
        with pytest.raises(UsageError, match=f"cannot show the trouble {name}"):
            write_phantom(kind, tmp_path / "new", trouble=Trouble(**{name: unfit[name]}))
    assert not (tmp_path / "new").exists()
