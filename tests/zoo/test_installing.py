"""Unpacking what is hostile, and installing: nothing outside the folder, nothing half done, signatures come along."""

from __future__ import annotations

import stat
import struct
import zipfile

import pytest
from tests.tiny_bundle import write_tiny_bundle

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo import find_bundle, open_bundle
from hounsfield.zoo.installed import install_model, look_at
from hounsfield.zoo.model_formats import ImportRequest
from hounsfield.zoo.packing import pack_bundle, unpack_zip
from hounsfield.zoo.signature import new_key, sign_bundle


@pytest.fixture
def bundle(tmp_path):
    return write_tiny_bundle(tmp_path / "made", name="tiny-model")


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def test_a_signature_travels_in_the_zip_and_in_the_folder(bundle, own, tmp_path, monkeypatch):
    new_key(tmp_path / "key", "Ward 3")
    sign_bundle(bundle, tmp_path / "key")
    pack_bundle(bundle, tmp_path / "a.zip")
    monkeypatch.setenv("HOUNSFIELD_TRUSTED_KEYS", str(tmp_path / "key.pub"))
    monkeypatch.setenv("HOUNSFIELD_REQUIRE_SIGNATURES", "1")
    for source in (tmp_path / "a.zip", bundle.folder):
        made = install_model(ImportRequest(source, own), replace_old=True)
        assert made.signature.signer == "Ward 3"
        assert open_bundle("tiny-model").digest == bundle.digest


def test_a_folder_is_installed_too_and_twice_is_once(bundle, own):
    for _ in range(2):
        assert install_model(ImportRequest(bundle.folder, own)).bundle.digest == bundle.digest
    assert [path.name for path in own.iterdir()] == ["tiny-model"]
    assert find_bundle("tiny-model") == own / "tiny-model"


def test_another_of_the_same_name_needs_a_word(bundle, own, tmp_path):
    install_model(ImportRequest(bundle.folder, own))
    other = write_tiny_bundle(tmp_path / "other", name="tiny-model", version="0.2.0")
    with pytest.raises(UsageError, match=r"installed already .*0\.1\.0.*0\.2\.0.*--replace"):
        install_model(ImportRequest(other.folder, own))
    assert look_at(own / "tiny-model").bundle.version == "0.1.0"
    install_model(ImportRequest(other.folder, own), replace_old=True)
    assert look_at(own / "tiny-model").bundle.version == "0.2.0"
    assert [path.name for path in own.iterdir()] == ["tiny-model"]


def test_an_altered_bundle_is_not_installed(bundle, own):
    (bundle.folder / "LICENSE").write_text("mine")
    with pytest.raises(ModelError, match="LICENSE was altered"):
        install_model(ImportRequest(bundle.folder, own))
    assert not list(own.iterdir())


def test_links_in_a_bundle_s_folder_are_not_followed(bundle, own, tmp_path):
    (tmp_path / "secret").write_text("s")
    (bundle.folder / "docs" / "x.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="is a link"):
        install_model(ImportRequest(bundle.folder, own))


def zip_of(path, *members, **changes):
    """A zip of (name, content, mode) members; compressed where asked."""
    with zipfile.ZipFile(path, "w", changes.get("compression", zipfile.ZIP_STORED)) as archive:
        for name, content, *mode in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = archive.compression
            info.external_attr = (mode[0] if mode else stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:/x", "a\\..\\..\\x", "~/../x"])
def test_members_that_leave_the_folder_are_refused(tmp_path, name):
    path = zip_of(tmp_path / "a.zip", ("good.txt", "1"), (name, "2"))
    with pytest.raises(ModelError, match="leaves the folder"):
        unpack_zip(path, tmp_path / "deep" / "out")
    assert not (tmp_path / "x").exists()


def test_links_and_devices_are_refused(tmp_path):
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO):
        path = zip_of(tmp_path / "a.zip", ("x", "/etc/passwd", kind | 0o777))
        with pytest.raises(ModelError, match="a link or a path"):
            unpack_zip(path, tmp_path / "out")


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path):
    """The central directory states 10 bytes for 20 MB of zeros: nothing is written beyond what it states."""
    path = zip_of(tmp_path / "a.zip", ("zeros", bytes(20_000_000)), compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError):
        unpack_zip(path, tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file()) <= 10


def test_two_members_of_one_name_are_refused(tmp_path):
    path = zip_of(tmp_path / "a.zip", ("card.json", "1"), ("cbrd.json", "2"))
    path.write_bytes(path.read_bytes().replace(b"cbrd", b"card"))
    with pytest.raises(ModelError, match="twice"):
        unpack_zip(path, tmp_path / "out")


@pytest.mark.parametrize("n_kept", [10, 200, 4000])
def test_a_cut_zip_is_not_unpacked(bundle, tmp_path, n_kept):
    pack_bundle(bundle, tmp_path / "a.zip")
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:n_kept])
    with pytest.raises(ModelError, match="no whole zip"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")
