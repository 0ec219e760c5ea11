"""One trial as the ledger keeps it: what is written, and what is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from greennb.ledger.rows import storable
from greennb.model.errors import LedgerError
from greennb.model.finding import Trial
from greennb.model.messages import finite

COLUMNS = (
    "at", "session_id", "notebook", "host", "code", "key", "variant", "verdict", "ratio", "low", "high", "unit",
    "baseline_j", "candidate_j", "method", "spent_s", "spent_j", "quality_good", "quality", "document",
)  # fmt: skip
"""The columns of step 3, in the order of :func:`encode` and of :meth:`TrialRow.read`."""

INSERT = f"INSERT INTO trials ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"

SINCE = 3
"""The step that made the table: an older ledger has no trials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial that came to a verdict. Units are in the names; None is "not known".

    ``at`` is when it ended (UTC); ``baseline_j`` and ``candidate_j`` are joules of one ``unit`` of work; ``low`` and
    ``high`` are the ends of the ratio's interval. ``document`` is ``Trial.to_dict()`` as JSON text.
    """

    at: datetime
    session_id: str
    notebook: str
    host: str
    code: str
    key: str
    variant: str
    verdict: str
    ratio: float | None
    low: float | None
    high: float | None
    unit: str
    baseline_j: float | None
    candidate_j: float | None
    method: str | None
    spent_s: float | None
    spent_j: float | None
    quality_good: bool | None
    quality: str
    document: str

    @classmethod
    def read(cls, values: Sequence[Any]) -> TrialRow:
        """The row whose columns, in the order of ``COLUMNS``, are ``values``."""
        named = dict(zip(COLUMNS, values, strict=True))
        named["at"] = datetime.fromisoformat(named["at"])
        named["quality_good"] = None if named["quality_good"] is None else bool(named["quality_good"])
        return cls(**named)

    @property
    def trial_dict(self) -> dict[str, Any]:
        """The trial as ``Trial.to_dict()`` had it, decoded anew at each call; numbers that were not finite are None.

        Raises:
            LedgerError: the text in the ledger is not JSON.
        """
        try:
            document: dict[str, Any] = json.loads(self.document)
        except ValueError as error:
            raise LedgerError(f"A trial of {self.key} in the ledger cannot be read: {error}.") from error
        return document


def encode(
    trial: Trial, *, at: datetime, session_id: str, notebook: str, host: str, code: str, key: str
) -> tuple[Any, ...]:
    """The values of ``COLUMNS`` for one trial."""
    told: Mapping[str, Any] = finite(trial.to_dict())
    low, high = told["interval"] or (None, None)
    values = dict(told) | {
        "at": at.astimezone(UTC).isoformat(timespec="microseconds"), "session_id": session_id, "notebook": notebook,
        "host": host, "code": code, "key": key, "low": low, "high": high,
        "baseline_j": told["baseline"]["joules_per_run"], "candidate_j": told["candidate"]["joules_per_run"],
        "document": json.dumps(told, allow_nan=False, separators=(",", ":")),
    }  # fmt: skip
    return tuple(storable(values[name]) for name in COLUMNS)


def as_dict(row: TrialRow) -> dict[str, Any]:
    """A trial for other programs: ``kind`` "trial", when and where, what it is about, and ``Trial.to_dict()``."""
    where = {
        "kind": "trial", "at": row.at.isoformat(), "session_id": row.session_id, "notebook": row.notebook,
        "host": row.host, "code": row.code, "key": row.key,
    }  # fmt: skip
    return where | row.trial_dict
