"""A folder of results is there completely or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hounsfield.core.errors import ResultError, UsageError
from hounsfield.results import folder as folder_module
from hounsfield.results.folder import replaced_folder, write_page

SYSTEM_EXCHANGE = folder_module._exchange


@pytest.fixture(params=["exchange", "two renames"])
def way(request, monkeypatch):
    """Both ways of replacing: in one step where the system can, else by two renames."""
    if request.param == "two renames":
        monkeypatch.setattr(folder_module, "_exchange", lambda one, other: False)
    return request.param


def write(folder, text: str) -> None:
    with replaced_folder(folder) as scratch:
        (scratch / "reading.json").write_text(text)
        (scratch / "masks").mkdir()
        (scratch / "masks" / "lung.nii.gz").write_text(text)


def write_half(folder, error: BaseException) -> None:
    with replaced_folder(folder) as scratch:
        (scratch / "reading.json").write_text("half")
        raise error


def names(parent) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


def test_new_folder_appears_with_its_parents(tmp_path):
    write(tmp_path / "out" / "study" / "lung_ct", "new")
    assert (tmp_path / "out" / "study" / "lung_ct" / "masks" / "lung.nii.gz").read_text() == "new"
    assert names(tmp_path / "out" / "study") == ["lung_ct"]


def test_older_result_is_replaced_entirely(tmp_path, way):
    with replaced_folder(tmp_path / "r") as scratch:
        (scratch / "report.pdf").write_text("of the older run")
    write(tmp_path / "r", "new")
    assert names(tmp_path) == ["r"]
    assert names(tmp_path / "r") == ["masks", "reading.json"]


def test_until_the_end_the_older_result_is_whole(tmp_path, way):
    write(tmp_path / "r", "old")
    with replaced_folder(tmp_path / "r") as scratch:
        (scratch / "reading.json").write_text("new")
        assert (tmp_path / "r" / "reading.json").read_text() == "old"
    assert (tmp_path / "r" / "reading.json").read_text() == "new"


def test_exchange_in_one_step_leaves_no_moment_without_result(tmp_path, monkeypatch):
    """On Linux both names exist before and after one system call, and nothing is renamed away."""
    write(tmp_path / "r", "old")
    done = []
    monkeypatch.setattr(
        folder_module, "_exchange", lambda a, b: done.append(SYSTEM_EXCHANGE(a, b)) or done[-1]
    )
    write(tmp_path / "r", "new")
    if done == [False]:
        pytest.skip("this file system cannot exchange two names")
    assert done == [True]
    assert (tmp_path / "r" / "reading.json").read_text() == "new"


def test_empty_folder_may_be_taken(tmp_path):
    (tmp_path / "r").mkdir()
    write(tmp_path / "r", "new")
    assert (tmp_path / "r" / "reading.json").read_text() == "new"


@pytest.mark.parametrize("error", [RuntimeError("bug"), KeyboardInterrupt(), UsageError("no")])
def test_error_in_between_leaves_everything_as_it_was(tmp_path, error):
    write(tmp_path / "r", "old")
    with pytest.raises(type(error)):
        write_half(tmp_path / "r", error)
    assert names(tmp_path) == ["r"]
    assert (tmp_path / "r" / "reading.json").read_text() == "old"


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "the disk is full: free some space"),
        (errno.EACCES, "you may not write there"),
        (errno.EROFS, "read-only disk"),
        (errno.EIO, "the system says 'Input/output error'"),
    ],
)
def test_failed_write_names_folder_and_remedy(tmp_path, number, remedy):
    with pytest.raises(ResultError, match=remedy) as caught:
        write_half(tmp_path / "r", OSError(number, os.strerror(number)))
    assert str(tmp_path / "r") in str(caught.value)
    assert names(tmp_path) == []


@pytest.mark.chaos
def test_disk_that_fills_up_at_the_flush_keeps_the_older_result(tmp_path, monkeypatch):
    write(tmp_path / "r", "old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResultError, match="the disk is full"):
        write(tmp_path / "r", "new")
    assert (tmp_path / "r" / "reading.json").read_text() == "old"
    assert names(tmp_path) == ["r"]


@pytest.mark.chaos
def test_failed_second_rename_puts_the_older_result_back(tmp_path, monkeypatch):
    write(tmp_path / "r", "old")
    monkeypatch.setattr(folder_module, "_exchange", lambda one, other: False)
    path_type, renamed = type(tmp_path), []
    rename = path_type.rename

    def failing(self, target):
        renamed.append(target)
        if len(renamed) == 2:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(path_type, "rename", failing)
    with pytest.raises(ResultError, match="what was there before is untouched"):
        write(tmp_path / "r", "new")
    assert (tmp_path / "r" / "reading.json").read_text() == "old"
    assert names(tmp_path) == ["r"]


def test_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "thesis.odt").write_text("years of work")
    (tmp_path / "reading.json").write_text("{}")
    with pytest.raises(ResultError, match=r"the first is 'thesis\.odt'; replacing the folder would delete"):
        write(tmp_path, "new")
    assert (tmp_path / "thesis.odt").read_text() == "years of work"


@pytest.mark.parametrize("kind", ["file", "link"])
def test_file_or_link_is_not_replaced(tmp_path, kind):
    target = tmp_path / "r"
    if kind == "file":
        target.write_text("mine")
    else:
        (tmp_path / "elsewhere").mkdir()
        target.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResultError, match="is a link or a file"):
        write(target, "new")


def test_everything_is_flushed_before_it_gets_its_name(tmp_path, monkeypatch):
    order = []
    fsync, put = os.fsync, folder_module._put_in_place
    monkeypatch.setattr(
        os, "fsync", lambda fd: (order.append(Path(f"/proc/self/fd/{fd}").readlink()), fsync(fd))
    )
    monkeypatch.setattr(folder_module, "_put_in_place", lambda a, b: (order.append("renamed"), put(a, b)))
    write(tmp_path / "r", "new")
    before = [path.name for path in order[: order.index("renamed")]]
    assert {"reading.json", "lung.nii.gz", "masks"} <= set(before)
    assert order[-1] == tmp_path


def test_relative_folder_is_written_where_the_program_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(Path("out/lung_ct"), "new")
    assert (tmp_path / "out" / "lung_ct" / "masks" / "lung.nii.gz").read_text() == "new"


def test_page_replaces_an_older_one_and_leaves_nothing_beside_it(tmp_path):
    for text in (b"old", b"new"):
        write_page(tmp_path / "index.html", text)
    assert (tmp_path / "index.html").read_bytes() == b"new"
    assert names(tmp_path) == ["index.html"]


def test_page_that_cannot_be_written_keeps_the_older_one(tmp_path, monkeypatch):
    def full(self, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    write_page(tmp_path / "index.html", b"old")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ResultError, match="the disk is full: free some space"):
        write_page(tmp_path / "index.html", b"new")
    assert (tmp_path / "index.html").read_bytes() == b"old"
    assert names(tmp_path) == ["index.html"]
