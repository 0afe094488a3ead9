"""Lung nodules: Lung-RADS, Fleischner, Brock and doubling time from both sides of every limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core import Course, Finding, Measurement, Reading, TimePoint
from hounsfield.core.code import LESION, VOLUME
from hounsfield.core.errors import RefusedInput, UnitError
from hounsfield.measures import (
    BaselineNodule,
    IncidentalNodule,
    NoduleAtTwoTimes,
    ScreeningNodule,
    brock_2b,
    fleischner_2017,
    growth_over,
    lung_rads_2022,
    lung_rads_of_exam,
    vdt,
    vdt_over_time,
)


def category(**nodule):
    return lung_rads_2022(ScreeningNodule(**nodule)).category("lung-rads")


# status -> (limit of mean diameter, category below, category from it on)
SOLID = [
    ("baseline", 6, "2", "3"),
    ("baseline", 8, "3", "4A"),
    ("baseline", 15, "4A", "4B"),
    ("new", 4, "2", "3"),
    ("new", 6, "3", "4A"),
    ("new", 8, "4A", "4B"),
    ("growing", 8, "4A", "4B"),
]


@pytest.mark.parametrize(("status", "limit_mm", "below", "at"), SOLID)
def test_solid_nodule_at_every_limit(status, limit_mm, below, at):
    """The mean diameter is rounded half up to a tenth: 5.949 is 5.9, 5.95 is 6.0."""
    found = [
        category(type="solid", status=status, mean_diameter_mm=limit_mm + step)
        for step in (-0.1, -0.051, -0.05, 0.0, 0.1)
    ]
    assert found == [below, below, at, at, at]


VOLUMES_MM3 = {4: 34, 6: 113, 8: 268, 15: 1767}


@pytest.mark.parametrize(("status", "limit_mm", "below", "at"), SOLID)
def test_solid_nodule_by_volume(status, limit_mm, below, at):
    limit_mm3 = VOLUMES_MM3[limit_mm]
    found = [
        category(type="solid", status=status, volume_mm3=mm3)
        for mm3 in (limit_mm3 - 1, limit_mm3 - 0.51, limit_mm3 - 0.5, limit_mm3)
    ]
    assert found == [below, below, at, at]


def test_volume_decides_where_both_are_known():
    assert category(type="solid", status="baseline", mean_diameter_mm=5, volume_mm3=300) == "4A"


@pytest.mark.parametrize(
    ("status", "total_mm", "limit_mm", "below", "at"),
    [
        ("baseline", 9, 6, "3", "4A"),
        ("baseline", 9, 8, "4A", "4B"),
        ("new", 7, 4, "4A", "4B"),
        ("new", 5.9, 4, "3", "4B"),
        ("growing", 7, 4, "4A", "4B"),
        ("growing", 5.9, 4, "3", "4B"),
        ("solid_component_new_or_growing", 9, 4, "4A", "4B"),
    ],
)
def test_solid_part_at_every_limit(status, total_mm, limit_mm, below, at):
    found = [
        category(type="part_solid", status=status, mean_diameter_mm=total_mm, solid_mm=mm)
        for mm in (limit_mm - 0.1, limit_mm, limit_mm + 0.1)
    ]
    assert found == [below, at, at]


def test_part_solid_baseline_from_six_millimetres():
    found = [
        category(type="part_solid", status="baseline", mean_diameter_mm=mm, solid_mm=2) for mm in (5.9, 6.0)
    ]
    assert found == ["2", "3"]


def test_growing_small_part_solid_is_told():
    nodule = ScreeningNodule(type="part_solid", status="growing", mean_diameter_mm=5.9, solid_mm=2)
    assert [c.code for c in lung_rads_2022(nodule).conditions] == ["lung-rads-not-listed"]


@pytest.mark.parametrize(
    ("status", "from_30"), [("baseline", "3"), ("new", "3"), ("growing", "3"), ("stable", "2"), ("slow", "2")]
)
def test_non_solid_from_thirty_millimetres(status, from_30):
    found = [category(type="non_solid", status=status, mean_diameter_mm=mm) for mm in (29.9, 30, 30.1)]
    assert found == ["2", from_30, from_30]


@pytest.mark.parametrize("status", ["baseline", "new"])
def test_juxtapleural_nodule_below_ten_millimetres(status):
    nodule = {"type": "solid", "status": status, "juxtapleural_smooth_oval_lentiform_triangular": True}
    assert category(**nodule, mean_diameter_mm=9.9) == "2"
    assert category(**nodule, mean_diameter_mm=10) != "2"


@pytest.mark.parametrize(
    ("level", "status", "expected"),
    [
        ("subsegmental", "growing", "2"),
        ("segmental_or_proximal", "baseline", "4A"),
        ("segmental_or_proximal", "new", "4A"),
        ("segmental_or_proximal", "stable", "4B"),
        ("segmental_or_proximal", "slow", "4B"),
    ],
)
def test_airway_lesions(level, status, expected):
    assert category(type="airway", level=level, status=status) == expected


@pytest.mark.parametrize(
    ("cyst", "expected"),
    [
        ("growing_cystic_part", "3"),
        ("thick_walled", "4A"),
        ("multilocular", "4A"),
        ("became_multilocular", "4A"),
        ("growing_wall_or_nodularity", "4B"),
        ("growing_multilocular", "4B"),
    ],
)
def test_cysts(cyst, expected):
    assert category(type="cyst", cyst=cyst) == expected


@pytest.mark.parametrize(
    ("prior", "diameter_mm", "expected"),
    [("2", 5, "2"), ("3", 7, "2"), ("4A", 9, "3"), ("4B", 16, "4B"), ("3", 8, "4A"), ("2", 6, "3")],
)
def test_stable_nodule_steps_down_unless_it_crosses_a_limit(prior, diameter_mm, expected):
    found = category(type="solid", status="stable", mean_diameter_mm=diameter_mm, prior_category=prior)
    assert found == expected


@pytest.mark.parametrize("exam", ["prior_awaited", "lungs_incomplete", "inflammatory"])
def test_incomplete_exam_is_0(exam):
    assert category(type="solid", status="baseline", mean_diameter_mm=20, exam=exam) == "0"


def test_features_of_a_reader_make_4x():
    nodule = {"type": "solid", "status": "baseline", "suspicious_features": True}
    assert [category(**nodule, mean_diameter_mm=mm) for mm in (5, 6, 9, 16)] == ["2", "4X", "4X", "4X"]


@pytest.mark.parametrize(
    ("nodule", "code"),
    [
        ({"type": None}, "lung-rads-undetermined"),
        ({"type": "solid", "mean_diameter_mm": 7}, "lung-rads-undetermined"),
        ({"type": "solid", "mean_diameter_mm": 7, "status": "stable"}, "lung-rads-undetermined"),
    ],
)
def test_what_is_not_known_gets_no_category(nodule, code):
    outcome = lung_rads_2022(ScreeningNodule(**nodule))
    assert outcome.category("lung-rads") is None
    assert [c.code for c in outcome.conditions] == [code]


@pytest.mark.parametrize(
    ("nodule", "message"),
    [
        ({"type": "solid", "status": "new"}, "needs mean_diameter_mm or volume_mm3"),
        ({"type": "part_solid", "mean_diameter_mm": 7}, "needs solid_mm"),
        ({"type": "airway"}, "needs level"),
        ({"type": "cyst"}, "needs cyst"),
        ({"type": "solid", "mean_diameter_mm": 7, "prior_mm": 5}, "both prior_mm and interval_months"),
        ({"type": "solid", "volume_mm3": 70, "slice_thickness_mm": 2.6}, "2.6 mm thick"),
        (
            {"type": "solid", "status": "new", "mean_diameter_mm": 5.9, "slice_thickness_mm": 2.6},
            "2.6 mm thick",
        ),
    ],
)
def test_unfit_nodule_is_refused(nodule, message):
    with pytest.raises(RefusedInput, match=message):
        ScreeningNodule(**nodule)


def test_thick_slices_serve_for_larger_nodules_and_2_5_mm_for_all():
    assert category(type="solid", status="new", mean_diameter_mm=6, slice_thickness_mm=3) == "4A"
    assert category(type="solid", status="new", mean_diameter_mm=5, slice_thickness_mm=2.5) == "3"


def test_exam_has_its_highest_category():
    def nodules(*sizes_mm):
        return [ScreeningNodule(type="solid", status="baseline", mean_diameter_mm=mm) for mm in sizes_mm]

    assert lung_rads_of_exam([]) == "1"
    assert lung_rads_of_exam(nodules(5, 9, 7)) == "4A"
    awaited = ScreeningNodule(type="solid", status="baseline", mean_diameter_mm=20, exam="prior_awaited")
    assert lung_rads_of_exam([*nodules(16), awaited]) == "0"
    with pytest.raises(RefusedInput, match="examination has none"):
        lung_rads_of_exam([*nodules(16), ScreeningNodule(type=None)])


@pytest.mark.parametrize(
    ("current_mm", "months", "growth"),
    [
        (7.5, 12, "not_growing_within_12_months"),
        (7.51, 12, "growing"),
        (7.51, 12.1, "needs_interval_rule"),
        (7.5, 24, "not_growing_within_12_months"),
        (5.0, 6, "not_growing_within_12_months"),
    ],
)
def test_growth(current_mm, months, growth):
    assert growth_over(6.0, current_mm, interval_months=months) == growth


def test_growth_decides_the_category_where_no_status_is_stated():
    nodule = {"type": "solid", "mean_diameter_mm": 8, "prior_mm": 6, "interval_months": 12}
    assert category(**nodule) == "4B"
    assert category(**{**nodule, "prior_mm": 6.5}, prior_category="3") == "4A"
    assert category(**{**nodule, "interval_months": 24}) is None


def follow_up(**nodule):
    return fleischner_2017(IncidentalNodule(**{"multiple": False, "risk": "low", **nodule})).category(
        "follow-up"
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ({"mean_of_axes_mm": 5.49}, "none"),
        ({"mean_of_axes_mm": 5.5}, "CT 6-12 mo, then consider CT 18-24 mo"),
        ({"mean_of_axes_mm": 8.49}, "CT 6-12 mo, then consider CT 18-24 mo"),
        ({"mean_of_axes_mm": 8.5}, "consider CT 3 mo, PET/CT or tissue sampling"),
        ({"volume_mm3": 99.9}, "none"),
        ({"volume_mm3": 100}, "CT 6-12 mo, then consider CT 18-24 mo"),
        ({"volume_mm3": 250}, "CT 6-12 mo, then consider CT 18-24 mo"),
        ({"volume_mm3": 250.1}, "consider CT 3 mo, PET/CT or tissue sampling"),
    ],
)
def test_solid_incidental_nodule_at_every_limit(size, expected):
    assert follow_up(type="solid", **size) == expected


@pytest.mark.parametrize("multiple", [False, True])
@pytest.mark.parametrize("type_", ["ground_glass", "part_solid"])
def test_subsolid_incidental_nodule_from_six_millimetres(type_, multiple):
    nodule = {"type": type_, "multiple": multiple, "solid_mm": 3, "risk": "any"}
    below, at = (follow_up(**nodule, mean_of_axes_mm=mm) for mm in (5.49, 5.5))
    assert below != at
    assert follow_up(**nodule, mean_of_axes_mm=20) == at


@pytest.mark.parametrize(("solid_mm", "is_suspicious"), [(5.49, False), (5.5, True)])
def test_solid_part_of_an_incidental_nodule(solid_mm, is_suspicious):
    found = follow_up(type="part_solid", mean_of_axes_mm=12, solid_mm=solid_mm)
    assert ("highly suspicious" in found) == is_suspicious


def test_perifissural_nodule_needs_no_follow_up():
    assert follow_up(type="solid", mean_of_axes_mm=9, perifissural=True) == "none"


SOLID_7 = {"type": "solid", "mean_of_axes_mm": 7}


@pytest.mark.parametrize(
    ("nodule", "message"),
    [
        ({**SOLID_7, "age_years": 34.9}, "younger than 35"),
        ({**SOLID_7, "known_cancer": True}, "cancer is known"),
        ({**SOLID_7, "immunosuppressed": True}, "immunosuppressed"),
        ({**SOLID_7, "screening": True}, "use lung-rads-2022"),
        ({**SOLID_7, "slice_thickness_mm": 5.1}, "5.1 mm thick"),
        ({**SOLID_7, "mean_of_axes_mm": 9.9, "slice_thickness_mm": 5.1}, "5.1 mm thick"),
        ({**SOLID_7, "risk": "any"}, "needs the clinician's risk"),
        ({"type": "solid"}, "either mean_of_axes_mm or volume_mm3"),
        ({**SOLID_7, "volume_mm3": 100}, "either mean_of_axes_mm or volume_mm3"),
        ({"type": "part_solid", "mean_of_axes_mm": 7}, "needs solid_mm"),
    ],
)
def test_outside_fleischner_is_refused(nodule, message):
    with pytest.raises(RefusedInput, match=message):
        follow_up(**nodule)


@pytest.mark.parametrize(
    "nodule", [{"age_years": 35}, {"slice_thickness_mm": 5}, {"mean_of_axes_mm": 10, "slice_thickness_mm": 6}]
)
def test_limits_of_the_refusals(nodule):
    assert follow_up(**{**SOLID_7, **nodule})


def test_thick_slices_and_missing_age_are_told():
    def codes(**more):
        nodule = IncidentalNodule(**SOLID_7, multiple=False, risk="low", **more)
        return [c.code for c in fleischner_2017(nodule).conditions]

    assert codes() == ["age-unstated"]
    assert codes(age_years=60, slice_thickness_mm=1.5) == []
    assert codes(age_years=60, slice_thickness_mm=1.6) == ["slices-thick-for-nodules"]


NODULE = {
    "age_years": 62,
    "female": False,
    "family_history": False,
    "emphysema": False,
    "diameter_mm": 4.0,
    "type": "solid",
    "upper_lobe": False,
    "nodule_count": 4,
    "spiculation": False,
}


def probability(**more):
    return brock_2b(BaselineNodule(**{**NODULE, **more})).value("cohort-probability")


@given(st.floats(1, 99), st.floats(1.01, 2))
def test_larger_nodules_are_likelier_cancers(diameter_mm, factor):
    assert probability(diameter_mm=diameter_mm * factor) > probability(diameter_mm=diameter_mm)


@pytest.mark.parametrize("name", ["female", "family_history", "emphysema", "upper_lobe", "spiculation"])
def test_every_risk_factor_raises_the_probability(name):
    assert probability(**{name: True}) > probability()


@pytest.mark.parametrize(("diameter_mm", "value"), [(18.84, "below 10 %"), (18.85, "10 % or more")])
def test_work_up_from_ten_percent(diameter_mm, value):
    """ln(0.1/0.9) = -6.7892 - 5.3854 (q - 1.58114): q = 0.72847, d = 10 / q^2 = 18.844 mm."""
    outcome = brock_2b(BaselineNodule(**{**NODULE, "diameter_mm": diameter_mm}))
    assert outcome.category("bts-work-up") == value


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"age_years": 49.9}, "49.9 years"),
        ({"age_years": 75.1}, "75.1 years"),
        ({"known_cancer": True}, "cancer is known"),
        ({"is_follow_up": True}, "seen before"),
        ({"perifissural": True}, "perifissural"),
    ],
)
def test_outside_the_brock_cohort_is_refused(more, message):
    with pytest.raises(RefusedInput, match=message):
        probability(**more)


@pytest.mark.parametrize("age_years", [50, 75])
def test_ages_at_the_ends_of_the_cohort(age_years):
    assert 0 < probability(age_years=age_years) < 1


def doubling(**nodule):
    return vdt(NoduleAtTwoTimes(**nodule))


@pytest.mark.parametrize(
    ("v2_mm3", "state", "has_time"),
    [
        (124.9, "within measurement error", False),
        (125, "growing", True),
        (125.1, "growing", True),
        (75.1, "within measurement error", False),
        (75, "shrinking", False),
        (74.9, "shrinking", False),
        (100, "within measurement error", False),
    ],
)
def test_smallest_change_that_counts(v2_mm3, state, has_time):
    outcome = doubling(v1_mm3=100, v2_mm3=v2_mm3, days=90)
    assert outcome.category("growth-state") == state
    assert (outcome.value("vdt") is not None) == has_time


@pytest.mark.parametrize(
    ("days", "band"),
    [
        (399.99, "fast"),
        (400, "intermediate"),
        (400.01, "intermediate"),
        (599.99, "intermediate"),
        (600, "intermediate"),
        (600.01, "slow"),
    ],
)
def test_bands(days, band):
    assert doubling(v1_mm3=100, v2_mm3=200, days=days).category("vdt-band") == band
    assert doubling(vdt_days=days).category("vdt-band") == band


@given(st.floats(20, 5000), st.floats(1.3, 50), st.floats(30, 2000))
def test_growing_for_one_doubling_time_doubles(v1_mm3, ratio, days):
    time_days = doubling(v1_mm3=v1_mm3, v2_mm3=v1_mm3 * ratio, days=days).value("vdt")
    assert 2 ** (days / time_days) == pytest.approx(ratio)


def test_diameters_and_their_spheres_agree():
    by_diameter = doubling(d1_mm=8, d2_mm=10, days=180).value("vdt")
    spheres = {f"v{i}_mm3": math.pi / 6 * d**3 for i, d in ((1, 8), (2, 10))}
    assert by_diameter == pytest.approx(doubling(**spheres, days=180).value("vdt"))


@pytest.mark.parametrize(
    ("nodule", "message"),
    [
        ({"v1_mm3": 100, "v2_mm3": 200, "days": 29.9}, "29.9 days apart"),
        ({"v1_mm3": 14.9, "v2_mm3": 200, "days": 90}, "a volume is 14.9"),
        ({"d1_mm": 3.05, "d2_mm": 8, "days": 90}, "a volume is 14.8"),
        ({"v1_mm3": 100, "v2_mm3": 200}, "v1_mm3, v2_mm3 and days"),
        ({"v1_mm3": 100, "d2_mm": 2, "days": 90}, "v1_mm3, v2_mm3 and days"),
        ({"vdt_days": 100, "days": 90}, "vdt_days alone"),
    ],
)
def test_unfit_pair_is_refused(nodule, message):
    with pytest.raises(RefusedInput, match=message):
        doubling(**nodule)


def test_thirty_days_and_15_mm3_pass():
    assert doubling(v1_mm3=15, v2_mm3=30, days=30).value("vdt") == pytest.approx(30)


def test_uncertainty_of_the_doubling_time():
    """s = 10 %: 1.96 x 100 d x sqrt(2) x 0.1 / ln 2; another technique doubles it."""
    pair = {"v1_mm3": 100, "v2_mm3": 200, "days": 100, "relative_sd": 0.1}
    expected = 1.96 * 100 * math.sqrt(2) * 0.1 / math.log(2)
    assert doubling(**pair).measurements[1].uncertainty == pytest.approx(expected)
    changed = doubling(**pair, is_same_technique=False)
    assert changed.measurements[1].uncertainty == pytest.approx(2 * expected)
    assert [c.code for c in changed.conditions] == ["technique-changed"]


def followed_lesion(*volumes, unit="ml", days=(0, 100, 200)):
    def reading(value):
        measured = Measurement("volume", VOLUME, value, unit, rule="region-volume", rule_version="1.0.0")
        finding = Finding(
            "nodule", LESION, "present", "Seen.", tracking_identifier="n1", measurements=(measured,)
        )
        return Reading.complete(findings=[finding])

    points = zip(days, volumes, strict=False)
    return Course(tuple(TimePoint(day, reading(value)) for day, value in points))


def test_growth_over_a_course():
    """0.1 to 0.2 ml in 100 days doubles; then within measurement error."""
    first, second = vdt_over_time(followed_lesion(0.1, 0.2, 0.21), "n1")
    assert first.value("vdt") == pytest.approx(100)
    assert second.category("growth-state") == "within measurement error"
    assert vdt_over_time(followed_lesion(0.1), "n1") == ()


def test_growth_of_what_is_no_volume_is_refused():
    with pytest.raises(UnitError, match="which is no volume"):
        vdt_over_time(followed_lesion(1, 2, unit="mm"), "n1")
