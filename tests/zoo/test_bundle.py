"""Bundles: what was written comes back, and nothing altered, added or dangerous is opened."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest
from tests.tiny_bundle import tiny_card, tiny_network, write_tiny_bundle

from hounsfield.core.errors import ModelError
from hounsfield.zoo import Guard, open_bundle, write_bundle
from hounsfield.zoo import bundle as bundle_module

CARD = "hounsfield.json"
WEIGHTS = "models/model.safetensors"


@pytest.fixture
def bundle(tmp_path):
    return write_tiny_bundle(tmp_path, guarded=True, calibrated=True)


def replace_file(folder, name, content):
    """Put other bytes in place of a file and correct its digest in the card."""
    (folder / name).write_bytes(content)
    card = json.loads((folder / CARD).read_text())
    card["files"][name] = hashlib.sha256(content).hexdigest()
    (folder / CARD).write_text(json.dumps(card))


def test_weights_and_card_come_back_as_written(bundle):
    again = open_bundle(bundle.folder)
    written = tiny_network().state_dict()
    read = again.weights()
    assert set(read) == set(written)
    assert all(np.array_equal(read[key], written[key].numpy()) for key in written)
    assert again.card.model_dump(exclude={"files"}) == tiny_card(
        calibrator=bundle.card.calibrator, thresholds=bundle.card.thresholds, guard=bundle.card.guard
    ).model_dump(exclude={"files"})
    assert again.digest == bundle.digest


def test_writing_twice_gives_the_same_bytes(tmp_path):
    first = write_tiny_bundle(tmp_path / "a", guarded=True)
    second = write_tiny_bundle(tmp_path / "b", guarded=True)
    assert first.digest == second.digest


def test_digest_is_of_the_listed_files(bundle):
    """Recomputed here from the files alone: sha256sum's own format, sorted by name."""
    files = sorted(p for p in bundle.folder.rglob("*") if p.is_file())
    lines = "".join(
        f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(bundle.folder).as_posix()}\n"
        for p in files
    )
    assert bundle.digest == hashlib.sha256(lines.encode()).hexdigest()


def test_card_alone_can_be_changed(bundle):
    card = bundle.card.model_copy(update={"evidence_level": "measured since"})
    changed = write_bundle(
        bundle.folder, card=card, weights=bundle.weights(), guard_arrays=bundle.guard_arrays()
    )
    assert changed.card.evidence_level == "measured since"
    assert changed.card.files[WEIGHTS] == bundle.card.files[WEIGHTS]
    assert changed.digest != bundle.digest
    assert [p.name for p in bundle.folder.parent.iterdir()] == [bundle.name]


@pytest.mark.parametrize(
    "name", [WEIGHTS, "models/guard.safetensors", "configs/inference.json", "docs/README.md", "LICENSE"]
)
def test_one_flipped_bit_is_seen(bundle, name):
    path = bundle.folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    found = hashlib.sha256(content).hexdigest()
    with pytest.raises(ModelError, match=f"{name} was altered: its SHA-256 is {found}.*Get the bundle again"):
        open_bundle(bundle.folder)


def test_file_altered_after_opening_is_seen_when_it_is_read(bundle):
    path = bundle.folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError, match="was altered"):
        bundle.weights()


def test_added_file_is_refused(bundle):
    (bundle.folder / "models" / "extra.json").write_text("{}")
    with pytest.raises(ModelError, match=r"holds models/extra\.json, which its card does not list"):
        open_bundle(bundle.folder)


def test_missing_file_is_named(bundle):
    (bundle.folder / WEIGHTS).unlink()
    with pytest.raises(ModelError, match=r"lacks models/model\.safetensors, which its card lists"):
        open_bundle(bundle.folder)


def test_folder_without_card_is_no_bundle(tmp_path):
    with pytest.raises(ModelError, match=r"holds no hounsfield\.json, so it is no bundle"):
        open_bundle(tmp_path)


@pytest.mark.parametrize("target", ["inside", "outside"])
def test_links_are_refused(bundle, tmp_path, target):
    path = bundle.folder / "docs" / "README.md"
    place = (bundle.folder / "docs" / "other.md") if target == "inside" else (tmp_path / "other.md")
    place.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(place)
    with pytest.raises(ModelError, match=r"is a link|does not list"):
        open_bundle(bundle.folder)


