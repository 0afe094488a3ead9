"""What no file of the repository may say: hosts of registries, paths of one machine, secrets, people."""

from __future__ import annotations

import hashlib
import re

import pytest
from tests.house.source import ROOT, tracked_files, tracked_texts

# Joined here, so that this file does not say them either.
HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("download", "pytorch", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
        ("conda", "anaconda", "org"),
        ("proxy", "golang", "org"),
    )
]
FOLDERS = ["/" + "work/", "/" + "root/", "/" + "home/", "/" + "tmp/", "/" + "opt/wheels"]
SECRETS = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "token of a code host": r"\b(gh[pousr]|glpat|github_pat)[-_][A-Za-z0-9_]{20,}",
    "key of a cloud": r"\bAKIA[0-9A-Z]{16}\b",
    "password in an address": r"[a-z]+://[^\s/:@\"']+:[^\s/@\"']+@",
    "assigned secret": r"(?i)\b(password|passwd|secret|api_key|token)\s*[:=]\s*[\"'][^\"'\s]{8,}[\"']",
}
# Names of people in DICOM's form; those that say that they are nobody pass.
PERSON = re.compile(r"\b([A-Z][a-zA-Z]+)\^([A-Z][a-zA-Z]+)\b")
NOBODY = re.compile(r"synthetic|phantom|test|anonym|hounsfield", re.IGNORECASE)
LARGEST_BYTES = 5_000_000


def places(pattern: str) -> list[str]:
    """File, line and text of every match in the repository."""
    compiled = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number} {line.strip()[:120]}"
        for path, text in tracked_texts().items()
        if compiled.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if compiled.search(line)
    ]


@pytest.mark.parametrize("host", HOSTS)
def test_no_host_of_a_registry(host):
    assert not places(re.escape(host))


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_path_of_one_machine(folder):
    found = places(rf"(?<![\w.<]){re.escape(folder)}")
    assert not found, found


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_no_secret(kind):
    found = places(SECRETS[kind])
    assert not found, found


def test_no_name_of_a_person():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path, text in tracked_texts().items()
        for match in PERSON.finditer(text)
        if not NOBODY.search(match.group())
    ]
    assert not found, found


def test_no_file_is_large():
    found = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked_files()}
    assert not {
        name: size for name, size in found.items() if size > LARGEST_BYTES and not name.startswith("models/")
    }


def test_no_image_of_a_patient_by_its_ending():
    endings = {".dcm", ".ima", ".nii", ".gz", ".zip", ".mha", ".nrrd"}
    assert not [path for path in tracked_files() if path.suffix.lower() in endings]


@pytest.mark.real_data
def test_no_file_of_the_real_data_is_in_the_repository(real_data):
    ours = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in tracked_files()
        if path.stat().st_size > 200
    }
    sizes = {path.stat().st_size for path in ours.values()}
    theirs = (path for path in real_data.rglob("*") if path.is_file() and path.stat().st_size in sizes)
    copied = [
        ours[digest] for path in theirs if (digest := hashlib.sha256(path.read_bytes()).hexdigest()) in ours
    ]
    assert not copied, copied


def test_research_use_is_stated_where_people_look_first():
    for name in ("README.md", "SECURITY.md", "docs/README.md"):
        assert "Research use only. Not a medical device." in (ROOT / name).read_text(encoding="utf-8"), name
