"""The page of phantoms shows every kind as it is written today."""

from __future__ import annotations

import json
import runpy

import numpy as np
import pytest
from PIL import Image
from tests.docs.pages import ROOT

from hounsfield.phantoms import phantom_kinds

PICTURES = ROOT / "docs" / "pictures" / "phantoms"
PAGE = ROOT / "docs" / "reference" / "phantoms.md"
SHEETS = runpy.run_path(str(ROOT / "docs" / "phantom_sheets.py"))
KINDS = {kind.card.name: kind.card for kind in phantom_kinds}
ANEW = "draw it anew: .venv/bin/python docs/draw_pictures.py"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_small_picture_that_says_synthetic(kind):
    path = PICTURES / f"{kind}.png"
    assert path.is_file(), f"{ANEW} {kind}"
    assert path.stat().st_size < SHEETS["LARGEST_BYTES"]
    with Image.open(path) as picture:
        assert picture.text["Title"] == f"Synthetic: phantom {kind}. Research use only."
        assert json.loads(picture.text["Truth"]), "a phantom without truth"


def test_every_picture_is_of_a_kind():
    assert {path.stem for path in PICTURES.glob("*.png")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_tells_parameters_sources_and_truth(kind):
    text = PAGE.read_text(encoding="utf-8")
    part = text.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    assert f"pictures/phantoms/{kind}.png" in part
    assert "Synthetic" in part
    assert all(f"| `{name}` |" in part for name in KINDS[kind].parameters.__dataclass_fields__)
    assert all(source in part for source in KINDS[kind].sources)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_picture_and_truth_are_those_of_today(kind):
    picture, keys = SHEETS["make_sheet"](kind)
    with Image.open(PICTURES / f"{kind}.png") as kept:
        assert json.loads(kept.text["Truth"]) == keys, f"{ANEW} {kind}"
        grey = np.asarray(kept.convert("L"), dtype=float)
    # Few grey levels and other libraries move a pixel by a few levels.
    assert np.abs(np.asarray(picture.convert("L"), dtype=float) - grey).mean() < 4.0, f"{ANEW} {kind}"


def test_slices_are_chosen_evenly_and_regions_by_size():
    assert SHEETS["evenly"](3, 4) == [0, 1, 2]
    assert SHEETS["evenly"](28, 4) == [3, 10, 17, 24]
    assert SHEETS["truth_keys"]({"kind": "x", "b": 1, "images": {"one": {"grid": 1, "a": 2}}}) == [
        "b",
        "images > a",
    ]
