"""The gates before chest film applications: at, below and above each limit, and what ends the questions."""

from __future__ import annotations

import dataclasses

import pytest
from tests.measures.outcomes import category, codes, values

from hounsfield.measures.chest_film_gates import FilmGateInputs, chest_film_gates

GOOD = FilmGateInputs(
    likeness=0.85,
    other_likeness=0.50,
    grey_range=0.5,
    lung_grey=0.35,
    chest_grey=0.55,
    white_fraction=0.0,
    black_fraction=0.0,
    heart_side=1.5,
    view="PA",
    shorter_side_px=2048,
    deviation_index=0.0,
)


def judged(**changes):
    found = chest_film_gates(dataclasses.replace(GOOD, **changes))
    return category(found), codes(found)


def test_film_against_which_nothing_speaks():
    found = chest_film_gates(GOOD)
    assert (category(found), codes(found)) == ("usable", [])
    assert values(found) == pytest.approx(
        {"likeness": 0.85, "likeness-margin": 0.35, "largest-cut": 0.0, "grey-range": 0.5}
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"likeness": 0.56, "other_likeness": 0.4}, None),
        ({"likeness": 0.5599, "other_likeness": 0.4}, "film-weak-likeness"),
        ({"other_likeness": 0.80}, None),
        ({"other_likeness": 0.8001}, "film-weak-likeness"),
        ({"cut_top_percent": 3.0}, None),
        ({"cut_top_percent": 3.1}, "film-cut-off"),
        ({"cut_bottom_percent": 11.5}, None),
        ({"cut_bottom_percent": 11.6}, "film-cut-off"),
        ({"cut_left_percent": 6.0}, None),
        ({"cut_left_percent": 6.1}, "film-cut-off"),
        ({"cut_right_percent": 6.0}, None),
        ({"cut_right_percent": 6.1}, "film-cut-off"),
        ({"lung_grey": 0.62}, None),
        ({"lung_grey": 0.621}, "film-too-light"),
        ({"chest_grey": 0.79}, None),
        ({"chest_grey": 0.791}, "film-too-light"),
        ({"lung_grey": 0.12}, None),
        ({"lung_grey": 0.119}, "film-too-dark"),
        ({"chest_grey": 0.35}, None),
        ({"chest_grey": 0.349}, "film-too-dark"),
        ({"white_fraction": 0.02}, None),
        ({"white_fraction": 0.021}, "film-clipped"),
        ({"black_fraction": 0.021}, "film-clipped"),
        ({"grey_range": 0.18}, None),
        ({"grey_range": 0.179}, "film-low-contrast"),
        ({"heart_side": -1.1}, None),
        ({"heart_side": -1.11}, "film-mirrored"),
        ({"n_text_over_chest": 1}, "film-text"),
        ({"deviation_index": 3.0}, None),
        ({"deviation_index": 3.01}, "film-exposure-index"),
        ({"deviation_index": -3.0}, None),
        ({"deviation_index": -3.01}, "film-exposure-index"),
    ],
)
def test_each_limit_makes_a_film_doubtful(changes, code):
    assert judged(**changes) == (("doubtful", [code]) if code else ("usable", []))


@pytest.mark.parametrize(("view", "stops"), [("PA", False), ("unknown", False), ("LL", True), ("RL", True)])
def test_lateral_view_stops(view, stops):
    assert judged(view=view) == (("not usable", ["film-lateral"]) if stops else ("usable", []))


@pytest.mark.parametrize(("percent", "verdict"), [(15.0, "doubtful"), (15.1, "not usable")])
def test_much_of_the_lungs_cut_away_stops(percent, verdict):
    assert judged(cut_bottom_percent=percent) == (verdict, ["film-cut-off"])


def test_the_largest_cut_beyond_its_limit_is_named():
    found = chest_film_gates(dataclasses.replace(GOOD, cut_bottom_percent=11.0, cut_left_percent=7.0))
    assert values(found)["largest-cut"] == pytest.approx(7.0)
    assert "7 % of the lungs' width" in found.conditions[0].text
    assert "left edge" in found.conditions[0].text


@pytest.mark.parametrize(
    ("likeness", "other", "code"),
    [
        (0.53, 0.40, "film-weak-likeness"),
        (0.529, 0.528, "film-not-chest"),
        (0.40, 0.53, "film-turned"),
        (0.70, 0.71, "film-turned"),
        (0.71, 0.71, "film-weak-likeness"),
    ],
)
def test_likeness_decides_between_foreign_turned_and_weak(likeness, other, code):
    verdict, found = judged(likeness=likeness, other_likeness=other, other_turn_deg=90)
    assert found == [code]
    assert verdict == ("doubtful" if code == "film-weak-likeness" else "not usable")


def test_inverted_and_turned_are_told_apart():
    found = {
        (turn, inverted): chest_film_gates(
            dataclasses.replace(GOOD, other_likeness=0.9, other_turn_deg=turn, other_is_inverted=inverted)
        ).conditions[0]
        for turn, inverted in [(0, True), (90, False), (180, True)]
    }
    assert [c.code for c in found.values()] == ["film-inverted", "film-turned", "film-turned"]
    assert "Photometric Interpretation (0028,0004)" in found[0, True].text
    assert "turned by 90 degrees against the clock (" in found[90, False].text
    assert "turned by 180 degrees against the clock and inverted" in found[180, True].text


def test_what_ends_the_questions_stands_alone():
    """Of a blank, foreign or turned picture nothing else is said."""
    spoiled = {"lung_grey": 0.9, "n_text_over_chest": 3, "cut_top_percent": 50.0}
    assert judged(grey_range=0.0199, **spoiled) == ("not usable", ["film-blank"])
    assert judged(likeness=0.2, other_likeness=0.3, **spoiled) == ("not usable", ["film-not-chest"])
    assert judged(other_likeness=0.9, other_turn_deg=180, **spoiled) == ("not usable", ["film-turned"])


def test_notes_leave_a_film_usable():
    assert judged(n_text_beside=2, shorter_side_px=511) == ("usable", ["film-text-beside", "film-small"])
    assert judged(shorter_side_px=512) == ("usable", [])


def test_greys_that_are_not_known_are_not_judged():
    assert judged(lung_grey=None, chest_grey=None, white_fraction=None, black_fraction=None) == ("usable", [])


def test_verdict_says_why_in_words():
    found = chest_film_gates(dataclasses.replace(GOOD, cut_top_percent=9.0, grey_range=0.1))
    assert found.categories[0].meaning == "doubtful, because: cut off, low contrast"
