"""In CI a test of real data or of an independent program cannot be skipped, by whatever means."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

INNER = """
import pytest

@pytest.mark.{marker}
def test_absent():
    pytest.skip("the peer is not here")
"""


def run_inner(folder: Path, text: str, *, ci: bool) -> subprocess.CompletedProcess[str]:
    """Run pytest on one file beside a copy of the project's conftest, as CI or as a user would."""
    (folder / "conftest.py").write_text((TESTS / "conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "test_inner.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n  peer: x\n  real_data: x\n  slow: x\n", encoding="utf-8"
    )
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))
    }
    environment["CI"] = "true" if ci else "false"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        str(folder),
    ]
    return subprocess.run(
        command, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("marker", ["peer", "real_data"])
def test_skipped_peer_or_real_data_fails_in_ci(tmp_path, marker):
    answer = run_inner(tmp_path, INNER.format(marker=marker), ci=True)
    assert answer.returncode == 1, answer.stdout
    assert "skipped in CI, where nothing may be missing" in answer.stdout


def test_the_same_skip_passes_on_a_users_machine(tmp_path):
    answer = run_inner(tmp_path, INNER.format(marker="peer"), ci=False)
    assert answer.returncode == 0, answer.stdout
    assert "1 skipped" in answer.stdout


def test_other_skips_pass_in_ci(tmp_path):
    answer = run_inner(tmp_path, INNER.format(marker="slow"), ci=True)
    assert answer.returncode == 0, answer.stdout


def test_a_module_that_skips_itself_fails_in_ci(tmp_path):
    text = "import pytest\npytest.importorskip('no_such_package_here')\n" + INNER.format(marker="peer")
    answer = run_inner(tmp_path, text, ci=True)
    assert answer.returncode != 0, answer.stdout
    assert "a whole module was skipped in CI" in answer.stdout
