"""Bundles as zip files: the same bytes every time, and nothing hostile comes out of one."""

import stat
import zipfile

import pytest
from tests.tiny_bundle import write_tiny_bundle
from tests.tiny_volume_bundle import write_volume_bundle

from hounsfield.core.errors import ModelError, UsageError
from hounsfield.zoo.model_formats import ImportRequest, detected_formats, import_model
from hounsfield.zoo.packing import pack_bundle, unpack_zip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_tiny_bundle(tmp_path_factory.mktemp("models"), calibrated=True, guarded=True)


def test_packing_twice_gives_the_same_bytes_and_unpacking_the_same_bundle(bundle, tmp_path):
    for name in ("one.zip", "two.zip"):
        pack_bundle(bundle, tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert detected_formats(tmp_path / "one.zip") == ("hounsfield",)
    again = import_model(ImportRequest(tmp_path / "one.zip", tmp_path / "installed"))
    assert again.digest == bundle.digest
    assert again.folder == tmp_path / "installed" / bundle.name


def test_a_folder_is_taken_as_well(bundle, tmp_path):
    assert import_model(ImportRequest(bundle.folder, tmp_path)).digest == bundle.digest


def test_an_altered_file_is_told(bundle, tmp_path):
    pack_bundle(bundle, tmp_path / "good.zip")
    with (
        zipfile.ZipFile(tmp_path / "good.zip") as good,
        zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad,
    ):
        for entry in good.infolist():
            content = good.read(entry)
            bad.writestr(entry.filename, content + b" " if entry.filename.endswith("LICENSE") else content)
    with pytest.raises(ModelError, match="LICENSE was altered"):
        import_model(ImportRequest(tmp_path / "bad.zip", tmp_path / "installed"))
    assert not (tmp_path / "installed").exists()


def test_facts_and_names_of_others_are_refused(bundle, tmp_path):
    with pytest.raises(UsageError, match="its card"):
        import_model(ImportRequest(bundle.folder, tmp_path, facts={"licence": "MIT"}))
    with pytest.raises(UsageError, match="belongs to its card"):
        import_model(ImportRequest(bundle.folder, tmp_path, name="other"))


def test_what_may_not_be_passed_on_is_not_packed(tmp_path):
    unknown = write_volume_bundle(
        tmp_path,
        licence="x",
        origin={"format": "t", "source": "s", "source_sha256": "0" * 64, "unstated": ["licence"]},
    )
    with pytest.raises(UsageError, match="may not be passed on"):
        pack_bundle(unknown, tmp_path / "a.zip")
    closed = write_volume_bundle(
        tmp_path, name="closed", licence="For our partners; not to be redistributed."
    )
    with pytest.raises(UsageError, match="not to be redistributed"):
        pack_bundle(closed, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def link(archive):
    entry = zipfile.ZipInfo("model/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


HOSTILE = {
    "leaves": lambda archive: archive.writestr("../outside", "x"),
    "absolute": lambda archive: archive.writestr("/etc/outside", "x"),
    "link": link,
    "many": lambda archive: [archive.writestr(f"m/{n}", "") for n in range(300)],
    "bomb": lambda archive: archive.writestr("m/zeros", bytes(10**7), zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_zips_are_refused_and_leave_nothing(kind, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        HOSTILE[kind](archive)
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError):
        unpack_zip(tmp_path / "x.zip", tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("n_kept", [10, 200])
def test_a_zip_that_was_cut_off(bundle, tmp_path, n_kept):
    pack_bundle(bundle, tmp_path / "a.zip")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:-n_kept])
    with pytest.raises(ModelError):
        import_model(ImportRequest(tmp_path / "cut.zip", tmp_path / "out"), format_name="hounsfield")
