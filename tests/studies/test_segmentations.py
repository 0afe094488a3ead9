"""Segmentations of another maker (highdicom), read on the slices of a tiny CT; 7 x 9 pixels fill no whole bytes."""

from __future__ import annotations

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless
from tests.studies.reading import codes, condition, save
from tests.tiny_dicom import ct_instance

from hounsfield.studies import read_study
from hounsfield.studies.instances import read_instance
from hounsfield.studies.sources import find_sources

SHAPE = (5, 7, 9)
KINDS = [
    ("BINARY", ExplicitVRLittleEndian),
    ("LABELMAP", ExplicitVRLittleEndian),
    ("LABELMAP", RLELossless),
    ("LABELMAP", JPEGLSLossless),
    ("FRACTIONAL", ExplicitVRLittleEndian),
    ("FRACTIONAL", RLELossless),
]


def slices():
    return [ct_instance(k, shape_yx=SHAPE[1:]) for k in range(SHAPE[0])]


def labels_of(n_segments):
    """Segments 1..n on the inner slices, each voxel of another than its neighbours."""
    labels = np.arange(np.prod(SHAPE)).reshape(SHAPE) % (n_segments + 1)
    labels[[0, -1]] = 0
    return labels.astype(np.uint8)


def segmentation(pixels, kind="BINARY", syntax=ExplicitVRLittleEndian, n_segments=3, sources=None):
    code = hd.sr.CodedConcept("39607008", "SCT", "Lung")
    return hd.seg.Segmentation(
        source_images=sources or slices(),
        pixel_array=pixels,
        segmentation_type=kind,
        segment_descriptions=[
            hd.seg.SegmentDescription(number, f"part {number}", code, code, "MANUAL")
            for number in range(1, n_segments + 1)
        ],
        series_instance_uid="2.25.21",
        series_number=2,
        sop_instance_uid="2.25.22",
        instance_number=1,
        manufacturer="Synthetic",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        transfer_syntax_uid=syntax,
    )


def beside_image(folder, seg):
    """The image and the segmentation of a study that holds both."""
    return read_study(save(folder, [*slices(), seg])).series


@pytest.mark.parametrize(("kind", "syntax"), KINDS)
def test_every_kind_is_read_voxel_by_voxel(tmp_path, kind, syntax):
    image, series = beside_image(tmp_path, segmentation(labels_of(3), kind, syntax))
    found = series.regions(image.grid)
    assert [region.name for region in found] == ["part-1", "part-2", "part-3"]
    for number, region in enumerate(found, start=1):
        np.testing.assert_array_equal(region.mask, labels_of(3) == number)


def test_label_map_of_many_segments(tmp_path):
    image, series = beside_image(tmp_path, segmentation(labels_of(40), "LABELMAP", n_segments=40))
    for number, region in enumerate(series.regions(image.grid), start=1):
        np.testing.assert_array_equal(region.mask, labels_of(40) == number)


def test_half_of_the_largest_fraction_belongs_to_the_segment(tmp_path):
    fractions = np.zeros((*SHAPE, 1), dtype=np.float32)
    fractions[2, 3, 2:6, 0] = 0.2, 0.49, 0.51, 1.0
    image, series = beside_image(tmp_path, segmentation(fractions, "FRACTIONAL", n_segments=1))
    [region] = series.regions(image.grid)
    assert [list(index) for index in np.argwhere(region.mask)] == [[2, 3, 4], [2, 3, 5]]


def test_frames_of_one_segment_in_one_place_are_joined(tmp_path):
    seg = segmentation((labels_of(3) == 1).astype(np.uint8), n_segments=1)
    first, second, _ = seg.PerFrameFunctionalGroupsSequence
    second.PlanePositionSequence = first.PlanePositionSequence
    image, series = beside_image(tmp_path, seg)
    [region] = series.regions(image.grid)
    marked = labels_of(3) == 1
    # highdicom begins with the last slice.
    np.testing.assert_array_equal(region.mask[3], marked[3] | marked[2])
    assert not region.mask[2].any()


def test_frames_beyond_the_image_are_left_out(tmp_path):
    seg = segmentation(labels_of(3))
    image, series = read_study(save(tmp_path, [*slices()[:3], seg])).series
    for number, region in enumerate(series.regions(image.grid), start=1):
        np.testing.assert_array_equal(region.mask, labels_of(3)[:3] == number)


def without_step(marked):
    """A segmentation of these slices that states neither their distance nor their thickness."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[list(marked), 3, 4] = 1
    seg = segmentation(mask, n_segments=1)
    measures = seg.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]
    del measures.SpacingBetweenSlices, measures.SliceThickness
    return seg, mask.astype(bool)


@pytest.mark.parametrize("marked", [(0, 2, 4), (0, 4), (1, 2), (3,)])
def test_unstated_step_is_that_of_the_image(tmp_path, marked):
    seg, mask = without_step(marked)
    image, series = beside_image(tmp_path, seg)
    [region] = series.regions(image.grid)
    np.testing.assert_array_equal(region.mask, mask)
    assert series.grid.spacing_mm == pytest.approx(image.grid.spacing_mm)
    assert series.grid.shape[0] == marked[-1] - marked[0] + 1
    assert codes(series) == []


def test_unstated_step_without_image_is_told(tmp_path):
    seg, _ = without_step((0, 2, 4))
    [series] = read_study(save(tmp_path, [seg])).series
    assert series.grid.spacing_mm[0] == pytest.approx(5.0)
    said = condition(series, "segmentation-step-unstated")
    assert said.severity == "warning"
    assert "5 mm was assumed" in said.text


def test_unstated_step_beside_an_image_of_other_slices_is_told(tmp_path):
    seg, _ = without_step((0, 2, 4))
    others = [ct_instance(k, shape_yx=SHAPE[1:], spacing_mm=(1.9, 0.8, 0.7)) for k in range(SHAPE[0])]
    _, series = read_study(save(tmp_path, [*others, seg])).series
    assert "segmentation-step-unstated" in codes(series)


def test_stated_step_is_a_slab_on_thinner_slices(tmp_path):
    """Slices of 5 mm stay 5 mm thick on an image of 2.5 mm: every other voxel would halve the volume."""
    thick = [ct_instance(k, shape_yx=SHAPE[1:], spacing_mm=(5.0, 0.8, 0.7)) for k in range(3)]
    mask = np.zeros((3, *SHAPE[1:]), dtype=np.uint8)
    mask[:, 3, 4] = 1
    seg = segmentation(mask, n_segments=1, sources=thick)
    image, series = beside_image(tmp_path, seg)
    [region] = series.regions(image.grid)
    assert region.mask[:, 3, 4].sum() >= 4
    assert "segmentation-resampled" in codes(series)


def test_file_cut_off_within_its_bits_is_refused(tmp_path):
    folder = save(tmp_path, [segmentation(labels_of(3))])
    file = folder / "0000.dcm"
    n_bytes = len(pydicom.dcmread(file).PixelData)
    file.write_bytes(file.read_bytes()[: -n_bytes // 2])
    [series] = read_study(folder).series
    assert "was cut off" in condition(series, "segmentation-refused").text


def test_segment_of_every_frame_is_known_from_the_first_look(tmp_path):
    folder = save(tmp_path, [segmentation(labels_of(3))])
    [source] = find_sources(folder)
    assert [frame.segment_number for frame in read_instance(source).frames] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
