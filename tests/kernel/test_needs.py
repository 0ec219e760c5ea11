"""``%energy_needs`` in a real kernel, in front ends' ways of running a notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = pytest.mark.kernel

CELLS = {
    "load": "%load_ext greennb\n%energy_auto on",
    "needs": "%energy_needs greennb_nowhere",
    "import": "import greennb_nowhere",
    "marked": "%%energy -n train -o m\ngreennb_nowhere.train()",
    "next": "%energy_needs json",
    "after": "import json\nprint(json.dumps('ran'), 'm' in globals())",
}


def _notebook() -> Any:
    return new_notebook(cells=[new_code_cell(source, id=name) for name, source in CELLS.items()])


def _text(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def _check(notebook: Any) -> None:
    cells = {cell.id: cell for cell in notebook.cells}
    assert "greennb_nowhere is not installed here" in _text(cells["needs"])
    for name in ("import", "marked"):
        assert _text(cells[name]) == "Skipped: this cell needs greennb_nowhere, which is not installed here.\n"
        assert len(cells[name].outputs) == 1  # no joules of what did not run
    assert _text(cells["after"]) == '"ran" False\n'


def test_a_notebook_without_the_package_runs_through_in_nbclient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENNB_LEDGER", "off")
    notebook = _notebook()
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    _check(notebook)


def test_and_in_greennb_run_where_what_was_skipped_is_not_measured(tmp_path: Path) -> None:
    path, out, numbers = tmp_path / "made.ipynb", tmp_path / "out.ipynb", tmp_path / "run.json"
    nbformat.write(_notebook(), path)
    words = ["run", path, "--out", out, "--json", numbers, "--advise"]
    environ = {**os.environ, "GREENNB_LEDGER": "off"}
    ran = subprocess.run(
        [sys.executable, "-m", "greennb", *map(str, words)], env=environ, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    _check(nbformat.read(out, as_version=4))
    cells = {cell["cell_id"]: cell for cell in json.loads(numbers.read_text())["cells"]}
    assert list(cells) == list(CELLS)
    skipped = {name for name, cell in cells.items() if cell.get("duration_s") is None}
    assert skipped == {"import", "marked"}


def test_unloading_ends_it_and_leaves_no_trace(start_kernel: Any) -> None:
    kernel = start_kernel(load=False)
    transformers = "len(get_ipython().input_transformers_cleanup)"
    before = kernel.value(transformers)
    kernel.run("%load_ext greennb")
    kernel.run("%energy_needs greennb_nowhere")
    assert "Skipped" in kernel.run("1 + 1").text()
    kernel.run("%unload_ext greennb")
    assert kernel.value(transformers) == before
    assert kernel.run("print(1 + 1)").text() == "2\n"
    assert "not found" in kernel.run("%energy_needs json").text("stderr")
