"""Install the build of torch that suits this machine: never gigabytes of CUDA where there is no GPU.

Needs nothing but the standard library and an environment with pip. In this order:

1. pip is asked what it would take (`pip install --dry-run --report`), which downloads no wheel.
2. A build without CUDA is taken, whatever the machine.
3. A build with CUDA is taken only where `nvidia-smi -L` lists a GPU.
4. Without a GPU, uv fetches the CPU build (`uv pip install --torch-backend=cpu`).
5. If uv cannot, the installation stops with a remedy of two lines. CUDA is never fallen back to.

    python3 install/torch_for_this_machine.py .venv/bin/python
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

ROOT = Path(__file__).resolve().parent.parent
# What a CUDA or ROCm build of torch pulls in; a CPU build needs none of them.
ACCELERATOR_PREFIXES = ("nvidia-", "cuda-", "triton", "pytorch-triton", "rocm-")
OLDEST_UV = "uv>=0.7"

Choice = Literal["pip", "uv-cpu"]


class CannotInstall(Exception):
    """torch cannot be installed here without a decision of the user; the message says which."""


def run_captured(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `command`, capturing what it prints; a program that is not there gives exit status 127."""
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))


def run_shown(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `command` and let what it prints be seen: a download of minutes must not be silent."""
    return subprocess.run(command, check=False, text=True, stderr=subprocess.STDOUT)


def torch_requirement(pyproject: Path) -> str:
    """The requirement on torch as the extra `nn` of `pyproject` states it."""
    extras = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return next(str(line) for line in extras["nn"] if line.startswith("torch"))


def packages_of(report: Mapping[str, Any]) -> dict[str, str]:
    """Names (lower case, hyphens) and versions of what pip's report would install."""
    items = [item["metadata"] for item in report["install"]]
    return {str(item["name"]).lower().replace("_", "-"): str(item["version"]) for item in items}


def accelerator_packages(report: Mapping[str, Any]) -> list[str]:
    """The packages in pip's report that only a build for a GPU needs; empty for a CPU build."""
    packages = packages_of(report)
    found = sorted(name for name in packages if name.startswith(ACCELERATOR_PREFIXES))
    local = packages.get("torch", "").partition("+")[2]
    if local.startswith(("cu", "rocm", "xpu")):
        found.append(f"torch+{local}")
    return found


def choose(report: Mapping[str, Any], *, gpu: bool) -> Choice:
    """Who installs torch: pip if its build suits the machine, else uv, which knows the CPU builds."""
    return "pip" if gpu or not accelerator_packages(report) else "uv-cpu"


def has_gpu(run: Callable[[Sequence[str]], subprocess.CompletedProcess[str]] = run_captured) -> bool:
    """Whether the driver's own tool lists an NVIDIA GPU."""
    answer = run(["nvidia-smi", "-L"])
    return answer.returncode == 0 and "GPU" in answer.stdout


def remedy(python: str, pins: Sequence[str], would_pull: Sequence[str]) -> str:
    """What to do where no CPU build can be fetched: two lines."""
    heaviest = sorted(would_pull, key=lambda name: not name.startswith("nvidia-"))[:3]
    return (
        f"No GPU was found, pip would take a CUDA build of torch ({', '.join(heaviest)}, ...: gigabytes), "
        "and uv could not fetch the CPU build. Do these two things, then repeat your command:\n"
        "  1. On PyTorch's start page choose Stable, Pip and CPU, and copy the address after --index-url.\n"
        f"  2. {python} -m pip install --index-url ADDRESS {shlex.join(pins)}"
    )


def ask_pip(
    python: str,
    requirement: str,
    constraints: Path,
    run: Callable[[Sequence[str]], subprocess.CompletedProcess[str]] = run_captured,
) -> dict[str, Any]:
    """The report of pip on what `requirement` would install; empty list if it is satisfied already."""
    command = [python, "-m", "pip", "install", "--dry-run", "--quiet", "--report", "-"]
    answer = run([*command, "--constraint", str(constraints), requirement])
    if answer.returncode != 0:
        raise CannotInstall(f"pip found no build of {requirement} for this machine:\n{answer.stderr.strip()}")
    report: dict[str, Any] = json.loads(answer.stdout[answer.stdout.index("{") :])
    return report


def install_torch(
    python: str,
    requirement: str,
    constraints: Path,
    ask: Callable[[Sequence[str]], subprocess.CompletedProcess[str]] = run_captured,
    act: Callable[[Sequence[str]], subprocess.CompletedProcess[str]] = run_shown,
) -> str:
    """Install torch into the environment of `python`; returns one sentence on what was taken and why.

    Raises CannotInstall with the remedy if only a CUDA build is within reach of a machine without a GPU.
    """
    report = ask_pip(python, requirement, constraints, ask)
    if "torch" not in packages_of(report):
        return "torch is installed already"
    gpu, pulls = has_gpu(ask), accelerator_packages(report)
    pins = ["--constraint", str(constraints), requirement]
    if choose(report, gpu=gpu) == "pip":
        if act([python, "-m", "pip", "install", *pins]).returncode != 0:
            raise CannotInstall(f"pip could not install {requirement}: its own words stand above")
        kind = f"with CUDA, for the GPU of this machine ({len(pulls)} packages)" if pulls else "without CUDA"
        return f"torch {packages_of(report)['torch']} {kind}"
    act([python, "-m", "pip", "install", OLDEST_UV])
    with_uv = [python, "-m", "uv", "pip", "install", "--python", python, "--torch-backend=cpu", *pins]
    if act(with_uv).returncode != 0:
        raise CannotInstall(remedy(python, pins, pulls))
    return "torch without CUDA, fetched by uv because there is no GPU and pip would have taken CUDA"


def main(arguments: Sequence[str]) -> int:
    """Install torch for the interpreter named first (this one by default); 0 done, 1 remedy printed."""
    python = arguments[0] if arguments else sys.executable
    try:
        done = install_torch(python, torch_requirement(ROOT / "pyproject.toml"), ROOT / "constraints.txt")
    except CannotInstall as error:
        print(error, file=sys.stderr)
        return 1
    print(done)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
