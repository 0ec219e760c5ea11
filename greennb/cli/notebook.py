"""Executes a notebook and makes a run of what its cells cost, also when it does not reach its end."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

import nbformat
from nbclient.exceptions import CellExecutionError, DeadKernelError

from greennb.cli.kernel import Kernel, Recorder
from greennb.model.errors import NotebookError
from greennb.model.finding import Finding
from greennb.model.measurement import Measurement
from greennb.model.messages import finding_from_dict
from greennb.model.run import CellCost, NotebookRun
from greennb.model.wire import measurement_from_dict
from greennb.views.advice import Looked
from greennb.views.format import plain, seconds

SKIP_TAG = "skip-execution"
"""Tag of cells that a headless run leaves out; nbclient's and nbconvert's name for it."""

_ASKS = re.compile(r"^\s*%energy_(?:(?:try|advise)\b|compare\b.*--code\b)", re.MULTILINE)
"""Magics whose answer rests on what was seen of the cells before them."""

_LONGEST_KEY = 200  # of a name in the metadata: labextension/src/dismissals.ts cuts there


_LOOP = asyncio.SelectorEventLoop if sys.platform == "win32" else None  # ZeroMQ cannot wait in Windows' own kind


class Ending(IntEnum):
    """How an execution ended; the value is the exit status that says so."""

    DONE = 0
    RAISED = 1
    STOPPED = 2
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution of a notebook: what it cost, the notebook with its new outputs, and how it ended.

    ``problems`` are sentences of greennb in the kernel: settings that are no good, a ledger that cannot be written.
    ``looked`` is what the advisor looked at, None where it was not asked or cannot say.
    """

    run: NotebookRun
    notebook: Any
    ending: Ending
    problems: tuple[str, ...] = ()
    looked: Looked | None = None


class Progress(Protocol):
    """Follows an execution from cell to cell."""

    def started(self, first_line: str) -> None:
        """A cell has begun."""

    def ended(self) -> None:
        """It has ended."""

    def tick(self) -> None:
        """A second has passed."""

    def close(self) -> None:
        """No cell will follow."""


