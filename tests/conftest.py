"""Shared fixtures: where the real data lies, which peers are installed, and that CI skips neither."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# No test may see, or leave anything among, the models that the user of this machine installed.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="hounsfield-tests-")
IN_CI = os.environ.get("CI") == "true"
NEVER_SKIPPED_IN_CI = ("real_data", "peer")


def _absent(reason: str) -> None:
    """Skip with a reason on a user's machine; fail in CI, where everything is installed."""
    if IN_CI:
        pytest.fail(f"{reason} (in CI this may not be skipped)")
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a skipped test of real data or of a peer is a failed one, whoever skipped it."""
    report = yield
    marked = any(item.get_closest_marker(name) for name in NEVER_SKIPPED_IN_CI)
    if IN_CI and report.skipped and marked and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI, where nothing may be missing: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """In CI a module that skips itself is a failed one: nobody would miss its tests."""
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"a whole module was skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real images; tests that use it carry the marker real_data."""
    folder = Path(os.environ.get("HOUNSFIELD_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        _absent(f"no real data at {folder.name!r}: set HOUNSFIELD_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def peer_program():
    """A function that gives the path of an independent program, or skips; marker peer."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            _absent(
                f"{name} is not installed; Debian packages: dicom3tools, dcmtk, dcm2niix, orthanc, poppler-utils"
            )
        return str(path)

    return find


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory):
    """Synthetic studies for every application, and the results of reading them; written once a run."""
    from tests.conformance.studies_by_needs import Synthetic

    return Synthetic(tmp_path_factory.mktemp)
