"""Studies of several readers: the published worked examples, every design, and what holds for all."""

from __future__ import annotations

import csv
import json
from collections import defaultdict

import numpy as np
import pytest

from hounsfield.core.errors import RefusedInput
from hounsfield.metrics import delong_study, jackknife_study, reader_study, wafroc


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def ratings_of(rows, case_column="case"):
    """Truth (n,) and ratings (I, J, n); nan where a reader did not read a case in a modality."""
    axes = [sorted({row[name] for row in rows}) for name in ("treatment", "reader", case_column)]
    truth, ratings = np.zeros(len(axes[2]), dtype=bool), np.full([len(axis) for axis in axes], np.nan)
    for row in rows:
        place = tuple(
            axis.index(row[n]) for axis, n in zip(axes, ("treatment", "reader", case_column), strict=True)
        )
        ratings[place] = float(row["rating"])
        truth[place[2]] = row["truth"] == "1"
    return truth, ratings


@pytest.fixture(scope="module")
def references(real_data):
    return json.loads((real_data / "statistics_references/references.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def van_dyke(real_data):
    return rows_of(real_data / "statistics_references/vandyke_mrmc.csv")


def check(study, expected):
    for ours, theirs in (("var", "Var"), ("cov1", "Cov1"), ("cov2", "Cov2"), ("cov3", "Cov3")):
        if theirs in expected:
            assert getattr(study, ours) == pytest.approx(expected[theirs], abs=1e-9)


def check_random_readers(study, expected):
    found = study.random_readers()
    assert found.statistic == pytest.approx(expected["F"], abs=1e-5)
    assert found.df2 == pytest.approx(expected["df2"], abs=1e-4)
    assert found.p == pytest.approx(expected["p"], abs=1e-7)
    interval = study.difference()
    assert (interval.low, interval.high) == pytest.approx(expected["ci"], abs=1e-6)


@pytest.mark.real_data
def test_van_dyke_by_delong(van_dyke, references):
    study = delong_study(*ratings_of(van_dyke))
    published = references["mrmc_vandyke_published"]["random_readers_random_cases_delong"]
    check(study, published)
    check_random_readers(study, published)
    assert study.ms_modality == pytest.approx(published["MS_T"], abs=1e-9)
    assert study.ms_interaction == pytest.approx(published["MS_TR"], abs=1e-10)
    assert study.difference().value == pytest.approx(published["difference"], abs=1e-8)
    fixed = references["mrmc_vandyke_published"]["random_readers_fixed_cases"]
    assert study.fixed_cases().statistic == pytest.approx(fixed["F"], abs=5e-4)
    assert study.fixed_cases().p == pytest.approx(fixed["p"], abs=1e-7)


@pytest.mark.real_data
def test_van_dyke_by_jackknife(van_dyke, references):
    study = jackknife_study(*ratings_of(van_dyke))
    check_random_readers(study, references["mrmc_own_recomputation"]["VanDyke_jack"])
    published = references["mrmc_vandyke_published"]["fixed_readers_random_cases_jackknife"]
    check(study, published)
    found = study.fixed_readers()
    assert found.statistic * found.df1 == pytest.approx(published["chi2"], abs=1e-6)
    assert found.p == pytest.approx(published["p"], abs=1e-7)
    interval = study.difference_of_these_readers()
    assert (interval.low, interval.high) == pytest.approx(published["ci"], abs=1e-6)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("column", "design"),
    [("case2", "cases_nested_in_readers_jackknife"), ("case3", "cases_nested_in_treatments_jackknife")],
)
def test_nested_cases(van_dyke, references, column, design):
    study = jackknife_study(*ratings_of(van_dyke, column))
    published = references["mrmc_vandyke_published"][design]
    check(study, published)
    found = study.random_readers()
    assert found.statistic == pytest.approx(published["F"], abs=1e-6)
    assert found.df2 == pytest.approx(published["df2"], abs=1e-4)
    assert found.p == pytest.approx(published["p"], abs=1e-7)


@pytest.mark.real_data
def test_sensitivity_as_figure_of_merit(van_dyke, references):
    truth, ratings = ratings_of(van_dyke)
    published = references["mrmc_vandyke_published"]["sensitivity_rating_ge_3"]
    # Sensitivity knows the diseased cases alone.
    study = jackknife_study(
        truth[truth], ratings[:, :, truth], lambda _truth, rated: float((rated >= 3).mean())
    )
    assert study.merit[0] == pytest.approx(published["per_reader_treatment_1"], abs=5e-4)
    assert study.merit[1] == pytest.approx(published["per_reader_treatment_2"], abs=5e-4)
    check(study, published)
    check_random_readers(study, published)


@pytest.mark.real_data
def test_negative_correction_is_set_to_zero(real_data, references):
    """Franken: cov2 is below cov3, and the test falls back to modality by reader."""
    study = delong_study(*ratings_of(rows_of(real_data / "statistics_references/franken_mrmc.csv")))
    expected = references["mrmc_own_recomputation"]["Franken_delong"]
    assert study.cov2 < study.cov3
    check(study, expected)
    check_random_readers(study, expected)


@pytest.fixture(scope="module")
def tomosynthesis(real_data):
    """TONY: cases (normal first), and by modality and reader the lesions' ratings and the highest on normal cases."""
    folder = real_data / "statistics_references"
    cases = rows_of(folder / "froc_tony_cases.csv")
    marks = defaultdict(list)
    for row in rows_of(folder / "froc_tony_marks.csv"):
        marks[row["treatment"], row["reader"]].append(row)
    return cases, marks


def merits_of(tomosynthesis, left_out=None):
    cases, marks = tomosynthesis
    kept = [row for row in cases if row["case"] != left_out]
    normal = {row["case"] for row in kept if row["diseased"] == "0"}
    lesions = [(row["case"], str(n + 1)) for row in kept for n in range(int(row["n_lesions"]))]
    found = np.empty((2, 5))
    for i, modality in enumerate(("BT", "DM")):
        for j in range(5):
            highest, of_lesion = dict.fromkeys(normal, -np.inf), {}
            for row in marks[modality, str(j + 1)]:
                if row["mark_type"] == "NL" and row["case"] in normal:
                    highest[row["case"]] = max(highest[row["case"]], float(row["rating"]))
                elif row["mark_type"] == "LL":
                    of_lesion[row["case"], row["lesion"]] = float(row["rating"])
            rated = np.array([of_lesion.get(lesion, -np.inf) for lesion in lesions])
            found[i, j] = wafroc(
                rated, np.array([case for case, _ in lesions]), np.array(list(highest.values()))
            )
    return found


@pytest.mark.real_data
def test_free_response_study_as_published(tomosynthesis, references):
    """wAFROC of RJafroc's stored result, its jackknife covariance, and the analysis of both."""
    merit = merits_of(tomosynthesis)
    assert merit == pytest.approx(
        np.array(references["froc_own_recomputation"]["tony"]["wafroc_auc"]), abs=1e-7
    )
    names = [row["case"] for row in tomosynthesis[0]]
    without = np.stack([merits_of(tomosynthesis, name) for name in names])
    apart = (without - without.mean(axis=0)).reshape(len(names), -1)
    covariance = (len(names) - 1) / len(names) * apart.T @ apart
    study = reader_study(merit, covariance.reshape(2, 5, 2, 5))
    published = references["froc_tony_published"]
    for ours, theirs in (("var", "Var"), ("cov1", "Cov1"), ("cov2", "Cov2"), ("cov3", "Cov3")):
        assert getattr(study, ours) == pytest.approx(
            published["ANOVA"]["VarCom"][theirs]["Estimates"], abs=1e-12
        )
    found = study.random_readers()
    assert found.statistic == pytest.approx(published["RRRC"]["FTests"]["Treatment"]["FStat"], abs=1e-9)
    assert found.df2 == pytest.approx(published["RRRC"]["FTests"]["Error"]["DF"], abs=1e-6)
    assert found.p == pytest.approx(published["RRRC"]["FTests"]["Treatment"]["p"], abs=1e-10)
    interval, told = study.difference(), published["RRRC"]["ciDiffTrt"]["trtBT-trtDM"]
    assert (interval.low, interval.high) == pytest.approx((told["CILower"], told["CIUpper"]), abs=1e-9)


def simulated(rng, gain, n_cases=60):
    truth = np.arange(n_cases) < n_cases // 2
    shared = rng.standard_normal(n_cases)
    own = rng.standard_normal((2, 4, n_cases))
    skill = 1.0 + 0.1 * rng.standard_normal((2, 4, 1)) + gain * np.arange(2)[:, None, None]
    return truth, truth * skill + 0.6 * shared + 0.8 * own


def test_false_alarm_rate_is_what_it_says_and_a_planted_gain_is_found():
    rng = np.random.default_rng(6)
    null = [delong_study(*simulated(rng, 0.0)).random_readers().p < 0.05 for _ in range(200)]
    gain = [delong_study(*simulated(rng, 0.9)).random_readers().p < 0.05 for _ in range(60)]
    assert np.mean(null) <= 0.09  # 5 % and two standard errors; the test is known to be on the safe side
    assert np.mean(gain) > 0.7


def test_designs_that_cannot_be_analysed_are_refused():
    truth, ratings = simulated(np.random.default_rng(1), 0.0)
    with pytest.raises(RefusedInput, match="at least two modalities and two readers"):
        delong_study(truth, ratings[:, :1])
    ratings[0, 0, 3] = np.nan
    with pytest.raises(RefusedInput, match="must all be numbers"):
        delong_study(truth, ratings)
    with pytest.raises(RefusedInput, match="share some cases but not all"):
        jackknife_study(truth, ratings)
