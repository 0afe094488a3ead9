"""TI-RADS: points, levels, sizes, growth, and who gets no recommendation."""

from __future__ import annotations

import dataclasses
import itertools
import math

import pytest
from tests.measures.outcomes import category, codes, values

from hounsfield.core.errors import RefusedInput
from hounsfield.measures.acr_tirads_2017 import (
    COMPOSITION,
    ECHOGENICITY,
    FOCI,
    MARGIN,
    SHAPE,
    TiradsInputs,
    acr_tirads_2017,
    action,
    level_of,
    points,
    significant_growth,
)

PLAIN = TiradsInputs(
    composition="solid",
    echogenicity="isoechoic",
    shape="wider",
    margin="smooth",
    foci=("none",),
    maximum_cm=2.5,
)


@pytest.mark.parametrize(
    ("level", "cm", "expected"),
    [
        *[("TR1", 14.0, "none"), ("TR2", 14.0, "none")],
        *[("TR3", 1.49, "none"), ("TR3", 1.5, "follow-up"), ("TR3", 2.49, "follow-up"), ("TR3", 2.5, "FNA")],
        *[("TR3", 2.51, "FNA"), ("TR3", 1.51, "follow-up")],
        *[("TR4", 0.99, "none"), ("TR4", 1.0, "follow-up"), ("TR4", 1.49, "follow-up"), ("TR4", 1.5, "FNA")],
        *[("TR4", 1.01, "follow-up"), ("TR4", 1.51, "FNA")],
        *[("TR5", 0.49, "none"), ("TR5", 0.5, "follow-up"), ("TR5", 0.99, "follow-up"), ("TR5", 1.0, "FNA")],
        *[("TR5", 0.51, "follow-up"), ("TR5", 1.01, "FNA")],
    ],
)
def test_size_at_its_limits(level, cm, expected):
    assert action(level, cm) == expected


@pytest.mark.parametrize(
    ("total", "level"),
    [(0, "TR1"), (2, "TR2"), (3, "TR3"), (4, "TR4"), (6, "TR4"), (7, "TR5"), (17, "TR5")],
)
def test_levels_at_their_limits(total, level):
    assert level_of(total) == level


def test_all_foci_are_added_once():
    every = dataclasses.replace(PLAIN, foci=("punctate", "peripheral", "macrocalcification", "punctate"))
    assert points(every) == 2 + 1 + 3 + 2 + 1


def test_every_valid_description_has_a_level():
    for words in itertools.product(COMPOSITION, ECHOGENICITY, SHAPE, MARGIN, FOCI):
        features = dict(zip(("composition", "echogenicity", "shape", "margin"), words[:4], strict=True))
        inputs = TiradsInputs(**features, foci=(words[4],), maximum_cm=1.0)
        if words[0] == "mixed" and words[1] == "anechoic" and points_but_composition(words) == 0:
            with pytest.raises(RefusedInput, match="sums to 1 point"):
                points(inputs)
        else:
            assert level_of(points(inputs)).startswith("TR")


def points_but_composition(words):
    return ECHOGENICITY[words[1]] + SHAPE[words[2]] + MARGIN[words[3]] + FOCI[words[4]]


@pytest.mark.parametrize("foci", [("none", "punctate"), ()])
def test_none_beside_other_foci_is_refused(foci):
    with pytest.raises(RefusedInput, match="state `none`, or all that apply without it"):
        dataclasses.replace(PLAIN, foci=foci)


@pytest.mark.parametrize(
    "changes",
    [{"age_years": 17.9}, {"outside": "fdg-avid"}, {"outside": "men2"}, {"outside": "suspicious-nodes"}],
)
def test_recommendation_is_withheld_outside_the_population(changes):
    found = acr_tirads_2017(dataclasses.replace(PLAIN, **changes))
    assert category(found) == "TR3"
    assert codes(found) == ["outside-population"]


def test_adult_of_18_years_gets_a_recommendation():
    assert acr_tirads_2017(dataclasses.replace(PLAIN, age_years=18.0)).category("tirads-action") == "FNA"


def test_follow_up_names_its_years():
    found = acr_tirads_2017(dataclasses.replace(PLAIN, maximum_cm=2.0))
    assert found.categories[1].meaning == "ultrasound at 1, 3, 5 years"


def test_volume_and_growth_come_with_dimensions():
    found = acr_tirads_2017(
        dataclasses.replace(PLAIN, dimensions_cm=(3.0, 1.0, 1.0), prior_dimensions_cm=(2.0, 1.0, 1.0))
    )
    assert values(found)["volume"] == pytest.approx(math.pi / 2)
    assert found.category("nodule-growth") == "significant"


@pytest.mark.parametrize(
    ("prior", "current", "grown"),
    [
        ((2.0, 2.0, 2.0), (2.4, 2.4, 2.0), True),  # exactly 20 %
        ((2.0, 2.0, 2.0), (2.4, 2.39, 2.0), False),
        ((0.6, 0.6, 0.6), (0.8, 0.8, 0.3), True),  # exactly 2 mm
        ((0.6, 0.6, 0.6), (0.8, 0.79, 0.3), False),
        ((1.0, 1.0, 1.0), (1.5, 1.0, 1.0), True),  # exactly 50 %
        ((1.0, 1.0, 1.0), (1.49, 1.0, 1.0), False),
    ],
)
def test_growth_at_its_limits(prior, current, grown):
    assert significant_growth(prior, current) is grown
