"""Run the notebooks of docs/notebooks in an empty folder and store what they show.

    .venv/bin/python docs/run_notebook.py

The tests run them too, and compare the text that they print.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parent / "notebooks"


def run(path: Path) -> None:
    """Run one notebook and write it back with its results; times and ids of this run are left out."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(notebook, path)


def main() -> None:
    """Run all of them."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        run(path)
        print(f"docs/notebooks/{path.name} {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
