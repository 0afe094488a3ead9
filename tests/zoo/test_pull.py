"""Pulling: terms are asked, the first download of a file without a stated digest is recorded, later ones must match it."""

from __future__ import annotations

import hashlib
import json

import pytest
from tests.cli.test_command import hu
from tests.tiny_bundle import write_tiny_bundle
from tests.zoo.lying_server import CONTENT, cut_once, send, serving, whole

from hounsfield.core.errors import Cancelled, ModelError, RefusedInput
from hounsfield.core.progress import Silent
from hounsfield.zoo import verify_bundle
from hounsfield.zoo.catalogue import Entry, EntryLicence
from hounsfield.zoo.packing import pack_bundle
from hounsfield.zoo.pull import RECORD_FILE, PullRequest, file_name, forget, pull

SHA256 = hashlib.sha256(CONTENT).hexdigest()


def entry(gate="none", **changes):
    """An entry whose addresses are filled in by the request, since the catalogue takes https alone."""
    licence = EntryLicence(
        name="CC BY-NC 4.0", gate=gate, commercial_use="forbidden", stated_at="https://example.org"
    )
    fields = {
        "name": "one",
        "title": "One",
        "area": ("brain",),
        "modality": ("MR",),
        "task": "segmentation",
        "format": "x",
        "urls": () if gate == "publisher" else ("https://example.org/x",),
        "licence": licence,
        "paper": "none",
        "evidence": "none",
        "sources": ("https://example.org",),
    }
    return Entry.model_validate({**fields, **changes})


def yes(about, question):
    return True


def no(about, question):
    return False


def get(tmp_path, server, ask, **changes):
    return pull(PullRequest("one", (server.address,), tmp_path, **changes), ask, Silent())


def test_the_first_download_without_a_digest_is_asked_about_and_recorded(tmp_path):
    asked = []
    with serving(whole) as server:
        with pytest.raises(Cancelled):
            get(tmp_path, server, no)
        assert server.asked == []
        first = get(tmp_path, server, lambda _, question: not asked.append(question))
        assert first.pinned_by == "nobody"
        assert "states no SHA-256" in asked[0]
        recorded = json.loads((tmp_path / RECORD_FILE).read_text())["files"][server.address]
        assert (recorded["sha256"], recorded["size_bytes"]) == (SHA256, len(CONTENT))
        again = get(tmp_path, server, no)
    assert again.pinned_by == "first download"


def test_another_file_than_the_first_is_refused_until_the_record_is_forgotten(tmp_path):
    with serving(whole) as server:
        get(tmp_path, server, yes)
        server.behave = lambda handler, *_: send(handler, CONTENT[::-1])
        (tmp_path / ".downloads" / "one" / "model.zip").unlink()
        with pytest.raises(ModelError, match=r"not the stated file.*first fetched on \d{4}-.*--anew"):
            get(tmp_path, server, yes)
        forget(tmp_path, server.address)
        assert get(tmp_path, server, yes).main.sha256 == hashlib.sha256(CONTENT[::-1]).hexdigest()


def test_a_stated_digest_needs_no_question_and_goes_before_the_record(tmp_path):
    with serving(whole) as server:
        assert get(tmp_path, server, no, sha256=SHA256).pinned_by == "publisher"
        with pytest.raises(ModelError, match="not the stated file"):
            get(tmp_path, server, yes, sha256="0" * 64)


def test_terms_are_asked_and_can_be_accepted_beforehand(tmp_path):
    asked = []

    def ask(about, question):
        asked.append(question)
        return False

    with serving(whole) as server:
        with pytest.raises(Cancelled, match="--accept-licence one"):
            get(tmp_path, server, ask, entry=entry("accept"), sha256=SHA256)
        assert "CC BY-NC 4.0" in asked[0]
        assert "Commercial use: forbidden" in asked[0]
        assert get(tmp_path, server, no, entry=entry("accept"), sha256=SHA256, accepted=("one",))


def test_what_only_its_publisher_gives_is_told_with_the_way_there(tmp_path):
    with serving(whole) as server:
        with pytest.raises(RefusedInput, match=r"publisher only.*https://example.org.*hu models import"):
            get(tmp_path, server, yes, entry=entry("publisher"))
        assert server.asked == []


def test_a_weaker_digest_of_the_publisher_is_compared_and_still_asked_about(tmp_path):
    stated = {
        "algorithm": "sha1",
        "value": hashlib.sha1(CONTENT).hexdigest(),
        "stated_at": "https://example.org",
    }
    asked = []
    with serving(whole) as server:
        get(tmp_path, server, lambda _, question: not asked.append(question), entry=entry(checksum=stated))
        assert "SHA1, which tells damage but no forgery" in asked[0]
        wrong = {**stated, "value": "0" * 40}
        with pytest.raises(ModelError, match="its sha1 is"):
            get(tmp_path, server, yes, entry=entry(checksum=wrong))


def test_what_is_there_already_and_right_is_not_fetched_again(tmp_path):
    with serving(whole) as server:
        get(tmp_path, server, yes)
        get(tmp_path, server, no)
        assert len(server.asked) == 1


