"""The model that ships, through the public path, on real slices that training never saw.

The floors lie well below what `python -m benchmarks.brain_tumour_mr` and `benchmarks.guard` measured: they
catch a model or a path that broke, they are no claim.
"""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.brain_tumour_mr import FINDINGS, cases_of_part, collect, read_files

from hounsfield.inference import load_model
from hounsfield.zoo import find_bundle, open_bundle

N_SLICES = 30
N_FOREIGN = 6
FOREIGN = {
    "nih_cxr/images": ".jpg",
    "covid_cxr/images": ".jpg",
    "head_ct_haemorrhage/images": ".png",
    "breast_us/images": ".jpg",
    "mias_mammography/images": ".jpg",
}


@pytest.fixture(scope="module")
def bundle():
    return open_bundle(find_bundle("brain-tumour-mr"))


def evenly(items, most):
    return [items[index] for index in np.linspace(0, len(items) - 1, most).astype(int)]


@pytest.fixture(scope="module")
def read_slices(bundle, real_data):
    _, cases = cases_of_part(bundle, real_data)
    chosen = evenly(cases, N_SLICES)
    return chosen, read_files([case.image_path for case in chosen])


def test_card_states_its_evidence(bundle):
    card = bundle.card
    assert card.calibrator is not None
    assert card.guard is not None
    assert set(card.thresholds) == set(card.class_names) == set(FINDINGS)
    assert card.figure("auroc") is not None
    assert card.baselines
    assert {"grad-cam", "hires-cam", "lrp-epsilon-plus"} <= set(card.explanations)
    assert all(evidence.tests for evidence in card.explanations.values())
    assert card.guard.false_refusal_rate is not None
    assert len(card.guard.detection) >= 5


def test_bundle_loads_and_runs(bundle):
    rng = np.random.default_rng(0)
    prediction = load_model(bundle).run(rng.normal(size=(100, 120)))
    assert prediction.is_foreign
    assert prediction.mask.shape == (100, 120)
    assert prediction.probabilities.sum() == pytest.approx(1.0)


@pytest.mark.real_data
def test_right_slices_are_read_right_more_often_than_not(bundle, read_slices):
    cases, readings = read_slices
    results = collect(cases, readings, bundle.card.class_names)
    right = np.argmax(results.probabilities, axis=1) == results.labels
    assert len(results.refused) <= N_SLICES // 4
    assert right.mean() > 0.7
    assert np.mean(results.dice) > 0.5
    assert np.mean(results.pointed["lrp-epsilon"]) > 0.3


@pytest.mark.real_data
def test_every_reading_names_model_calibrator_and_limits(bundle, read_slices):
    _, readings = read_slices
    for reading in readings.values():
        assert reading.provenance.models[0].digest == bundle.digest
        if reading.status == "refused":
            continue
        assert {finding.calibrator for finding in reading.findings} == {bundle.card.calibrator.name}
        assert "tumour-assumed" in {condition.code for condition in reading.conditions}
        assert all(explained.evidence for explained in reading.maps)


@pytest.mark.real_data
@pytest.mark.parametrize("folder", sorted(FOREIGN))
def test_foreign_pictures_are_refused(real_data, folder):
    files = sorted((real_data / folder).glob(f"*{FOREIGN[folder]}"))
    readings = read_files(evenly(files, N_FOREIGN))
    refused = [reading for reading in readings.values() if reading.status == "refused"]
    assert len(refused) >= N_FOREIGN - 1
    assert all("not-a-contrast-t1-slice" in {c.code for c in reading.conditions} for reading in refused)
