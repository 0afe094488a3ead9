"""What every benchmark prints: machine, versions and input, then one table; and where the data lie."""

from __future__ import annotations

import math
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

PACKAGES = ("hounsfield", "numpy", "scipy", "pydicom", "highdicom", "torch")


def processor() -> str:
    """The processor's name as the system states it."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def heading(title: str, *, inputs: str) -> str:
    """Title, machine, versions and input, as the lines above a table."""
    found = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} absent")
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return "\n".join(
        [
            f"# {title}",
            "",
            f"machine: {processor()}, {os.cpu_count()} cores{load}; {platform.system()} {platform.release()}",
            f"versions: Python {platform.python_version()}, {', '.join(found)}",
            f"input: {inputs}",
            "",
        ]
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, padded so that it can be read in a terminal."""
    cells = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(lines)


def wilson_interval(n_hits: float, n_cases: int, *, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a fraction. Source: Wilson 1927, J Am Stat Assoc 22:209."""
    if n_cases <= 0:
        raise ValueError("a fraction of no cases has no interval")
    share, square = n_hits / n_cases, z * z / n_cases
    centre = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / n_cases + square / (4 * n_cases)) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)


def with_data_option(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add `--data`: the folder of real images, from HOUNSFIELD_DATA unless given."""
    default = os.environ.get("HOUNSFIELD_DATA")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(default) if default else None,
        required=default is None,
        help="folder of the real data (default: the environment variable HOUNSFIELD_DATA)",
    )
    return parser
