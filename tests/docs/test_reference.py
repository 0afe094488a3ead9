"""The reference pages say what the code says: commands, exit codes, settings, conditions, applications, JSON."""

from __future__ import annotations

import ast
import re
import runpy

import pytest
from tests.docs.pages import ROOT

from hounsfield.core import InputReference, Provenance, Reading
from hounsfield.core.code import LEFT, LUNG, VOLUME
from hounsfield.core.condition import Condition
from hounsfield.core.finding import Finding
from hounsfield.core.measurement import Measurement
from hounsfield.core.reading import ModelReference

SRC = ROOT / "src" / "hounsfield"
REFERENCE = ROOT / "docs" / "reference"
GENERATOR = runpy.run_path(str(ROOT / "docs" / "generate.py"))


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(GENERATOR["PAGES"]))
def test_generated_page_is_up_to_date(name):
    assert page(name) == GENERATOR["PAGES"][name](), "write the pages anew: make docs"


def test_every_command_is_found_by_the_generator():
    files = {path.stem for path in (SRC / "cli").glob("*.py") if not path.stem.startswith("_")}
    assert (
        {"read", "inspect", "apps", "train", "phantom", "demo", "doctor"}
        <= set(GENERATOR["commands"]())
        <= files
    )


def test_every_exit_code_is_documented():
    tree = ast.parse((SRC / "cli" / "exit_codes.py").read_text(encoding="utf-8"))
    in_code = {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is int
    }
    documented = {
        int(code) for code in re.findall(r"^\| (\d+) \|", page("exit-codes.md"), flags=re.MULTILINE)
    }
    assert documented == in_code


def test_every_error_has_its_exit_code_documented():
    tree = ast.parse((SRC / "core" / "errors.py").read_text(encoding="utf-8"))
    errors = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert not [name for name in errors - {"HounsfieldError"} if f"`{name}`" not in page("exit-codes.md")]


def test_every_setting_is_documented():
    text = "\n".join(path.read_text(encoding="utf-8") for path in SRC.rglob("*.py"))
    in_code = set(re.findall(r"\bHOUNSFIELD_[A-Z_]+", text))
    documented = set(re.findall(r"^\| `(HOUNSFIELD_[A-Z_]+)`", page("settings.md"), flags=re.MULTILINE))
    assert in_code <= documented
    assert documented - in_code <= {"HOUNSFIELD_DATA"}, "a setting of the tests alone"


def whole_reading() -> Reading:
    """A reading that has everything, for its keys."""
    measurement = Measurement("volume", VOLUME, 1.0, "ml", rule="volume", rule_version="1")
    finding = Finding(
        "lung", LUNG, "present", "It was measured.", laterality=LEFT, measurements=(measurement,)
    )
    condition = Condition("contrast-not-stated", "note", "The files do not say whether contrast was given.")
    reference = InputReference("thorax", "1.2", "CT", "1.2.3", "1.2.3.4", ("1.2.3.4.5",), ("a.dcm",), "00")
    model = ModelReference("brain-tumour-mr", "1.0", "00")
    provenance = Provenance("lung_ct", "1.0", "0.1.0", "rule", (model,), {"run": 1.0})
    return Reading(
        "complete",
        findings=(finding,),
        measurements=(measurement,),
        conditions=(condition,),
        inputs=(reference,),
        provenance=provenance,
    )


def keys_of(value: object) -> set[str]:
    """Every key of a JSON document; the stages of timing_s are free."""
    if isinstance(value, dict):
        return set(value) | {
            key for name, inner in value.items() if name != "timing_s" for key in keys_of(inner)
        }
    if isinstance(value, list):
        return {key for inner in value for key in keys_of(inner)}
    return set()


def test_every_key_of_a_reading_is_documented():
    text = page("reading-json.md")
    keys = keys_of(whole_reading().to_json())
    assert len(keys) > 40
    assert not sorted(key for key in keys if f"`{key}`" not in text)


def test_conditions_are_found_however_they_are_made():
    assert "..." in GENERATOR["sentence"](ast.parse("f'slice {k} is missing'", mode="eval").body)
    assert GENERATOR["sentence"](ast.parse("'one ' + 'two'", mode="eval").body) == "one two"
