"""The notebook runs from top to bottom, and its stored results are those of a small, clean run."""

from __future__ import annotations

import re

import nbformat
import pytest
from tests.docs.pages import ROOT

NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
LARGEST_BYTES = 300_000


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.name)
def notebook_path(request):
    return request.param


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_there_is_a_notebook():
    assert NOTEBOOKS


def test_notebook_is_stored_executed_in_order(notebook_path):
    cells = code_cells(notebook_path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def test_notebook_stores_no_error_and_no_warning(notebook_path):
    outputs = [output for cell in code_cells(notebook_path) for output in cell.outputs]
    assert not [
        output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"
    ]


def test_notebook_shows_a_picture(notebook_path):
    outputs = [output for cell in code_cells(notebook_path) for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_notebook_is_small(notebook_path):
    assert notebook_path.stat().st_size < LARGEST_BYTES


@pytest.mark.slow
def test_notebook_runs_and_prints_the_same(notebook_path, tmp_path):
    from nbclient import NotebookClient

    notebook = nbformat.read(notebook_path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    fresh = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for stored, now in zip(code_cells(notebook_path), fresh, strict=True):
        assert text_of(now) == text_of(stored), stored.source


def text_of(cell) -> str:
    """What a cell printed or showed as text, times left out: they differ from run to run."""
    parts = []
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" not in data:
            parts.append(output.get("text") or data.get("text/plain", ""))
    return re.sub(r"\d+(\.\d+)? s\b", "TIME", "\n".join(parts))
