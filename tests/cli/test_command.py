"""The command as a user meets it: JSON, tables, exit codes, and no traceback ever."""

from __future__ import annotations

import json
import sys

import pytest
from tests.tiny_dicom import write_ct_series

from hounsfield.cli import main
from hounsfield.cli._group import COMMANDS
from hounsfield.cli._terminal import TerminalProgress, parse_stated
from hounsfield.cli.exit_codes import ExitCode, of_error, of_run
from hounsfield.core import Condition, Reading, errors
from hounsfield.pipeline import Run


def hu(monkeypatch, capsys, *words) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    monkeypatch.setattr(sys, "argv", ["hounsfield", *map(str, words)])
    try:
        main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    return code, said.out, said.err


def test_inspect_tells_who_accepts_a_series_and_who_does_not(tmp_path, monkeypatch, capsys):
    write_ct_series(tmp_path, 6)
    code, out, _ = hu(monkeypatch, capsys, "inspect", tmp_path, "--json")
    assert code == 0
    document = json.loads(out)
    (series,) = document["studies"][0]["series"]
    assert document["refused"] == []
    assert series["modality"] == "CT"
    assert series["shape_zyx"] == [6, 24, 32]
    assert series["spacing_zyx_mm"] == pytest.approx([2.5, 0.8, 0.7])
    assert series["not_accepted_by"]["pet_metabolic"][0]["code"] == "modality-not-taken"
    assert "Synthetic^Test" not in out
    code, table, _ = hu(monkeypatch, capsys, "inspect", tmp_path)
    assert code == 0
    assert "32 x 24 x 6" in table


def test_read_of_a_series_without_lungs_is_refused_with_a_reason(tmp_path, monkeypatch, capsys):
    write_ct_series(tmp_path / "ct", 6)
    code, out, _ = hu(monkeypatch, capsys, "read", tmp_path / "ct", "--json", "--application", "lung_ct")
    (reading,) = json.loads(out)["readings"]
    assert code == ExitCode.REFUSED
    assert reading["status"] == "refused"
    assert reading["conditions"][0]["severity"] == "refusal"


def test_read_that_no_application_takes_says_why_and_gives_3(tmp_path, monkeypatch, capsys):
    write_ct_series(tmp_path, 6)
    code, out, _ = hu(monkeypatch, capsys, "read", tmp_path, "--application", "pet_metabolic")
    assert code == ExitCode.REFUSED
    assert "PT is needed" in out


def test_results_are_written_and_listed(tmp_path, monkeypatch, capsys):
    write_ct_series(tmp_path / "ct", 6)
    hu(monkeypatch, capsys, "read", tmp_path / "ct", "-a", "lung_ct", "--out", tmp_path / "out", "--quiet")
    assert (tmp_path / "out" / "index.html").is_file()
    (record,) = json.loads((tmp_path / "out" / "readings.json").read_text())["readings"]
    folder = tmp_path / "out" / record["folder"]
    assert json.loads((folder / "reading.json").read_text())["status"] == "refused"
    assert "Research use only" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("read", "no-such-folder"), 2, "no-such-folder"),
        (("read", ".", "--application", "lung_tc"), 2, "Did you mean 'lung_ct'"),
        (("read", ".", "--state", "PET=PT"), 2, "FILE=MODALITY:UNIT"),
        (("phantom", "chest", "--out", "x"), 2, "chest-ct"),
        (("train", "no-such-recipe.yaml"), 2, "no-such-recipe"),
        (("nonsense",), 2, "nonsense"),
    ],
)
def test_wrong_words_give_2_and_say_what_is_right(words, code, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_ct_series(tmp_path, 6)
    found, out, err = hu(monkeypatch, capsys, *words)
    assert found == code
    assert says in out + err


def test_damaged_file_gives_5_and_its_name(tmp_path, monkeypatch, capsys):
    (path,) = write_ct_series(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:300])
    code, out, err = hu(monkeypatch, capsys, "read", tmp_path)
    assert code == ExitCode.DAMAGED
    assert "0000.dcm" in out + err


def test_apps_and_doctor_print_json(monkeypatch, capsys):
    code, out, _ = hu(monkeypatch, capsys, "apps", "--json")
    names = {one["name"] for one in json.loads(out)["applications"]}
    assert code == 0
    assert {"lung_ct", "pet_metabolic", "brain_tumour_mr"} <= names
    code, out, _ = hu(monkeypatch, capsys, "doctor", "--json")
    document = json.loads(out)
    assert code == 0
    assert "brain-tumour-mr" in document["models"]
    assert {part["name"] for part in document["packages"]} >= {"torch", "pydicom"}
    assert hu(monkeypatch, capsys, "doctor")[0] == 0
    assert hu(monkeypatch, capsys, "apps")[0] == 0


def test_help_and_version(monkeypatch, capsys):
    code, out, _ = hu(monkeypatch, capsys, "--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)
    assert "Research use only" in out
    assert hu(monkeypatch, capsys, "--version")[1].startswith("hounsfield 0.")


def test_error_of_ours_gives_70_without_a_traceback(monkeypatch, capsys):
    def broken(*args, **options):
        raise ZeroDivisionError("by accident")

    monkeypatch.setattr("hounsfield.pipeline.inspect", broken)
    code, _, err = hu(monkeypatch, capsys, "inspect", ".")
    assert code == ExitCode.INTERNAL
    assert "Please report it" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.GeometryError("x"), 3),
        (errors.StudyError("x"), 5),
        (errors.MissingModel("x"), 6),
        (errors.ResultError("x"), 4),
        (errors.HounsfieldError("x"), 70),
    ],
)
def test_every_error_has_its_code(error, code):
    assert of_error(error) == code


def test_code_of_a_run_is_that_of_its_best_reading():
    refused = Reading.refused(Condition("too-bad", "refusal", "No."))
    missing = Reading.refused(Condition("model-missing", "refusal", "No model."))
    complete, partial = Reading.complete(), Reading.complete().as_partial()
    damaged = Condition("file-damaged", "refusal", "Cut off.")
    assert of_run(Run((refused, complete), (), ())) == ExitCode.DONE
    assert of_run(Run((refused, partial), (), ())) == ExitCode.PARTIAL
    assert of_run(Run((missing,), (), ())) == ExitCode.MODEL_OR_DATA_MISSING
    assert of_run(Run((refused,), (), ())) == ExitCode.REFUSED
    assert of_run(Run((), (), (damaged,))) == ExitCode.DAMAGED


def test_stated_modality_is_parsed_by_file_stem():
    assert parse_stated(["PET=PT:SUVbw", "a/CT.nii.gz=CT:HU"]) == {"PET": ("PT", "SUVbw"), "CT": ("CT", "HU")}


def test_progress_is_silent_where_nobody_watches(capsys):
    progress = TerminalProgress()
    progress.report("reading", 0.5)
    progress.clear()
    assert not progress.should_stop()
    assert capsys.readouterr().err == ""
