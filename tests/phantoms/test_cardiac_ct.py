"""The cardiac phantom: what its truth says is what a count by hand finds in its voxels and files."""

from __future__ import annotations

from collections import deque

import numpy as np
import pydicom
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms import write_phantom
from hounsfield.phantoms.cardiac_ct import CardiacCtParameters, make_cardiac_ct
from hounsfield.studies import read_study

SMALL = {"matrix_px": 160, "field_of_view_mm": 240.0}
LIMITS_HU = (130, 200, 300, 400)


def scored_by_hand(phantom, mask, limits_hu=LIMITS_HU):
    """Agatston score and voxels counted, by walking from voxel to voxel: no library, no rule of this project."""
    z_mm, y_mm, x_mm = phantom.grid.spacing_mm
    open_places = {tuple(place) for place in np.argwhere(mask & (phantom.array >= limits_hu[0]))}
    score, n_kept = 0.0, 0
    while open_places:
        found, queue = [], deque([open_places.pop()])
        while queue:
            k, i, j = queue.popleft()
            found.append((k, i, j))
            around = [(k, i + di, j + dj) for di in (-1, 0, 1) for dj in (-1, 0, 1)]
            queue.extend(place for place in around if place in open_places)
            open_places.difference_update(around)
        area_mm2 = round(len(found) * y_mm * x_mm, 9)
        if area_mm2 >= 1.0:
            top = max(int(phantom.array[place]) for place in found)
            score += area_mm2 * sum(top >= limit for limit in limits_hu) * z_mm / 3.0
            n_kept += len(found)
    return score, n_kept


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("matrix_px", [160, 256])
def test_truth_is_what_a_count_by_hand_finds(seed, matrix_px):
    phantom = make_cardiac_ct(CardiacCtParameters(seed=seed, matrix_px=matrix_px, field_of_view_mm=240.0))
    total = 0.0
    for name in ("lm", "lad", "lcx", "rca"):
        score, n_voxels = scored_by_hand(phantom, phantom.masks[name])
        expected = phantom.truth.get(name, {"agatston": 0.0, "volume_mm3": 0.0})
        assert score == pytest.approx(expected["agatston"])
        assert n_voxels * phantom.grid.voxel_volume_mm3 == pytest.approx(expected["volume_mm3"])
        total += score
    assert total == pytest.approx(phantom.truth["total"]["agatston"])


def test_grain_counts_from_one_square_millimetre_on():
    def grain(field_of_view_mm):
        phantom = make_cardiac_ct(CardiacCtParameters(seed=4, field_of_view_mm=field_of_view_mm))
        return next(one for one in phantom.truth["plaques"] if one["shape"] == "grain")

    assert grain(256.0)["n_voxels"] == 1  # 1.0 mm2
    assert grain(240.0)["agatston"] == 0.0  # 0.88 mm2
    assert grain(240.0)["n_voxels"] == 0


def test_adapted_limits_hold_at_80_kv():
    phantom = make_cardiac_ct(CardiacCtParameters(seed=2, kvp=80, **SMALL))
    coronary = np.logical_or.reduce([phantom.masks[name] for name in ("lm", "lad", "lcx", "rca")])
    score, _ = scored_by_hand(phantom, coronary, (177, 271, 408, 544))
    assert score == pytest.approx(phantom.truth["total"]["agatston"])


@pytest.mark.parametrize("increment_mm", [1.5, 2.5])
def test_increment_scales_the_score(increment_mm):
    phantom = make_cardiac_ct(CardiacCtParameters(increment_mm=increment_mm, n_slices=64, **SMALL))
    coronary = np.logical_or.reduce([phantom.masks[name] for name in ("lm", "lad", "lcx", "rca")])
    assert scored_by_hand(phantom, coronary)[0] == pytest.approx(phantom.truth["total"]["agatston"])


def test_values_keep_away_from_the_limits_and_arteries_do_not_overlap():
    for seed in range(8):
        phantom = make_cardiac_ct(CardiacCtParameters(seed=seed, **SMALL))
        masks = [phantom.masks[name] for name in ("lm", "lad", "lcx", "rca")]
        assert np.sum(masks, axis=0).max() == 1
        values = phantom.array[np.logical_or.reduce(masks)].astype(int)
        assert not ((values > 124) & (values < 136)).any()


def test_noise_is_as_large_as_asked_and_leaves_the_truth():
    plain, noisy = (make_cardiac_ct(CardiacCtParameters(seed=5, noise_hu=hu, **SMALL)) for hu in (0.0, 12.0))
    assert (noisy.array.astype(int) - plain.array).std() == pytest.approx(12.0, rel=0.05)
    assert noisy.truth["total"] == plain.truth["total"]


def test_header_and_arteries_are_read_back(tmp_path):
    phantom = write_phantom("cardiac-ct", tmp_path, seed=3, regions="seg", **SMALL)
    study = read_study(tmp_path)
    (image,) = [s for s in study.series if s.kind == "image"]
    (given,) = [s for s in study.series if s.kind == "regions"]
    assert image.tags["KVP"] == 120
    assert image.tags["ContrastBolusAgent"] == "NONE"
    assert image.tags["CardiacSynchronizationTechnique"] == "PROSPECTIVE"
    drawn = {region.name: region for region in given.regions(image.grid)}
    assert {name: region.concept.value for name, region in drawn.items()} == {
        "lm": "3227004",
        "lad": "59438005",
        "lcx": "57396003",
        "rca": "13647002",
    }
    for name, region in drawn.items():
        np.testing.assert_array_equal(region.mask, phantom.masks[name])


@pytest.mark.parametrize(
    ("options", "keyword", "value"),
    [
        ({"contrast": "unstated"}, "ContrastBolusAgent", None),
        ({"contrast": "iodine-unstated"}, "ContrastBolusAgent", None),
        ({"contrast": "iodine"}, "ContrastBolusAgent", "Iohexol"),
        ({"gating": "unstated"}, "CardiacSynchronizationTechnique", None),
        ({"gating": "none"}, "CardiacSynchronizationTechnique", "NONE"),
        ({"kvp": 100}, "KVP", 100),
        ({"thickness_mm": 1.5}, "SliceThickness", 1.5),
        ({"kernel": "B70f"}, "ConvolutionKernel", "B70f"),
    ],
)
def test_header_says_what_was_asked(options, keyword, value, tmp_path):
    write_phantom("cardiac-ct", tmp_path, n_slices=8, matrix_px=64, n_plaques=0, **options)
    assert pydicom.dcmread(tmp_path / "dicom" / "00001.dcm").get(keyword) == value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_plaques": 21}, "n_plaques is 21, outside 0 to 20"),
        ({"contrast": "some"}, "contrast is 'some'"),
        ({"gating": "maybe"}, "gating is 'maybe'"),
        ({"n_plaques": 20, "n_slices": 8, "shift_mm": -20.0}, "no place along the"),
    ],
)
def test_what_cannot_be_shown_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        make_cardiac_ct(CardiacCtParameters(**options))
