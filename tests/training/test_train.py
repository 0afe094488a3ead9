"""The whole path on a tiny data set: fit, kill, resume, calibrate, guard, judge, write, open again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
yaml = pytest.importorskip("yaml")

from tests.training.blobs import CLASSES, recipe_words, write_blobs  # noqa: E402

from hounsfield.core.errors import Cancelled, MissingModel, RecipeError  # noqa: E402 - torch comes first
from hounsfield.inference import load_model  # noqa: E402
from hounsfield.training import parse_recipe, recalibrate, train  # noqa: E402
from hounsfield.training.fit import computed_precision  # noqa: E402
from hounsfield.training.recipe import OptimisationRecipe  # noqa: E402
from hounsfield.zoo import open_bundle  # noqa: E402

CHECKPOINT = Path("checkpoints/checkpoint.pt")


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    root = tmp_path_factory.mktemp("blobs") / "data"
    write_blobs(root)
    return root


class Watch:
    """Keeps what was reported; asks to stop once a report begins with `stop_at`."""

    def __init__(self, stop_at=None):
        self.stages, self.stop_at = [], stop_at

    def report(self, stage, done):
        self.stages.append((stage, done))

    def should_stop(self):
        return self.stop_at is not None and self.stages[-1][0].startswith(self.stop_at)


@pytest.fixture(scope="module")
def trained(blobs, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    watch = Watch()
    return train(parse_recipe(recipe_words(blobs, epochs=12)), out, progress=watch), watch, out


def test_the_bundle_runs_and_tells_the_shapes(trained, blobs):
    result, _, _ = trained
    model = load_model(result.bundle)
    assert model.classes == CLASSES
    assert result.evaluation.figures["auroc"].overall.value > 0.7  # chance is 0.5
    assert result.evaluation.figures["dice"].overall.value > 0.5
    noise = np.random.default_rng(0).normal(size=(32, 32))
    assert model.run(noise).is_foreign


def test_progress_names_epoch_loss_and_time_left(trained):
    _, watch, _ = trained
    epochs = [stage for stage, _ in watch.stages if stage.startswith("epoch")]
    assert len(epochs) == 12
    assert "loss" in epochs[0]
    assert "min left" in epochs[0]
    assert [done for stage, done in watch.stages if stage.startswith("epoch")] == sorted(
        done for stage, done in watch.stages if stage.startswith("epoch")
    )


def test_card_page_and_figures_agree(trained):
    result, _, out = trained
    card = json.loads((result.bundle / "hounsfield.json").read_text())
    record = json.loads((out / "evaluation/evaluation.json").read_text())
    page = (out / "evaluation/evaluation.html").read_text()
    (auroc,) = [figure for figure in card["metrics"] if figure["name"] == "auroc"]
    assert auroc["value"] == pytest.approx(
        record["classes"]["figures"]["auroc"]["overall"]["value"], abs=1e-6
    )
    assert f"{auroc['value']:.3f}" in page
    assert "Research use only" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert sum(map(sum, record["classes"]["confusion"])) == record["n_cases"]


def test_recalibrating_a_fresh_bundle_decides_the_same(trained, blobs):
    result, _, _ = trained
    before = open_bundle(result.bundle)
    recipe = parse_recipe(recipe_words(blobs, epochs=12))
    after, choice, _ = recalibrate(recipe, before)
    # The loaded network lies differently in memory than the fitted one: sums differ in their last digits.
    assert after.card.calibrator.name == choice.name == before.card.calibrator.name
    assert after.card.calibrator.parameters == pytest.approx(before.card.calibrator.parameters, rel=1e-3)
    assert choice.reason in after.card.calibrator.note
    for name, threshold in before.card.thresholds.items():
        assert after.card.thresholds[name].present_from == pytest.approx(threshold.present_from, abs=1e-3)
    assert [figure.name for figure in after.card.metrics] == [figure.name for figure in before.card.metrics]
    assert after.card.guard == before.card.guard
    assert after.card.files["models/model.safetensors"] == before.card.files["models/model.safetensors"]
    other = {**recipe_words(blobs, epochs=12), "split": {"tune": 0.2, "test": 0.3, "seed": 7}}
    with pytest.raises(RecipeError, match="use the data and the recipe that trained it"):
        recalibrate(parse_recipe(other), after)


@pytest.mark.parametrize(
    ("accelerator", "features", "computed"),
    [("auto", {}, "32"), ("auto", {"avx512_bf16": True}, "bf16"), ("cpu", {}, "bf16")],
)
def test_auto_leaves_bfloat16_where_the_cpu_has_it_not(monkeypatch, accelerator, features, computed):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features, raising=False)
    optimisation = OptimisationRecipe(epochs=1, precision="bf16", accelerator=accelerator)
    assert computed_precision(optimisation) == computed


def test_stopped_and_resumed_gives_the_same_weights(blobs, tmp_path):
    recipe = parse_recipe(recipe_words(blobs, epochs=3))
    with pytest.raises(Cancelled, match="epoch 2 of 3"):
        train(recipe, tmp_path / "cut", progress=Watch("epoch 2"))
    cut, whole = train(recipe, tmp_path / "cut"), train(recipe, tmp_path / "whole")
    one, two = (load_model(result.bundle).network.state_dict() for result in (cut, whole))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert cut.evaluation.to_json() == whole.evaluation.to_json()


@pytest.mark.chaos
def test_killed_and_resumed_gives_the_same_weights(blobs, tmp_path):
    words = recipe_words(blobs, epochs=6)
    path = tmp_path / "blobs.yaml"
    path.write_text(yaml.safe_dump(words))
    code = (
        "from pathlib import Path; import sys, torch; torch.set_num_threads(1); "
        "from hounsfield.training import train; train(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", code, str(path), str(killed)])
    deadline = time.monotonic() + 60
    while not (killed / CHECKPOINT).exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert torch.load(killed / CHECKPOINT, weights_only=True)["epoch"] < 6
    for out in (killed, tmp_path / "whole"):
        subprocess.run([sys.executable, "-c", code, str(path), str(out)], check=True)
    one, two = (torch.load(out / CHECKPOINT, weights_only=True) for out in (killed, tmp_path / "whole"))
    assert one["epoch"] == two["epoch"] == 6
    for part in ("network", "mean"):
        assert all(torch.equal(one[part][key], two[part][key]) for key in one[part])


def test_a_run_of_another_recipe_is_not_continued(trained, blobs):
    _, _, out = trained
    other = {**recipe_words(blobs, epochs=12), "seed": 5}
    with pytest.raises(RecipeError, match="holds a run of another recipe"):
        train(parse_recipe(other), out)


def test_a_loss_that_is_no_number_names_the_pictures(blobs, tmp_path):
    words = recipe_words(blobs)
    words["optimisation"]["learning_rate"] = 1e30
    with pytest.raises(
        RecipeError, match=r"the loss is (nan|inf) in epoch 1, batch \d+ \(images/.*look at these"
    ):
        train(parse_recipe(words), tmp_path)


def test_data_without_licence_or_files_are_refused(blobs, tmp_path):
    words = recipe_words(blobs)
    words["data"]["licence"] = " "
    with pytest.raises(RecipeError, match=r"data\.licence is empty"):
        train(parse_recipe(words), tmp_path)
    with pytest.raises(MissingModel, match=r"there is no table labels\.csv"):
        train(parse_recipe(recipe_words(tmp_path / "nowhere")), tmp_path)


def test_a_class_without_code_is_refused(trained, blobs):
    _, _, out = trained
    words = recipe_words(blobs, epochs=12)
    del words["card"]["codes"]["cross"]
    with pytest.raises(RecipeError, match=r"card\.codes gives no code for cross"):
        train(parse_recipe(words), out)


def test_bfloat16_fits_without_a_word_on_the_console(blobs, tmp_path, capfd):
    words = recipe_words(blobs, epochs=1)
    words["optimisation"]["precision"] = "bf16"
    train(parse_recipe(words), tmp_path)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
