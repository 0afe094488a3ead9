"""Detections in the tables of LUNA16: figures by hand, what is refused, and a real detector's known figures."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest
from tests.cli.test_command import hu

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation import evaluate_detections, read_detections

HEAD = "seriesuid,coordX,coordY,coordZ,"
TRUTH = HEAD + "diameter_mm\na,0,0,0,10\na,50,0,0,6\nb,0,0,0,8\nd,0,0,0,8\n"
# a: a hit on the first lesion, a second one on it (ignored), one far off; b: one beyond the radius; c: one on a vessel.
CANDIDATES = HEAD + (
    "probability\na,1,2,2,0.9\na,0,0,1,0.3\na,90,0,0,0.8\nb,0,0,5,0.7\nc,1,1,1,0.6\na,50,1,0,0.5\n"
)
IGNORED = HEAD + "diameter_mm\nc,0,0,0,-1\nz,0,0,0,-1\n"
SERIES = "seriesuid\na\nb\nc\nd\n"


@pytest.fixture
def tables(tmp_path):
    def write(**texts):
        texts = {"candidates": CANDIDATES, "truth": TRUTH, "ignored": IGNORED, "series": SERIES} | texts
        for name, text in texts.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return {name: tmp_path / f"{name}.csv" for name in texts}

    return write


def test_figures_by_hand(tables):
    found = read_detections(**tables())
    assert found.matched.n_images == 4
    assert found.matched.hit_score.tolist() == [0.9, 0.5, -np.inf, -np.inf]
    assert sorted(found.matched.false_score.tolist()) == [0.7, 0.8]
    assert found.left_out == ("1 irrelevant findings lie in scans that are not judged",)
    evaluation = evaluate_detections(found, n_resamples=100)
    # At 1/8 and 1/4 false positives a scan (0.9 stands before the first false one of four scans): one of four lesions.
    assert evaluation.sensitivity[0.25].value == pytest.approx(0.25)
    assert evaluation.sensitivity[8.0].value == pytest.approx(0.5)
    assert evaluation.threshold[0.25] == 0.8
    assert evaluation.threshold[8.0] == 0.5
    assert evaluation.found.value == 0.5
    values = [interval.value for interval in evaluation.sensitivity.values()]
    assert evaluation.cpm.value == pytest.approx(np.mean(values))


def test_without_ignored_findings_and_list_more_counts_as_false(tables):
    paths = tables()
    found = read_detections(paths["candidates"], paths["truth"])
    assert (found.matched.n_images, found.has_list) == (4, False)
    assert found.matched.false_score.size == 3


def test_patients_are_resampled_together(tables):
    rng = np.random.default_rng(5)
    truth, candidates, names = HEAD + "diameter_mm\n", HEAD + "probability\n", []
    for scan in range(60):
        names.append(f"s{scan}")
        truth += f"s{scan},0,0,0,8\n"
        if rng.random() < (0.9 if scan // 6 % 2 else 0.3):
            candidates += f"s{scan},0,0,0,0.9\n"
        candidates += f"s{scan},80,0,0,{rng.random():.3f}\n"
    found = read_detections(
        **tables(truth=truth, candidates=candidates, series="s\n" + "\n".join(names) + "\n")
    )
    alone = evaluate_detections(found, n_resamples=300)
    together = evaluate_detections(found, patients=[f"p{k // 6}" for k in range(60)], n_resamples=300)
    assert together.found.value == alone.found.value
    assert together.found.high - together.found.low > 1.3 * (alone.found.high - alone.found.low)
    assert together.n_patients == 10


@pytest.mark.parametrize(
    ("texts", "error", "says"),
    [
        ({"truth": TRUTH + "b,0,0,0,0\n"}, StudyError, "truth.csv line 6: a lesion of 0 mm"),
        (
            {"candidates": CANDIDATES + "e,0,0,0,0.1\n"},
            StudyError,
            "line 8 names the scan 'e', which the list",
        ),
        (
            {"candidates": CANDIDATES + "a,0,x,0,0.1\n"},
            StudyError,
            "line 8, column 'coordY': 'x' is no number",
        ),
        (
            {"candidates": CANDIDATES + "a,0,nan,0,1\n"},
            StudyError,
            "column 'coordY': nan is no finite number",
        ),
        ({"candidates": CANDIDATES.replace("coordZ", "z")}, UsageError, "no column 'coordZ'"),
        ({"truth": HEAD + "diameter_mm\nx,0,0,0,1\n"}, UsageError, "have no scan in common ('a', 'x')"),
        ({"series": SERIES + "a\n"}, StudyError, "lists 5 scans, 4 of them distinct"),
    ],
)
def test_what_does_not_fit_is_refused(tables, texts, error, says):
    with pytest.raises(error) as told:
        read_detections(**tables(**texts))
    assert says in str(told.value)


def test_truth_without_lesions_is_refused(tables):
    found = read_detections(**tables(truth=HEAD + "diameter_mm\n"))
    with pytest.raises(UsageError, match="holds no lesion"):
        evaluate_detections(found)


def test_command_writes_the_page_and_prints_the_record(tables, tmp_path, monkeypatch, capsys):
    paths = tables()
    (tmp_path / "who.csv").write_text("scan,patient_id\na,1\nb,1\nc,2\nd,3\n", encoding="utf-8")
    words = ["evaluate", "--resamples", 100, "--out", tmp_path / "out", "--patients", tmp_path / "who.csv"]
    words += [word for name, path in paths.items() for word in (f"--{name}", path)]
    code, printed, err = hu(monkeypatch, capsys, *words, "--json")
    assert code == 0, err
    record = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("evaluate")).validate(record)
    assert record == json.loads((tmp_path / "out/evaluation.json").read_text("utf-8"))
    assert (record["n_cases"], record["n_patients"]) == (4, 3)
    assert record["detection"]["n_lesions_never_hit"] == 2
    page = (tmp_path / "out/evaluation.html").read_text("utf-8")
    assert "Free-response curve" in page
    assert "No list of scans" not in page
    code, printed, _ = hu(monkeypatch, capsys, *words[:-2])
    assert "CPM" in printed
    assert "No list of scans" in (tmp_path / "out/evaluation.html").read_text("utf-8")


def test_option_of_another_form_is_named(tables, monkeypatch, capsys):
    paths = tables()
    words = ("evaluate", "--candidates", paths["candidates"], "--truth", paths["truth"], "--threshold", "a=1")
    code, _, err = hu(monkeypatch, capsys, *words)
    assert (code, "--threshold does not go with --candidates" in err) == (2, True)


@pytest.mark.real_data
@pytest.mark.slow
def test_real_detector_has_its_known_figures(real_data, tmp_path, monkeypatch, capsys):
    """The README beside the data: sensitivities and CPM, computed there by other programs."""
    folder = real_data / "lung_nodule_marks"
    words = ["evaluate", "--candidates", folder / "detector_dpn26_candidates.csv.gz"]
    words += ["--truth", folder / "nodules.csv", "--ignored", folder / "irrelevant_findings.csv.gz"]
    words += [
        "--series",
        folder / "scans.csv",
        "--case-column",
        "scan",
        "--out",
        tmp_path,
        "--resamples",
        100,
    ]
    code, printed, err = hu(monkeypatch, capsys, *words, "--json")
    assert code == 0, err
    found = json.loads(printed)["detection"]
    stated = [0.6922, 0.7690, 0.8238, 0.8651, 0.8929, 0.9174, 0.9334]
    assert [one["sensitivity"]["value"] for one in found["sensitivity_at"]] == pytest.approx(stated, abs=5e-5)
    assert found["cpm"]["value"] == pytest.approx(0.84197, abs=5e-6)
    assert (found["n_scans"], found["n_lesions"], found["n_lesions_never_hit"]) == (888, 1186, 50)
    assert found["cpm"]["ci95"][0] < 0.83 < 0.86 < found["cpm"]["ci95"][1]
