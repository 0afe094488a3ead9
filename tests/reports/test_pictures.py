"""The pictures of a reading: marks at the right place of the patient, within their margins, and nothing hidden."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.reports import example_readings as examples
from tests.reports.example_readings import ALL_LAYOUTS, affine

from hounsfield.core import Grid, Image, Reading, Region
from hounsfield.core import code as codes
from hounsfield.reports.canvas import LEAST_WIDTH_PX, MARGIN_PX, outline, scale_bar_mm
from hounsfield.reports.colours import ON_DARK, ON_LIGHT, heat_scale
from hounsfield.reports.pictures import MOST_PICTURES, draw_pictures
from hounsfield.reports.planes import planes_of

SHAPE = (30, 30, 30)


def marked(directions):
    """A cube of 4 mm at the patient's left, back and head end, on a grid stored in any way."""
    grid = Grid(SHAPE, affine(directions, (1.0, 1.0, 1.0)), "1.2")
    centre_mm = grid.index_to_mm((np.array(SHAPE) - 1) / 2)
    index = np.stack(np.indices(SHAPE), axis=-1)
    off_mm = grid.index_to_mm(index) - centre_mm
    mask = (np.abs(off_mm - 8.0) <= 2.0).all(axis=-1)
    image = Image(np.where(mask, 400, 0).astype(np.int16), grid, "HU")
    return Reading.complete(regions=[Region("marker", codes.LESION, grid, mask)]), image


@pytest.mark.parametrize("directions", ALL_LAYOUTS[::5], ids=range(len(ALL_LAYOUTS[::5])))
def test_outline_lies_at_the_patients_left_back_and_head(directions):
    reading, image = marked(directions)
    pictures = draw_pictures(reading, image, None).pictures
    assert len(pictures) == 3
    for picture in pictures:
        rows, columns = np.nonzero((picture.rgb == ON_DARK[0]).all(axis=-1))
        plane = next(p for p in planes_of(image.grid) if picture.name.endswith(p.name))
        left_px = (picture.rgb.shape[1] - plane.shape_px[1]) // 2
        inside = (rows >= MARGIN_PX) & (rows < MARGIN_PX + plane.shape_px[0])
        centre = np.array([(rows[inside] - MARGIN_PX).mean(), (columns[inside] - left_px).mean()])
        off_mm = (centre - (np.array(plane.shape_px) - 1) / 2) * plane.mm_per_px
        # Right on the picture is left or back; down is back on the axial one, up is the head on the others.
        expected = (8.0, 8.0) if plane.name == "axial" else (-8.0, 8.0)
        np.testing.assert_allclose(off_mm, expected, atol=0.3)


def test_pictures_name_the_slice_that_they_were_drawn_on():
    reading, image, study = examples.lungs()
    pictures = draw_pictures(reading, image, study.series[0]).pictures
    axial = next(p for p in pictures if "axial" in p.name)
    assert axial.source == image.source[12]
    assert all(p.source is None for p in pictures if "axial" not in p.name)


def test_no_more_pictures_than_can_be_read_and_what_is_left_out_is_said():
    reading, image, study = examples.uptake(9)
    found = draw_pictures(reading, image, study.series[0] if study.series else None)
    assert len(found.pictures) <= MOST_PICTURES
    assert "of 9 regions" in found.omission
    names = [picture.name for picture in found.pictures]
    assert len(set(names)) == len(names)
    assert names[0] == "projection-coronal"


def test_map_is_drawn_over_the_slice_of_its_peak_with_its_scale():
    reading, image, study = examples.tumour()
    pictures = draw_pictures(reading, image, study.series[0]).pictures
    (drawn,) = [p for p in pictures if p.name == "map-grad-cam"]
    plain = next(p for p in pictures if p.name != "map-grad-cam")
    assert drawn.title == "Gradient-weighted class activation for meningioma"
    spread = np.ptp(drawn.rgb.astype(int), axis=-1)
    assert (spread > 60).sum() > (np.ptp(plain.rgb.astype(int), axis=-1) > 60).sum()


def test_image_without_any_region_is_shown_in_its_middle():
    reading, image, study = examples.lungs()
    bare = replace(reading, regions=(), measurements=(), findings=())
    assert len(draw_pictures(bare, image, study.series[0]).pictures) == 3


@pytest.mark.parametrize("width_px", [1, 2, 3])
def test_rim_lies_inside_the_region_and_is_that_wide(width_px):
    mask = np.zeros((40, 50), dtype=bool)
    mask[5:30, 8:44] = True
    rim = outline(mask, width_px=width_px)
    assert not (rim & ~mask).any()
    assert not rim[5 + width_px : 30 - width_px, 8 + width_px : 44 - width_px].any()
    assert rim.sum() == 25 * 36 - (25 - 2 * width_px) * (36 - 2 * width_px)


@pytest.mark.parametrize(("extent_mm", "length_mm"), [(300.0, 100), (299.0, 50), (60.0, 20), (2.0, 1)])
def test_scale_bar_is_a_round_number_of_at_most_a_third(extent_mm, length_mm):
    assert scale_bar_mm(extent_mm) == length_mm


def test_picture_is_wide_enough_for_its_words():
    reading, image = marked(ALL_LAYOUTS[0])
    for picture in draw_pictures(reading, image, None).pictures:
        assert picture.rgb.shape[1] >= LEAST_WIDTH_PX + 2 * MARGIN_PX


def test_colours_of_regions_differ_from_each_other_and_from_grey():
    for palette in (ON_DARK, ON_LIGHT):
        assert len(set(palette)) == len(palette)
    assert all(max(colour) - min(colour) > 60 for colour in ON_LIGHT)


def test_heat_grows_evenly_lighter():
    """Rec. 709 luminance of the scale, of 256 steps, never falls."""
    linear = (heat_scale() / 255.0) ** 2.2
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > -2e-3).all()
    assert luminance[-1] > 10 * luminance[0]
