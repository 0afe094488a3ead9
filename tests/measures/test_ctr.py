"""Cardiothoracic ratio: the limit from both sides, and the films that get no label."""

from __future__ import annotations

import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import HeartAndThoraxWidth, ctr

FILM = {"mrd_px": 40, "mld_px": 95, "thorax_px": 270, "view": "PA erect"}


@pytest.mark.parametrize(
    ("mld_px", "state"),
    [(94.99, "not enlarged"), (95, "not enlarged"), (95.01, "enlarged"), (96, "enlarged")],
)
def test_enlarged_begins_above_one_half(mld_px, state):
    assert ctr(HeartAndThoraxWidth(**{**FILM, "mld_px": mld_px})).category("ctr-state") == state


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"view": "AP erect"}, "the view is AP erect"),
        ({"view": "AP supine"}, "the view is AP supine"),
        ({"view": "unknown"}, "the view is unknown"),
        ({"is_rotated": True}, "rotated"),
        ({"is_full_inspiration": False}, "inspiration"),
        ({"age_years": 1.99}, "younger than 2 years"),
    ],
)
def test_other_films_get_the_number_and_no_label(more, message):
    outcome = ctr(HeartAndThoraxWidth(**{**FILM, **more}))
    assert outcome.value("ctr") == 0.5
    assert outcome.categories == ()
    [condition] = outcome.conditions
    assert condition.code == "outside-population"
    assert message in condition.text


def test_age_of_two_gets_the_label():
    assert ctr(HeartAndThoraxWidth(**FILM, age_years=2)).category("ctr-state") == "not enlarged"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"border_lost": True}, "a heart border is hidden"),
        ({"thorax_cut": True}, "the thorax is cut"),
        ({"thorax_px": 134}, "check which distance is which"),
    ],
)
def test_incomplete_film_is_refused(more, message):
    with pytest.raises(RefusedInput, match=message):
        ctr(HeartAndThoraxWidth(**{**FILM, **more}))


def test_pixels_of_any_size_give_the_same_ratio():
    doubled = {name: 2 * value if isinstance(value, int) else value for name, value in FILM.items()}
    assert ctr(HeartAndThoraxWidth(**doubled)).value("ctr") == ctr(HeartAndThoraxWidth(**FILM)).value("ctr")
