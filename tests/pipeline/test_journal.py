"""Which files make a study, what is done and what is not: the journal of an archive."""

from __future__ import annotations

import zipfile
from contextlib import closing

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Raster
from tests.pipeline.archives import study_uid, write_study

from hounsfield.core.errors import ResultError, UsageError
from hounsfield.pipeline import ArchiveRequest, holds_many
from hounsfield.pipeline.journal import JOURNAL_NAME, Journal, open_journal
from hounsfield.pipeline.study_task import Outcome, StudyTask, WrittenReading
from hounsfield.reports import IndexEntry
from hounsfield.studies import ArchiveFile, changed_files, find_archive_files


def look_through(journal, path, settings=""):
    for file in find_archive_files(path, journal.known):
        journal.add_file(file)
    journal.settle(settings)


def tasks_of(path) -> dict[str, list[str]]:
    with closing(Journal(":memory:")) as journal:
        look_through(journal, path)
        return {key: [file.name for file in journal.files_of(key)] for key in journal.waiting()}


def write_nifti(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.zeros((3, 3, 3), np.uint8), np.eye(4)), path)


def test_files_of_a_study_are_one_task_wherever_they_lie(tmp_path):
    write_study(tmp_path / "a", "one", n=2)
    write_study(tmp_path / "b" / "c", "two", n=2)
    first = tmp_path / "a" / "001.dcm"
    first.rename(tmp_path / "b" / "moved.dcm")
    (tmp_path / "notes.txt").write_text("no image")
    assert tasks_of(tmp_path) == {
        study_uid("one"): ["a/000.dcm", "b/moved.dcm"],
        study_uid("two"): ["b/c/000.dcm", "b/c/001.dcm"],
    }


def test_members_of_archives_and_files_are_told_alike(tmp_path):
    write_study(tmp_path / "a", "one", n=2)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.write(tmp_path / "a" / "001.dcm", "x/001.dcm")
        for path in write_study(tmp_path / "elsewhere", "two", n=1):
            archive.write(path, "y/000.dcm")
            path.unlink()
    (tmp_path / "a" / "001.dcm").unlink()
    assert tasks_of(tmp_path) == {
        study_uid("one"): ["a/000.dcm", "b.zip/x/001.dcm"],
        study_uid("two"): ["b.zip/y/000.dcm"],
    }


def test_volumes_are_a_task_a_folder_and_pictures_a_task_a_file(tmp_path):
    for name in ("case1/ct.nii.gz", "case1/label.nii.gz", "case2/ct.nii"):
        write_nifti(tmp_path / name)
    for name in ("p.png", "q.png"):
        Raster.new("L", (4, 4)).save(tmp_path / name)
    assert tasks_of(tmp_path) == {
        "folder case1": ["case1/ct.nii.gz", "case1/label.nii.gz"],
        "folder case2": ["case2/ct.nii"],
        "file p.png": ["p.png"],
        "file q.png": ["q.png"],
    }


def test_masks_go_with_the_study_of_the_nearest_folder(tmp_path):
    for case in ("one", "two"):
        write_study(tmp_path / case / "dicom", case, n=1)
        write_nifti(tmp_path / case / "truth" / "lung-mask.nii.gz")
    write_nifti(tmp_path / "atlas-labels.nii")  # at the top of an archive nobody knows whose it is
    assert tasks_of(tmp_path) == {
        "folder .": ["atlas-labels.nii"],
        study_uid("one"): ["one/dicom/000.dcm", "one/truth/lung-mask.nii.gz"],
        study_uid("two"): ["two/dicom/000.dcm", "two/truth/lung-mask.nii.gz"],
    }


def test_mask_beside_two_studies_makes_them_one_task(tmp_path):
    for name in ("one", "two"):
        write_study(tmp_path / "case" / name, name, n=1)
    write_nifti(tmp_path / "case" / "seg.nii.gz")
    write_study(tmp_path / "other", "three", n=1)
    assert {len(files) for files in tasks_of(tmp_path).values()} == {3, 1}


def test_damaged_file_goes_with_the_study_of_its_folder(tmp_path):
    write_study(tmp_path / "a", "one", n=2)
    whole = (tmp_path / "a" / "000.dcm").read_bytes()
    (tmp_path / "a" / "cut.dcm").write_bytes(whole[:128] + b"DICM" + b"\xff" * 900)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "cut.zip").write_bytes(b"PK\x03\x04 and no more")
    assert tasks_of(tmp_path) == {
        study_uid("one"): ["a/000.dcm", "a/001.dcm", "a/cut.dcm"],
        "file b/cut.zip": ["b/cut.zip"],
    }


