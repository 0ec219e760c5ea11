"""The kernel that ``greennb run`` starts: over local sockets, with greennb loaded, and gone at the end."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from greennb.model.errors import NotebookError
from greennb.model.wire import MIME_TYPE
from greennb.views.format import plain

STARTUP_S = 60
"""Seconds that a kernel has to answer for the first time; a cold disk with large packages takes its time."""

OUTPUT_S = 30
"""Seconds that outputs may take to arrive after their cell has ended."""

YIELD_S = 5.0
"""Seconds that a cell has to end after an interrupt, before its kernel is killed."""

_OUR_ERRORS = ("BadInputError", "UnknownZoneError", "LedgerError")
"""Errors of greennb in the kernel whose own sentence says what to do."""

_LONGEST_PATH = 100
"""Characters of a socket's path; the system's limit is 104 on macOS and 108 on Linux (sys/un.h)."""

_PYTHON = "__import__('sys').executable"
_START = "__import__('greennb.jupyter.recording', fromlist=['start']).start(get_ipython())"
_START_ADVISED = "__import__('greennb.jupyter.recording', fromlist=['start']).start(get_ipython(), advise=True)"
_FINDINGS = "__import__('greennb.jupyter.recording', fromlist=['findings']).findings(get_ipython())"
_FINISH = "__import__('greennb.jupyter.recording', fromlist=['finish']).finish(get_ipython())"
# Expressions that the kernel evaluates beside the cells: they leave no name behind and count as no cell.


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """What greennb in the kernel says of itself: its host, what is wrong, and each source of joules with its fate."""

    host: str
    problems: tuple[str, ...]
    sources: tuple[dict[str, Any], ...]


class Client(NotebookClient):  # type: ignore[misc]  # nbclient carries no types
    """Executes cells, and takes greennb's measurements out of what they display.

    ``bundles`` has what was taken since it was last cleared. A bundle with nothing else in it leaves no trace in
    the notebook.
    """

    def __init__(self, notebook: Any, **settings: Any) -> None:
        self.bundles: list[dict[str, Any]] = []
        super().__init__(notebook, **settings)

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Keep what greennb displayed; pass on what anybody else did."""
        data = msg["content"].get("data") if msg["msg_type"] == "display_data" else None
        if isinstance(data, dict) and MIME_TYPE in data:
            self.bundles.append(data[MIME_TYPE])
            if len(data) == 1:
                # Not appended, rather than removed later: an output would set off a pending clear_output(wait=True).
                return None
        return super().process_message(msg, cell, cell_index)


