"""Opening the ledger's file: for writing, for reading, and refusing what is not ours to touch."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from greennb.ledger.migrations import APPLICATION_ID, LATEST, migrate, version
from greennb.model.errors import LedgerError

BUSY_MS = 5_000
"""Milliseconds that SQLite waits for another kernel's write; one write takes a few."""

MOUNTS = Path("/proc/self/mounts")
"""Linux's list of mounted file systems; elsewhere it is not there and nothing is known of them."""

NETWORK_FILE_SYSTEMS = frozenset(
    ("9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "gpfs", "lustre",
     "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs")
)  # fmt: skip
"""Types whose files several machines may share. WAL's index lives in memory that only one machine sees, and SQLite
cannot notice (https://www.sqlite.org/wal.html, "WAL does not work over a network filesystem")."""


_LEAST_BYTES = 512  # SQLite's smallest page; what is shorter SQLite takes for an empty database, and overwrites


class RefusedError(LedgerError):
    """The file at the ledger's path must not be written: newer, damaged, or somebody else's."""


def files_of(path: Path | None) -> tuple[Path, ...]:
    """The ledger's file and those that SQLite keeps beside it for a while; none where the ledger is off."""
    if path is None:
        return ()
    return (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")))


def for_writing(path: Path, mounts: Path = MOUNTS, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A connection in autocommit mode to the ledger at ``path``, made and brought up to date where needed.

    Raises:
        RefusedError: the file is of a newer greennb, damaged, or no ledger. It is untouched.
        OSError, sqlite3.Error: it cannot be written now.
    """
    if path.exists():
        _refuse_what_is_not_ours(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        # First lines of cells are nobody else's business; SQLite gives its side files the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    connection = _connect(path, "rw", busy_ms)
    try:
        _choose_journal(connection, _journal_for(path, mounts), busy_ms)
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def for_reading(path: Path) -> sqlite3.Connection | None:
    """A connection that cannot write; None where there is no ledger yet.

    Raises:
        LedgerError: the file is of a newer greennb, damaged, no ledger, or may not be read.
    """
    try:
        if not path.exists():
            return None
        if 0 < path.stat().st_size < _LEAST_BYTES:
            raise RefusedError(_damaged(path, "it is too short"))
        connection = _open_read_only(path)
        if version(connection) > 0:
            return connection
        connection.close()  # made by a kernel that has not written its first window yet
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(f"The ledger {path} cannot be read: {_words(error)}.") from error
    return None


def _open_read_only(path: Path) -> sqlite3.Connection:
    """As :func:`for_reading`. A read-only folder has no room for WAL's index: without a log, none is needed."""
    try:
        return _checked(path, _connect(path, "ro"))
    except sqlite3.OperationalError:
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise  # rows are in that log only: an answer without them would be wrong
        return _checked(path, _connect(path, "ro&immutable=1"))


def _refuse_what_is_not_ours(path: Path) -> None:
    """Look at the file without changing a byte.

    Raises:
        RefusedError: it must not be written.
    """
    if 0 < path.stat().st_size < _LEAST_BYTES:
        raise RefusedError(_damaged(path, "it is too short"))
    try:
        _checked(path, _connect(path, "ro")).close()
    except sqlite3.OperationalError:
        return  # locked, or a log to recover: opening for writing deals with it, or says why not


def _checked(path: Path, connection: sqlite3.Connection) -> sqlite3.Connection:
    """``connection``, if what is behind it is a ledger that this greennb knows, or an empty file."""
    try:
        number = version(connection)
        ours = int(connection.execute("PRAGMA application_id").fetchone()[0]) == APPLICATION_ID
        empty = number == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        if not ours and not empty:
            raise RefusedError(
                f"{path} is an SQLite file of something else, not a greennb ledger: set GREENNB_LEDGER to another path."
            )
        if number > LATEST:
            raise RefusedError(
                f"The ledger {path} is of version {number} and this greennb knows up to {LATEST}: "
                "upgrade greennb, or set GREENNB_LEDGER to another path. The file is left as it is."
            )
    except sqlite3.OperationalError:
        connection.close()
        raise
    except sqlite3.DatabaseError as error:
        connection.close()
        raise RefusedError(_damaged(path, _words(error))) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path, mode: str, busy_ms: int = BUSY_MS) -> sqlite3.Connection:
    """A connection that another thread may close: a fork closes the writer's."""
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False)


def _choose_journal(connection: sqlite3.Connection, wanted: str, busy_ms: int) -> None:
    """WAL where it works, since readers and writers then do not wait for each other; else a rollback journal.

    The mode is a property of the file. Changing it needs the file for oneself, and SQLite's wait for others does
    not cover that (https://www.sqlite.org/pragma.html#pragma_journal_mode): a new ledger's first writers may meet,
    and who comes second finds it changed.
    """
    until = time.monotonic() + busy_ms / 1000
    while time.monotonic() < until:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != wanted:
                connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
            break
        except sqlite3.OperationalError as error:
            if not is_locked(error):
                connection.execute("PRAGMA journal_mode = delete").fetchone()
                break
            time.sleep(0.02)
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    # NORMAL in WAL may lose the last rows in a power cut, never the file's sanity, and spares an fsync a window.
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if mode == 'wal' else 'FULL'}")


def _journal_for(path: Path, mounts: Path) -> str:
    """The journal mode for a ledger at ``path``: "delete" on a network file system, else "wal"."""
    return "delete" if file_system(path, mounts) in NETWORK_FILE_SYSTEMS else "wal"


def file_system(path: Path, mounts: Path = MOUNTS) -> str:
    """The type of the file system that ``path`` is on, "" where that cannot be told."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    target = path.resolve()
    best, kind = -1, ""
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        point = Path(fields[1].replace("\\040", " "))
        if len(point.parts) >= best and target.is_relative_to(point):  # a later mount hides an earlier one
            best, kind = len(point.parts), fields[2]
    return kind


def is_locked(error: sqlite3.Error) -> bool:
    """Whether somebody else's write was in the way, so that trying again makes sense."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes keep the primary one in the low byte
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _damaged(path: Path, why: str) -> str:
    return f"The ledger {path} is damaged ({why}): move it away, and a new one begins. The file is left as it is."


def _words(error: Exception) -> str:
    return str(error).rstrip(".")
