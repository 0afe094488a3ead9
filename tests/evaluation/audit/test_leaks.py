"""Leaks: names, hashes, copies, texts and sites on both sides, from folders, tables and stacks."""

from __future__ import annotations

import json

import jsonschema
import numpy as np
import pytest
from PIL import Image
from tests.cli.test_command import hu
from tests.evaluation.audit.test_near_duplicates import CHANGES, picture
from tests.tiny_bundle import write_tiny_bundle
from tests.tiny_dicom import write_ct_series

from hounsfield.cli.schemas import command_schema
from hounsfield.core.errors import StudyError, UsageError
from hounsfield.evaluation.audit import (
    LeakColumns,
    LeakItem,
    leak_section,
    look_for_leaks,
    read_items,
    read_split_table,
)
from hounsfield.evaluation.audit.duplicate_texts import duplicate_texts
from hounsfield.zoo import open_bundle


def item(where, site="", text="", **identities):
    return LeakItem(where, identities, site, text=text)


def test_names_on_both_sides_are_counted_by_test_item():
    train = [item("a", patient="1"), item("b", patient="1"), item("c", patient="2")]
    test = [item("d", patient="1"), item("e", patient="1"), item("f", patient="3"), item("g", patient="")]
    (found,) = look_for_leaks(train, test).shared
    assert (found.key, found.n_values, found.n_test, found.n_train, found.n_stated) == ("patient", 1, 2, 2, 3)
    assert found.pairs == ((0, 0), (0, 1))


def test_sites_on_both_sides_are_a_reason_to_look():
    train = [item("a", "north", patient="1"), item("b", "south", patient="2")]
    same = leak_section(look_for_leaks(train, [item("c", "north", patient="3")]), train, [item("c")])
    assert same.verdict == "look"
    assert "says nothing about other hospitals" in " ".join(same.said)
    other = leak_section(look_for_leaks(train, [item("c", "west", patient="3")]), train, [item("c")])
    assert other.verdict == "clear"


def test_a_side_without_items_or_names_is_refused():
    with pytest.raises(UsageError, match="1 training and 0 test items"):
        look_for_leaks([item("a", patient="1")], [])
    with pytest.raises(UsageError, match="state no name, picture or text"):
        look_for_leaks([item("a")], [item("b")])


TEXT = "The heart is normal in size and the lungs are clear of focal airspace disease"


def test_reports_are_equal_but_for_case_and_numbers_or_share_most_of_their_words():
    longer = f"{TEXT} without any pleural effusion or pneumothorax seen on either side"
    first = [
        TEXT.upper() + " 12.",
        longer + " today",
        "Cardiomegaly with large effusion on the left side",
        "Normal.",
    ]
    found = duplicate_texts(first, [TEXT, longer, "Normal."])
    assert [(one.first, one.second, one.is_equal) for one in found] == [(0, 0, True), (1, 1, False)]
    # 25 words make 21 runs, 26 make 22.
    assert found[1].shared == pytest.approx(21 / 22)


@pytest.fixture
def folders(tmp_path):
    for part, seeds in (("train", range(12)), ("test", range(20, 26))):
        (tmp_path / part).mkdir()
        for seed in seeds:
            Image.fromarray(picture(seed)).save(tmp_path / part / f"{seed}.png")
    Image.fromarray(picture(3)).save(tmp_path / "test" / "other.tif")
    Image.fromarray(CHANGES["four percent cropped"](picture(5))).save(tmp_path / "test" / "cut.png")
    (tmp_path / "test" / "same.png").write_bytes((tmp_path / "train" / "7.png").read_bytes())
    return tmp_path


