"""Conversion to safetensors in a process of its own, with bounded memory and time.

Reading is made so that nothing in a file is run (torch_pickle.py); the process is the second wall: a fault in a parser
then ends the child and not the program that reads studies.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hounsfield.core.errors import ModelError

DEFAULT_TIMEOUT_S = 300.0
_MEMORY_LIMIT_BYTES = 16 * 1024**3
_REFUSED = 3


def convert_weights(source: Path, target: Path, *, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
    """Write every array of `source` to the safetensors file `target`, by the keys of `ForeignWeights.arrays`.

    Raises ModelError with the reader's own words, or saying that the child was ended. `target` is written whole or not
    at all.
    """
    command = [
        sys.executable,
        "-m",
        "hounsfield.zoo.foreign_weights.convert_weights",
        str(source),
        str(target),
    ]
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


def _child(source: Path, target: Path) -> int:
    from hounsfield.core.errors import HounsfieldError
    from hounsfield.zoo.foreign_weights.read_weights import read_foreign_weights
    from hounsfield.zoo.safe_arrays import arrays_as_bytes

    _limit_memory()
    partial = target.with_name(f".{target.name}.partial")
    try:
        content = arrays_as_bytes(read_foreign_weights(source).arrays(), source.name)
        partial.write_bytes(content)
        partial.replace(target)
    except HounsfieldError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    finally:
        partial.unlink(missing_ok=True)
    return 0


def _limit_memory() -> None:
    try:
        import resource
    except ModuleNotFoundError:
        return  # this system has no such limits
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT_BYTES, _MEMORY_LIMIT_BYTES))


if __name__ == "__main__":
    sys.exit(_child(Path(sys.argv[1]), Path(sys.argv[2])))
