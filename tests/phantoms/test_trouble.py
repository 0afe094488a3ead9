"""Every trouble of a phantom: the reader tells it, the truth is kept, the objects are valid and say what they are."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pydicom
import pytest
from scipy import ndimage

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import Trouble, write_phantom
from hounsfield.phantoms.truth_files import read_masks
from hounsfield.studies import read_study

CHEST = {"n_slices": 24, "matrix_px": 64, "extent_mm": 100.0}
PET = {"n_slices": 40, "matrix_px": 64, "noise": 0.0, "regions": "seg"}
MISSING, TILT, DOUBLE = (
    ("slices-missing", "warning"),
    ("gantry-tilt", "warning"),
    ("duplicate-positions", "refusal"),
)
# Kind, trouble, and what the reader has to say of the images; a PET's slices have each their own slope.
CASES = {
    "ct": ("chest-ct", {}, set()),
    "ct-tilt": ("chest-ct", {"tilt_deg": 12.0}, {TILT}),
    "ct-enhanced": ("chest-ct", {"enhanced": True, "oblique_deg": -25.0}, set()),
    "ct-enhanced-all": (
        "chest-ct",
        {"enhanced": True, "gap": (10, 11), "compression": "rle", "flip": True},
        {MISSING},
    ),
    "pet": ("fdg-pet", {}, set()),
    "pet-gap": ("fdg-pet", {"gap": (14, 14)}, {MISSING}),
    "pet-flip": ("fdg-pet", {"flip": True}, set()),
    "pet-oblique": ("fdg-pet", {"oblique_deg": 30.0}, set()),
    "pet-jpeg-ls": ("fdg-pet", {"compression": "jpeg-ls"}, set()),
    "pet-rle": ("fdg-pet", {"compression": "rle"}, set()),
    "pet-jpeg-2000": ("fdg-pet", {"compression": "jpeg-2000"}, set()),
    "pet-shuffle": ("fdg-pet", {"shuffle": True}, set()),
    "pet-duplicate": ("fdg-pet", {"duplicate": True}, {DOUBLE}),
    "pet-much": ("fdg-pet", {"flip": True, "oblique_deg": 20.0, "shuffle": True, "gap": (9, 10)}, {MISSING}),
}
USUAL = {"chest-ct": set(), "fdg-pet": {("rescale-per-slice", "note")}}
OPTIONS = {"chest-ct": CHEST, "fdg-pet": PET}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Folder and phantom as stored, by case."""
    made = {}

    def written(case):
        if case not in made:
            kind, trouble, _ = CASES[case]
            folder = tmp_path_factory.mktemp(case)
            made[case] = (
                folder,
                write_phantom(kind, folder, seed=3, trouble=Trouble(**trouble), **OPTIONS[kind]),
            )
        return made[case]

    return written


def image_series(folder):
    (series,) = [s for s in read_study(folder).series if s.kind == "image"]
    return series


@pytest.mark.parametrize("case", CASES)
def test_reader_tells_this_and_nothing_else(case, written):
    kind, _, expected = CASES[case]
    found = {(c.code, c.severity) for c in image_series(written(case)[0]).conditions}
    assert found == expected | USUAL[kind]


@pytest.mark.parametrize("case", [case for case in CASES if case not in {"pet-duplicate", "ct-tilt"}])
def test_every_voxel_is_where_the_truth_has_it(case, written):
    folder, phantom = written(case)
    image = image_series(folder).image()
    left_out = set(Trouble(**CASES[case][1]).left_out(phantom.grid.shape[0]))
    rng = np.random.default_rng(0)
    for index in rng.integers(0, phantom.grid.shape, (40, 3)):
        at = image.grid.mm_to_index(phantom.grid.index_to_mm(index))
        there = tuple(np.rint(at).astype(int))
        assert np.abs(at - there).max() < 0.02
        if index[0] in left_out:
            assert image.padding[there]
        else:
            assert image.array[there] == pytest.approx(phantom.array[tuple(index)], rel=1e-3, abs=2e-3)


def test_straightened_slices_of_a_tilted_gantry_hold_the_tissue_of_the_truth(tmp_path):
    phantom = write_phantom("chest-ct", tmp_path, trouble=Trouble(tilt_deg=12.0), noise_hu=0.0, **CHEST)
    image = image_series(tmp_path).image()
    index = np.stack(np.indices(phantom.grid.shape), axis=-1)[4:-4, 8:-8, 8:-8].reshape(-1, 3)
    at = image.grid.mm_to_index(phantom.grid.index_to_mm(index))
    truth = phantom.array[tuple(index.T)]

    def difference_hu(shift_px):
        """Mean difference to the truth if the rows lay that many pixels farther."""
        shifted = at + np.array([0.0, shift_px, 0.0])
        found = ndimage.map_coordinates(image.array.astype(float), shifted.T, order=1)
        return float(np.abs(found - truth).mean())

    # The grid lies where the tissue is: half a pixel to either side fits worse, a whole one far worse.
    assert difference_hu(0.0) < min(difference_hu(-0.5), difference_hu(0.5))
    assert difference_hu(0.0) < 0.5 * min(difference_hu(-1.0), difference_hu(1.0))


