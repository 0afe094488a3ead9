"""Calibrators, promises and prevalence on a part of real predictions, on films of patients that fitted nothing.

`python -m benchmarks.calibration` measures the same on all films, with intervals. The floors here catch a method that
broke; they are no claim.
"""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.calibration import FEWEST_POSITIVES, error, fitted, losses, prevalence, promises, read_films

from hounsfield.calibration import sigmoid

N_FILMS = 6000

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def films(real_data):
    return read_films(real_data, N_FILMS)


def test_halves_share_no_patient(films):
    to_fit, to_judge = films.halves
    assert not set(to_fit.patients) & set(to_judge.patients)
    assert len(to_fit.truth) + len(to_judge.truth) == N_FILMS
    assert len(films.findings) == 14


def test_every_calibrator_lessens_the_error_on_films_that_fitted_nothing(films):
    to_fit, to_judge = films.halves
    network, truth = "B", to_judge.truth
    raw = sigmoid(to_judge.logits[network])
    said = {
        name: apply(to_judge.logits[network])
        for name, apply in fitted(to_fit.logits[network], to_fit.truth, to_fit.patients).items()
    }
    gained = {name: float((losses(truth, raw) - losses(truth, one)).mean()) for name, one in said.items()}
    for name in ("platt, one for all", "platt-per-label", "beta-per-label"):
        assert error(truth, said[name]) < error(truth, raw), name
        assert gained[name] > 0, name
    # Steps fit what they see: they may cost some log loss, never much.
    assert gained["isotonic-per-label"] > -0.005
    chosen = next(name for name in said if name.startswith("as training chooses"))
    assert gained[chosen] > 0.9 * max(gained.values()) - 1e-3


def test_promises_are_kept_on_new_patients(films):
    found = promises(films, "A", 6)
    assert found["within"] > 0.9, "coverage of each finding lies in its 95 % band"
    assert found["coverage"] > 0.88
    assert found["risk"] == pytest.approx(0.1, abs=0.035)


def test_corrected_for_prevalence_the_error_falls_to_a_fraction(films):
    found = prevalence(films, "A", 20)
    assert found["findings"], f"no finding with {FEWEST_POSITIVES} films in each half"
    before, after = (np.array([one[0] for one in found[key]]) for key in ("before", "after"))
    assert (after < before / 2).all()