def test_one_study_is_no_archive_whatever_lies_beside_it(tmp_path):
    out = tmp_path / "out"
    write_study(tmp_path / "in" / "dicom", "one")
    write_nifti(tmp_path / "in" / "mask.nii.gz")
    (tmp_path / "in" / "truth.json").write_text("{}")
    assert not holds_many(tmp_path / "in", out)
    write_study(tmp_path / "in" / "again", "two")
    assert holds_many(tmp_path / "in", out)
    assert holds_many(tmp_path / "in", out)
    assert not holds_many(tmp_path / "in" / "dicom", out)
    with pytest.raises(UsageError, match="does not exist"):
        holds_many(tmp_path / "nowhere", out)


def test_what_was_done_stays_done_and_what_changed_waits(tmp_path):
    archive, out = tmp_path / "in", tmp_path / "out"
    for name in ("one", "two", "three"):
        write_study(archive / name, name, n=2)
    with open_journal(out) as journal:
        journal.belong_to("in")
        look_through(journal, archive)
        for key in list(journal.waiting()):
            journal.finish(Outcome(key, "failed" if key == study_uid("three") else "done", "because"))
        assert (journal.n_tasks("done"), journal.n_tasks("failed"), journal.n_tasks()) == (2, 1, 3)
    (archive / "two" / "001.dcm").unlink()
    with open_journal(out) as journal:
        look_through(journal, archive)
        assert list(journal.waiting()) == [study_uid("three"), study_uid("two")]
    with open_journal(out) as journal:
        look_through(journal, archive, settings="another version")
        assert journal.n_tasks("waiting") == 3


def test_results_of_studies_that_are_gone_stay_listed(tmp_path):
    archive, out = tmp_path / "in", tmp_path / "out"
    for name in ("one", "two"):
        write_study(archive / name, name, n=1)
    with open_journal(out) as journal:
        look_through(journal, archive)
        for key in list(journal.waiting()):
            journal.finish(Outcome(key, "done"))
    (archive / "one" / "000.dcm").unlink()
    with open_journal(out) as journal:
        look_through(journal, archive)
        assert journal.n_tasks() == 1
        assert {outcome.key for outcome in journal.outcomes()} == {study_uid("one"), study_uid("two")}


def test_known_files_are_not_opened_again(tmp_path):
    archive = tmp_path / "in"
    (path,) = write_study(archive, "one", n=1)
    with open_journal(tmp_path / "out") as journal:
        look_through(journal, archive)
        path.chmod(0o000)
        (file,) = find_archive_files(archive, journal.known)
    assert (file.kind, file.study_uid) == ("dicom", study_uid("one"))


def test_a_second_command_and_another_archive_are_refused(tmp_path):
    with open_journal(tmp_path) as journal:
        journal.belong_to("/archive")
        with pytest.raises(UsageError, match="another command is reading into"), open_journal(tmp_path):
            pass
    with (
        open_journal(tmp_path) as journal,
        pytest.raises(UsageError, match="journal of another archive"),
    ):
        journal.belong_to("/elsewhere")


def test_damaged_journal_is_named_with_its_remedy(tmp_path):
    (tmp_path / JOURNAL_NAME).write_bytes(b"this is no database, it only bears the name" * 100)
    with pytest.raises(ResultError, match="move it away"), open_journal(tmp_path):
        pass


def test_files_that_changed_or_went_are_named(tmp_path):
    paths = write_study(tmp_path, "one", n=3)
    files = list(find_archive_files(tmp_path))
    assert changed_files(tmp_path, files) == []
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes() + b"\0\0")
    assert changed_files(tmp_path, files) == ["000.dcm", "001.dcm"]


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
files = st.builds(
    ArchiveFile, names, st.integers(0, 2**40), st.integers(0, 2**63 - 1), st.just("dicom"), names
)
entries = st.builds(IndexEntry, names, names, st.just("complete"), names, st.tuples(names))
written = st.builds(WrittenReading, names, st.just("complete"), names, entries)


@given(names, st.lists(files, max_size=3).map(tuple), st.none() | st.tuples(names))
def test_task_as_text_and_back_is_the_same(key, files, applications):
    request = ArchiveRequest("/in", "/out", applications, {}, ("/models",)).settled()
    task = StudyTask(key, files, request)
    assert StudyTask.from_text(task.to_text()) == task


@given(names, names, st.lists(written, max_size=2).map(tuple))
def test_outcome_as_text_and_back_is_the_same(key, reason, readings):
    outcome = Outcome(key, "failed", reason, readings, ({"code": "x"},), (), 1.5, stops_all=True)
    assert Outcome.from_text(outcome.to_text()) == outcome
