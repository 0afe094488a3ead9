"""`pip install hounsfield` alone gives a working command: no torch, no codecs, no training."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from importlib import metadata

import pytest
from tests.house.source import ROOT
from tests.tiny_dicom import write_ct_series

# Put before the command: every package that the core does not require looks as if it were not installed.
HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
sys.argv = {arguments!r}
from hounsfield.cli import main
main()
"""


def packages_outside_the_core() -> set[str]:
    """Top-level packages installed here that `pip install hounsfield` would not bring."""
    core = set(runpy.run_path(str(ROOT / "install" / "tested_set.py"))["closure"]("hounsfield", ()))
    canonical = {
        name: {owner.lower().replace("_", "-") for owner in owners} for name, owners in owners_of().items()
    }
    return {name for name, owners in canonical.items() if not owners & {*core, "hounsfield"}}


def owners_of() -> dict[str, list[str]]:
    """Top-level package to the distributions that hold it; the standard library left out."""
    every = metadata.packages_distributions()
    return {name: owners for name, owners in every.items() if name not in sys.stdlib_module_names}


def run_as_light_core(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the command in a Python that holds only what the core requires."""
    code = HIDE.format(names=packages_outside_the_core(), arguments=["hounsfield", *arguments])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_core_leaves_torch_out():
    assert {
        "torch",
        "sklearn",
        "skimage",
        "imagecodecs",
        "safetensors",
        "yaml",
        "pytest",
    } <= packages_outside_the_core()


@pytest.mark.parametrize("arguments", [["--help"], ["apps"], ["doctor"]])
def test_command_works_on_the_core_alone(arguments):
    answer = run_as_light_core(arguments)
    assert answer.returncode == 0, answer.stderr


def test_inspect_works_on_the_core_alone(tmp_path):
    write_ct_series(tmp_path / "ct", n=4)
    answer = run_as_light_core(["inspect", str(tmp_path / "ct"), "--json"])
    assert answer.returncode == 0, answer.stderr
    [study] = json.loads(answer.stdout)["studies"]
    assert study["series"][0]["modality"] == "CT"


@pytest.mark.slow
def test_fresh_environment_of_the_core_alone(tmp_path):
    """The same in truth: a new environment, pip, and the installed command."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    binaries = tmp_path / "env" / "bin"
    pins = ["--constraint", str(ROOT / "constraints.txt")]
    installed = subprocess.run(
        [binaries / "python", "-m", "pip", "install", "--quiet", *pins, str(ROOT)],
        check=False,
        capture_output=True,
        text=True,
    )
    if installed.returncode != 0 and os.environ.get("CI") != "true":
        pytest.skip(f"pip could not install the package here: {installed.stderr.strip()[-200:]}")
    assert installed.returncode == 0, installed.stderr
    listed = subprocess.run([binaries / "pip", "list"], check=True, capture_output=True, text=True).stdout
    assert "torch" not in listed
    write_ct_series(tmp_path / "ct", n=4)
    for arguments in (["--help"], ["inspect", str(tmp_path / "ct")]):
        answer = subprocess.run(
            [binaries / "hounsfield", *arguments], check=False, cwd=tmp_path, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stderr
