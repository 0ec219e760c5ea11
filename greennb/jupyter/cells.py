"""Windows around cells: IPython's ``pre_run_cell`` opens one, ``post_run_cell`` closes it. Nothing wraps the cell.

Whatever goes wrong in here is said once and never reaches the user's cell.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greennb.jupyter.marker import MARKER, find, first_line
from greennb.jupyter.options import Options, parse
from greennb.meter.lines import Name
from greennb.meter.meter import OpenWindow
from greennb.model.errors import BadInputError
from greennb.model.measurement import Measurement, Status
from greennb.runtime import Runtime

HISTORY = 10_000
"""Cells remembered for reports; the ledger keeps all of them."""


@dataclass(slots=True)
class CellRun:
    """One run of one cell: its window, what was asked of it, and how it is shown.

    ``count`` is its prompt's number as far as that is known when it begins.
    """

    window: OpenWindow
    options: Options
    source: str
    auto: bool
    info: Any = field(repr=False, default=None)
    count: int | None = None

    @property
    def measurement(self) -> Measurement:
        """What it cost."""
        return self.window.result


class Cells:
    """Follows the cells of one shell.

    Args:
        auto: whether cells without a marker are measured too.
        whole: whether cells that ``%%energy -r`` measures run by run are measured as a whole too.
        name: what the notebook calls the cell behind a file name, for ``--lines``.
        finished: called with each run that was measured.
        failed: called with the exception, where following a cell failed.
        skipped: whether a cell of this source does not run: what does not run is not measured.
    """

    def __init__(
        self,
        runtime: Runtime,
        *,
        auto: Callable[[], bool],
        whole: Callable[[], bool] = lambda: False,
        name: Name = lambda _file: None,
        finished: Callable[[CellRun], None],
        failed: Callable[[Exception], None],
        skipped: Callable[[str], bool] = lambda _source: False,
    ) -> None:
        self._runtime = runtime
        self._auto = auto
        self._whole = whole
        self._name = name
        self._finished = finished
        self._failed = failed
        self._skipped = skipped
        self._running: list[tuple[Any, CellRun | None]] = []
        self._ahead: int | None = None
        self.runs: deque[CellRun] = deque(maxlen=HISTORY)

    @property
    def current(self) -> CellRun | None:
        """The innermost cell that is being measured."""
        return next((run for _info, run in reversed(self._running) if run is not None), None)

    @property
    def busy(self) -> bool:
        """Whether a cell runs, measured or not."""
        return bool(self._running)

    def before(self, info: Any, execution_count: int | None) -> None:
        """A cell is about to run."""
        run = None
        try:
            run = self._opened(info, execution_count)
        except Exception as error:  # noqa: BLE001  # a failure to measure never fails the cell
            self._failed(error)
        self._running.append((info, run))

    def after(self, result: Any) -> None:
        """A cell has run. ``result`` may be None, or stand for a cell whose start was not seen."""
        run = self._taken(getattr(result, "info", None))
        if run is None:
            return
        try:
            # First of all, so that what is done here is not counted as the cell's.
            run.window.close(status_of(result))
            if run.window.execution_count is not None:
                # IPython 9 counts on before the cell runs, IPython 8 after: the result knows in both.
                counted = getattr(result, "execution_count", None) or run.window.execution_count
                self._ahead = run.window.execution_count - counted
                run.window.execution_count = counted
            self._runtime.close(run.window, kind="cell", source=first_line(run.source))
            self._runtime.cell = self._outer()
            self.runs.append(run)
            self._finished(run)
        except Exception as error:  # noqa: BLE001  # a failure to measure never fails the cell
            self._failed(error)

    def _opened(self, info: Any, execution_count: int | None) -> CellRun | None:
        source = str(getattr(info, "raw_cell", "") or "")
        if self._skipped(source):
            return None
        lines = source.splitlines(keepends=True)
        marker = find(lines) if MARKER in source else None
        if marker is None and (not self._auto() or (repeats(source) and not self._whole())):
            return None
        options = Options() if marker is None else marker.options
        window = self._runtime.open(options.name, parent=self._outer())
        window.cell_id = getattr(info, "cell_id", None)
        window.execution_count = execution_count if getattr(info, "store_history", True) else None
        self._runtime.cell = window
        if options.lines:
            window.by_line(self._name)
        count = None if window.execution_count is None or self._ahead is None else window.execution_count - self._ahead
        return CellRun(window=window, options=options, source=source, auto=marker is None, info=info, count=count)

    def _outer(self) -> OpenWindow | None:
        current = self.current
        return None if current is None else current.window

    def _taken(self, info: Any) -> CellRun | None:
        """The run that ``info`` began; the innermost one, where IPython answers with another info (cancelled cells).

        The cell that loads greennb ends without having begun.
        """
        for index in range(len(self._running) - 1, -1, -1):
            if self._running[index][0] is info:
                return self._running.pop(index)[1]
        if self._running and info is not None and getattr(info, "raw_cell", None) != _raw(self._running[-1][0]):
            return None
        return self._running.pop()[1] if self._running else None


def status_of(result: Any) -> Status:
    """How a cell ended, from IPython's ExecutionResult."""
    error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
    if error is None:
        # No result at all is what a cancelled cell leaves.
        return Status.INTERRUPTED if result is None else Status.OK
    return Status.ERROR if isinstance(error, Exception) and not _cancelled(error) else Status.INTERRUPTED


def _cancelled(error: BaseException) -> bool:
    return type(error).__name__ == "CancelledError"


def _raw(info: Any) -> Any:
    return getattr(info, "raw_cell", None)


def repeats(source: str) -> bool:
    """Whether the cell is one that the ``%%energy -r`` magic measures itself."""
    line = source.lstrip().partition("\n")[0]
    if not line.startswith(MARKER):
        return False
    try:
        return parse(MARKER, line[len(MARKER) :]).repeat is not None
    except BadInputError:
        return True
