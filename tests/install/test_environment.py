"""Making the environment fails early, and says what to do."""

from __future__ import annotations

import sys

import pytest
from tests.install.test_torch_for_this_machine import load

environment = load("environment")


def test_old_python_is_named_with_the_remedy():
    with pytest.raises(environment.CannotInstall, match=r"Python 3\.9\.2 is too old.*PYTHON=python3\.12"):
        environment.check_python((3, 9, 2), can_make_environments=True)


def test_python_without_ensurepip_is_told_which_package_is_missing():
    with pytest.raises(environment.CannotInstall, match="apt-get install python3-venv"):
        environment.check_python((3, 11, 2), can_make_environments=False)


def test_this_python_is_good_enough():
    environment.check_python(sys.version_info[:3], can_make_environments=True)


def test_failed_step_shows_the_end_of_its_output_and_the_log(tmp_path):
    log = tmp_path / "install.log"
    failing = [sys.executable, "-c", "print('disk is full'); raise SystemExit(3)"]
    with pytest.raises(
        environment.CannotInstall, match=r"(?s)this step failed: a step.*disk is full.*install\.log"
    ):
        environment.run_logged(failing, log, "a step")
    assert log.read_text(encoding="utf-8") == "disk is full\n"


def test_step_gives_its_last_line(tmp_path):
    command = [sys.executable, "-c", "print('one'); print('two')"]
    assert environment.run_logged(command, tmp_path / "log", "a step") == "two"
