"""Several sites: prevalence, scanner and label noise are as stated; label and source correlate as asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.errors import UsageError
from hounsfield.phantoms.sites import Site, correlated_sites, make_sites

SHAPE = (16, 16)


def square(rng, *, is_positive):
    """Texture, and in positive cases a bright square anywhere."""
    picture = rng.normal(0.0, 1.0, SHAPE)
    if is_positive:
        row, column = rng.integers(2, 10, 2)
        picture[row : row + 4, column : column + 4] += 5.0
    return picture


def phi(one, other):
    return np.corrcoef(np.asarray(one, dtype=float), np.asarray(other, dtype=float))[0, 1]


FAIR = (Site("north", 60), Site("south", 60))


def test_equal_seeds_give_equal_cases_and_another_seed_others():
    one, again, other = (make_sites(square, FAIR, seed=seed) for seed in (3, 3, 4))
    assert [case.name for case in one.cases] == [case.name for case in again.cases]
    np.testing.assert_array_equal(one.cases[5].picture, again.cases[5].picture)
    assert not np.array_equal([case.picture for case in one.cases], [case.picture for case in other.cases])


@pytest.mark.parametrize("prevalence", [0.0, 0.012, 0.342, 0.5, 1.0])
def test_prevalence_of_each_site_is_exact(prevalence):
    made = make_sites(square, (Site("a", 250, prevalence), Site("b", 40, 1 - prevalence)))
    for name, n_cases, share in (("a", 250, prevalence), ("b", 40, 1 - prevalence)):
        truth = [case.is_positive for case in made.cases if case.site == name]
        assert len(truth) == n_cases
        assert abs(sum(truth) - share * n_cases) <= 0.5


@pytest.mark.parametrize("correlation", [0.0, 0.25, 0.6, 1.0])
@pytest.mark.parametrize("numbers", [(200, 200), (100, 300), (120, 80, 150, 50)])
def test_label_and_source_correlate_as_asked(correlation, numbers):
    sites = tuple(Site(f"site-{n}", count) for n, count in enumerate(numbers))
    made = make_sites(square, correlated_sites(sites, n_positive_sites=1, correlation=correlation))
    from_first = [case.site == "site-0" for case in made.cases]
    truth = [case.is_positive for case in made.cases]
    assert phi(truth, from_first) == pytest.approx(correlation, abs=0.02)
    if correlation == 1.0:
        assert truth == from_first


def test_without_correlation_every_site_has_one_prevalence():
    sites = (Site("a", 50), Site("b", 50, 0.9), Site("c", 100, 0.1))
    prevalences = [s.prevalence for s in correlated_sites(sites, n_positive_sites=2, correlation=0.0)]
    assert prevalences == pytest.approx([0.5, 0.5, 0.5])


def test_scanner_is_gain_and_offset_and_kernel_alone():
    plain = Site("north", 20)
    cases = {c.name: c for c in make_sites(square, (plain,)).cases}
    turned = {c.name: c for c in make_sites(square, (replace(plain, gain=1.7, offset=-3.0),)).cases}
    blurred = {c.name: c for c in make_sites(square, (replace(plain, blur_px=1.5),)).cases}
    for name, case in cases.items():
        np.testing.assert_allclose(turned[name].picture, 1.7 * case.picture - 3.0, atol=1e-4)
        assert turned[name].is_positive == blurred[name].is_positive == case.is_positive
        assert blurred[name].picture.std() < 0.5 * case.picture.std()


def test_kernel_keeps_a_constant_and_widens_a_point():
    def point(rng, *, is_positive):
        picture = np.zeros((41, 41))
        picture[20, 20] = 1.0
        return picture

    [case] = make_sites(point, (Site("a", 1, blur_px=2.0),)).cases
    y, x = np.mgrid[:41, :41] - 20
    assert case.picture.sum() == pytest.approx(1.0, abs=1e-4)
    assert (case.picture * x**2).sum() == pytest.approx(4.0, rel=0.01)
    assert (case.picture * y * x).sum() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5, 1.0])
def test_share_of_wrong_labels(noise):
    made = make_sites(square, (Site("a", 400, label_noise=noise), Site("b", 400)))
    wrong = np.array([c.is_positive != c.is_labelled_positive for c in made.cases if c.site == "a"])
    assert abs(wrong.mean() - noise) <= 4 * np.sqrt(noise * (1 - noise) / 400)
    assert all(c.is_positive == c.is_labelled_positive for c in made.cases if c.site == "b")


def test_volumes_are_taken_too():
    def volume(rng, *, is_positive):
        return rng.normal(float(is_positive), 1.0, (4, 5, 6))

    [case] = make_sites(volume, (Site("a", 1, blur_px=1.0),)).cases
    assert case.picture.shape == (4, 5, 6)
    assert case.picture.dtype == np.float32


def test_cases_are_not_in_the_order_of_their_sites():
    order = [case.site == "north" for case in make_sites(square, FAIR).cases]
    assert 20 < sum(order[:60]) < 40


def test_collection_says_that_it_is_synthetic():
    made = make_sites(square, FAIR)
    assert "Synthetic" in made.label
    assert "Research use only" in made.label
    assert all(case.name.startswith("SYN-") for case in made.cases)


def test_wrong_sites_are_refused():
    with pytest.raises(UsageError, match=r"names of their own.*north"):
        make_sites(square, (Site("north"), Site("north")))
    with pytest.raises(UsageError, match=r"prevalence of site 'a' is 1\.2, outside 0 to 1"):
        Site("a", prevalence=1.2)
    with pytest.raises(UsageError, match=r"correlation of label and source is -0\.1"):
        correlated_sites(FAIR, n_positive_sites=1, correlation=-0.1)
    with pytest.raises(UsageError, match="2 of 2 sites"):
        correlated_sites(FAIR, n_positive_sites=2, correlation=0.5)
