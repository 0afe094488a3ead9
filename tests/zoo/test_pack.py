"""Packing, unpacking and installing: the same bytes, the licence kept, nothing outside the folder, nothing half done."""

from __future__ import annotations

import stat
import struct
import zipfile

import pytest
from tests.tiny_bundle import write_tiny_bundle

from hounsfield.core.errors import ModelError, RefusedInput, UsageError
from hounsfield.zoo import find_bundle, models_folder, open_bundle
from hounsfield.zoo.installed import install_model, installed_model, remove_model
from hounsfield.zoo.licences import passing_on
from hounsfield.zoo.model_formats import ImportRequest, detected_formats
from hounsfield.zoo.pack import pack_bundle
from hounsfield.zoo.unpack import UnpackLimits, unpack_zip


@pytest.fixture
def bundle(tmp_path):
    return write_tiny_bundle(tmp_path / "made", name="tiny-model")


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def test_packing_twice_gives_the_same_bytes(bundle, tmp_path):
    first = pack_bundle(bundle, tmp_path / "a.zip")
    (bundle.folder / "hounsfield.json").touch()
    second = pack_bundle(bundle, tmp_path / "deep" / "b.zip")
    assert first.sha256 == second.sha256
    assert first.path.read_bytes() == second.path.read_bytes()


def test_what_was_packed_comes_out_as_it_was(bundle, tmp_path, own):
    packed = pack_bundle(bundle, tmp_path / "a.zip")
    made = install_model(ImportRequest(packed.path, models_folder()))
    assert made.folder == own / "tiny-model"
    assert made.digest == bundle.digest
    assert find_bundle("tiny-model") == made.folder
    assert open_bundle("tiny-model").digest == bundle.digest


def test_a_folder_is_installed_too_and_twice_is_once(bundle, own):
    for _ in range(2):
        assert install_model(ImportRequest(bundle.folder, own)).digest == bundle.digest
    assert [path.name for path in own.iterdir()] == ["tiny-model"]


def test_another_of_the_same_name_needs_a_word(bundle, own, tmp_path):
    install_model(ImportRequest(bundle.folder, own))
    other = write_tiny_bundle(tmp_path / "other", name="tiny-model", version="0.2.0")
    with pytest.raises(UsageError, match=r"installed already.*0\.1\.0.*0\.2\.0.*--replace"):
        install_model(ImportRequest(other.folder, own))
    assert installed_model("tiny-model").bundle.version == "0.1.0"
    install_model(ImportRequest(other.folder, own), replace_old=True)
    assert installed_model("tiny-model").bundle.version == "0.2.0"
    assert [path.name for path in own.iterdir()] == ["tiny-model"]


def test_an_altered_bundle_is_not_installed(bundle, own):
    (bundle.folder / "LICENSE").write_text("mine")
    with pytest.raises(ModelError, match="LICENSE was altered"):
        install_model(ImportRequest(bundle.folder, own))
    assert not list(own.iterdir())


def test_neither_name_nor_facts_of_a_bundle_can_be_changed(bundle, own):
    with pytest.raises(UsageError, match="cannot be renamed to other"):
        install_model(ImportRequest(bundle.folder, own, name="other"))
    with pytest.raises(UsageError, match="card of its own"):
        install_model(ImportRequest(bundle.folder, own, facts={"licence": "MIT"}))


