"""The computers that windows ran on: one row a kernel, so that hardware can be named where the ledger is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from greennb.ledger.rows import storable
from greennb.model.machine import Machine

COLUMNS = ("session_id", "host", "cpu", "cpus", "memory_b", "system", "python", "greennb")
"""The columns of step 4, in the order of :func:`encode` and of :func:`read`."""

INSERT = f"INSERT INTO machines ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"

ALL = f"SELECT {', '.join(COLUMNS)} FROM machines ORDER BY seq"

SINCE = 4
"""The step that made the table: an older ledger knows no machines."""


def read(values: Sequence[Any]) -> tuple[str, Machine]:
    """The session of a row, whose columns are ``values``, and its machine."""
    session_id, *facts = values
    return str(session_id), Machine(**dict(zip(COLUMNS[1:], facts, strict=True)), recorded=True)


def encode(machine: Machine, *, session_id: str) -> tuple[Any, ...]:
    """The values of ``COLUMNS`` for one kernel's machine."""
    return (session_id, *(storable(getattr(machine, name)) for name in COLUMNS[1:]))
