"""Which maps a reading shows: those that did best in the card's tests, or those that were asked for by name."""

import pytest

from hounsfield.core.errors import UsageError
from hounsfield.explain import best_tested, check_maps, chosen_maps, explanations, method_code


def evidence(value, *passed):
    tests = [{"name": f"t{k}", "passed": one} for k, one in enumerate(passed)]
    return {
        "value": value,
        "low95": 0.0,
        "high95": 1.0,
        "n": 9,
        "chance": 0.1,
        "part": "test",
        "note": "",
        "tests": tests,
    }


CARD = {
    "explanations": {
        "grad-cam": evidence(0.9, True, False),
        "hires-cam": evidence(0.4, True, True),
        "lrp-epsilon": evidence(0.5, True, True),
        "lrp-epsilon-plus": evidence(0.8, False, False),
    }
}


def test_failed_tests_count_before_pointing():
    assert best_tested(CARD) == ["lrp-epsilon", "hires-cam", "grad-cam", "lrp-epsilon-plus"]
    assert chosen_maps(CARD) == ("lrp-epsilon", "hires-cam")


def test_without_evidence_no_map_is_shown_unasked():
    assert chosen_maps({}) == ()
    assert chosen_maps({}, ["saliency"]) == ("saliency",)


def test_a_family_is_its_best_tested_member():
    assert chosen_maps(CARD, ["lrp", "grad-cam", "lrp-epsilon"]) == ("lrp-epsilon", "grad-cam")
    assert chosen_maps({}, ["lrp"])[0].startswith("lrp-")


def test_an_unknown_name_is_told_with_those_that_are_known():
    with pytest.raises(UsageError, match="no map named 'gradcam'; known are"):
        check_maps(["gradcam"])


def test_every_map_has_a_code_of_its_own():
    codes = {method_code(name).value for name in explanations.names()}
    assert len(codes) == len(explanations.names())
    assert method_code("grad-cam").scheme == "DCM"