def read_notebook(path: Path) -> Any:
    """The notebook at ``path`` in nbformat 4, without outputs.

    Raises:
        NotebookError: it is not there, or is no notebook.
    """
    name = plain(str(path), 200)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotebookError(f"There is no notebook {name}: check the path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotebookError(f"The notebook {name} cannot be read: {_reason(error)}.") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on missing cell ids, which are no trouble here
            notebook = nbformat.reads(text, as_version=4)
        for cell in code_cells(notebook):
            cell.outputs, cell.execution_count = [], None
    except Exception as error:  # nbformat raises whatever strange input leads it to
        raise NotebookError(f"{name} is not a Jupyter notebook: {_why_not(text, error)}.") from error
    return notebook


def code_cells(notebook: Any) -> list[Any]:
    """The code cells of a notebook that have something to run."""
    return [cell for _index, cell in _runnable(notebook)]


def execute(
    path: Path,
    *,
    kernel: str = "",
    timeout_s: float | None = None,
    allow_errors: bool = False,
    advise: bool = False,
    progress: Callable[[int], Progress],
) -> Execution:
    """Execute the notebook at ``path`` and measure every cell.

    ``timeout_s`` limits each cell. With ``advise`` they are watched for what would make them cheaper, and that is told
    at the end; a notebook that asks for advice or a trial itself is watched too. ``progress`` is called with the number
    of cells, before the first. However the notebook ends, no process is left behind.

    Raises:
        NotebookError: it cannot be read, or its kernel cannot start with greennb in it.
    """
    notebook = read_notebook(path)
    if not code_cells(notebook):
        return Execution(run=_nothing(path), notebook=notebook, ending=Ending.DONE)
    work = _Work(notebook, path, timeout_s, progress, advise=advise)
    try:
        with asyncio.Runner(loop_factory=_LOOP) as runner:
            return runner.run(work.execute(kernel, allow_errors=allow_errors))
    except KeyboardInterrupt:  # before the first cell, or a second one while the kernel was being stopped
        if work.recorder is None:
            raise
        return work.result(Ending.INTERRUPTED)


class _Work:
    """One execution on its way."""

    def __init__(
        self,
        notebook: Any,
        path: Path,
        timeout_s: float | None,
        progress: Callable[[int], Progress],
        *,
        advise: bool = False,
    ) -> None:
        self._notebook = notebook
        self._path = path
        self._timeout_s = timeout_s
        self._cells = _runnable(notebook)
        self._progress = progress
        self._advise = advise
        self._findings: tuple[Finding, ...] | None = None
        self._looked: Looked | None = None
        self._costs: list[CellCost] = []
        self._started_at = datetime.now(UTC)
        self._error: str | None = None
        self._problems: list[str] = []
        self._kernel = ""
        self.recorder: Recorder | None = None

    @property
    def _asks(self) -> bool:
        """Whether the notebook itself asks for advice or a trial, of which there is none where nobody watched."""
        return any(_ASKS.search(cell.source) for _index, cell in self._cells)

    async def execute(self, name: str, *, allow_errors: bool) -> Execution:
        """Start a kernel, run the cells, stop the kernel."""
        # What nbclient still polls when its kernel goes ends in an error that is no news.
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        with _ended_by_signals():
            try:
                async with Kernel(self._notebook, self._path, name=name, allow_errors=allow_errors) as kernel:
                    self._kernel = kernel.name
                    self.recorder = await kernel.load_greennb(advise=self._advise or self._asks)
                    ending = await self._run_cells(kernel)
                    if self._advise:
                        await self._take_advice(kernel)
                    self._problems += await kernel.finish()
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None
        return self.result(ending)

    def result(self, ending: Ending) -> Execution:
        """What has been found up to now."""
        recorder = self.recorder or Recorder(host="", problems=(), sources=())
        if ending is Ending.INTERRUPTED and self._error is None:
            self._error = "The run was interrupted."
        run = NotebookRun(
            notebook=str(self._path),
            host=recorder.host,
            kernel=self._kernel,
            started_at=self._started_at,
            cells=tuple(self._costs),
            sources=tuple(map(_source_sentence, recorder.sources)),
            error=self._error,
            findings=self._findings,
        )
        problems = dict.fromkeys([*recorder.problems, *self._problems])
        return Execution(run=run, notebook=self._notebook, ending=ending, problems=tuple(problems), looked=self._looked)

    async def _take_advice(self, kernel: Kernel) -> None:
        """Keep what the kernel's advisor found, but for what was dismissed in this notebook."""
        try:
            told = await kernel.findings()
        except NotebookError as error:
            self._problems.append(str(error))
            return
        found = tuple(map(finding_from_dict, told["findings"]))
        self._findings = tuple(finding for finding in found if not is_dismissed(finding, self._notebook.metadata))
        self._looked = Looked(
            cells=told["cells"],
            frameworks=tuple(told["frameworks"]),
            rules=told["rules"],
            dismissed=len(found) - len(self._findings),
        )

    async def _run_cells(self, kernel: Kernel) -> Ending:
        progress = self._progress(len(self._cells))
        clock = asyncio.ensure_future(_tick(progress))
        try:
            for number, (index, cell) in enumerate(self._cells, start=1):
                ending = await self._follow(kernel, number, cell, index, progress)
                if ending is not Ending.DONE:
                    return ending
            return Ending.DONE
        finally:
            clock.cancel()
            progress.close()

    async def _follow(self, kernel: Kernel, number: int, cell: Any, index: int, progress: Progress) -> Ending:
        """Run one cell and keep what it cost, however it ended."""
        cost = CellCost(index=index, cell_id=cell.get("id"), source=cell.source, measurement=None)
        progress.started(cost.first_line)
        ending, reason = await self._run_cell(kernel, cell, index)
        self._costs.append(replace(cost, measurement=_measurement(kernel.client.bundles)))
        if ending is not Ending.DONE:
            self._error = self._sentence(number, cost.first_line, reason)
        progress.ended()
        return ending

    async def _run_cell(self, kernel: Kernel, cell: Any, index: int) -> tuple[Ending, str]:
        try:
            await kernel.execute(cell, index, self._timeout_s)
        except CellExecutionError as error:
            return Ending.RAISED, f"raised {plain(f'{error.ename}: {error.evalue}', 300)}"
        except DeadKernelError:
            return Ending.STOPPED, f"did not end, because {kernel.death}"
        except TimeoutError:
            return Ending.STOPPED, f"took longer than --timeout allows ({seconds(self._timeout_s)})"
        except asyncio.CancelledError:
            return Ending.INTERRUPTED, "was interrupted"
        return Ending.DONE, ""

    def _sentence(self, number: int, first_line: str, reason: str) -> str:
        left = len(self._cells) - number
        after = f"; {left} cell{'s' if left > 1 else ''} after it did not run" if left else ""
        return f"Code cell {number} of {len(self._cells)} (`{plain(first_line, 60)}`) {reason.rstrip('.')}{after}."


def is_dismissed(finding: Finding, metadata: Any) -> bool:
    """Whether somebody took the finding off the list in the panel: that is kept in the notebook's metadata.

    "never" has codes of rules, "dismissed" has names of findings: the rule's code and the subject, or the cell's id.
    """
    kept = metadata.get("greennb") if isinstance(metadata, dict) else None
    never, dismissed = (kept.get(name) if isinstance(kept, dict) else None for name in ("never", "dismissed"))
    names = {name.rstrip()[:_LONGEST_KEY] for name in (finding.key, f"{finding.rule.code} {finding.cell_id or ''}")}
    return (isinstance(never, list) and finding.rule.code in never) or (
        isinstance(dismissed, list) and any(name in names for name in dismissed)
    )


async def _tick(progress: Progress) -> None:
    while True:
        await asyncio.sleep(1)
        progress.tick()


def _runnable(notebook: Any) -> list[tuple[int, Any]]:
    """Each cell that is executed, with its place. A blank one is not, in JupyterLab neither."""
    return [
        (index, cell)
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip() and SKIP_TAG not in cell.metadata.get("tags", [])
    ]


def _measurement(bundles: list[dict[str, Any]]) -> Measurement | None:
    """The cell's own window among what it displayed: the one that no other surrounds, else the last."""
    single = [bundle for bundle in bundles if "domains" in bundle]
    outermost = [bundle for bundle in single if bundle.get("parent_id") is None]
    chosen = outermost or single
    return measurement_from_dict(chosen[-1]) if chosen else None


def _source_sentence(source: dict[str, Any]) -> str:
    fate = "used" if source["used"] else "not used"
    return f"{source['name']} {fate}: {source['reason'].rstrip('.')}"


def _nothing(path: Path) -> NotebookRun:
    import platform

    return NotebookRun(
        notebook=str(path), host=platform.node(), kernel="", started_at=datetime.now(UTC), cells=(), sources=()
    )


def _why_not(text: str, error: Exception) -> str:
    try:
        json.loads(text)
    except ValueError:
        return "it is not JSON"
    return f"{type(error).__name__} at {plain(str(error), 120)}"


def _reason(error: Exception) -> str:
    return plain(str(getattr(error, "strerror", None) or error), 120)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let a request to terminate end the run as Ctrl-C does, which asyncio sees to by itself."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signals = [] if sys.platform == "win32" or task is None else [signal.SIGTERM, signal.SIGHUP]
    added = []
    for number in signals:
        try:
            loop.add_signal_handler(number, task.cancel)  # type: ignore[union-attr]  # no signals where it is None
            added.append(number)
        except (RuntimeError, ValueError):  # not the main thread: nobody sends signals there
            break
    try:
        yield
    finally:
        for number in added:
            loop.remove_signal_handler(number)
