"""What is installed: no licence that forbids, no package that breaks others, nothing undeclared."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from tests.house.source import ROOT, modules

# Licence GPL: pylibjpeg-libjpeg, scikit-survival, quantus. torchvision breaks others beside CPU torch.
DENIED = {"torchvision", "pylibjpeg-libjpeg", "scikit-survival", "quantus"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def canonical(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, str]:
    """Name and version of every distribution in this environment."""
    return {canonical(d.metadata["Name"]): d.version for d in metadata.distributions() if d.metadata["Name"]}


def declared() -> set[str]:
    """Every distribution that pyproject names, in whatever extra."""
    project = PYPROJECT["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    return {canonical(re.match(r"[\w.-]+", line).group()) for line in lines} - {"hounsfield"}


def has_gpu_build() -> bool:
    """Whether torch here is a GPU build: then packages of NVIDIA are in their right."""
    return any(name.startswith("nvidia-") for name in installed()) and Path("/dev/nvidiactl").exists()


def test_no_denied_distribution():
    assert not set(installed()) & DENIED


def licence_of(name: str) -> str:
    """What a distribution's metadata say of its licence: expression, field and classifiers in one text."""
    data = metadata.metadata(name)
    classifiers = [line for line in data.get_all("Classifier") or [] if line.startswith("License")]
    # Some put the whole text of the licence into the field: its first line is enough.
    field = (data.get("License") or "").strip().splitlines()[:1]
    return " ".join([data.get("License-Expression") or "", *field, *classifiers])


def test_nothing_that_users_get_is_under_the_gpl():
    """LGPL may be used unmodified; GPL may not be linked into this package. Tools of `dev` are run, not linked."""
    tested_set = runpy.run_path(str(ROOT / "install" / "tested_set.py"))
    names = tested_set["closure"]("hounsfield", ("all",))
    assert len(names) > 30
    found = {name: licence_of(name) for name in names}
    assert not {name: text for name, text in found.items() if re.search(r"(?<!L)(?<!Lesser )\bA?GPL", text)}


def test_no_cuda_without_gpu():
    if has_gpu_build():
        pytest.skip("this machine has a GPU: its torch rightly brings packages of NVIDIA")
    assert not [name for name in installed() if name.startswith(("nvidia-", "cuda-", "triton"))]


def test_only_one_opencv():
    assert len({"opencv-python", "opencv-python-headless"} & set(installed())) < 2


@pytest.mark.parametrize("name", sorted(declared()))
def test_declared_packages_are_in_the_tested_set(name):
    assert name in PINS, "make constraints.txt anew: .venv/bin/python install/tested_set.py > constraints.txt"


def test_tested_set_is_what_the_extras_pull_in():
    answer = subprocess.run(
        [sys.executable, ROOT / "install" / "tested_set.py"], check=True, capture_output=True, text=True
    )
    found = {line.split("==")[0] for line in answer.stdout.splitlines() if line and not line.startswith("#")}
    assert found == set(PINS)


def test_tested_versions_carry_no_local_part():
    assert not [name for name, version in PINS.items() if "+" in version]


def test_ranges_are_wide():
    """A library that pins cannot be installed beside others; an upper bound stands for torch alone."""
    project = PYPROJECT["project"]
    lines = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    assert not [line for line in lines if "==" in line or ("<" in line and not line.startswith("torch"))]


def test_light_core_declares_no_torch():
    assert not [
        line for line in PYPROJECT["project"]["dependencies"] if line.startswith(("torch", "lightning"))
    ]


def imported_packages() -> dict[str, str]:
    """Top-level packages that src imports, each with one place where it does."""
    found = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            found |= {name.split(".")[0]: f"{module.name}:{node.lineno}" for name in names}
    return {name: where for name, where in found.items() if name not in sys.stdlib_module_names}


def test_every_import_is_declared():
    owners = metadata.packages_distributions()
    found = [
        f"{where} imports {name}"
        for name, where in imported_packages().items()
        if name != "hounsfield" and not {canonical(owner) for owner in owners.get(name, [])} & declared()
    ]
    assert not found, found


def test_every_dependency_has_its_line_in_the_decision():
    page = (ROOT / "docs" / "decisions" / "001-dependencies.md").read_text(encoding="utf-8").lower()
    assert not [name for name in sorted(declared()) if f"`{name}`" not in page]
