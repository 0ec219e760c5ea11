"""The notebooks that people learn from run from top to bottom in a real kernel, in good time."""

from __future__ import annotations

import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
SLOWEST_S = 120.0
"""Twice what the text promises, for a machine that other tests share."""


@pytest.mark.kernel
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_runs_and_every_cell_but_the_first_is_measured(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell that raises fails the test; a cell without greennb's bundle was not measured."""
    monkeypatch.setenv("GREENNB_LEDGER", str(tmp_path / "ledger.sqlite"))
    notebook = nbformat.read(path, as_version=4)
    began = time.monotonic()
    NotebookClient(notebook, timeout=SLOWEST_S, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert time.monotonic() - began < SLOWEST_S
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    unmeasured = [cell.id for cell in code[1:] if not _bundles(cell) and not cell.source.startswith("%energy")]
    assert unmeasured == []


def _bundles(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """greennb's outputs of ``cell``."""
    mime = "application/vnd.greennb.energy+json"
    return [output for output in cell.outputs if mime in output.get("data", {})]