@pytest.mark.parametrize("case", CASES)
def test_truth_is_that_of_the_plain_phantom(case, written):
    """Nothing that trouble does to the files changes how much there is of anything."""
    folder, phantom = written(case)
    truth = json.loads((folder / "truth.json").read_text("utf-8"))
    masks, (_, plain) = read_masks(folder), written("ct" if case.startswith("ct") else "pet")
    assert truth["grid"]["shape_zyx"] == list(phantom.grid.shape)
    np.testing.assert_allclose(truth["grid"]["affine_zyx_to_lps_mm"], phantom.grid.affine)
    assert truth["trouble"] == json.loads(json.dumps(Trouble(**CASES[case][1]).to_json()))
    assert set(masks) == set(plain.masks)
    # Slices of a tilted gantry cut the anatomy askew, at other places.
    tolerance = 0.1 if case == "ct-tilt" else 0.0
    for name, mask in plain.masks.items():
        if mask.sum() > 200:
            assert masks[name].sum() == pytest.approx(mask.sum(), rel=tolerance)


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("pet")])
def test_centre_of_each_sphere_holds_its_uptake(case, written):
    _, phantom = written(case)
    for sphere in phantom.truth["spheres"]:
        index = np.rint(phantom.grid.mm_to_index(np.array(sphere["centre_mm"]))).astype(int)
        assert phantom.masks[sphere["name"]][tuple(index)], sphere["name"]


@pytest.mark.parametrize("case", CASES)
def test_every_object_says_that_it_is_synthetic(case, written):
    for path in (written(case)[0] / "dicom").iterdir():
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        assert "synthetic" in str(ds.PatientName).lower()
        assert "synthetic" in f"{ds.get('StudyDescription')} {ds.get('SeriesDescription')}".lower()


@pytest.mark.peer
@pytest.mark.parametrize("case", CASES)
def test_dciodvfy_finds_no_error(case, written, peer_program):
    paths = sorted((written(case)[0] / "dicom").iterdir())
    for path in {paths[0], paths[len(paths) // 2], paths[-1]}:
        done = subprocess.run(
            [peer_program("dciodvfy"), str(path)], capture_output=True, check=False, timeout=60
        )
        lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
        assert [line for line in lines if line.startswith("Error")] == [], path.name


@pytest.mark.peer
def test_dciodvfy_finds_no_error_in_contours(tmp_path, peer_program):
    write_phantom("fdg-pet", tmp_path, seed=3, **{**PET, "regions": "rtstruct"})
    (path,) = [p for p in (tmp_path / "dicom").iterdir() if pydicom.dcmread(p).Modality == "RTSTRUCT"]
    done = subprocess.run([peer_program("dciodvfy"), str(path)], capture_output=True, check=False, timeout=60)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    assert [line for line in lines if line.startswith("Error")] == []


@pytest.mark.parametrize(
    ("kind", "trouble", "says"),
    [
        ("fdg-pet", {"tilt_deg": 5.0}, "fdg-pet cannot show the trouble tilt_deg"),
        ("fdg-pet", {"enhanced": True}, "cannot show the trouble enhanced: it can show compression"),
        ("chest-ct", {"gap": (20, 23)}, "leaves no slice behind it"),
    ],
)
def test_trouble_that_no_such_study_has_is_refused_before_anything_is_written(kind, trouble, says, tmp_path):
    with pytest.raises(UsageError, match=says):
        write_phantom(kind, tmp_path / "new", trouble=Trouble(**trouble), **OPTIONS[kind])
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        ({"tilt_deg": 31.0}, "-30 to 30"),
        ({"oblique_deg": 46.0}, "-45 to 45"),
        ({"tilt_deg": 5.0, "oblique_deg": 5.0}, "exclude each other"),
        ({"compression": "zip"}, "choose jpeg-ls, rle, jpeg-2000"),
        ({"enhanced": True, "shuffle": True}, "an enhanced object is one file"),
        ({"gap": (0, 3)}, "first and last slice left out"),
    ],
)
def test_combinations_that_no_study_has(trouble, says):
    with pytest.raises(UsageError, match=says):
        Trouble(**trouble)


def test_unknown_phantom_and_parameter_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"no phantom named 'chest-c'\. Did you mean 'chest-ct'"):
        write_phantom("chest-c", tmp_path / "new")
    with pytest.raises(UsageError, match="no parameter slices; it has seed"):
        write_phantom("chest-ct", tmp_path / "new", slices=3)
    with pytest.raises(UsageError, match="regions is 'nifti'; choose seg or rtstruct"):
        write_phantom("fdg-pet", tmp_path / "new", regions="nifti")
    assert not (tmp_path / "new").exists()