def test_command_finds_equal_bytes_equal_pixels_and_copies(folders, monkeypatch, capsys):
    words = ("audit", "leaks", folders / "train", folders / "test", "--out", folders / "out", "--json")
    status, said, complaint = hu(monkeypatch, capsys, *words)
    assert status == 0, complaint
    found = json.loads(said)
    jsonschema.validate(found, command_schema("audit"))
    (section,) = found["sections"]
    assert section["verdict"] == "found"
    assert sorted(section["record"]["leaked"]) == ["cut.png", "other.tif", "same.png"]
    counts = {one["what"]: one["n_test"] for one in section["record"]["shared"]}
    assert (counts["file"], counts["pixels"]) == (1, 2)
    assert {one["test"]: one["train"] for one in section["record"]["pictures"]} == {
        "cut.png": "5.png",
        "other.tif": "3.png",
        "same.png": "7.png",
    }
    assert "<image" in (folders / "out" / "audit.html").read_text(encoding="utf-8")


def test_the_card_of_a_bundle_takes_what_was_found(folders, monkeypatch, capsys):
    bundle = write_tiny_bundle(folders / "models").folder
    words = ("audit", "leaks", folders / "train", folders / "test", "--out", folders / "out")
    status, _, complaint = hu(monkeypatch, capsys, *words, "--into-card", bundle)
    assert status == 0, complaint
    (summary,) = open_bundle(bundle).card.audits
    assert (summary.kind, summary.data) == ("leaks", "train against test")
    assert [note.verdict for note in summary.notes] == ["found"]


def test_one_table_is_split_by_its_column(folders, monkeypatch, capsys):
    rows = ["file,part,who,clinic"]
    rows += [f"train/{n}.png,train,P{n},north" for n in range(12)]
    rows += [f"test/{n}.png,TEST,P{n},south" for n in range(20, 26)]
    rows += ["test/cut.png,test,P1,south", "test/gone.png,test,P99,south", "train/0.png,valid,P0,north"]
    path = folders / "table.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    columns = LeakColumns("part", "who", site="clinic", file="file")
    train, test, told = read_split_table(path, columns)
    assert (len(train), len(test)) == (12, 8)
    assert told == (
        "1 rows of other parts were not looked at",
        "1 pictures named in the table are not there or cannot be read",
    )
    report = look_for_leaks(train, test)
    assert [test[number].where for number in report.leaked] == ["test/cut.png"]
    assert report.sites_alone == ("south",)
    status, said, _ = hu(
        monkeypatch, capsys, "audit", "leaks", path, "--split-column", "part", "--patient-column", "who",
        "--out", folders / "out",
    )  # fmt: skip
    assert status == 0
    assert "1 of 8 test items (12.5%) stand in the training data" in said


def test_what_is_missing_is_named(folders):
    path = folders / "table.csv"
    path.write_text("file,part\na.png,learn\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"Did you mean 'part'"):
        read_split_table(path, LeakColumns("parts"))
    with pytest.raises(UsageError, match="Say with --train and --test"):
        read_split_table(path, LeakColumns("part"))
    (folders / "empty.npz").write_bytes(b"")
    with pytest.raises(StudyError, match="no stack of pictures"):
        read_items(folders / "empty.npz")


def test_a_stack_of_pictures_is_compared_with_a_folder(folders):
    np.savez(folders / "stack.npz", images=np.stack([picture(seed) for seed in (2, 40, 41, 42, 43)]))
    stack, _ = read_items(folders / "stack.npz")
    learned, _ = read_items(folders / "train")
    report = look_for_leaks(learned, stack)
    assert [stack[number].where for number in report.leaked] == ["stack.npz, images[0]"]


def test_dicom_states_patient_study_series_and_instance(tmp_path):
    write_ct_series(tmp_path / "ct", n=3)
    items, _ = read_items(tmp_path / "ct")
    report = look_for_leaks(items, items[1:2])
    assert {one.key for one in report.shared} >= {"patient", "study", "series", "instance", "file", "pixels"}
    record = leak_section(report, items, items[1:2]).record
    patient = items[0].identities["patient"]
    assert patient
    assert patient not in json.dumps(record["shared"])
