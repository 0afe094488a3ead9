"""Conversion to safetensors in a process of its own, with bounded memory and time.

Reading is made so that nothing in a file is run (torch_pickle.py); the process is the second wall: a fault in a parser
then ends the child and not the program that reads studies.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError
from hounsfield.zoo.safe_arrays import arrays_as_bytes, read_arrays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

DEFAULT_TIMEOUT_S = 300.0
_MEMORY_LIMIT_BYTES = 16 * 1024**3
_REFUSED = 3


def convert_weights(source: Path, target: Path, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
    """Write every array of `source` to the safetensors file `target`, by the keys of `ForeignWeights.arrays`.

    Raises ModelError with the reader's own words, or saying that the child was ended. `target` is written whole or not
    at all.
    """
    _run("arrays", source, target, timeout_s)


@dataclass(frozen=True, slots=True, eq=False)
class StoredNetwork:
    """What a program stored of one network. weights: by key, as `state_dict_of` finds them; numbers that are not finite
    are left in. texts: what lies beside them, as `texts_of` finds it.
    """

    weights: Mapping[str, NDArray[Any]]
    texts: Mapping[str, tuple[str, ...]]


def stored_network(source: Path, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> StoredNetwork:
    """The weights of the one network in `source`, read in a process of its own. Raises ModelError as `convert_weights`."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "weights.safetensors"
        _run("network", source, target, timeout_s)
        weights = read_arrays(target.read_bytes(), source.name, finite=False)
        texts = json.loads(target.with_suffix(".json").read_text(encoding="utf-8"))
    return StoredNetwork(weights, {key: tuple(values) for key, values in texts.items()})


def _run(what: str, source: Path, target: Path, timeout_s: float) -> None:
    program = "hounsfield.zoo.foreign_weights.convert_weights"
    command = [sys.executable, "-m", program, what, str(source), str(target)]
    try:
        done = subprocess.run(  # noqa: S603  our own interpreter and program
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"{source.name} was not converted within {timeout_s:g} s and was given up; it is no ordinary model"
        ) from None
    if done.returncode == 0:
        return
    said = done.stderr.strip().splitlines()
    if done.returncode == _REFUSED and said:
        raise ModelError(said[-1])
    raise ModelError(
        f"{source.name} ended the process that converted it (status {done.returncode}): it is damaged, or needs more "
        f"than {_MEMORY_LIMIT_BYTES // 1024**3} GiB. Get the file again."
    )


def _child(what: str, source: Path, target: Path) -> int:
    from hounsfield.core.errors import HounsfieldError

    _limit_memory()
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_bytes(_content(what, source, target))
        partial.replace(target)
    except HounsfieldError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    finally:
        partial.unlink(missing_ok=True)
    return 0


def _content(what: str, source: Path, target: Path) -> bytes:
    from hounsfield.zoo.foreign_weights.read_weights import read_foreign_weights
    from hounsfield.zoo.foreign_weights.state_dict import state_dict_of, texts_of

    found = read_foreign_weights(source)
    if what == "arrays":
        return arrays_as_bytes(found.arrays(), source.name)
    target.with_suffix(".json").write_text(json.dumps(texts_of(found.tree)), encoding="utf-8")
    return arrays_as_bytes(state_dict_of(found.tree, source.name), source.name, finite=False)


def _limit_memory() -> None:
    try:
        import resource
    except ModuleNotFoundError:
        return  # this system has no such limits
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT_BYTES, _MEMORY_LIMIT_BYTES))


if __name__ == "__main__":
    sys.exit(_child(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