def test_links_in_a_bundle_s_folder_are_not_followed(bundle, own, tmp_path):
    (tmp_path / "secret").write_text("s")
    (bundle.folder / "docs" / "x.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="is a link"):
        install_model(ImportRequest(bundle.folder, own))


@pytest.mark.parametrize(
    ("licence", "verdict"),
    [
        ("Apache-2.0", "allowed"),
        ("CC BY-NC 4.0", "allowed"),
        ("MIT", "allowed"),
        ("Not stated; do not pass the weights on.", "forbidden"),
        ("MIT, but may not be redistributed", "forbidden"),
        ("All rights reserved", "forbidden"),
        ("PhysioNet Credentialed Health Data Use Agreement 1.5.0", "forbidden"),
        ("See the authors' page", "unclear"),
        ("Permitted", "unclear"),
    ],
)
def test_licences_by_their_words(licence, verdict):
    assert passing_on(licence) == verdict


def test_a_licence_that_forbids_is_kept(tmp_path):
    forbidden = write_tiny_bundle(tmp_path / "a", licence="Not stated; do not pass the weights on.")
    with pytest.raises(RefusedInput, match="must not be passed on"):
        pack_bundle(forbidden, tmp_path / "a.zip", licence_read=True)
    unclear = write_tiny_bundle(tmp_path / "b", licence="See the authors' page")
    with pytest.raises(RefusedInput, match="--licence-read"):
        pack_bundle(unclear, tmp_path / "b.zip")
    assert pack_bundle(unclear, tmp_path / "b.zip", licence_read=True).size_bytes > 0
    assert not (tmp_path / "a.zip").exists()


def test_nothing_is_overwritten_by_packing(bundle, tmp_path):
    (tmp_path / "a.zip").write_text("there")
    for path, said in ((tmp_path / "a.zip", "is there already"), (tmp_path / "a.tar", r"end in \.zip")):
        with pytest.raises(UsageError, match=said):
            pack_bundle(bundle, path)


def test_models_that_ship_are_not_removed(own):
    with pytest.raises(UsageError, match="ships with this package"):
        remove_model("brain-tumour-mr")


def test_an_installed_model_is_removed_whole(bundle, own):
    install_model(ImportRequest(bundle.folder, own))
    remove_model("tiny-model")
    assert not list(own.iterdir())


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
    with pytest.raises(ModelError, match="outside its folder"):
        unpack_zip(path, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep" / "out").exists()
    assert not (tmp_path / "x").exists()


def test_links_and_devices_are_refused(tmp_path):
    for kind in (stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO):
        path = zip_of(tmp_path / "a.zip", ("x", "/etc/passwd", kind | 0o777))
        with pytest.raises(ModelError, match="link or no plain file"):
            unpack_zip(path, tmp_path / "out")


def test_a_zip_bomb_is_refused_by_its_ratio_and_by_its_size(tmp_path):
    path = zip_of(tmp_path / "a.zip", ("zeros", bytes(20_000_000)), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="would grow"):
        unpack_zip(path, tmp_path / "out")
    with pytest.raises(ModelError, match="the limit is 1000"):
        unpack_zip(path, tmp_path / "out", UnpackLimits(total_bytes=1000, ratio=1e9))
    many = zip_of(tmp_path / "b.zip", *((f"{k}", "") for k in range(20)))
    with pytest.raises(ModelError, match="holds 20 files, the limit is 10"):
        unpack_zip(many, tmp_path / "out", UnpackLimits(files=10))


def test_a_zip_that_lies_about_its_sizes_is_refused(tmp_path):
    """The central directory states 10 bytes for 20 MB of zeros: nothing is written beyond what it states."""
    path = zip_of(tmp_path / "a.zip", ("zeros", bytes(20_000_000)), compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 24 :][:4] = b""
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 10)
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError):
        unpack_zip(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_members_of_one_name_are_refused_whatever_their_case(tmp_path):
    path = zip_of(tmp_path / "a.zip", ("Card.json", "1"), ("card.json", "2"))
    with pytest.raises(ModelError, match="twice"):
        unpack_zip(path, tmp_path / "out")


@pytest.mark.parametrize("n_kept", [10, 200, 4000])
def test_a_cut_zip_is_no_bundle(bundle, tmp_path, own, n_kept):
    packed = pack_bundle(bundle, tmp_path / "a.zip")
    packed.path.write_bytes(packed.path.read_bytes()[:n_kept])
    assert "hounsfield" not in detected_formats(packed.path)
    with pytest.raises(ModelError, match="no whole zip"):
        unpack_zip(packed.path, tmp_path / "out")