def test_linked_folder_is_refused(bundle, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (bundle.folder / "extra").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match="extra in bundle brain-tumour-mr is a link"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize(
    "name",
    [
        "../outside.json",
        "/etc/hosts.txt",
        "models/../../x.json",
        "a\\b.json",
        "c:x.json",
        "./x.json",
        "a//b.json",
    ],
)
def test_paths_that_leave_the_folder_are_refused(bundle, name):
    card = json.loads((bundle.folder / CARD).read_text())
    card["files"][name] = "0" * 64
    (bundle.folder / CARD).write_text(json.dumps(card))
    with pytest.raises(ModelError, match="not a plain path inside the bundle"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("name", ["models/model.pt", "scripts/run.py", "models/model.pkl", "run"])
def test_files_that_can_run_code_are_refused_even_if_listed(bundle, name):
    path = bundle.folder / name
    path.parent.mkdir(exist_ok=True)
    replace_file(bundle.folder, name, b"anything")
    with pytest.raises(ModelError, match="other files can run code"):
        open_bundle(bundle.folder)


class Bomb:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickle_under_the_name_of_safetensors_is_never_opened(bundle, tmp_path, protocol):
    replace_file(bundle.folder, WEIGHTS, pickle.dumps(Bomb(tmp_path / "exploded"), protocol=protocol))
    with pytest.raises(ModelError, match=r"model\.safetensors is a pickle, not safetensors"):
        open_bundle(bundle.folder)
    assert not (tmp_path / "exploded").exists()


def test_torch_archive_under_the_name_of_safetensors_is_refused(bundle):
    import torch

    torch.save(tiny_network().state_dict(), bundle.folder / WEIGHTS)
    replace_file(bundle.folder, WEIGHTS, (bundle.folder / WEIGHTS).read_bytes())
    with pytest.raises(ModelError, match="is a zip archive, as torch"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("stated", [2**63 - 1, 10**9, 17 * 1024**2, 1, 0])
def test_false_length_of_header_is_refused(bundle, stated):
    replace_file(bundle.folder, WEIGHTS, struct.pack("<Q", stated) + b"{}" * 100)
    with pytest.raises(ModelError, match=f"states a header of {stated} bytes"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("content", [b"", b"123", b"short"])
def test_stub_of_a_file_is_refused(bundle, content):
    replace_file(bundle.folder, WEIGHTS, content)
    with pytest.raises(ModelError, match="states a header of 0 bytes"):
        open_bundle(bundle.folder)


def test_offsets_outside_the_file_are_refused(bundle):
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    replace_file(bundle.folder, WEIGHTS, struct.pack("<Q", len(header)) + header + b"\0" * 8)
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        open_bundle(bundle.folder).weights()


def test_header_that_is_no_json_object_is_refused(bundle):
    replace_file(bundle.folder, WEIGHTS, struct.pack("<Q", 2) + b"[]")
    with pytest.raises(ModelError, match="no JSON object"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_neither_written_nor_read(bundle, bad):
    from safetensors.numpy import save

    weights = bundle.weights()
    weights["mask_head.bias"] = np.array([bad], dtype=np.float32)
    with pytest.raises(ModelError, match=r"not finite in 'mask_head\.bias'"):
        write_bundle(bundle.folder, card=bundle.card, weights=weights, guard_arrays=bundle.guard_arrays())
    assert open_bundle(bundle.folder).digest == bundle.digest
    replace_file(bundle.folder, WEIGHTS, save(weights))
    with pytest.raises(ModelError, match=r"not finite in 'mask_head\.bias'"):
        open_bundle(bundle.folder).weights()


def test_required_file_must_be_listed(bundle):
    card = json.loads((bundle.folder / CARD).read_text())
    del card["files"]["LICENSE"]
    (bundle.folder / CARD).write_text(json.dumps(card))
    (bundle.folder / "LICENSE").unlink()
    with pytest.raises(ModelError, match="has no LICENSE: it is incomplete"):
        open_bundle(bundle.folder)


def test_large_file_is_refused_before_it_is_read(bundle, monkeypatch):
    monkeypatch.setattr(bundle_module, "LARGEST_FILE_BYTES", 1000)
    with pytest.raises(ModelError, match=r"has \d+ bytes; at most 1000 are read"):
        open_bundle(bundle.folder)


def test_folder_of_very_many_files_is_refused(bundle, monkeypatch):
    monkeypatch.setattr(bundle_module, "MOST_FILES", 5)
    with pytest.raises(ModelError, match="more than 5 files"):
        open_bundle(bundle.folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"{}", "name: Field required"),
        (b'{"surprise": 1}', "surprise: Extra inputs are not permitted"),
    ],
)
def test_card_that_is_none_is_refused(bundle, content, message):
    (bundle.folder / CARD).write_bytes(content)
    with pytest.raises(ModelError, match=message):
        open_bundle(bundle.folder)


def test_folder_must_bear_the_bundles_name(tmp_path):
    with pytest.raises(ModelError, match="must lie in a folder of that name, not in wrong"):
        write_bundle(tmp_path / "wrong", card=tiny_card(), weights={"w": np.zeros(2)})


def test_guard_and_its_arrays_go_together(tmp_path):
    card = tiny_card(guard=Guard(method="m", threshold=1.0, quantile=0.9, fitted_on="x"))
    with pytest.raises(ModelError, match="guard arrays were not given, but the card names one"):
        write_bundle(tmp_path / card.name, card=card, weights={"w": np.zeros(2)})
    with pytest.raises(ModelError, match="guard arrays were given, but the card names no guard"):
        write_bundle(
            tmp_path / card.name,
            card=tiny_card(),
            weights={"w": np.zeros(2)},
            guard_arrays={"mean": np.zeros(2)},
        )
    assert not (tmp_path / card.name).exists()


def test_unlisted_name_cannot_be_read(bundle):
    with pytest.raises(ModelError, match=r"lists no file '\.\./secret\.txt'"):
        bundle.read("../secret.txt")


def test_opening_imports_no_torch(bundle):
    program = (
        "import sys, pathlib\nfrom hounsfield.zoo import open_bundle\n"
        "b = open_bundle(pathlib.Path(sys.argv[1]))\nassert b.weights()\n"
        "assert not {'torch', 'pickle5'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program, bundle.folder], check=True, timeout=60)
