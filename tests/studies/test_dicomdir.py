"""Media with a DICOMDIR: what it names is read, what is not there is named, nothing outside is followed."""

from __future__ import annotations

import warnings
import zipfile

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from tests.tiny_dicom import ct_instance

from hounsfield.core.errors import StudyError
from hounsfield.studies import read_studies, read_study


def write_directory(folder, file_ids):
    """A DICOMDIR with one IMAGE record for each File ID."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    ds.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    ds.file_meta.MediaStorageSOPInstanceUID = "2.25.7"
    ds.DirectoryRecordSequence = []
    with warnings.catch_warnings():
        # pydicom remarks on what no File ID may hold; some of these do.
        warnings.simplefilter("ignore")
        for parts in file_ids:
            record = Dataset()
            record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", parts
            ds.DirectoryRecordSequence.append(record)
        ds.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def write_slices(folder, names):
    folder.mkdir(parents=True)
    for k, name in enumerate(names):
        ct_instance(k).save_as(folder / name, enforce_file_format=True)


def test_directory_alone_leads_to_the_files_that_it_names(tmp_path):
    write_slices(tmp_path / "IMAGES", ["A1", "A2", "A3"])
    directory = write_directory(tmp_path, [["IMAGES", f"A{k}"] for k in (1, 2, 3)])
    [series] = read_study(directory).series
    assert series.grid.shape == (3, 24, 32)


def test_folder_with_a_directory_reads_each_file_once(tmp_path):
    write_slices(tmp_path / "IMAGES", ["A1", "A2"])
    write_directory(tmp_path, [["IMAGES", "A1"], ["IMAGES", "A2"]])
    found = read_studies(tmp_path)
    assert [c.code for c in found.studies[0].series[0].conditions] == []
    assert found.refused == ()
    assert found.notes == ()


def test_names_copied_in_small_letters_are_found(tmp_path):
    write_slices(tmp_path / "images", ["a1", "a2"])
    directory = write_directory(tmp_path, [["IMAGES", "A1"], ["IMAGES", "A2"]])
    assert read_study(directory).series[0].grid.shape[0] == 2


def test_files_that_are_not_there_are_named(tmp_path):
    write_slices(tmp_path / "IMAGES", ["A1", "A2"])
    write_directory(tmp_path, [["IMAGES", f"A{k}"] for k in range(1, 12)])
    found = read_studies(tmp_path)
    [missing] = found.refused
    assert missing.code == "directory-files-missing"
    assert "names 11 files, 9 of which are not there: IMAGES/A3, IMAGES/A4" in missing.text
    assert "and 3 more" in missing.text
    assert "IMAGES/A11" in missing.instances


def test_names_that_lead_elsewhere_are_not_followed(tmp_path):
    write_slices(tmp_path / "outside", ["A1"])
    medium = tmp_path / "medium"
    write_slices(medium / "IMAGES", ["A1"])
    write_directory(medium, [["..", "outside", "A1"], ["/etc", "passwd"], ["IMAGES", "A1"]])
    found = read_studies(medium / "DICOMDIR")
    assert [study.series[0].files for study in found.studies] == [("IMAGES/A1",)]
    assert found.refused == ()


def test_directory_in_an_archive(tmp_path):
    write_slices(tmp_path / "IMAGES", ["A1", "A2"])
    directory = write_directory(tmp_path, [["IMAGES", "A1"], ["IMAGES", "A2"], ["IMAGES", "A3"]])
    with zipfile.ZipFile(tmp_path / "disc.zip", "w") as archive:
        for path in (directory, *(tmp_path / "IMAGES").iterdir()):
            archive.write(path, path.relative_to(tmp_path).as_posix())
    found = read_studies(tmp_path / "disc.zip")
    assert found.studies[0].series[0].grid.shape[0] == 2
    assert "1 of which are not there: IMAGES/A3" in found.refused[0].text


def test_directory_that_names_nothing(tmp_path):
    with pytest.raises(StudyError, match=r"is a DICOMDIR that names no file\. Give the folder"):
        read_studies(write_directory(tmp_path, []))
