"""The ledger: rows are handed over at once, written by a thread that lives only while there is something to write.

One row a window, also when it failed, one a trial, one for a session's machine. Nothing here raises into the code that
is measured: what cannot be kept is said once (:attr:`Ledger.problem`, the callback) and counted (:attr:`Ledger.lost`).
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from greennb.ledger import opening, query
from greennb.ledger.migrations import version
from greennb.ledger.rows import COLUMNS, LedgerRow, LedgerSession, encode
from greennb.model.errors import LedgerError
from greennb.model.measurement import Measurement

if TYPE_CHECKING:
    from greennb.ledger.trials import TrialRow
    from greennb.model.finding import Trial
    from greennb.model.machine import Machine

LINGER_S = 0.05
"""Seconds that the writer waits for more rows before it writes: a burst of short cells becomes one transaction."""

IDLE_S = 1.0
"""Seconds without work after which the writer ends and closes its connection."""

EXIT_S = 2.0
"""Seconds that the interpreter's exit waits for the last rows."""

FORK_S = 0.5
"""Seconds that a fork waits for this process to be outside SQLite, none of whose state a child may inherit
(https://www.sqlite.org/howtocorrupt.html, 2.6)."""

MAX_QUEUED = 10_000
"""Windows that wait in memory while the disk hangs; further ones are lost, and that is said."""

_ATTEMPTS = 3  # each waits opening.BUSY_MS for other kernels
_INSERT = f"INSERT INTO windows ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


class _Entry(NamedTuple):
    """A row on its way to the file: the statement that writes it, and its values, worked out on the writer's thread."""

    statement: str
    values: Callable[[], tuple[Any, ...]]


_Row = tuple[str, tuple[Any, ...]]


def ledger_path(setting: str = "") -> Path | None:
    """The path that ``Settings.ledger`` means: "" is the platform's data folder, "off" is None."""
    if setting.strip().lower() == "off":
        return None
    if setting:
        return Path(setting).expanduser()
    from platformdirs import user_data_dir  # here: a kernel that names its ledger does not pay for it

    return Path(user_data_dir("greennb", appauthor=False)) / "ledger.sqlite3"


