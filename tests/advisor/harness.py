"""Runs a case, a notebook in percent format, under the real observers in this process, every cell measured.

What a front end adds (magics, cards) is tested in ``tests/kernel``; here a hundred notebooks take a minute or
two, with one import of each framework.
"""

from __future__ import annotations

import linecache
import re
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greennb.advisor.advise import Advisor
from greennb.advisor.observers import observers
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Finding
from greennb.runtime import Runtime
from greennb.settings import Settings

CASES = Path(__file__).parent / "cases"
CLEAN = Path(__file__).parent / "clean"


@dataclass(frozen=True)
class Cell:
    """A cell of a case; ``lines`` where its marker has ``--lines``."""

    source: str
    lines: bool


class Case:
    """One notebook under the advisor.

    Attributes:
        said: what the advisor told the user by itself; a case that goes well has none.
    """

    def __init__(self, path: Path, runtime: Runtime) -> None:
        self.path = path
        self.said: list[str] = []
        self._runtime = runtime
        self._files: dict[str, str] = {}
        self._namespace: dict[str, Any] = {"__name__": "__main__"}
        self.advisor = Advisor(observers(), namespace=self._namespace, say=self.said.append)

    @property
    def namespace(self) -> dict[str, Any]:
        """The notebook's names."""
        return self._namespace

    def run(self) -> None:
        """Run every cell; a cell that raises ends the case with its error."""
        try:
            self.open(cells(self.path))
        finally:
            self.close()

    def open(self, of: Iterable[Cell]) -> None:
        """Run these cells, and go on watching."""
        self.advisor.install()
        for number, cell in enumerate(of):
            self._run_cell(number, cell)

    def close(self) -> None:
        """Watch no more."""
        self.advisor.remove()

    def _run_cell(self, number: int, cell: Cell) -> None:
        name = f"<{self.path.stem}-{number}>"
        code = compile(cell.source, name, "exec")
        window = self._runtime.open(self.path.stem)
        linecache.cache[name] = (len(cell.source), None, cell.source.splitlines(keepends=True), name)
        self._files[name] = f"In[{number + 1}]"
        if cell.lines:
            window.by_line(self._files.get)
        self.advisor.begin()
        failed = True
        try:
            exec(code, self._namespace)  # what a notebook does
            failed = False
        finally:
            window.close()
            self.advisor.end(
                source=cell.source, cell_id=f"cell-{number}", execution_count=number + 1, failed=failed,
                measure=lambda: window.result,
            )  # fmt: skip


def cells(path: Path) -> list[Cell]:
    """The cells of a file in percent format; what stands before the first ``# %%`` is its comment."""
    parts = re.split(r"^# %%(.*)\n", path.read_text(), flags=re.MULTILINE)[1:]
    return [
        Cell(source=source, lines="--lines" in marker) for marker, source in zip(parts[::2], parts[1::2], strict=True)
    ]


@contextmanager
def as_found() -> Iterator[None]:
    """Put back what a case may have changed for the next one: defaults of torch, and the threads of its pools."""
    torch = sys.modules.get("torch")
    before = None if torch is None else (torch.get_default_dtype(), torch.get_num_threads())
    try:
        yield
    finally:
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_default_dtype(torch.float32 if before is None else before[0])
            if before is not None:
                torch.set_num_threads(before[1])
            torch.set_grad_enabled(True)


def ran(path: Path) -> Case:
    """The case at ``path``, run to its end."""
    case = Case(path, Runtime(Settings(ledger="off")))
    with as_found():
        case.run()
    return case


def notebook(sources: Sequence[str]) -> Case:
    """A notebook of these cells, run and still watched; for its trials. ``close()`` it."""
    case = Case(Path("notebook.py"), Runtime(Settings(ledger="off")))
    try:
        case.open([Cell(source=source, lines=False) for source in sources])
    except BaseException:
        case.close()
        raise
    return case


def findings(path: Path) -> list[Finding]:
    """What the advisor says on the case, small cells too."""
    return list(ran(path).advisor.findings(all_cells=True))


def contexts(path: Path) -> list[CellContext]:
    """What was seen of each cell of the case."""
    return list(ran(path).advisor.cells)


def main(*names: str) -> None:
    """``python -m tests.advisor.harness FILE...``: what is seen and said, to look at."""
    for name in names:
        try:
            case = ran(Path(name))
        except Exception:  # noqa: BLE001  # a case being written
            traceback.print_exc()
            continue
        for context in case.advisor.cells:
            print(context)
        print(*case.said, sep="\n")
        for finding in case.advisor.findings(all_cells=True):
            print(f"{finding.key} [{finding.execution_count}] {finding.at_stake_s} s, {finding.at_stake_j} J")
            print("  ", finding.suggestion.text)
            print("  ", ", ".join(f"{it.name} {it.value:.4g} {it.unit}" for it in finding.evidence))


if __name__ == "__main__":
    main(*sys.argv[1:])
