"""The questions that are asked of the ledger, as SQL with the values that it binds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from greennb.ledger.rows import COLUMNS

SESSIONS = (
    "SELECT session_id, max(notebook), min(started_at) AS first, max(started_at), count(*) "
    "FROM windows GROUP BY session_id ORDER BY first"
)
"""One row a session, as :meth:`greennb.ledger.rows.LedgerSession.read` takes it."""


def windows(
    *, last: int | None, session_id: str | None, notebook: str | None, since: datetime | None
) -> tuple[str, tuple[str | int, ...]]:
    """The newest ``last`` windows that match, newest first."""
    return _newest("windows", COLUMNS, "started_at", last=last, session_id=session_id, notebook=notebook, since=since)


def trials(
    *, last: int | None, session_id: str | None, notebook: str | None, since: datetime | None
) -> tuple[str, tuple[str | int, ...]]:
    """The newest ``last`` trials that match, newest first; ``since`` is of their ends."""
    from greennb.ledger.trials import COLUMNS as FIELDS  # loaded with the first of them

    return _newest("trials", FIELDS, "at", last=last, session_id=session_id, notebook=notebook, since=since)


def _newest(
    table: str,
    columns: Sequence[str],
    when: str,
    *,
    last: int | None,
    session_id: str | None,
    notebook: str | None,
    since: datetime | None,
) -> tuple[str, tuple[str | int, ...]]:
    """Table and columns are our own words; -1 in SQL's LIMIT is no limit."""
    conditions: list[str] = []
    values: list[str | int] = []
    if session_id is not None:
        conditions.append("session_id = ?")
        values.append(session_id)
    if notebook is not None:
        name = notebook.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        conditions.append("(notebook = ? OR notebook LIKE ? ESCAPE '!' OR notebook LIKE ? ESCAPE '!')")
        values += [notebook, f"%/{name}", f"%\\{name}"]
    if since is not None:
        conditions.append(f"{when} >= ?")
        values.append(since.astimezone(UTC).isoformat(timespec="microseconds"))
    where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
    order = f"ORDER BY {when} DESC, seq DESC LIMIT ?"
    values.append(-1 if last is None else max(0, last))
    return f"SELECT {', '.join(columns)} FROM {table} {where}{order}", tuple(values)
