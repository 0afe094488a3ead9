"""Brain volumes and amyloid: z-scores, rates and Centiloids by hand, limits, refusals."""

from __future__ import annotations

from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hounsfield.core.errors import RefusedInput
from hounsfield.measures import (
    PibUptake,
    VolumeAndNorm,
    VolumeAtTwoTimes,
    atrophy_rate,
    centiloid_pib,
    volume_z,
)

# Invented: no table of norms is part of this project.
SUBJECT = {
    "volume_mm3": 3000,
    "icv_ml": 1450,
    "age_years": 70,
    "sex": "F",
    "norm": "invented test values",
    "slope_mm3_per_ml": 1.2,
    "icv_mean_ml": 1450,
    "mu_mm3": 3400,
    "sd_mm3": 200,
}


def scored(**more):
    return volume_z(VolumeAndNorm(**{**SUBJECT, **more}))


@pytest.mark.parametrize(
    ("volume_mm3", "flag"),
    [(3070.9, "at or below"), (3071, "at or below"), (3071.1, "above"), (3400, "above")],
)
def test_flag_at_the_fifth_centile(volume_mm3, flag):
    """3400 - 1.645 x 200 = 3071."""
    assert scored(volume_mm3=volume_mm3).category("volume-flag") == f"{flag} the 5th centile"


@given(st.floats(2500, 4500))
def test_percentile_is_that_of_the_normal_distribution(volume_mm3):
    outcome = scored(volume_mm3=volume_mm3)
    assert outcome.value("percentile") == pytest.approx(100 * NormalDist(3400, 200).cdf(volume_mm3), abs=1e-9)


def test_larger_heads_are_allowed_for():
    assert scored(icv_ml=1550).value("adjusted-volume") == 3000 - 1.2 * 100


def test_asymmetry_of_both_sides():
    assert scored(left_mm3=3300, right_mm3=2700).value("asymmetry") == pytest.approx(20)
    assert scored().value("asymmetry") is None


def test_table_is_named_with_every_number():
    assert all("invented test values" in m.note for m in scored().measurements)


@pytest.mark.parametrize(
    ("more", "at_limit", "message"),
    [
        ({"norm_min_age_years": 70.1}, {"norm_min_age_years": 70}, "outside the table"),
        ({"norm_max_age_years": 69.9}, {"norm_max_age_years": 70}, "outside the table"),
        ({"largest_voxel_mm": 1.21}, {"largest_voxel_mm": 1.2}, "voxel edge is 1.21 mm"),
        ({"is_same_software": False}, {}, "other software"),
        ({"is_3d_t1": False}, {}, "no three-dimensional T1"),
        ({"has_lesion": True}, {}, "lesion or surgery"),
    ],
)
def test_norm_that_does_not_hold_is_refused(more, at_limit, message):
    with pytest.raises(RefusedInput, match=message):
        scored(**more)
    assert scored(**at_limit).value("z-score") == -2


@pytest.mark.parametrize("name", ["sex", "icv_ml", "age_years"])
def test_what_the_norm_depends_on_must_be_stated(name):
    with pytest.raises(RefusedInput, match=f"{name} is"):
        scored(**{name: None})


def rate(v1_mm3, v2_mm3, days, **more):
    return atrophy_rate(VolumeAtTwoTimes(v1_mm3=v1_mm3, v2_mm3=v2_mm3, days=days, **more))


@given(st.floats(1000, 5000), st.floats(1000, 5000), st.floats(183, 4000))
def test_symmetric_rate_changes_only_its_sign_with_the_order(v1_mm3, v2_mm3, days):
    there, back = rate(v1_mm3, v2_mm3, days), rate(v2_mm3, v1_mm3, days)
    for name in ("symmetric", "log"):
        assert there.value(f"atrophy-rate-{name}") == pytest.approx(
            -back.value(f"atrophy-rate-{name}"), abs=1e-9
        )


def test_rates_lie_between_each_other():
    outcome = rate(3000, 2700, 365.25)
    assert outcome.value("atrophy-rate-simple") == pytest.approx(-10)
    assert outcome.value("atrophy-rate-symmetric") == pytest.approx(-10 / 0.95)
    assert [m.note for m in rate(3000, 2700, 400, method="log").measurements] == ["", "", "the result"]


@pytest.mark.parametrize(("days", "is_given"), [(182.6, False), (182.625, True), (183, True)])
def test_six_months_at_least(days, is_given):
    if is_given:
        assert rate(3000, 2900, days).measurements
    else:
        with pytest.raises(RefusedInput, match="below six months"):
            rate(3000, 2900, days)


def test_other_scanner_is_refused():
    with pytest.raises(RefusedInput, match="scanner or sequence changed"):
        rate(3000, 2900, 365, is_same_scanner=False)


def test_centiloid_anchors():
    """0 and 100 of the scale: 94.6 / 93.7 and 194.6 / 93.7."""
    for centiloid, suvr in ((0, 94.6 / 93.7), (100, 194.6 / 93.7)):
        outcome = centiloid_pib(PibUptake(pib_suvr_whole_cerebellum=suvr))
        assert outcome.value("centiloid") == pytest.approx(centiloid, abs=1e-9)


def test_other_tracer_or_pipeline_is_refused():
    with pytest.raises(RefusedInput, match="tracer is 'florbetapir'"):
        PibUptake(pib_suvr_whole_cerebellum=1.2, tracer="florbetapir")
    with pytest.raises(RefusedInput, match="pipeline is not the standard"):
        centiloid_pib(PibUptake(pib_suvr_whole_cerebellum=1.2, is_standard_pipeline=False))
