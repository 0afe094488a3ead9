"""One measured method in a fresh process: its memory as the system counts it, its answer as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def child_answer(module: str, *words: str) -> dict[str, Any]:
    """Run `python -m module words` and take the last line that it prints as JSON; what went wrong ends the benchmark."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", module, *words], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise SystemExit(f"{module} {' '.join(words)} failed:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


@dataclass(frozen=True)
class Spent:
    """What one call took: seconds by the clock, of the processor, and MB (1e6 bytes) at most above the start."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def spent(call: Callable[[], Any], start_mb: float) -> tuple[Any, Spent]:
    """The call's result, and what it took; memory above `start_mb` since `reset_peak`."""
    wall, processor = time.perf_counter(), time.process_time()
    result = call()
    return result, Spent(
        time.perf_counter() - wall, time.process_time() - processor, _status_mb("VmHWM") - start_mb
    )


def reset_peak() -> float:
    """Let the system count the peak anew (Linux); the resident memory now, in MB."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status_mb("VmRSS")


def _status_mb(name: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit(f"this system does not tell {name} of a process: run the benchmark on Linux")
