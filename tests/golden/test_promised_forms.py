"""What programs of others may rely on: identifiers and names that stay as they are.

The UIDs below were computed from RFC 4122 (version 5, SHA-1) without this project's code, by

    python -c 'import hashlib, uuid; n = uuid.UUID("6f6f1c0a-3f6e-5c55-9a64-5b5a7a0f9d01").bytes;
    print(uuid.UUID(bytes=hashlib.sha1(n + b"4:test4:tiny").digest()[:16], version=5).int)'

Changing them changes every UID that was ever derived: old results would no longer be replaced by new ones.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest

from hounsfield.core.uid import derive_uid
from hounsfield.results import readings_schema, schema

NAMESPACE = UUID("6f6f1c0a-3f6e-5c55-9a64-5b5a7a0f9d01")
PINNED = {
    ("test", "tiny"): "2.25.320112418047890958782365329460355124712",
    ("reading", "lung_ct", "1.0.0"): "2.25.132918806392295555026032156736938012920",
    ("",): "2.25.125501713958024251469988564064361718282",
}


@pytest.mark.parametrize("parts", PINNED)
def test_uid_is_that_of_the_standard(parts):
    """2.25 and the decimal form of a UUID: PS3.5 B.2, ISO/IEC 9834-8."""
    canonical = "".join(f"{len(part)}:{part}" for part in parts).encode()
    digest = hashlib.sha1(NAMESPACE.bytes + canonical, usedforsecurity=False).digest()
    assert derive_uid(*parts) == f"2.25.{UUID(bytes=digest[:16], version=5).int}" == PINNED[parts]
    assert len(derive_uid(*parts)) <= 64


# What was promised to every program: names in `hu read --json`, which reading.json shares.
PROMISED = {
    None: {"application", "status", "inputs", "findings", "measurements", "conditions"},
    "finding": {"concept", "presence", "probability"},
    "measurement": {"name", "value", "unit", "rule", "regions"},
    "condition": {"code", "severity", "text"},
    "input": {"files", "sop_instance_uids"},
}


@pytest.mark.parametrize("part", PROMISED)
def test_promised_names_are_required_by_the_published_schema(part):
    described = schema() if part is None else schema()["$defs"][part]
    assert PROMISED[part] <= set(described["required"])


def test_readings_stand_in_one_list():
    assert "readings" in readings_schema()["required"]


def test_closed_words_are_those_of_the_documentation():
    definitions = schema()["$defs"]
    presences = definitions["finding"]["properties"]["presence"]["enum"]
    assert set(presences) == {"present", "absent", "indeterminate"}
    assert set(definitions["condition"]["properties"]["severity"]["enum"]) == {"note", "warning", "refusal"}
    assert set(schema()["properties"]["status"]["enum"]) == {"complete", "partial", "refused"}
