"""Leaving the user's code from within: by an exception that no ``except Exception`` catches, or at last by force."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from greennb.advisor.trial.base import Stop

PATIENCE = 5
"""Times that the user's code may catch what leaves it, before its lines are stopped one by one."""

_OURS = str(Path(__file__).parent)


class Left(BaseException):
    """The block is complete. No ``Exception``: what runs in a trial must not catch it by chance."""


class Leaving:
    """How one statement is left.

    Attributes:
        reason: what it was left by; None while nobody wants to leave.
        forced: whether the code caught that again and again, and had to be stopped at a line.
    """

    def __init__(self) -> None:
        self.reason: BaseException | None = None
        self.forced = False
        self._times = 0
        self._trace: Any = None

    def leave(self, reason: BaseException) -> NoReturn:
        """Raise the reason, the first one where there was one before: it was caught, or a ``finally`` goes on."""
        self.reason = self.reason or reason
        self._times += 1
        if self._times > PATIENCE:
            self._force(sys._getframe(1))
        raise self.reason.with_traceback(None)

    def _force(self, frame: FrameType | None) -> None:
        """From here on the next line of any caller raises: also the first one of the handler that would go on."""
        if not self.forced:
            self._trace = sys.gettrace()
        self.forced = True
        sys.settrace(self._line)
        while frame is not None and frame.f_code is not _BASE:
            if not frame.f_code.co_filename.startswith(_OURS):
                frame.f_trace = self._line
            frame = frame.f_back

    def _line(self, frame: FrameType, event: str, _arg: object) -> Any:
        if frame.f_code.co_filename.startswith(_OURS):
            return None
        if event == "line" and self.reason is not None:
            raise self.reason.with_traceback(None)
        return self._line

    def run(self, code: Any, names: dict[str, Any]) -> BaseException | None:
        """Execute code that may be left. What it raised by itself; None where it ended, or was left."""
        try:
            exec(code, names)  # the user's own cell
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # all of it is the user's code's
            return None if self.reason is not None else error
        finally:
            if self.forced:
                sys.settrace(self._trace)
        return None


_BASE = Leaving.run.__code__


@contextmanager
def interrupts(stop: Stop) -> Iterator[None]:
    """An interrupt also stops the trial: many a loop catches ``KeyboardInterrupt`` to end early, and would go on."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def both(number: int, frame: FrameType | None) -> None:
        stop.set()
        before(number, frame)

    signal.signal(signal.SIGINT, both)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
