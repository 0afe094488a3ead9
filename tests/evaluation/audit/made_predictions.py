"""Tables of predictions made by chance, with a fault put in where a test wants one."""

from __future__ import annotations

import numpy as np

from hounsfield.evaluation import PredictionTable


def made_table(seed, *, n_patients=200, per_patient=2, labels=("nodule",), undercalled=0.0, prevalence=0.35):
    """Cases of patients whose films resemble each other; sex by patient, view by film.

    undercalled: taken off the logit of the positives among women.
    """
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n_patients), per_patient)
    female = (rng.random(n_patients) < 0.5)[patient]
    portable = rng.random(patient.size) < 0.4
    truth, probability = [], []
    for _ in labels:
        own = rng.normal(0, 1, n_patients)[patient]
        true = rng.random(patient.size) < 1 / (1 + np.exp(-(own + np.log(prevalence / (1 - prevalence)))))
        said = 1.6 * true - 1.4 + 0.6 * own + rng.normal(0, 0.8, patient.size)
        said -= undercalled * (true & female)
        truth.append(true)
        probability.append(1 / (1 + np.exp(-said)))
    groups = {"sex": np.where(female, "F", "M"), "view": np.where(portable, "AP", "PA")}
    names = np.array([f"film-{n}" for n in range(patient.size)])
    known = np.ones((len(labels), patient.size), dtype=bool)
    return PredictionTable(
        names, patient.astype(str), True, tuple(labels), np.array(truth), known, np.array(probability), groups
    )
