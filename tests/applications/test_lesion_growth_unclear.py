"""What lesion_growth says where it is not clear which lesion is which: balls on small grids, without files."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest
from tests.applications.growth_studies import codes_of

from hounsfield.applications.lesion_growth import read_lesion_growth
from hounsfield.core import Code, Grid, Image, Inputs, Region, Series, Study
from hounsfield.core.code import ANATOMICAL_STRUCTURE, LESION, LYMPH_NODE, MORPHOLOGICALLY_ABNORMAL_STRUCTURE

AFFINE = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]])
LIVER = Code("10200004", "SCT", "Liver")


def grid_of(shape=(30, 80, 80), affine=AFFINE):
    return Grid(shape, affine, "2.25.1")


def ball(name, centre_mm, diameter_mm, grid=None, **more):
    """A lesion around (x, y, z)."""
    grid = grid or grid_of()
    places = grid.index_to_mm(np.stack(list(np.mgrid[tuple(slice(0, n) for n in grid.shape)]), axis=-1))
    mask = np.linalg.norm(places - np.asarray(centre_mm), axis=-1) <= diameter_mm / 2
    values = {"concept": LESION, "category": MORPHOLOGICALLY_ABNORMAL_STRUCTURE, **more}
    return Region(name, grid=grid, mask=mask, **values)


def visit(day, *regions, grid=None, **tags):
    grid = grid or grid_of()
    rng = np.random.default_rng(day)
    image = Image(rng.integers(0, 100, grid.shape).astype(np.int16), grid, "HU")
    scan = Series(
        f"scan-{day}",
        "image",
        "CT",
        unit="HU",
        grid=grid,
        tags=MappingProxyType(tags),
        load_image=lambda: image,
    )
    drawn = Series(
        f"seg-{day}",
        "regions",
        "SEG",
        tags=MappingProxyType({"referenced_series": (scan.key,)}),
        files=("seg.dcm",),
        load_regions=lambda _: list(regions),
    )
    return Inputs(Study(f"study-{day}", (scan, drawn)), {"scan": scan}, (drawn,), day=day)


def read(*visits):
    last = visits[-1]
    return read_lesion_growth(
        Inputs(last.study, last.series, last.region_series, day=last.day, earlier=tuple(visits[:-1]))
    )


def finding(reading, name):
    (found,) = [one for one in reading.findings if one.name == name]
    return found


def response(reading):
    return finding(reading, "overall-response").concept.meaning.rsplit(": ", 1)[1]


def test_place_that_two_lesions_claim_is_left_open():
    reading = read(
        visit(0, ball("a", (40, 40, 30), 14)),
        visit(90, ball("p", (36, 40, 30), 8), ball("q", (46, 40, 30), 8)),
    )
    assert "lesion-match-open" in codes_of(reading)
    assert not [m for m in finding(reading, "lesion-1").measurements if m.name == "volume-change"]
    assert response(reading) == "not evaluable"


def test_lesions_that_grow_into_each_other_have_merged():
    reading = read(
        visit(0, ball("a", (34, 40, 30), 16), ball("b", (52, 40, 30), 12)),
        visit(90, ball("whole", (40, 40, 30), 44)),
    )
    assert "lesions-merged" in codes_of(reading)
    assert "lesion-not-outlined" not in codes_of(reading)
    assert finding(reading, "lesion-2").presence == "indeterminate"
    # 44 mm alone are 20 % and 5 mm above the sum before: progression is proven without the other.
    assert response(reading) == "progressive disease"


def test_lesion_that_falls_apart_has_split_and_is_not_new():
    reading = read(
        visit(0, ball("whole", (40, 40, 30), 30)),
        visit(90, ball("p", (36, 40, 30), 18), ball("q", (50, 40, 30), 8)),
    )
    assert "lesion-split" in codes_of(reading)
    assert "new-lesion-unconfirmed" not in codes_of(reading)
    assert response(reading) == "partial response"


def test_lesion_outside_the_image_is_not_gone():
    small = grid_of((8, 80, 80))
    reading = read(
        visit(0, ball("a", (40, 40, 8), 12), ball("b", (40, 40, 44), 12)),
        visit(90, ball("a", (40, 40, 8), 12, small), grid=small),
    )
    assert "lesion-not-covered" in codes_of(reading)
    assert finding(reading, "lesion-2").presence == "indeterminate"
    assert response(reading) == "not evaluable"


def test_lesion_first_imaged_now_is_not_new():
    small = grid_of((8, 80, 80))
    reading = read(
        visit(0, ball("a", (40, 40, 8), 12, small), grid=small),
        visit(90, ball("a", (40, 40, 8), 12), ball("b", (40, 40, 44), 12)),
    )
    assert "new-lesion-unconfirmed" not in codes_of(reading)
    assert response(reading) == "stable disease"


def test_all_gone_is_complete_response():
    reading = read(
        visit(0, ball("a", (20, 40, 30), 12), ball("b", (60, 40, 30), 14)),
        visit(90, ball("a", (20, 40, 30), 10), ball("b", (60, 40, 30), 12)),
        visit(180, ball("lung", (40, 40, 30), 40, category=ANATOMICAL_STRUCTURE)),
    )
    assert {finding(reading, f"lesion-{n}").presence for n in (1, 2)} == {"absent"}
    assert response(reading) == "complete response"
    assert reading.regions == ()


def test_node_counts_by_its_short_axis():
    node = {"concept": LYMPH_NODE}
    reading = read(
        visit(0, ball("n", (40, 40, 30), 20, **node)),
        visit(90, ball("n", (40, 40, 30), 9, **node)),
    )
    (trend,) = [one for one in reading.trends if one.name == "sum-of-diameters"]
    assert trend.curves[0].points[0][1] == pytest.approx(20, abs=1)
    assert response(reading) == "complete response"


def test_organs_that_are_stated_give_more_targets():
    places = [(x, y, 30) for x in (15, 40, 65) for y in (25, 55)]
    sites = [None, None, None, LIVER, LIVER, LIVER]

    def outlined(day):
        return visit(
            day,
            *(ball(f"r{n}", at, 12 + n, site=s) for n, (at, s) in enumerate(zip(places, sites, strict=True))),
        )

    reading = read(outlined(0), outlined(90))
    (numbers,) = [m for m in reading.measurements if m.name == "sum-of-diameters"]
    assert len(numbers.regions) == 4
    assert "organ-unstated" in codes_of(reading)


def test_lesion_given_twice_is_measured_once():
    reading = read(
        visit(0, ball("a", (40, 40, 30), 14), ball("copy", (40, 40, 30), 15)),
        visit(90, ball("a", (40, 40, 30), 14)),
    )
    assert "region-given-twice" in codes_of(reading)
    assert "lesion-not-outlined" not in codes_of(reading)


def test_small_lesions_have_sizes_and_no_response():
    reading = read(visit(0, ball("a", (40, 40, 30), 8)), visit(90, ball("a", (40, 40, 30), 9)))
    assert "no-target-lesion" in codes_of(reading)
    assert [trend.name for trend in reading.trends] == ["diameters", "volume"]


def test_too_short_a_time_gives_no_doubling_time():
    reading = read(visit(0, ball("a", (40, 40, 30), 12)), visit(20, ball("a", (40, 40, 30), 16)))
    assert "doubling-time-refused" in codes_of(reading)
    assert not [m for m in finding(reading, "lesion-1").measurements if m.rule == "vdt"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({"ContrastBolusAgent": "Iohexol"}, {"ContrastBolusAgent": "NONE"}, "response-refused"),
        ({"EchoTime": 80}, {"EchoTime": 130}, "response-refused"),
        ({"ConvolutionKernel": "B30f"}, {"ConvolutionKernel": "B70f"}, "technique-changed"),
    ],
)
def test_other_technique_is_told(before, after, code):
    reading = read(
        visit(0, ball("a", (40, 40, 30), 14), **before), visit(90, ball("a", (40, 40, 30), 14), **after)
    )
    assert code in codes_of(reading)
    assert bool(reading.measurements) == (code == "technique-changed")


def test_regions_of_unstated_kind_stay_open():
    from hounsfield.core.code import SPATIAL_CONCEPT

    unstated = {"category": SPATIAL_CONCEPT}
    reading = read(
        visit(0, ball("a", (40, 40, 30), 14, **unstated)), visit(90, ball("a", (40, 40, 30), 14, **unstated))
    )
    assert "regions-unstated" in codes_of(reading)
    assert finding(reading, "lesion-1").presence == "indeterminate"


def test_nothing_outlined_is_refused():
    lung = {"category": ANATOMICAL_STRUCTURE}
    reading = read(
        visit(0, ball("a", (40, 40, 30), 14, **lung)), visit(90, ball("a", (40, 40, 30), 14, **lung))
    )
    assert codes_of(reading) == {"no-lesion-given"}
