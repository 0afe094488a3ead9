"""Completion by the shell, for both names of the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = {"hounsfield": "_HOUNSFIELD_COMPLETE", "hu": "_HU_COMPLETE"}


def completed(name, words):
    """What bash is offered after `words`, the last of which is being typed."""
    script = Path(sys.executable).with_name(name)
    environment = {
        **os.environ,
        NAMES[name]: "complete_bash",
        "COMP_WORDS": " ".join([name, *words]),
        "COMP_CWORD": str(len(words)),
    }
    answer = subprocess.run([script], check=True, env=environment, capture_output=True, text=True, timeout=60)
    return answer.stdout.split()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["in"], ["inspect"]),
        (["read", "--app"], ["--application"]),
        (["read", "study", "--application", "lung"], ["lung_ct"]),
        (["nothing-like-it"], []),
    ],
)
def test_words_are_completed(name, words, offered):
    assert completed(name, words) == offered
