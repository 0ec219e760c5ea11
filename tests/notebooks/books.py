"""The teaching notebooks, and ways to execute them: each test says what it wants to see of an execution."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).parents[2]
STUDENTS = ROOT / "notebooks"
SOLUTIONS = STUDENTS / "solutions"
NAMES = [path.stem for path in sorted(SOLUTIONS.glob("*.ipynb"))]

MIME = "application/vnd.greennb.energy+json"
LONGEST_CELL_S = 900.0
"""A cell that takes longer hangs, however busy the machine is."""

FIGURES = """\
import json
print(json.dumps({name: value for name, value in globals().items() if name.startswith("figure_data")}))
"""
"""A cell that tells what the figures were drawn from; it fails where that is no plain JSON."""

RIG_W = {"students": 300.0, "solved": 15.0}
"""What the estimate takes for the CPU's rated power in the two executions: the same work then has joules that differ
twentyfold, and everything that is drawn from joules has to differ with them."""


@dataclass(frozen=True)
class Execution:
    """A notebook with its outputs and its folder; of ``greennb run`` also its exit status, words, JSON and CPU time."""

    notebook: Any
    status: int = 0
    said: str = ""
    run: dict[str, Any] = field(default_factory=dict)
    cpu_s: float = 0.0
    folder: Path = Path()

    @property
    def code(self) -> list[Any]:
        """Its own code cells, without the one that tells of the figures."""
        return [cell for cell in self.notebook.cells if cell.cell_type == "code" and cell.id != "figures"]

    @property
    def figures(self) -> dict[str, Any]:
        """What its figures were drawn from."""
        (cell,) = (cell for cell in self.notebook.cells if cell.id == "figures")
        lines = [out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout"]
        return dict(json.loads("".join(lines)))

    def raised(self) -> dict[str, str]:
        """The cells that raised, by id, with what they said."""
        told = {}
        for cell in self.code:
            for output in cell.outputs:
                if output.output_type == "error":
                    told[cell.id] = f"{output.ename}: {output.evalue}"
        return told


def is_check(cell: Any) -> bool:
    """Whether a cell checks an exercise."""
    return "check" in cell.metadata.get("tags", [])


def was_skipped(cell: Any) -> bool:
    """Whether ``%energy_needs`` skipped a cell."""
    return any(out.get("text", "").startswith("Skipped: this cell needs ") for out in cell.outputs)


def read(path: Path) -> Any:
    """The notebook at ``path``."""
    return nbformat.read(path, as_version=4)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a kernel whose ledger and settings are in ``folder``."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("GREENNB_")},
        "GREENNB_LEDGER": str(folder / "ledger.sqlite"), "IPYTHONDIR": str(folder / "ipython"), "MPLBACKEND": "Agg",
        **more,
    }  # fmt: skip


def in_nbclient(notebook: Any, folder: Path, **environ: str) -> Execution:
    """Execute a copy of ``notebook`` in ``folder`` as nbclient and nbconvert do; only tagged cells may raise."""
    made = copy.deepcopy(notebook)
    made.cells.append(new_code_cell(FIGURES, id="figures"))
    client = NotebookClient(
        made, timeout=LONGEST_CELL_S, startup_timeout=300, resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=environment(folder, **environ))
    return Execution(made, folder=folder)


def in_greennb_run(path: Path, folder: Path, **environ: str) -> Execution:
    """Execute a copy of the notebook at ``path`` by ``greennb run``; it lies in ``folder``, so nothing else changes."""
    made, out, numbers = folder / path.name, folder / f"{path.stem}-out.ipynb", folder / "run.json"
    notebook = read(path)
    notebook.cells.append(new_code_cell(FIGURES, id="figures"))
    nbformat.write(notebook, made)
    before_s = _cpu_s()
    words = ["run", made, "--out", out, "--json", numbers, "--timeout", int(LONGEST_CELL_S), "-q"]
    ran = subprocess.run(
        [sys.executable, "-m", "greennb", *map(str, words)], env=environment(folder, **environ),
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    cpu_s = _cpu_s() - before_s
    run = json.loads(numbers.read_text(encoding="utf-8"))
    return Execution(read(out), ran.returncode, ran.stderr, run, cpu_s, folder)


def _cpu_s() -> float:
    """CPU seconds of the children that have ended, and of theirs: a kernel counts once its runner has ended."""
    times = os.times()
    return times.children_user + times.children_system
