"""The command answers at once: nothing heavy is imported before it is needed."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest
from tests.house.source import SRC

HEAVY = (
    "torch",
    "pandas",
    "sklearn",
    "skimage",
    "highdicom",
    "lightning_fabric",
    "matplotlib",
    "imagecodecs",
)
PACKAGES = sorted(path.parent.name for path in SRC.glob("*/__init__.py"))


def modules_after(code: str) -> set[str]:
    """Top packages that a fresh Python holds after running `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    answer = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=120
    )
    return set(json.loads(answer.stdout.splitlines()[-1]))


def processor_time_s(command: list[str]) -> float:
    """User and system time of one run of `command`: it does not grow when others use the machine."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def best_of_five_s(command: list[str]) -> float:
    """The smallest of five times: caches and the machine's other work only ever add."""
    return min(processor_time_s(command) for _ in range(5))


def test_importing_hounsfield_is_light():
    assert not modules_after("import hounsfield") & {*HEAVY, "pydicom", "numpy", "scipy"}


def test_importing_hounsfield_takes_less_than_03_s():
    alone = best_of_five_s([sys.executable, "-c", "pass"])
    assert best_of_five_s([sys.executable, "-c", "import hounsfield"]) - alone < 0.3


def test_importing_any_package_brings_nothing_heavy():
    code = "\n".join(f"import hounsfield.{name}" for name in PACKAGES)
    assert not modules_after(code) & set(HEAVY)


HELP = "import sys\nfrom hounsfield.cli import main\nsys.argv = ['hounsfield', '--help']\ntry:\n    main()\nexcept SystemExit:\n    pass"


def test_help_imports_neither_torch_nor_pydicom_nor_pandas():
    assert not modules_after(HELP) & {*HEAVY, "pydicom", "nibabel", "scipy"}


def test_help_takes_less_than_half_a_second_of_processor_time():
    assert best_of_five_s([sys.executable, "-m", "hounsfield", "--help"]) < 0.5


@pytest.mark.parametrize("arguments", [["--help"], ["inspect", "--help"], ["apps", "--help"]])
def test_help_works_without_torch(arguments):
    hidden = "import sys\nsys.modules['torch'] = None\nfrom hounsfield.cli import main\n"
    program = f"{hidden}sys.argv = ['hounsfield', *{arguments!r}]\nmain()"
    answer = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0, answer.stderr
    assert "Usage" in answer.stdout
