"""The abdomen phantom: its truth against its own voxels, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.abdomen_ct import AREAS, AbdomenCtParameters, make_abdomen_ct
from hounsfield.studies import read_study

SMALL = {"n_slices": 64, "matrix_px": 160}


@pytest.fixture(scope="module")
def noiseless():
    return make_abdomen_ct(AbdomenCtParameters(seed=7, noise_hu=0.0, **SMALL))


def test_organs_have_the_volume_of_their_axes(noiseless):
    """No organ is cut by another, by the wall or by the ends of the scan."""
    for name, organ in noiseless.truth["organs"].items():
        volume_ml = noiseless.masks[name].sum() * noiseless.grid.voxel_volume_mm3 / 1000
        assert volume_ml == pytest.approx(organ["volume_ml"], rel=0.03), name
        assert organ["volume_ml"] == pytest.approx(4 / 3 * np.pi * np.prod(organ["axes_mm"]) / 1000, rel=1e-4)
        centre = noiseless.grid.index_to_mm(np.argwhere(noiseless.masks[name]).mean(axis=0))
        np.testing.assert_allclose(centre, organ["centre_mm"], atol=2.0)


def test_organs_have_the_stated_density_inside(noiseless):
    from scipy import ndimage

    for name, organ in noiseless.truth["organs"].items():
        inside = (
            ndimage.binary_erosion(noiseless.masks[name], iterations=2) & ~noiseless.masks["liver-lesions"]
        )
        if inside.any():
            assert np.median(noiseless.array[inside]) == pytest.approx(organ["hu"], abs=1.0), name


def test_lesions_lie_in_the_liver(noiseless):
    assert len(noiseless.truth["lesions"]) == 2
    lesions = noiseless.masks["liver-lesions"]
    assert (noiseless.masks["liver"] | ~lesions).all()
    total_ml = sum(lesion["volume_ml"] for lesion in noiseless.truth["lesions"])
    assert lesions.sum() * noiseless.grid.voxel_volume_mm3 / 1000 == pytest.approx(total_ml, rel=0.15)


def test_areas_are_those_of_the_masks(noiseless):
    pixel_cm2 = np.prod(noiseless.grid.spacing_mm[1:]) / 100
    for name in AREAS:
        of_masks = noiseless.masks[name].sum(axis=(1, 2)) * pixel_cm2
        np.testing.assert_allclose(of_masks, noiseless.truth["areas_cm2"][name], rtol=0.02)
    overlap = sum(noiseless.masks[name].astype(int) for name in AREAS)
    assert overlap.max() == 1


def test_l3_lies_at_0_mm_and_its_bone_around_it(noiseless):
    k = noiseless.truth["levels"]["L3"]["slice"]
    assert noiseless.grid.index_to_mm(np.array([k, 0.0, 0.0]))[2] == pytest.approx(0.0, abs=0.01)
    slices = np.flatnonzero(noiseless.masks["l3-vertebra"].any(axis=(1, 2)))
    assert slices.mean() == pytest.approx(k, abs=0.6)
    assert slices.size * noiseless.grid.spacing_mm[0] == pytest.approx(28.0, abs=4.1)


def test_vertebra_is_read_back_from_its_segmentation_by_code(tmp_path):
    phantom = write_phantom("abdomen-ct", tmp_path, seed=8, n_slices=40, matrix_px=64, regions="seg")
    study = read_study(tmp_path)
    (image,) = [s for s in study.series if s.kind == "image"]
    (seg,) = [s for s in study.series if s.kind == "regions"]
    (region,) = seg.regions(image.grid)
    assert (region.concept.value, region.concept.scheme) == ("36470004", "SCT")
    np.testing.assert_array_equal(region.mask, phantom.masks["l3-vertebra"])
    assert json.loads((tmp_path / "truth.json").read_text())["l3_slice"] == phantom.truth["l3_slice"]
    assert image.tags["PatientSize"] == pytest.approx(1.7)
    assert image.tags["PatientSex"] == "F"


def test_size_that_is_not_to_be_stated_is_not(tmp_path):
    write_phantom("abdomen-ct", tmp_path, n_slices=8, matrix_px=64, height_m=None, weight_kg=None)
    (image,) = read_study(tmp_path).series
    assert image.tags.get("PatientSize") is None
    assert image.tags.get("PatientWeight") is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fat_mm": 4.0}, "fat_mm is 4.0, outside 5 to 50"),
        ({"field_of_view_mm": 200.0}, "field_of_view_mm is 200.0"),
        ({"lesion_diameters_mm": (40.0,)}, "lesion_diameters_mm is 40.0"),
        ({"contrast": "gadolinium"}, "choose one of unstated, none, iodine"),
        ({"sex": "X"}, "choose one of F, M"),
        ({"height_m": 170.0}, "height_m is 170.0"),
        ({"weight_kg": 7.0}, "weight_kg is 7.0"),
    ],
)
def test_what_it_cannot_show_is_refused(options, words):
    with pytest.raises(UsageError, match=words):
        AbdomenCtParameters(**options)


def test_too_many_lesions_find_no_place():
    with pytest.raises(UsageError, match="no place in the liver for a lesion of 30 mm"):
        make_abdomen_ct(AbdomenCtParameters(n_slices=8, matrix_px=64, lesion_diameters_mm=(30.0,) * 30))
