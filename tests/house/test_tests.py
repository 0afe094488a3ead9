"""Tests mirror the code, so that a reader finds the one beside the other."""

from __future__ import annotations

import pytest
from tests.house.source import ROOT, SRC

PACKAGES = sorted(path.parent.name for path in SRC.glob("*/__init__.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_has_tests(package):
    assert list((ROOT / "tests" / package).glob("test_*.py")), f"no tests/{package}/test_*.py"


def test_every_folder_of_tests_mirrors_something():
    beside_the_code = {"conformance", "properties", "golden", "house", "docs", "install", "benchmarks"}
    folders = {
        path.name
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and not path.name.startswith(("_", "."))
    }
    assert folders <= {*PACKAGES, *beside_the_code}
