"""Several answers to one picture: the same whenever asked, alone or in company, and what a reading tells of them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.tiny_bundle import head_slice, tiny_network, write_tiny_bundle  # noqa: E402 - torch must be there first

from hounsfield.core.errors import ModelError  # noqa: E402
from hounsfield.inference import load_model, several_answers  # noqa: E402
from hounsfield.inference.answers import COPIES, changed  # noqa: E402
from hounsfield.networks import build_network  # noqa: E402
from hounsfield.zoo import Agreement, Answers, Conformal, InferenceSettings  # noqa: E402

WAYS = [Answers(way="copies", number=8), Answers(way="dropout", number=5), Answers(way="members", number=2)]
OPTIONS = {"n_classes": 3, "n_members": 2, "options": {"widths": [4, 6, 8]}}


def network_for(answers):
    if answers.way == "members":
        return build_network("ensemble", OPTIONS, seed=1).eval()
    return tiny_network().eval()


def pictures(n=3):
    return torch.from_numpy(np.random.default_rng(2).normal(size=(n, 1, 48, 48)).astype(np.float32))


@pytest.mark.parametrize("answers", WAYS, ids=lambda a: a.way)
def test_answers_are_repeatable_differ_and_do_not_depend_on_the_batch(answers):
    network, inputs = network_for(answers), pictures()
    first, again = (several_answers(network, inputs, answers) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (answers.number, 3, 3)
    assert first.std(axis=0).max() > 0
    np.testing.assert_allclose(several_answers(network, inputs[1:2], answers)[:, 0], first[:, 1], atol=1e-5)


def test_dropout_leaves_the_network_in_evaluation_mode_and_torchs_own_state_alone():
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    network = tiny_network().eval()
    several_answers(network, pictures(), WAYS[1])
    assert torch.equal(torch.rand(1), expected)
    assert not any(module.training for module in network.modules())


def test_first_copy_is_the_picture_itself_and_the_second_its_mirror_image():
    inputs = pictures(1)
    torch.testing.assert_close(changed(inputs, COPIES[0]), inputs, atol=1e-5, rtol=0)
    torch.testing.assert_close(changed(inputs, COPIES[1]), torch.flip(inputs, dims=(3,)), atol=1e-5, rtol=0)


def test_what_comes_in_at_the_edge_is_the_darkest_grey():
    inputs = torch.full((1, 1, 48, 48), 3.0)
    inputs[..., 20:28, 20:28] = -1.0
    assert float(changed(inputs, COPIES[2]).min()) >= -1.0 - 1e-5


def test_ensemble_answers_with_the_mean_probability_of_its_members():
    network, inputs = network_for(WAYS[2]), pictures()
    with torch.inference_mode():
        mean = torch.stack([torch.softmax(member(inputs)[0], dim=1) for member in network.members]).mean(
            dim=0
        )
        torch.testing.assert_close(torch.softmax(network(inputs)[0], dim=1), mean, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (Answers(way="members", number=2), "has 0"),
        (Answers(way="copies", number=9), "8 are known"),
    ],
)
def test_ways_that_the_network_has_not_are_refused(answers, said):
    with pytest.raises(ModelError, match=said):
        several_answers(tiny_network().eval(), pictures(), answers)


def sure_bundle(folder, **changes):
    return write_tiny_bundle(
        folder,
        guarded=True,
        inference=InferenceSettings(answers=WAYS[0]),
        **changes,
    )


def test_prediction_tells_guard_agreement_and_set(tmp_path):
    bundle = sure_bundle(
        tmp_path,
        calibrated=True,
        agreement=Agreement(open_bits=(0.0, 2.0), disagreeing_bits=(0.0, 1.0), n=10, n_groups=5),
        conformal=Conformal(
            method="lac",
            coverage=0.9,
            limits={"": 0.9},
            n_fitted={"": 12},
            holds_for="patients",
            fitted_on="none",
        ),
    )
    prediction = load_model(bundle).run(head_slice())
    certainty = prediction.certainty
    assert certainty.guard.distance == prediction.guard_distance
    assert certainty.calibrator == "temperature"
    likely = [
        name
        for p, name in sorted(zip(-prediction.probabilities, bundle.card.class_names, strict=True))
        if -p >= 0.1
    ]
    assert list(certainty.possible.names) == likely
    assert certainty.agreement.open_place == pytest.approx(certainty.agreement.open_bits / 2)
    assert certainty.agreement.n_compared == 10


def test_without_calibrator_nothing_is_said_of_classes(tmp_path):
    prediction = load_model(sure_bundle(tmp_path)).run(head_slice())
    assert prediction.probabilities is None
    assert prediction.certainty.guard is not None
    assert (
        prediction.certainty.agreement,
        prediction.certainty.possible,
        prediction.certainty.calibrator,
    ) == (
        None,
        None,
        None,
    )