class Ledger:
    """The ledger at ``path``; None keeps nothing. Safe to use from any thread, and after a fork.

    Attributes:
        path: the SQLite file, which need not exist yet.
        problem: one sentence on why windows are not kept; None as long as all are.
        lost: how many windows were not kept.

    ``on_problem`` is called once, with the sentence, on the writer's thread or on the one that flushes. A forked
    child begins with nothing queued and a connection of its own; a child that ends by ``os._exit`` calls
    :meth:`flush` first if it wants its windows kept.
    """

    def __init__(self, path: Path | None, *, on_problem: Callable[[str], None] | None = None) -> None:
        self.path = None if path is None else path.absolute()  # the user's code may change the working folder
        self.problem: str | None = None
        self.lost = 0
        self._on_problem = on_problem
        self._refused = False
        self._closed = False
        self._outside = True  # of SQLite, at the last fork
        self._begin()
        _ledgers.add(self)

    def _begin(self) -> None:
        """An empty queue, free locks and no writer: at birth, and again in a forked child."""
        self._queue: deque[_Entry] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._inside_sqlite = threading.Lock()
        self._connection: sqlite3.Connection | None = None  # the writer's, guarded by the lock above
        self._writer: threading.Thread | None = None
        self._thread: threading.Thread | None = None  # the latest writer, also when it is past taking entries
        self._unwritten = 0  # queued, or taken by the writer and not yet in the file
        self._hurry = False

    def append(
        self,
        measurement: Measurement | Callable[[], Measurement],
        *,
        session_id: str,
        notebook: str,
        source: str,
        kind: str,
    ) -> None:
        """Hand over one window and return at once; a callable is called later, on the writer's thread.

        ``source`` is the cell's text, of which the first line is kept; ``kind`` is "cell", "window", "statement"
        or "repeat". Never raises for what happens to the file.
        """
        where = {"session_id": session_id, "notebook": notebook, "source": source, "kind": kind}
        self._give(_Entry(_INSERT, lambda: encode(measurement() if callable(measurement) else measurement, **where)))

    def append_trial(self, trial: Trial, **where: Any) -> None:
        """As :meth:`append`, of a trial; ``where`` is what :func:`greennb.ledger.trials.encode` wants."""
        from greennb.ledger import trials  # with the first of them, not with the first cell

        self._give(_Entry(trials.INSERT, lambda: trials.encode(trial, **where)))

    def append_machine(self, machine: Callable[[], Machine], *, session_id: str) -> None:
        """As :meth:`append`, of the machine that a session runs on; it is asked what it is on the writer's thread."""
        from greennb.ledger import machines

        self._give(_Entry(machines.INSERT, lambda: machines.encode(machine(), session_id=session_id)))

    def _give(self, entry: _Entry) -> None:
        if self.path is None:
            return
        with self._changed:
            refused = self._refusal()
            if refused is None:
                self._queue_one(entry)
        if refused is not None:
            self._lose(1, refused)

    def _queue_one(self, entry: _Entry) -> None:
        """Queue ``entry`` and see to it that somebody writes it; called with the lock held."""
        self._queue.append(entry)
        self._unwritten += 1
        if self._writer is None:
            self._start_writer()
        elif len(self._queue) == 1:  # else the writer is awake already
            self._changed.notify_all()

    def _refusal(self) -> str | None:
        """Why a window cannot be taken now; None where it can."""
        if self._refused:
            return self.problem
        if self._closed:
            return "A window ended after the ledger was closed: it is not kept."
        if len(self._queue) >= MAX_QUEUED:
            return f"The ledger {self.path} does not answer and {MAX_QUEUED} windows wait: newer ones are not kept."
        return None

    def flush(self, timeout: float = EXIT_S) -> bool:
        """Wait until all that was handed over is in the file or lost; False when ``timeout`` seconds were not enough.

        A flush from inside ``on_problem`` would wait for itself: it returns False at once.
        """
        if self._writer is threading.current_thread():
            return False
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            if self._unwritten and self._writer is None:
                self._start_writer()
            alone = bool(self._unwritten) and self._writer is None
        if alone:
            self._write_until_idle(idle_s=0)  # no thread can be started any more: the interpreter is shutting down
        with self._changed:
            done = self._changed.wait_for(lambda: not self._unwritten, timeout)
            self._hurry = self._closed
        return done

    def close(self, timeout: float = EXIT_S) -> bool:
        """Write what is queued, end the writer and its connection; later windows are not kept. As :meth:`flush`."""
        with self._changed:
            self._closed = True
        done = self.flush(timeout)
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)  # it still closes its connection
        return done

    def rows(
        self,
        *,
        last: int | None = None,
        session_id: str | None = None,
        notebook: str | None = None,
        since: datetime | None = None,
    ) -> list[LedgerRow]:
        """The windows in order of their start, also this process's own newest; of these the ``last`` ones.

        ``notebook`` is a path as it was recorded, or its last part. ``since`` without a time zone is local time.

        Raises:
            LedgerError: the ledger is newer, damaged, no ledger, or may not be read.
        """
        found = self._read(*query.windows(last=last, session_id=session_id, notebook=notebook, since=since))
        return [LedgerRow.read(values) for values in reversed(found)]

    def trials(
        self,
        *,
        last: int | None = None,
        session_id: str | None = None,
        notebook: str = "",
        since: datetime | None = None,
    ) -> list[TrialRow]:
        """Trials that match, by their ends, the newest ``last``; an older ledger has none. Raises as :meth:`rows`."""
        from greennb.ledger import trials

        asked = query.trials(last=last, session_id=session_id, notebook=notebook or None, since=since)
        return [trials.TrialRow.read(values) for values in reversed(self._read(*asked, step=trials.SINCE))]

    def machines(self) -> list[tuple[str, Machine]]:
        """Sessions and the machines they ran on; an older ledger knows none. Raises as :meth:`rows`."""
        from greennb.ledger import machines

        return [machines.read(values) for values in self._read(machines.ALL, (), step=machines.SINCE)]

    def sessions(self) -> list[LedgerSession]:
        """The kernels that wrote windows, in order of their first one. Raises as :meth:`rows`."""
        return [LedgerSession.read(values) for values in self._read(query.SESSIONS, ())]

    def _read(self, statement: str, values: tuple[Any, ...], *, step: int = 1) -> list[Any]:
        """What the file answers; nothing where it has not seen that step yet."""
        if self.path is None:
            return []
        self.flush()
        with self._inside_sqlite:
            connection = opening.for_reading(self.path)
            if connection is None:
                return []
            with closing(connection):
                try:
                    if version(connection) < step:
                        return []
                    return connection.execute(statement, values).fetchall()
                except sqlite3.Error as error:
                    raise LedgerError(f"The ledger {self.path} cannot be read: {error}.") from error

    def _start_writer(self) -> None:
        """Begin writing; called with the lock held."""
        writer = threading.Thread(target=self._write_until_idle, name="greennb-ledger", daemon=True)
        try:
            writer.start()
        except RuntimeError:
            return  # no more threads, or the interpreter is shutting down: the next append or the flush tries again
        self._writer = self._thread = writer

    def _write_until_idle(self, idle_s: float = IDLE_S) -> None:
        """The writer's life: batch after batch, until there was none for ``idle_s`` seconds."""
        try:
            while batch := self._next_batch(idle_s):
                try:
                    rows = [row for row in map(self._encoded, batch) if row is not None]
                    if rows:
                        with self._inside_sqlite:
                            self._write(rows)
                finally:
                    with self._changed:
                        self._unwritten -= len(batch)
                        self._changed.notify_all()
        finally:
            with self._changed:
                if self._writer is threading.current_thread():
                    self._writer = None
            with self._inside_sqlite:
                if self._writer is None:  # else another has begun, and the connection is its own
                    self._disconnect()

    def _next_batch(self, idle_s: float) -> list[_Entry]:
        """The entries to write next; none when the writer's time is over, which is settled under the same lock."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed, idle_s)
            if self._queue:
                self._changed.wait_for(lambda: self._hurry, LINGER_S)
            batch = list(self._queue)
            self._queue.clear()
            if not batch:
                self._writer = None
            return batch

    def _encoded(self, entry: _Entry) -> _Row | None:
        """The row of ``entry``; None, and a problem, where there is none."""
        try:
            return entry.statement, entry.values()
        except Exception as error:  # noqa: BLE001 - one window that cannot be put in words must not cost the others
            self._lose(1, f"A window could not be recorded: {type(error).__name__}: {error}.")
            return None

    def _write(self, rows: list[_Row]) -> None:
        """Write ``rows`` in one transaction, or lose them and say so; called inside SQLite's lock."""
        try:
            self._insert(rows)
        except opening.RefusedError as error:
            self._refused = True
            self._lose(len(rows), str(error))
        except (OSError, sqlite3.Error) as error:
            self._disconnect()
            self._lose(
                len(rows),
                f"The ledger {self.path} cannot be written ({error}): measurements are shown and not kept. "
                "Free the disk or set GREENNB_LEDGER to a path that can be written, or to off.",
            )

    def _insert(self, rows: list[_Row]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._connection = self._connection or opening.for_writing(self._file)
                with _transaction(self._connection):
                    for statement, values in rows:
                        self._connection.execute(statement, values)
                break
            except sqlite3.OperationalError as error:
                if not opening.is_locked(error) or attempt == _ATTEMPTS:
                    raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @property
    def _file(self) -> Path:
        if self.path is None:
            raise LedgerError("This ledger is off.")
        return self.path

    def _lose(self, count: int, sentence: str) -> None:
        with self._changed:
            self.lost += count
            if self.problem is not None:
                return
            self.problem = sentence
        if self._on_problem is not None:
            try:
                self._on_problem(sentence)
            except Exception:  # noqa: BLE001 - somebody else's callback must not end the writer
                self._on_problem = None

    def _before_fork(self) -> None:
        self._outside = self._inside_sqlite.acquire(timeout=FORK_S)
        if self._outside:
            self._disconnect()

    def _after_fork_in_parent(self) -> None:
        if self._outside:
            self._inside_sqlite.release()

    def _after_fork_in_child(self) -> None:
        self._begin()
        if not self._outside:
            self._refused = True
            self.problem = "This process was forked in the middle of a write to the ledger: its windows are not kept."


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


_ledgers: weakref.WeakSet[Ledger] = weakref.WeakSet()


def _with_each(call: Callable[[Ledger], object]) -> Callable[[], None]:
    def with_each() -> None:
        for ledger in list(_ledgers):
            call(ledger)

    return with_each


atexit.register(_with_each(lambda ledger: ledger.close(EXIT_S)))
if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(
        before=_with_each(Ledger._before_fork),
        after_in_parent=_with_each(Ledger._after_fork_in_parent),
        after_in_child=_with_each(Ledger._after_fork_in_child),
    )
