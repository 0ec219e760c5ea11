"""One thread that does, in order, what it is given; there only between start and stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Job = tuple[Callable[..., None], tuple[Any, ...]]


class Post:
    """Runs jobs off the cell's path. Giving one costs about a microsecond, and nothing while it is stopped.

    ``failed`` is told what a job raised; the next one runs all the same.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[_Job | None] | None = None
        self._thread: threading.Thread | None = None

    @property
    def open(self) -> bool:
        """Whether jobs are taken."""
        return self._jobs is not None

    def give(self, job: Callable[..., None], *args: Any) -> None:
        """Have ``job`` done; from any thread."""
        jobs = self._jobs
        if jobs is not None:
            jobs.put((job, args))

    def start(self) -> None:
        """Take jobs from now on."""
        with self._lock:
            if self._jobs is not None:
                return
            self._jobs = SimpleQueue()
            self._thread = threading.Thread(target=self._run, args=(self._jobs,), name="greennb-bridge", daemon=True)
            self._thread.start()

    def stop(self, wait_s: float = 0.0) -> None:
        """Take no more jobs; those that were given are done first, for which this waits ``wait_s`` at most."""
        with self._lock:
            jobs, thread = self._jobs, self._thread
            self._jobs = self._thread = None
        if jobs is None:
            return
        jobs.put(None)
        if thread is not None and wait_s > 0 and thread is not threading.current_thread():
            thread.join(wait_s)

    def _run(self, jobs: SimpleQueue[_Job | None]) -> None:
        while (given := jobs.get()) is not None:
            job, args = given
            try:
                job(*args)
            except Exception as error:  # noqa: BLE001  # whatever it was, the next page's message is not to be lost
                self._failed(error)
