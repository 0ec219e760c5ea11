"""One row of the ledger: what is written for a window, and what is read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from greennb.model.errors import LedgerError
from greennb.model.measurement import Measurement
from greennb.model.total import Total
from greennb.model.wire import measurement_from_dict, measurement_to_dict

COLUMNS = (
    "id", "parent_id", "started_at", "session_id", "notebook", "kind", "label", "source", "status", "host",
    "duration_s", "total_j", "low_j", "high_j", "method", "partial", "co2e_g", "intensity_g_per_kwh", "zone",
    "origin", "pue", "document",
)  # fmt: skip
"""The columns of step 1, in the order of :func:`encode` and of :meth:`LedgerRow.read`."""

SOURCE_LENGTH = 200
"""Characters that are kept of a cell's first line: enough to know it again, and no cell's text is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One window as the ledger keeps it. Units are in the names; None is "not measured".

    ``started_at`` is UTC. ``document`` is the whole measurement as JSON text; :attr:`measurement` decodes it.
    """

    id: str
    parent_id: str | None
    started_at: datetime
    session_id: str
    notebook: str
    kind: str
    label: str
    source: str
    status: str
    host: str
    duration_s: float
    total_j: float | None
    low_j: float | None
    high_j: float | None
    method: str | None
    partial: bool
    co2e_g: float | None
    intensity_g_per_kwh: float | None
    zone: str | None
    origin: str | None
    pue: float | None
    document: str

    @classmethod
    def read(cls, values: Sequence[Any]) -> LedgerRow:
        """The row whose columns, in the order of ``COLUMNS``, are ``values``."""
        named = dict(zip(COLUMNS, values, strict=True))
        named["started_at"] = datetime.fromisoformat(named["started_at"])
        named["partial"] = bool(named["partial"])
        return cls(**named)

    @property
    def measurement(self) -> Measurement:
        """The measurement, decoded anew at each call.

        Raises:
            BadInputError: it is of a newer schema than this greennb reads.
            LedgerError: the text in the ledger is not JSON.
        """
        return measurement_from_dict(self.measurement_dict)

    @property
    def measurement_dict(self) -> dict[str, Any]:
        """The measurement's fields as they are on the wire, decoded anew at each call."""
        try:
            document: dict[str, Any] = json.loads(self.document)
        except ValueError as error:
            raise LedgerError(f"Window {self.id} in the ledger cannot be read: {error}.") from error
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSession:
    """One kernel's life in the ledger: its first and last window's start (UTC) and how many it wrote."""

    session_id: str
    notebook: str
    first_at: datetime
    last_at: datetime
    windows: int

    @classmethod
    def read(cls, values: Sequence[Any]) -> LedgerSession:
        """The session whose fields, in their order, are ``values``."""
        session_id, notebook, first, last, windows = values
        return cls(
            session_id=session_id, notebook=notebook, windows=windows,
            first_at=datetime.fromisoformat(first), last_at=datetime.fromisoformat(last),
        )  # fmt: skip


def encode(measurement: Measurement, *, session_id: str, notebook: str, source: str, kind: str) -> tuple[Any, ...]:
    """The values of ``COLUMNS`` for one window.

    Raises:
        ValueError: a number in the measurement is not finite, which JSON cannot hold.
    """
    document = measurement_to_dict(measurement)
    intensity = document["intensity"] or {}
    values = document | {
        "started_at": measurement.window.started_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "session_id": session_id,
        "notebook": notebook,
        "source": first_line(source),
        "kind": kind,
        "intensity_g_per_kwh": intensity.get("g_per_kwh"),
        "zone": intensity.get("zone"),
        "origin": intensity.get("origin"),
        "document": json.dumps(document, allow_nan=False, separators=(",", ":")),
    }
    return tuple(storable(values[name]) for name in COLUMNS)


def as_dict(row: LedgerRow) -> dict[str, Any]:
    """The measurement's fields as they are on the wire, and ``session_id``, ``notebook``, ``kind`` and ``source``."""
    where = {"session_id": row.session_id, "notebook": row.notebook, "kind": row.kind, "source": row.source}
    return row.measurement_dict | where


def first_line(source: str) -> str:
    """The first line of ``source`` that is not blank, cut at ``SOURCE_LENGTH`` characters."""
    return next((line.strip() for line in source.splitlines() if line.strip()), "")[:SOURCE_LENGTH]


def outermost(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """The rows that lie inside no other of ``rows``: the joules of these may be added up."""
    rows = list(rows)
    present = {row.id for row in rows}
    return [row for row in rows if row.parent_id not in present]


def total(rows: Iterable[LedgerRow]) -> Total:
    """What the windows of ``rows`` cost together; a window inside another of them counts once."""
    return Total.of([row.measurement for row in outermost(rows)])


def storable(value: Any) -> Any:
    """SQLite keeps UTF-8: half of a surrogate pair, which Python's text may hold, is written as an escape."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
