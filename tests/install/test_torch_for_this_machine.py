"""The build of torch is chosen from pip's own report; canned reports, no network."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(name: str):
    """Import a script of install/, which is no package: it must run before anything is installed."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "install" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


torch_script = load("torch_for_this_machine")
CONSTRAINTS = ROOT / "constraints.txt"
REQUIREMENT = "torch>=2.8,<2.15"


def report(*packages: str) -> dict:
    """What pip prints with --report, as far as it is read: names and versions."""
    pairs = [package.split("==") for package in packages]
    return {"version": "1", "install": [{"metadata": {"name": n, "version": v}} for n, v in pairs]}


CPU = report("torch==2.13.0+cpu", "sympy==1.14.0", "Jinja2==3.1.6")
PLAIN_CPU = report("torch==2.13.0", "sympy==1.14.0")  # macOS: no local version, and nothing of NVIDIA
CUDA = report("torch==2.13.0", "nvidia-cublas==13.1.1.3", "triton==3.8.0", "cuda-toolkit==13.0.3.0")


class Machine:
    """Answers commands as a machine would: pip with one report, a GPU or none, uv reached or not."""

    def __init__(self, pip_report: dict, *, gpu: bool = False, uv_works: bool = True, pip_works: bool = True):
        self.pip_report, self.gpu, self.uv_works, self.pip_works = pip_report, gpu, uv_works, pip_works
        self.done: list[list[str]] = []

    def ask(self, command):
        if command[0] == "nvidia-smi":
            answer = (0, "GPU 0: NVIDIA H200 (UUID: GPU-0)\n") if self.gpu else (127, "")
        else:
            answer = (0, json.dumps(self.pip_report)) if self.pip_works else (1, "")
        return subprocess.CompletedProcess(command, *answer, "no matching distribution")

    def act(self, command):
        self.done.append(list(command))
        fails = "uv" in command and not self.uv_works
        return subprocess.CompletedProcess(command, int(fails))

    def install(self) -> str:
        return torch_script.install_torch("python", REQUIREMENT, CONSTRAINTS, self.ask, self.act)


@pytest.mark.parametrize(
    ("pip_report", "gpu", "choice"),
    [
        (CPU, False, "pip"),
        (CPU, True, "pip"),
        (PLAIN_CPU, False, "pip"),
        (CUDA, True, "pip"),
        (CUDA, False, "uv-cpu"),
    ],
)
def test_only_cuda_without_gpu_is_left_to_uv(pip_report, gpu, choice):
    assert torch_script.choose(pip_report, gpu=gpu) == choice


@pytest.mark.parametrize("local", ["cu130", "rocm6.4", "xpu"])
def test_a_build_for_a_gpu_is_known_by_its_local_version_too(local):
    assert torch_script.accelerator_packages(report(f"torch==2.13.0+{local}")) == [f"torch+{local}"]


def test_cpu_build_is_taken_by_pip():
    machine = Machine(CPU)
    assert machine.install() == "torch 2.13.0+cpu without CUDA"
    assert machine.done == [["python", "-m", "pip", "install", "--constraint", str(CONSTRAINTS), REQUIREMENT]]


def test_gpu_gets_the_cuda_build():
    assert "with CUDA, for the GPU" in Machine(CUDA, gpu=True).install()


def test_without_gpu_uv_fetches_the_cpu_build():
    machine = Machine(CUDA)
    assert "fetched by uv" in machine.install()
    assert "--torch-backend=cpu" in machine.done[-1]
    assert not any(command[2] == "pip" and REQUIREMENT in command for command in machine.done)


def test_cuda_is_never_fallen_back_to():
    machine = Machine(CUDA, uv_works=False)
    with pytest.raises(torch_script.CannotInstall, match="No GPU was found") as caught:
        machine.install()
    assert not any(command[2] == "pip" and REQUIREMENT in command for command in machine.done)
    remedy = str(caught.value).splitlines()[1:]
    assert len(remedy) == 2
    # Without the pin the address may give a newer torch, which the next `make` would replace again.
    assert f"--index-url ADDRESS --constraint {CONSTRAINTS} '{REQUIREMENT}'" in remedy[1]


def test_installed_torch_is_left_alone():
    machine = Machine(report())
    assert machine.install() == "torch is installed already"
    assert machine.done == []


def test_no_build_at_all_is_told_in_the_words_of_pip():
    with pytest.raises(torch_script.CannotInstall, match="no matching distribution"):
        Machine(CPU, pip_works=False).install()


def test_report_is_found_behind_warnings_of_pip():
    def noisy(command):
        return subprocess.CompletedProcess(command, 0, "WARNING: a mirror is slow\n" + json.dumps(CPU), "")

    assert torch_script.ask_pip("python", REQUIREMENT, CONSTRAINTS, noisy) == CPU


def test_a_missing_program_is_an_answer_not_an_error():
    assert torch_script.run_captured(["no-such-program-here"]).returncode == 127


def test_requirement_is_that_of_the_extra_nn():
    requirement = torch_script.torch_requirement(ROOT / "pyproject.toml")
    assert requirement.startswith("torch>=")
    assert "==" not in requirement


def test_the_pin_of_torch_takes_both_builds():
    pins = [
        line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line.startswith("torch==")
    ]
    assert len(pins) == 1
    assert "+" not in pins[0]
