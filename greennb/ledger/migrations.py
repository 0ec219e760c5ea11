"""The ledger's schema as numbered steps. A step that was released is never changed: a change is a new step.

``PRAGMA user_version`` holds the number of the last step that a file has seen, ``PRAGMA application_id`` says that
the file is a ledger at all. Steps only add: readers of windows ask for the columns of step 1 alone, and an older
ledger has no trials and no machines, so that one on a read-only medium is still readable.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

APPLICATION_ID = 0x676E6E62
"""``PRAGMA application_id`` of every ledger: "gnnb" in ASCII, so that no other SQLite file is taken for one."""

_CREATE = """
CREATE TABLE windows (
    seq INTEGER PRIMARY KEY,      -- order of writing
    id TEXT NOT NULL,             -- the window's id
    parent_id TEXT,               -- the window around it: its joules are in that one's too
    started_at TEXT NOT NULL,     -- UTC, ISO 8601 with microseconds, so that text order is time order
    session_id TEXT NOT NULL,
    notebook TEXT NOT NULL,
    kind TEXT NOT NULL,           -- cell, window, statement or repeat
    label TEXT NOT NULL,
    source TEXT NOT NULL,         -- first line of the cell
    status TEXT NOT NULL,
    host TEXT NOT NULL,
    duration_s REAL NOT NULL,
    total_j REAL,                 -- this and all below: NULL is not measured, never 0
    low_j REAL,
    high_j REAL,
    method TEXT,
    partial INTEGER NOT NULL,
    co2e_g REAL,
    intensity_g_per_kwh REAL,
    zone TEXT,
    origin TEXT,
    pue REAL,
    document TEXT NOT NULL        -- the whole measurement, as JSON on the wire
)
"""

_CREATE_TRIALS = """
CREATE TABLE trials (
    seq INTEGER PRIMARY KEY,      -- order of writing
    at TEXT NOT NULL,             -- when it ended: UTC, ISO 8601 with microseconds
    session_id TEXT NOT NULL,
    notebook TEXT NOT NULL,
    host TEXT NOT NULL,
    code TEXT NOT NULL,           -- the rule's
    key TEXT NOT NULL,            -- the finding's
    variant TEXT NOT NULL,        -- what was tried, in a few words
    verdict TEXT NOT NULL,
    ratio REAL,                   -- this and all below: NULL is not known, never 0
    low REAL,                     -- the ends of the ratio's 95 % interval
    high REAL,
    unit TEXT NOT NULL,           -- of work: step, call, fit, run
    baseline_j REAL,              -- joules of one unit, as it was and as changed
    candidate_j REAL,
    method TEXT,
    spent_s REAL,                 -- what the whole trial took
    spent_j REAL,
    quality_good INTEGER,
    quality TEXT NOT NULL,
    document TEXT NOT NULL        -- the whole trial, as JSON
)
"""

_CREATE_MACHINES = """
CREATE TABLE machines (
    seq INTEGER PRIMARY KEY,      -- order of writing
    session_id TEXT NOT NULL,     -- the kernel's, once each
    host TEXT NOT NULL,
    cpu TEXT NOT NULL,            -- this and the texts below: "" where the system does not tell
    cpus INTEGER,                 -- logical CPUs
    memory_b INTEGER,             -- bytes of memory that the kernel could use
    system TEXT NOT NULL,
    python TEXT NOT NULL,
    greennb TEXT NOT NULL
)
"""

MIGRATIONS: Sequence[Sequence[str]] = (
    (
        _CREATE,
        "CREATE INDEX windows_started_at ON windows (started_at, seq)",
        "CREATE INDEX windows_session ON windows (session_id, started_at)",
        f"PRAGMA application_id = {APPLICATION_ID}",
    ),
    (
        "CREATE INDEX windows_notebook ON windows (notebook, started_at)",
        "CREATE INDEX windows_id ON windows (id)",
    ),
    (
        _CREATE_TRIALS,
        "CREATE INDEX trials_at ON trials (at, seq)",
        "CREATE INDEX trials_session ON trials (session_id, at)",
    ),
    (_CREATE_MACHINES,),
)
"""The statements of each step; step ``n`` is at index ``n - 1``."""

LATEST = len(MIGRATIONS)
"""The version of a ledger that has seen every step."""


def version(connection: sqlite3.Connection) -> int:
    """The number of the last step that the file has seen; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection, upto: int = LATEST) -> None:
    """Bring the ledger behind ``connection`` (in autocommit mode) to version ``upto``, wholly or not at all.

    Safe when several processes do it at once: the version is read again under the write lock.

    Raises:
        sqlite3.Error: the file cannot be written; it is then as it was before.
    """
    if version(connection) >= upto:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number in range(version(connection), upto):
            for statement in MIGRATIONS[number]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        connection.execute("COMMIT")
    except BaseException:  # an interrupt too must leave no half of a step behind
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
