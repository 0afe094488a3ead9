"""Fetching a file from a server that stalls, truncates and lies: whole and as stated, or nothing but what came so far."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.zoo.lying_server import CONTENT, TAG, cut_once, send, serving, trickle, whole

from hounsfield.core.errors import Cancelled, MissingModel, ModelError, ResultError, UsageError
from hounsfield.core.progress import Silent
from hounsfield.zoo.download import DownloadLimits, Wanted, check_address, fetch

SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = DownloadLimits(connect_s=0.5, silence_s=0.5, total_s=20.0, largest_bytes=4_000_000)


def get(path, *servers, limits=QUICK, sha256=SHA256, size_bytes=None):
    digests = {"sha256": sha256} if sha256 else {}
    wanted = Wanted(tuple(server.address for server in servers), digests, size_bytes)
    return fetch(wanted, path / "model.zip", Silent(), limits)


def left(path):
    return sorted(file.name for file in path.iterdir())


def test_a_good_server(tmp_path):
    with serving(whole) as server:
        got = get(tmp_path, server, size_bytes=len(CONTENT))
    assert got.path.read_bytes() == CONTENT
    assert (got.sha256, got.size_bytes, got.url) == (SHA256, len(CONTENT), server.address)
    assert left(tmp_path) == ["model.zip"]


def test_what_broke_off_is_gone_on_with(tmp_path):
    with serving(cut_once(whole)) as server:
        assert get(tmp_path, server).path.read_bytes() == CONTENT
    assert server.asked[1]["Range"] == "bytes=300000-"
    assert server.asked[1]["If-Range"] == TAG


def test_it_is_gone_on_with_by_the_next_command_too(tmp_path):
    with serving(cut_once(lambda handler, *_: send(handler, b"", status=503))) as server:
        with pytest.raises(MissingModel, match=r"sent 300000 of 1048576 bytes.*503.*go on"):
            get(tmp_path, server)
        assert left(tmp_path) == ["model.zip.part", "model.zip.part.json"]
        server.behave = whole
        assert get(tmp_path, server).path.read_bytes() == CONTENT
        assert server.asked[-1]["Range"] == "bytes=300000-"


def test_a_server_that_stalls_is_left_and_gone_on_with(tmp_path):
    def stall(handler, number, start):
        if number == 0:
            send(handler, CONTENT[:1000], length=len(CONTENT))
            time.sleep(1.5)
        else:
            whole(handler, number, start)

    with serving(stall) as server:
        assert get(tmp_path, server).path.read_bytes() == CONTENT
    assert server.asked[1]["Range"] == "bytes=1000-"


def test_a_server_that_never_answers_gives_way_to_the_mirror(tmp_path):
    with serving(lambda *_: time.sleep(1.5)) as server, serving(whole) as mirror:
        limits = DownloadLimits(connect_s=0.3, silence_s=0.3, tries=1)
        got = get(tmp_path, server, mirror, limits=limits)
    assert got.url == mirror.address


def test_headers_that_trickle_are_not_waited_for(tmp_path):
    def drip(handler, number, start):
        for byte in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            time.sleep(0.1)

    began_s = time.monotonic()
    with serving(drip) as server, pytest.raises(MissingModel, match="gave no answer"):
        get(tmp_path, server, limits=DownloadLimits(connect_s=0.4, silence_s=0.4, tries=1))
    assert time.monotonic() - began_s < 3


def test_a_trickle_ends_with_the_time_that_is_given_and_what_came_is_kept(tmp_path):
    slow = DownloadLimits(connect_s=1.0, silence_s=1.0, total_s=0.6)

    def drip(handler, number, start):
        trickle(handler, number, start, every_s=0.1, n_bytes=1000)

    with serving(drip) as server, pytest.raises(MissingModel, match="took longer than 1 s"):
        get(tmp_path, server, limits=slow)
    assert left(tmp_path) == ["model.zip.part", "model.zip.part.json"]


def test_a_file_that_changed_meanwhile_is_begun_anew(tmp_path):
    """A server that knows If-Range sends the new file whole; the old beginning is not put before it."""
    new = CONTENT[::-1]

    def changed(handler, number, start):
        send(handler, new, tag='"two"')

    with serving(cut_once(changed)) as server:
        got = get(tmp_path, server, sha256=hashlib.sha256(new).hexdigest())
    assert got.path.read_bytes() == new


def test_a_file_that_changed_under_a_server_that_ignores_if_range_is_begun_anew(tmp_path):
    new = CONTENT[::-1]

    def careless(handler, number, start):
        if start is None:
            send(handler, new, tag='"two"')
            return
        said = f"bytes {start}-{len(new) - 1}/{len(new)}"
        send(handler, new[start:], status=206, tag='"two"', Content_Range=said)

    with serving(cut_once(careless)) as server:
        got = get(tmp_path, server, sha256=hashlib.sha256(new).hexdigest())
    assert got.path.read_bytes() == new
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "said",
    ["bytes 0-1048575/1048576", "bytes 300001-1048575/1048576", "bytes 300000-1048575/2000000", "", "x"],
)
def test_another_range_than_asked_for_is_not_put_together(tmp_path, said):
    def wrong(handler, number, start):
        if start is None:
            whole(handler, number, start)
        else:
            send(handler, CONTENT[start:], status=206, Content_Range=said)

    with serving(cut_once(wrong)) as server:
        assert get(tmp_path, server).path.read_bytes() == CONTENT


def test_a_server_without_ranges_or_tags_is_asked_for_all_again(tmp_path):
    with serving(
        lambda handler, number, _: send(
            handler, CONTENT[: 300 if number == 0 else None], length=len(CONTENT), tag=""
        )
    ) as server:
        assert get(tmp_path, server).path.read_bytes() == CONTENT
    assert "Range" not in server.asked[1]


def test_a_range_that_cannot_be_satisfied_begins_anew(tmp_path):
    def gone(handler, number, start):
        if start is not None:
            send(handler, b"", status=416)
        else:
            whole(handler, number, start)

    with serving(cut_once(gone)) as server:
        assert get(tmp_path, server).path.read_bytes() == CONTENT


def test_less_than_was_stated_is_never_taken_for_whole(tmp_path):
    with (
        serving(lambda handler, *_: send(handler, CONTENT[:-1], length=len(CONTENT), tag="")) as server,
        pytest.raises(MissingModel, match="sent 1048575 of 1048576"),
    ):
        get(tmp_path, server, sha256=None)
    assert "model.zip" not in left(tmp_path)


def test_more_than_was_stated_is_cut_by_its_length_and_told_by_its_digest(tmp_path):
    """A stated length that is too small: what came is a piece, and the digest says so."""
    with (
        serving(lambda handler, *_: send(handler, CONTENT, length=1000)) as server,
        pytest.raises(ModelError, match=r"not the stated file: its sha256 is .* It was deleted"),
    ):
        get(tmp_path, server)
    assert left(tmp_path) == []


def test_without_end_is_stopped_at_the_limit(tmp_path):
    def endless(handler, number, start):
        send(handler, b"", length=-1)
        while True:
            handler.wfile.write(CONTENT)

    with serving(endless) as server, pytest.raises(MissingModel, match="sends more than 4000000 bytes"):
        get(tmp_path, server, sha256=None)


def test_a_length_beyond_the_limit_is_refused_before_the_first_byte(tmp_path):
    with (
        serving(lambda handler, *_: send(handler, b"", length=10**12)) as server,
        pytest.raises(MissingModel, match="states 1000000000000 bytes, the limit is"),
    ):
        get(tmp_path, server)
    assert left(tmp_path) == []


def test_another_size_than_the_catalogue_states_is_refused(tmp_path):
    with serving(whole) as server, pytest.raises(MissingModel, match="states 1048576 bytes, the catalogue 5"):
        get(tmp_path, server, size_bytes=5)


def test_another_file_is_deleted_and_the_digests_named(tmp_path):
    with (
        serving(lambda handler, *_: send(handler, b"other")) as server,
        pytest.raises(ModelError, match=f"stated is {SHA256}"),
    ):
        get(tmp_path, server)
    assert left(tmp_path) == []


@pytest.mark.parametrize("algorithm", ["sha1", "md5"])
def test_older_digests_of_publishers_are_compared_too(tmp_path, algorithm):
    with serving(whole) as server:
        right = hashlib.new(algorithm, CONTENT).hexdigest()
        wanted = Wanted((server.address,), {algorithm: right})
        assert fetch(wanted, tmp_path / "model.zip", Silent(), QUICK).sha256 == SHA256
        wrong = Wanted((server.address,), {algorithm: right[::-1]})
        with pytest.raises(ModelError, match=f"its {algorithm} is {right}"):
            fetch(wrong, tmp_path / "other.zip", Silent(), QUICK)


@pytest.mark.parametrize(
    "target",
    [
        "http://example.org/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https://somebody@example.org/x",
        "",
    ],
)
def test_redirects_lead_to_https_only(tmp_path, target):
    with (
        serving(lambda handler, *_: send(handler, b"", status=302, Location=target)) as server,
        pytest.raises(MissingModel, match=r"no https address|redirects more than"),
    ):
        get(tmp_path, server)


def test_a_redirect_on_this_machine_is_followed_and_a_circle_ends(tmp_path):
    with (
        serving(whole) as other,
        serving(lambda handler, *_: send(handler, b"", status=307, Location=other.address)) as server,
    ):
        assert get(tmp_path, server).path.read_bytes() == CONTENT
    with (
        serving(lambda handler, *_: send(handler, b"", status=302, Location="/again")) as circle,
        pytest.raises(MissingModel, match="redirects more than 8 times"),
    ):
        get(tmp_path / "circle", circle)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/x",
        "ftp://example.org/x",
        "file:///x",
        "x",
        "https://somebody@example.org/",
        "http://127.0.0.1.example.org/",
    ],
)
def test_addresses_that_are_not_asked(address):
    with pytest.raises(UsageError):
        check_address(address)


def test_a_missing_file_is_told_with_the_status_of_every_address(tmp_path):
    with (
        serving(lambda handler, *_: send(handler, b"", status=404)) as server,
        pytest.raises(
            MissingModel, match=r"127.0.0.1: answers 404 .*127.0.0.1: answers 404 .*hu models import"
        ),
    ):
        get(tmp_path, server, server)


def test_another_encoding_than_asked_for_is_refused(tmp_path):
    with (
        serving(lambda handler, *_: send(handler, CONTENT, Content_Encoding="gzip")) as server,
        pytest.raises(MissingModel, match="another encoding"),
    ):
        get(tmp_path, server)


def test_a_full_disk_is_told_before_and_during(tmp_path, monkeypatch):
    from types import SimpleNamespace

    with serving(whole) as server:
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10))
        with pytest.raises(ResultError, match="has fewer free"):
            get(tmp_path, server)
        monkeypatch.undo()

        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("hounsfield.zoo.download.step", full)
        with pytest.raises(ResultError, match=r"the disk is full.*is kept in"):
            get(tmp_path, server)


def test_stopping_keeps_what_came(tmp_path):
    class Impatient(Silent):
        def should_stop(self):
            return True

    with serving(whole) as server, pytest.raises(Cancelled):
        fetch(Wanted((server.address,)), tmp_path / "model.zip", Impatient(), QUICK)
    assert (tmp_path / "model.zip.part").is_file()


@pytest.mark.chaos
def test_killed_during_the_download_it_goes_on_where_it_stopped(tmp_path):
    code = (
        "import sys; from pathlib import Path; from hounsfield.core.progress import Silent; "
        "from hounsfield.zoo.download import Wanted, fetch; "
        "fetch(Wanted((sys.argv[1],)), Path(sys.argv[2]), Silent())"
    )
    with serving(trickle) as server:
        command = [sys.executable, "-c", code, server.address, str(tmp_path / "model.zip")]
        running = subprocess.Popen(command, env=dict(os.environ))
        part = tmp_path / "model.zip.part"
        ends_s = time.monotonic() + 60
        while not (part.is_file() and part.stat().st_size > 100_000) and time.monotonic() < ends_s:
            time.sleep(0.01)
        running.send_signal(signal.SIGKILL)
        running.wait()
        n_kept = part.stat().st_size
        assert 100_000 < n_kept < len(CONTENT)
        assert get(tmp_path, server).path.read_bytes() == CONTENT
    assert server.asked[-1]["Range"] == f"bytes={n_kept}-"