def test_a_digest_that_the_user_states_takes_the_place_of_the_record(tmp_path):
    new = CONTENT[::-1]
    with serving(whole) as server:
        get(tmp_path, server, yes)
        server.behave = lambda handler, *_: send(handler, new)
        get(tmp_path, server, no, sha256=hashlib.sha256(new).hexdigest())
        assert get(tmp_path, server, no).main.sha256 == hashlib.sha256(new).hexdigest()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"files": {"a": 1}}', b"[" * 10000])
def test_a_damaged_record_is_not_taken_for_an_empty_one(tmp_path, content):
    (tmp_path / RECORD_FILE).write_bytes(content)
    with serving(whole) as server, pytest.raises(ModelError, match="no record of downloads"):
        get(tmp_path, server, yes)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://x/a/b.zip?download=1", "b.zip"),
        ("https://x/..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://x/.bashrc", "bashrc"),
        ("https://x/", "model"),
        ("https://x/a%00b c.zip", "a-b-c.zip"),
    ],
)
def test_names_of_files_are_plain(url, name):
    assert file_name(url) == name


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def packed(tmp_path):
    bundle = write_tiny_bundle(tmp_path / "made", name="tiny-model")
    pack_bundle(bundle, tmp_path / "tiny.zip")
    return (tmp_path / "tiny.zip").read_bytes()


def test_a_bundle_comes_over_a_line_that_breaks_and_is_installed(own, packed, monkeypatch, capsys):
    def rest(handler, number, start):
        said = f"bytes {start}-{len(packed) - 1}/{len(packed)}"
        send(handler, packed[start:], status=206, Content_Range=said)

    def behave(handler, number, start):
        if number == 0:
            send(handler, packed[:500], length=len(packed))
        else:
            rest(handler, number, start)

    with serving(behave) as server:
        code, printed, _ = hu(monkeypatch, capsys, "models", "pull", server.address, "--yes", "--json")
    assert code == 0
    document = json.loads(printed)
    assert document["pulled"]["sha256"] == hashlib.sha256(packed).hexdigest()
    assert document["models"][0]["name"] == "tiny-model"
    assert verify_bundle("tiny-model").folder == own / "tiny-model"
    assert sorted(path.name for path in own.iterdir()) == [".downloads", RECORD_FILE, "tiny-model"]
    assert server.asked[1]["Range"] == "bytes=500-"


def test_what_no_format_knows_is_kept_and_told(own, monkeypatch, capsys):
    with serving(whole) as server:
        code, printed, _ = hu(monkeypatch, capsys, "models", "pull", server.address, "--yes")
    assert code == 4
    assert "hu models import" in printed
    assert (own / ".downloads" / "model" / "model.zip").read_bytes() == CONTENT


def test_yes_does_not_accept_terms(own, monkeypatch, capsys):
    questions = []
    monkeypatch.setattr("typer.confirm", lambda question, **_: bool(questions.append(question)))
    code, _, said = hu(monkeypatch, capsys, "models", "pull", "lungmask-r231", "--yes")
    assert code == 4
    assert "--accept-licence lungmask-r231" in said
    assert questions[0].startswith("Terms of lungmask-r231")


def test_wrong_words_are_told(own, monkeypatch, capsys):
    for words, code, said in (
        (("pull", "hdbet"), 2, "Did you mean"),
        (("pull", "http://example.org/x.zip", "--yes"), 2, "no https address"),
        (("pull", "hd-bet", "--sha256", "abc"), 2, "64 hexadecimal digits"),
        (("pull", "mirai"), 3, "publisher only"),
    ):
        found, _, errors = hu(monkeypatch, capsys, "models", *words)
        assert (found, said in errors) == (code, True), errors


def test_a_mirror_stands_in_for_an_address_that_fails(tmp_path):
    with (
        serving(cut_once(lambda handler, *_: send(handler, b"", status=500))) as server,
        serving(whole) as mirror,
    ):
        request = PullRequest("one", (server.address, mirror.address), tmp_path, sha256=SHA256)
        assert pull(request, no, Silent()).main.url == mirror.address


def test_several_files_that_belong_together_come_into_one_folder(tmp_path):
    """A file and what stands beside it, both recorded; the second's address is given to the entry unchecked."""
    with serving(whole) as server:
        address = server.address.replace("model.zip", "layers.json")
        made = entry().model_copy(update={"beside": (address,)})
        got = get(tmp_path, server, yes, entry=made)
        assert sorted(path.name for path in got.path.iterdir()) == ["layers.json", "model.zip"]
        assert set(json.loads((tmp_path / RECORD_FILE).read_text())["files"]) == {server.address, address}


def test_a_licence_that_nobody_stated_is_no_licence():
    assert EntryLicence(name="MIT", commercial_use="allowed", stated_at="https://x.org").is_stated
    for name in ("Not stated in what was read", "Stated in the bundle's own licence files"):
        assert not EntryLicence(name=name, commercial_use="not stated", stated_at="https://x.org").is_stated