class Kernel:
    """A kernel for one notebook; use it as an asynchronous context, which leaves no process behind.

    Args:
        notebook: the notebook as nbformat reads it.
        path: where it lies: its folder is the kernel's working directory.
        name: of the kernel; "" takes the notebook's.
        allow_errors: go on after cells that raise.
    """

    def __init__(self, notebook: Any, path: Path, *, name: str, allow_errors: bool) -> None:
        self.path = path.absolute()
        name = name or notebook.metadata.get("kernelspec", {}).get("name") or "python3"
        self.name = str(name)
        silent = logging.getLogger("greennb.quiet")
        silent.propagate = False
        silent.addHandler(logging.NullHandler())
        self._manager = AsyncKernelManager(kernel_name=self.name, log=silent)
        self.client = Client(
            notebook,
            km=self._manager,
            allow_errors=allow_errors,
            record_timing=False,
            startup_timeout=STARTUP_S,
            iopub_timeout=OUTPUT_S,
            shell_timeout_interval=1,  # how soon a kernel that died while greennb was loading is seen
            log=silent,
        )
        self._folder = Path(tempfile.mkdtemp(prefix="greennb-"))
        self._busy = False

    async def __aenter__(self) -> Kernel:
        """Start the kernel and wait until it answers."""
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Stop it, gently unless it does not listen."""
        await self._stop()

    async def _start(self) -> None:
        self._use_local_sockets()
        environment = {**os.environ, "JPY_SESSION_NAME": str(self.path)}
        try:
            with (self._folder / "stderr").open("wb") as stderr:
                await self.client.async_start_new_kernel(
                    cwd=str(self.path.parent), env=environment, stdout=stderr, stderr=stderr
                )
            await self.client.async_start_new_kernel_client()
        except NoSuchKernel:
            raise NotebookError(f'No kernel is called "{plain(self.name, 60)}": give --kernel {_choices()}.') from None
        except (OSError, RuntimeError) as error:
            reason = self._last_words() or str(error)
            raise NotebookError(f'The kernel "{plain(self.name, 60)}" does not start: {plain(reason, 300)}') from error

    def _use_local_sockets(self) -> None:
        """Files of a private folder instead of TCP ports, where the platform has them and their path is short enough.

        Nothing listens on the network then, and a machine whose loopback is down can run notebooks too.
        """
        self._manager.connection_file = str(self._folder / "kernel.json")
        if hasattr(signal, "SIGKILL") and len(str(self._folder)) + len("/kernel-ipc-65535") <= _LONGEST_PATH:
            self._manager.transport = "ipc"

    async def load_greennb(self, *, advise: bool = False) -> Recorder:
        """Load greennb in the kernel, before the first cell and without counting as one.

        With ``advise`` it watches the cells for :meth:`findings`.

        Raises:
            NotebookError: greennb is not installed there, or cannot start there.
        """
        try:
            answers = await self._evaluated(python=_PYTHON, greennb=_START_ADVISED if advise else _START)
        except DeadKernelError:
            raise NotebookError(f"Loading greennb did not succeed: {self.death}.") from None
        python = _value(answers.get("python", {}))
        if python is None:
            raise NotebookError(
                f'The kernel "{plain(self.name, 60)}" is not IPython, and greennb measures Python: give --kernel.'
            )
        given = _value(answers["greennb"])
        if given is None:
            raise NotebookError(_not_loaded(answers["greennb"], python))
        told = json.loads(given)
        return Recorder(host=told["host"], problems=tuple(told["problems"]), sources=tuple(told["sources"]))

    async def finish(self) -> list[str]:
        """Have the ledger written; answers greennb's sentences for the user. None from a kernel that is gone."""
        if self._busy or not await self._manager.is_alive():
            return []
        try:
            answers = await self._evaluated(greennb=_FINISH)
        except DeadKernelError:
            return []
        return list(json.loads(_value(answers.get("greennb", {})) or "[]"))

    async def findings(self) -> dict[str, Any]:
        """What the advisor found: :func:`greennb.jupyter.recording.findings`.

        Raises:
            NotebookError: the kernel cannot say.
        """
        try:
            if self._busy or not await self._manager.is_alive():
                raise NotebookError(f"There is no advice, because {self.death}.")
            answer = (await self._evaluated(advice=_FINDINGS)).get("advice", {})
        except DeadKernelError:
            raise NotebookError(f"There is no advice, because {self.death}.") from None
        told = _value(answer)
        if told is None:
            why = plain(f"{answer.get('ename', 'no answer')}: {answer.get('evalue', '')}", 300)
            raise NotebookError(f"There is no advice: the advisor failed ({why}). Please report it.")
        return dict(json.loads(told))

    async def _evaluated(self, **expressions: str) -> dict[str, Any]:
        """The kernel's answers to expressions, by name."""
        message = self.client.kc.execute("", silent=True, store_history=False, user_expressions=expressions)
        reply = await self.client.async_wait_for_reply(message)
        answers: dict[str, Any] = (reply or {}).get("content", {}).get("user_expressions", {})
        return answers

    async def execute(self, cell: Any, index: int, timeout_s: float | None) -> None:
        """Execute one cell; interrupt it after ``timeout_s`` seconds, or when this task is cancelled.

        Raises:
            nbclient.exceptions.CellExecutionError: the cell raised and may not.
            nbclient.exceptions.DeadKernelError: the kernel is gone.
            TimeoutError: it took too long, and has been interrupted.
        """
        self.client.bundles.clear()
        # Every message carries this, as a page's do: the kernel's windows then know their cell.
        self.client.kc.session.metadata = {"cellId": cell.get("id")}
        task = asyncio.ensure_future(self.client.async_execute_cell(cell, index))
        try:
            done, _ = await asyncio.wait({task}, timeout=timeout_s)
        except asyncio.CancelledError:
            await self._interrupt(task)
            raise
        if not done:
            await self._interrupt(task)
            raise TimeoutError
        task.result()

    async def _interrupt(self, task: asyncio.Future[Any]) -> None:
        """End a running cell as Ctrl-C would, so that what it has cost is not lost."""
        self._busy = True
        await self._manager.interrupt_kernel()
        done, _ = await asyncio.wait({task}, timeout=YIELD_S)
        if done:
            self._busy = False
            task.exception()  # it was interrupted: that is known
        else:
            task.cancel()
            with contextlib.suppress(Exception, asyncio.CancelledError):  # it ends in whatever way it can
                await task

    @property
    def death(self) -> str:
        """How the kernel's process ended, in words."""
        code = getattr(self._process, "returncode", None)
        if code is None or code >= 0:
            return "its kernel ended" if code in (0, None) else f"its kernel ended with exit status {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        out_of_memory = ": often the system was out of memory" if name == "SIGKILL" else ""
        return f"its kernel was killed ({name}{out_of_memory})"

    @property
    def _process(self) -> Any:
        return getattr(self._manager.provisioner, "process", None) or self._ended

    _ended: Any = None

    async def _stop(self) -> None:
        self._ended = self._process
        try:
            if self._manager.has_kernel:
                await self._manager.shutdown_kernel(now=self._busy)
            await self._manager.cleanup_resources()
            if self.client.kc is not None:
                self.client.kc.stop_channels()
        finally:
            self._kill()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _kill(self) -> None:
        """The last resort, which waits for nobody: a second Ctrl-C cancels the gentle way."""
        if self._ended is not None and self._ended.poll() is None:
            self._ended.kill()
            self._ended.wait()

    def _last_words(self) -> str:
        """The last line that the kernel's process wrote by itself."""
        with contextlib.suppress(OSError):
            lines = (self._folder / "stderr").read_text(errors="replace").strip().splitlines()
            return lines[-1] if lines else ""
        return ""


def _value(answer: dict[str, Any]) -> str | None:
    """The text that an expression gave, None where it failed."""
    if answer.get("status") != "ok":
        return None
    return str(ast.literal_eval(answer["data"]["text/plain"]))


def _not_loaded(answer: dict[str, Any], python: str) -> str:
    name, words = answer.get("ename", ""), plain(str(answer.get("evalue", "")), 300)
    if name in _OUR_ERRORS:
        return f"greennb cannot start in this kernel. {words}"
    if name == "ModuleNotFoundError" and words == "No module named 'greennb'":
        return f"greennb is not installed in this kernel: run `{python} -m pip install greennb`, or give --kernel."
    return f"greennb cannot start in this kernel ({name}: {words}): run `{python} -m greennb doctor`."


def _choices() -> str:
    names = sorted(KernelSpecManager().find_kernel_specs())
    return " or ".join(names[:8]) or "NAME after `python -m pip install ipykernel`"
