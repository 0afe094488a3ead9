"""`hounsfield doctor`: what is installed, which hardware, what is missing and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Annotated

import typer

from hounsfield.cli._terminal import print_json, print_tables, table
from hounsfield.cli.exit_codes import ExitCode

app = typer.Typer(add_completion=False, rich_markup_mode=None)

# distribution, module, what it is for, how to get it
PARTS = (
    ("numpy", "numpy", "arrays", ""),
    ("pydicom", "pydicom", "reading DICOM", ""),
    ("highdicom", "highdicom", "writing SEG and SR", ""),
    ("pyjpegls", "jpeg_ls", "JPEG-LS", ""),
    ("pylibjpeg-openjpeg", "openjpeg", "JPEG 2000 and HTJ2K", ""),
    ("pylibjpeg-rle", "rle", "RLE", ""),
    ("imagecodecs", "imagecodecs", "lossless and 12-bit JPEG", "pip install 'hounsfield[codecs]'"),
    (
        "torch",
        "torch",
        "learned models",
        "see docs/how-to/install-with-gpu.md, then pip install 'hounsfield[nn]'",
    ),
    ("safetensors", "safetensors", "weights of models", "pip install 'hounsfield[nn]'"),
    ("lightning-fabric", "lightning_fabric", "training", "pip install 'hounsfield[train]'"),
    ("scikit-learn", "sklearn", "training, baselines", "pip install 'hounsfield[train]'"),
    ("distributed", "distributed", "archives on several machines", "pip install 'hounsfield[cluster]'"),
)
PROGRAMS = (
    ("dciodvfy", "checks DICOM results (tests)", "Debian package dicom3tools"),
    ("storescu", "sends DICOM (tests)", "Debian package dcmtk"),
    ("Orthanc", "archive (tests)", "Debian package orthanc"),
)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Say what is installed, what is missing, and how to get it."""
    parts = [_part(*part) for part in PARTS]
    programs = [
        {"name": name, "path": shutil.which(name), "for": purpose, "get": get}
        for name, purpose, get in PROGRAMS
    ]
    document: dict[str, object] = {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "gpu": _gpus(),
        "packages": parts,
        "programs": programs,
        "models": _bundles(),
        "applications": _application_names(),
        "warnings": _warnings(),
    }
    if as_json:
        print_json(document)
    else:
        _print(document)
    if any(part["version"] is None and not part["get"] for part in parts):
        raise typer.Exit(ExitCode.MODEL_OR_DATA_MISSING)


def _part(distribution: str, module: str, purpose: str, get: str) -> dict[str, str | None]:
    try:
        found: str | None = version(distribution)
    except PackageNotFoundError:
        found = None
    if not _is_importable(module):
        found = None
    return {"name": distribution, "version": found, "for": purpose, "get": get}


def _is_importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _gpus() -> list[str]:
    """Names of CUDA devices as the driver lists them; empty without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603  fixed program, no input
    return listed.stdout.strip().splitlines() if listed.returncode == 0 else []


def _bundles() -> list[str]:
    from hounsfield.cli.read import model_folders
    from hounsfield.zoo import default_search, installed_bundles

    return sorted(installed_bundles((*model_folders(), *default_search())))


def _application_names() -> list[str]:
    from hounsfield.core import applications

    return applications.names()


def _warnings() -> list[str]:
    """Packages known to break others, by name and remedy."""
    warnings = []
    if find_spec("torchvision") is not None and not _gpus():
        warnings.append(
            "torchvision is installed and there is no GPU: its usual build needs CUDA and then breaks every "
            "package that imports it. Remedy: pip uninstall torchvision"
        )
    return warnings


def _print(document: dict[str, object]) -> None:
    print(f"Python {document['python']} on {document['system']}, {document['cores']} cores")
    gpus = document["gpu"]
    print(
        f"GPU: {', '.join(gpus) if isinstance(gpus, list) and gpus else 'none (models run on the processor)'}"
    )
    for name in ("packages", "programs"):
        items = document[name]
        rows = [
            [
                str(item["name"]),
                str(item.get("version") or item.get("path") or "missing"),
                str(item["for"]),
                ""
                if item.get("version") or item.get("path")
                else str(item["get"] or "pip install hounsfield"),
            ]
            for item in (items if isinstance(items, list) else [])
        ]
        print_tables(table("", [name, "found", "for", "how to get it"], rows))
    for name in ("applications", "models"):
        items = document[name]
        print(f"{name}: {', '.join(items) if isinstance(items, list) and items else 'none'}")
    for warning in document["warnings"] if isinstance(document["warnings"], list) else []:
        print(f"warning: {warning}")
