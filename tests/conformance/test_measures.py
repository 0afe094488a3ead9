"""Every registered rule: its identity, its refusals, its purity."""

from __future__ import annotations

import numpy as np
import pytest
from tests.measures.volumes import everything, image_of

from hounsfield.core import Measurement, Region
from hounsfield.core.category import EVIDENCE_TEXTS
from hounsfield.core.code import LESION
from hounsfield.core.errors import GeometryError, RefusedInput, UnitError, UsageError
from hounsfield.core.measurement import UNIT_SIGNS
from hounsfield.core.rule_input import input_fields
from hounsfield.measures import measures

RULES = {measure.card.name: measure for measure in measures}
ON_IMAGES = [name for name, rule in RULES.items() if rule.card.takes == "image and region"]
ON_REGIONS = [name for name, rule in RULES.items() if rule.card.takes in {"image and region", "region"}]
ON_NUMBERS = [name for name, rule in RULES.items() if rule.card.takes == "numbers"]


def a_volume(unit):
    """Values from 1 to 2 on 9 x 9 x 9 voxels of 4 mm."""
    values = np.linspace(1.0, 2.0, 729, dtype=np.float32).reshape(9, 9, 9)
    return image_of(values, unit, (4.0, 4.0, 4.0))


def compute(name, image, region):
    rule = RULES[name]
    return rule.compute(region) if rule.card.takes == "region" else rule.compute(image, region)


def test_registry_is_not_empty():
    assert {"suvbw-qiba", "suvpeak-1cm3", "mtv", "tlg", "laa950", "perc15", "region-volume"} <= set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_card_says_where_the_rule_comes_from(name):
    rule = RULES[name]
    assert rule.card.unit is None or rule.card.unit in UNIT_SIGNS
    assert rule.card.evidence in EVIDENCE_TEXTS
    assert rule.card.source
    assert rule.card.version.count(".") == 2
    assert rule.summary.endswith((".", ";", ":")) or len(rule.summary) > 20
    assert rule.compute.__module__.rsplit(".", 1)[1] == name.replace("-", "_").replace(".", "_")


@pytest.mark.parametrize("name", ON_REGIONS)
def test_number_carries_unit_rule_and_region(name):
    image = a_volume(RULES[name].card.image_unit or "1")
    measured = compute(name, image, everything(image, "tumour"))
    assert isinstance(measured, Measurement)
    assert measured.rule == name
    assert measured.rule_version == RULES[name].card.version
    assert measured.unit == RULES[name].card.unit
    assert measured.regions == ("tumour",)


@pytest.mark.parametrize("name", ON_REGIONS)
def test_twice_gives_the_same_and_changes_nothing(name):
    image = a_volume(RULES[name].card.image_unit or "1")
    region = everything(image)
    before = image.array.copy()
    assert compute(name, image, region) == compute(name, image, region)
    assert np.array_equal(image.array, before)
    assert region.mask.all()


@pytest.mark.parametrize("name", ON_IMAGES)
def test_other_unit_is_refused(name):
    image = a_volume("Bq/ml")
    with pytest.raises(UnitError, match=f"rule {name} needs an image in"):
        compute(name, image, everything(image))


@pytest.mark.parametrize("name", ON_IMAGES)
def test_empty_region_is_refused(name):
    image = a_volume(RULES[name].card.image_unit)
    empty = Region("lesion", LESION, image.grid, mask=np.zeros(image.grid.shape, dtype=bool))
    with pytest.raises(RefusedInput, match="holds no voxel"):
        compute(name, image, empty)


@pytest.mark.parametrize("name", ON_IMAGES)
def test_region_of_another_grid_is_refused(name):
    image = a_volume(RULES[name].card.image_unit)
    elsewhere = image_of(np.ones((9, 9, 9)), "1", (4.0, 4.0, 5.0))
    with pytest.raises(GeometryError, match="image's grid"):
        compute(name, image, everything(elsewhere))


@pytest.mark.parametrize("name", ON_NUMBERS)
def test_rule_on_numbers_says_what_it_takes(name):
    card = RULES[name].card
    assert card.formula
    assert card.population
    assert card.refuses
    for field in input_fields(card.inputs):
        assert field.given.meaning
        if field.type.kind in {"number", "whole number"}:
            assert field.given.unit, f"{field.name}: a number has a unit, 1 where it has none"


@pytest.mark.parametrize("name", ON_NUMBERS)
def test_unknown_input_is_named(name):
    with pytest.raises(UsageError, match="there is no input 'shoe_size_cm'"):
        RULES[name].evaluate({"shoe_size_cm": 42})


@pytest.mark.parametrize("name", ON_NUMBERS)
def test_missing_input_is_named_with_its_unit(name):
    required = [field for field in input_fields(RULES[name].card.inputs) if field.required]
    if required:
        with pytest.raises(UsageError, match=required[0].name) as raised:
            RULES[name].evaluate({})
        assert required[0].given.unit_sign in str(raised.value)
