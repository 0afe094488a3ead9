"""Deterministic identifiers: the same inputs, application and version give the same UIDs."""

from __future__ import annotations

from uuid import UUID, uuid5

# Chosen once for this project; changing it changes every UID ever derived.
_NAMESPACE = UUID("6f6f1c0a-3f6e-5c55-9a64-5b5a7a0f9d01")


def derive_uid(*parts: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) from `parts`; equal parts in equal order give the same UID.

    The parts are joined with their lengths, so ("ab", "c") and ("a", "bc") differ.
    """
    canonical = "".join(f"{len(part)}:{part}" for part in parts)
    return f"2.25.{uuid5(_NAMESPACE, canonical).int}"
