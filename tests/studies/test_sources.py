"""What a file is, and archives that are not to be trusted."""

from __future__ import annotations

import io
import stat
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image as PillowImage
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian
from tests.studies.reading import codes, only_series
from tests.tiny_dicom import ct_instance, write_ct_series

from hounsfield.core.errors import StudyError, UsageError
from hounsfield.studies import limits, read_studies, read_study
from hounsfield.studies.kinds import kind_of


def zipped(path, files):
    """A zip at `path` of name -> bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def series_bytes(tmp_path, n=3):
    """Name -> bytes of a small series."""
    return {path.name: path.read_bytes() for path in write_ct_series(tmp_path / "files", n=n)}


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0" * 128 + b"DICM", "dicom"),
        (b"II*\0" + b"\0" * 124 + b"DICM", "dicom"),
        (b"\x08\0\x05\0CS\x0a\0ISO_IR 100", "dicom"),
        (b"\x08\0\x00\0\x04\0\0\0\x12\x01\0\0" + b"\0" * 8, "dicom"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "picture"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 20, "picture"),
        (b"PK\x03\x04" + b"\0" * 20, "zip"),
        (b"\0" * 344 + b"n+1\0", "nifti"),
        (b'{"a": 1}' + b" " * 20, "nothing"),
        (b"", "nothing"),
        (b"\x1f\x8b" + b"x" * 40, "nothing"),
    ],
)
def test_kind_is_told_by_content(head, kind):
    assert kind_of(head) == kind


def test_names_of_files_do_not_matter(tmp_path):
    ct_instance(0).save_as(tmp_path / "scan.png", enforce_file_format=True)
    assert only_series(tmp_path / "scan.png").modality == "CT"


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]
)
def test_every_native_encoding_gives_the_same_voxels(tmp_path, syntax):
    for k in range(3):
        ds = ct_instance(k)
        if syntax == ExplicitVRBigEndian:
            ds.PixelData = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()
        ds.file_meta.TransferSyntaxUID = syntax
        ds.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    image = only_series(tmp_path).image()
    assert image.array[2, 3, 4] == 1 + 4 + 32 * 3 + 2048 - 1024
    assert image.array.dtype == np.int16


@pytest.mark.parametrize("implicit", [True, False])
def test_data_set_without_preamble_is_read(tmp_path, implicit):
    ds = ct_instance(1)
    del ds.file_meta
    ds.save_as(tmp_path / "bare", implicit_vr=implicit, little_endian=True)
    assert (tmp_path / "bare").read_bytes()[:2] == b"\x08\0"
    image = only_series(tmp_path / "bare").image()
    assert image.array[0, 3, 4] == 1 + 4 + 32 * 3 + 1024 - 1024


def test_deflated_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_INFLATED_BYTES", 1_000_000)
    ds = ct_instance(0)
    ds.PixelData = bytes(5_000_000)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(tmp_path / "bomb.dcm", enforce_file_format=True)
    assert (tmp_path / "bomb.dcm").stat().st_size < 10_000
    with pytest.raises(
        StudyError, match=r"bomb\.dcm is a deflated data set that inflates beyond 1000000 bytes"
    ):
        read_studies(tmp_path)


def test_files_that_are_no_images_are_passed_over(tmp_path):
    write_ct_series(tmp_path, n=2)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "meta.json").write_text("{}")
    (tmp_path / "empty").write_bytes(b"")
    found = read_studies(tmp_path)
    assert found.refused == ()
    [note] = found.notes
    assert note.severity == "note"
    assert note.text.startswith("3 files are no images and were passed over")
    assert set(note.instances) == {"empty", "meta.json", "notes.txt"}


def test_folder_without_images_says_what_was_found(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(StudyError, match=r"1 files are no images by their content: .* or TIFF \(1 .txt\)"):
        read_studies(tmp_path)


def test_empty_folder(tmp_path):
    with pytest.raises(StudyError, match="holds no file"):
        read_studies(tmp_path)


def test_path_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_studies(tmp_path / "nowhere")


def test_zip_is_read_as_its_folder(tmp_path):
    path = zipped(tmp_path / "study.zip", series_bytes(tmp_path, 4))
    folder, archive = only_series(tmp_path / "files"), only_series(path)
    np.testing.assert_array_equal(archive.image().array, folder.image().array)
    assert archive.grid == folder.grid
    assert archive.files[0] == "study.zip/0000.dcm"


def test_zip_in_a_zip_is_read_and_one_deeper_is_not(tmp_path):
    inner = zipped(tmp_path / "inner.zip", series_bytes(tmp_path)).read_bytes()
    outer = zipped(tmp_path / "outer.zip", {"export/inner.zip": inner})
    assert only_series(outer).image().array.shape == (3, 24, 32)
    third = zipped(tmp_path / "third.zip", {"outer.zip": outer.read_bytes()})
    with pytest.raises(StudyError, match="1 files are no images"):
        read_studies(third)


@pytest.mark.parametrize(
    "name", ["../evil.dcm", "/etc/evil.dcm", "a/../../evil.dcm", "..\\evil.dcm", "C:/evil.dcm"]
)
def test_names_that_lead_out_of_the_archive_are_refused(tmp_path, name):
    path = zipped(tmp_path / "evil.zip", {name: b"x"})
    with pytest.raises(StudyError, match="leads out of the archive"):
        read_studies(path)


def test_links_in_archives_are_refused(tmp_path):
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    with pytest.raises(StudyError, match="is a link"):
        read_studies(tmp_path / "link.zip")


def test_dense_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "RATIO_COUNTS_FROM_BYTES", 1_000_000)
    path = zipped(tmp_path / "bomb.zip", {"zeros": bytes(3_000_000)})
    monkeypatch.setattr(limits, "MAX_ARCHIVE_RATIO", 500)
    with pytest.raises(StudyError, match="looks like a decompression bomb"):
        read_studies(path)


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_ARCHIVE_MEMBERS", 2)
    path = zipped(tmp_path / "many.zip", {str(n): b"x" for n in range(3)})
    with pytest.raises(StudyError, match="holds 3 files, the limit is 2"):
        read_studies(path)


def test_too_much_content_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_ARCHIVE_BYTES", 1000)
    path = zipped(tmp_path / "big.zip", {"a": bytes(600), "b": bytes(600)})
    with pytest.raises(StudyError, match="unpacks to 0 GiB, the limit is"):
        read_studies(path)


def test_a_bad_archive_does_not_stop_the_rest(tmp_path):
    write_ct_series(tmp_path / "ct", n=2)
    zipped(tmp_path / "evil.zip", {"../evil.dcm": b"x"})
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    found = read_studies(tmp_path)
    assert len(found.studies) == 1
    assert [refused.instances for refused in found.refused] == [("broken.zip",), ("evil.zip",)]
    assert "is damaged" in found.refused[0].text


def test_member_with_a_wrong_checksum_is_refused(tmp_path):
    files = series_bytes(tmp_path, 3)
    path = tmp_path / "study.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    content = bytearray(path.read_bytes())
    at = content.index(files["0001.dcm"])
    content[at + 900] ^= 0xFF
    path.write_bytes(content)
    [refused] = read_studies(path).refused
    assert "cannot be unpacked (Bad CRC-32" in refused.text


def test_picture_is_one_study_a_file(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    PillowImage.fromarray(grey).save(tmp_path / "a.png")
    PillowImage.fromarray(np.stack([grey, grey + 1, grey], axis=-1)).save(tmp_path / "b.png")
    first, second = read_studies(tmp_path).studies
    [series] = first.series
    assert (series.kind, series.modality, series.unit) == ("raster", None, "1")
    assert series.grid.affine is None
    np.testing.assert_array_equal(series.image().array, grey[np.newaxis])
    assert second.series[0].image().array.shape == (1, 3, 4, 3)
    assert second.series[0].image().is_colour


def test_grey_stored_as_colour_is_grey(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    PillowImage.fromarray(np.stack([grey] * 3, axis=-1)).save(tmp_path / "a.png")
    assert only_series(tmp_path).image().array.shape == (1, 3, 4)


def test_turned_photograph_is_upright(tmp_path):
    picture = PillowImage.new("L", (6, 4))
    exif = picture.getexif()
    exif[274] = 6
    picture.save(tmp_path / "a.jpg", exif=exif)
    series = only_series(tmp_path)
    assert series.grid.shape == (1, 6, 4)
    assert series.image().array.shape == (1, 6, 4)


def test_sixteen_bit_png_keeps_its_values(tmp_path):
    deep = np.array([[0, 1000], [40000, 65535]], dtype=np.uint16)
    PillowImage.fromarray(deep).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(only_series(tmp_path).image().array[0], deep)


def test_cut_off_picture_is_refused(tmp_path):
    stream = io.BytesIO()
    PillowImage.effect_noise((64, 64), 50).save(stream, "PNG")
    (tmp_path / "cut.png").write_bytes(stream.getvalue()[:600])
    with pytest.raises(
        StudyError, match=r"cut\.png begins like a PNG, JPEG or TIFF picture but cannot be read"
    ):
        only_series(tmp_path).image()


def test_huge_picture_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MAX_PICTURE_PIXELS", 10)
    PillowImage.new("L", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(StudyError, match="declares 4 x 4 pixels, the limit is 10"):
        read_studies(tmp_path)


def test_stated_picture_becomes_an_image_of_that_modality(tmp_path):
    PillowImage.new("L", (4, 4)).save(tmp_path / "slice.png")
    [study] = read_studies(tmp_path, stated={"slice": ("MR", "1")}).studies
    assert (study.series[0].kind, study.series[0].modality) == ("image", "MR")
    assert codes(study.series[0]) == ["unit-stated-by-user"]


def test_pictures_beside_dicom_are_studies_of_their_own(tmp_path):
    write_ct_series(tmp_path, n=2)
    PillowImage.new("L", (4, 4)).save(tmp_path / "z.png")
    assert [s.series[0].kind for s in read_studies(tmp_path).studies] == ["image", "raster"]
    assert read_study(tmp_path / "z.png").key == "z.png"


def test_large_member_that_is_no_image_is_not_unpacked_whole(tmp_path):
    """200 MB of zeros within the limit of density are looked at and passed over."""
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(write_ct_series(tmp_path / "ct", n=1)[0], "0.dcm")
        archive.writestr("large.bin", rng.bytes(2_000_000) + bytes(200_000_000))
    tracemalloc.start()
    found = read_studies(tmp_path / "a.zip")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.notes[0].instances == ("a.zip/large.bin",)
    assert peak_bytes < 20_000_000
