"""Interrupting a trial: from the kernel's button or another thread, at once, and never the cell that comes after it.

While a trial runs, SIGINT is ours. It is raised only where other people's code runs within the trial: what puts the
user's things back goes on to its end. An interrupt that falls there is tried again until the trial has ended.
"""

from __future__ import annotations

import _thread
import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

EVERY_S = 0.05
"""Seconds between two tries to interrupt: a person takes a tenth of a second for "at once"."""

PATIENCE_S = 1.0
"""Seconds that an interrupt has to take effect before the next one, twice as long after each: what is left behind in
haste, a hook of a framework's say, must not be interrupted while it is taken away."""

_HERE = Path(__file__).resolve().parent
_OURS, _FRONT = str(_HERE.parent), str(_HERE)
_SURE_FILES = ("ambient.py", "ambient_parts.py", "fingerprint.py")
_SURE_NAMES = frozenset({"__enter__", "__exit__", "_close", "close", "detach", "put_back", "restore", "surely"})
"""Code of trials that puts the user's things back, by its files and by the names of its functions."""


class Interrupts:
    """Ends one trial; from any thread.

    Attributes:
        from_elsewhere: whether another thread ended it, a page's say, and not the kernel's interrupt.

    Args:
        stop: called first of all: asks the trial to end by itself, at its next step.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._lock = threading.Lock()
        self._runs = False
        self._here = False  # whether SIGINT is ours
        self._tries = False  # whether a thread does
        self._raised = 0
        self._next_s = 0.0
        self.from_elsewhere = False

    @contextmanager
    def caught(self) -> Iterator[None]:
        """For the time of the trial, on its own thread. Signals are the main thread's: elsewhere only steps end it."""
        before: Any = signal.getsignal(signal.SIGINT) if _is_main() else None
        self._runs = True
        if callable(before):
            self._here = True
            signal.signal(signal.SIGINT, self._signalled)
        try:
            yield
        finally:
            with self._lock:  # from here on nobody sends an interrupt
                self._runs = False
            if self._here:
                signal.signal(signal.SIGINT, before)  # which first handles what is pending: it is absorbed

    def now(self) -> bool:
        """End the trial; False where none runs."""
        with self._lock:
            if not self._runs:
                return False
            self._stop()
            if not self._tries:
                self.from_elsewhere = True
                if self._here:
                    self._begin_to_try()
            return True

    def _begin_to_try(self) -> None:
        self._tries = True
        # Not threading.Thread: the signal may have come while somebody starts one, and holds the lock for that.
        _thread.start_new_thread(self._try, ())

    def _try(self) -> None:
        while True:
            with self._lock:
                if not self._runs:
                    return
                _thread.interrupt_main(signal.SIGINT)
            time.sleep(EVERY_S)

    def _signalled(self, _number: int, frame: FrameType | None) -> None:
        if not self._runs:
            return
        # The lock may be held by this very thread, a few frames further out: it is not taken here.
        self._stop()
        if not self._tries:
            self._begin_to_try()
        if time.monotonic() >= self._next_s and _is_others(frame):
            self._next_s = time.monotonic() + PATIENCE_S * 2**self._raised
            self._raised += 1
            raise KeyboardInterrupt


def run_interruptibly(interrupts: Interrupts, run: Callable[[], T]) -> T:
    """Run a trial, which an interrupt ends.

    Raises:
        KeyboardInterrupt: it was interrupted, and nobody caught that.
    """
    with interrupts.caught():
        return run()


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _is_others(frame: FrameType | None) -> bool:
    """Whether other people's code runs within a trial, and not on behalf of what puts things back."""
    if frame is None or _is_ours(frame) or frame.f_code.co_filename == contextlib.__file__:
        return False
    while frame is not None:
        if _is_ours(frame):
            if frame.f_code is run_interruptibly.__code__:
                return True
            file, name = frame.f_code.co_filename, frame.f_code.co_name
            if file.startswith(_FRONT) or file.endswith(_SURE_FILES) or name in _SURE_NAMES:
                return False  # it tells of the trial, or puts back
        frame = frame.f_back
    return False


def _is_ours(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_OURS)
