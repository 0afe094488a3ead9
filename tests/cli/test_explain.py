"""`hounsfield explain` and `hounsfield read --explain`."""

import json

import jsonschema
import numpy as np
import pytest
from PIL import Image as Picture
from tests.cli.test_command import hu
from tests.tiny_bundle import head_slice, write_tiny_bundle

from hounsfield.cli.schemas import command_schema


@pytest.fixture
def picture(tmp_path, monkeypatch):
    write_tiny_bundle(tmp_path / "models", name="tiny", calibrated=True)
    monkeypatch.setenv("HOUNSFIELD_MODELS", str(tmp_path / "models"))
    Picture.fromarray(np.clip(head_slice(), 0, 255).astype(np.uint8)).save(tmp_path / "slice.png")
    return tmp_path / "slice.png"


@pytest.mark.parametrize("words", [(), ("brain-tumour-mr",)])
def test_maps_are_listed_with_what_was_measured(words, monkeypatch, capsys):
    code, printed, _ = hu(monkeypatch, capsys, "explain", *words, "--json")
    document = json.loads(printed)
    jsonschema.Draft202012Validator(command_schema("explain")).validate(document)
    shown = [one for one in document["maps"] if one["shown"]]
    assert code == 0
    assert len(shown) == (2 if words else 0)
    assert all(one["tested"] and not [t for t in one["tests"] if not t["passed"]] for one in shown)
    assert "grad-cam" in hu(monkeypatch, capsys, "explain", *words)[1]


def test_a_reading_shows_the_maps_that_were_asked_for(picture, monkeypatch, capsys):
    words = ("read", picture, "--model", "tiny", "--json")
    (plain,) = json.loads(hu(monkeypatch, capsys, *words)[1])["readings"]
    assert plain["maps"] == []  # no map of this model was tested
    asked = (*words, "--explain", "lrp", "--explain", "saliency")
    (reading,) = json.loads(hu(monkeypatch, capsys, *asked)[1])["readings"]
    names = [one["name"] for one in reading["maps"]]
    assert names[0].startswith("lrp-")
    assert names[1] == "saliency"
    assert all("not measured" in one["evidence"] for one in reading["maps"])
    assert reading["uid"] != plain["uid"]


def test_an_unknown_map_is_told_before_anything_is_read(picture, monkeypatch, capsys):
    code, _, said = hu(monkeypatch, capsys, "read", picture, "--explain", "gradcam")
    assert code == 2
    assert "known are" in said
