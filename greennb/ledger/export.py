"""The ledger's rows for other programs: JSON lines, CSV, CodeCarbon's emissions.csv, Prometheus text.

What was not measured is an empty field, ``null`` or no sample, never a 0.

In CSV a text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break gets an apostrophe before it: a
spreadsheet would otherwise run it as a formula (https://owasp.org/www-community/attacks/CSV_Injection). Numbers are
written as they are, and JSON lines hold every text unchanged.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TextIO

from greennb.ledger import emissions, prometheus
from greennb.ledger.rows import LedgerRow, as_dict, outermost
from greennb.ledger.trials import TrialRow
from greennb.ledger.trials import as_dict as trial_as_dict
from greennb.model.errors import BadInputError


class Format(StrEnum):
    """What an export looks like."""

    JSON = "json"
    CSV = "csv"
    CODECARBON = "codecarbon"
    PROMETHEUS = "prometheus"


SUFFIXES: Mapping[str, Format] = {
    ".jsonl": Format.JSON,
    ".json": Format.JSON,
    ".csv": Format.CSV,
    ".prom": Format.PROMETHEUS,
    ".txt": Format.PROMETHEUS,
}
"""The format that a file's suffix means."""

CSV_COLUMNS = (
    "id", "parent_id", "started_at", "session_id", "notebook", "kind", "label", "source", "status", "host",
    "duration_s", "total_j", "low_j", "high_j", "net_j", "process_j", "mean_w", "method", "partial", "co2e_g",
    "intensity_g_per_kwh", "zone", "origin", "pue", "faults",
)  # fmt: skip
"""Our own columns, one row a window; units are in the names. A window with a ``parent_id`` is part of that one."""


def write(
    rows: Iterable[LedgerRow],
    format: Format | str,  # noqa: A002 - as the option is called
    stream: TextIO,
    *,
    trials: Iterable[TrialRow] = (),
) -> None:
    """Write ``rows`` to ``stream``; as JSON lines also ``trials``, after them: no other format has a place for these.

    Raises:
        BadInputError: there is no such format.
    """
    try:
        chosen = Format(format)
    except ValueError:
        raise BadInputError(f'There is no format "{format}": choose one of {", ".join(Format)}.') from None
    _WRITERS[chosen](rows, stream)
    if chosen is Format.JSON:
        for trial in trials:
            stream.write(json.dumps(trial_as_dict(trial), allow_nan=False) + "\n")


def export_path(
    rows: Iterable[LedgerRow],
    path: Path | str,
    format: Format | str | None = None,  # noqa: A002
    *,
    trials: Iterable[TrialRow] = (),
) -> Format:
    """Write the file at ``path``, as :func:`write` does, in ``format`` or what its suffix means: the one it was.

    A file that is there is replaced when the new one is complete, and stays as it is when that fails.

    Raises:
        BadInputError: an unknown suffix or format, or a path that cannot be written.
    """
    path = Path(path).expanduser()
    chosen = format_of(path) if format is None else format
    put(path, lambda stream: write(rows, chosen, stream, trials=trials))
    return Format(chosen)


def put(path: Path | str, fill: Callable[[TextIO], object]) -> None:
    """Write the file at ``path`` with ``fill``; one that is there is replaced when the new one is complete.

    Raises:
        BadInputError: the path cannot be written.
    """
    path = Path(path).expanduser()
    try:
        if path.is_dir():
            raise BadInputError(f"{path} is a folder: give the path of a file.")
        if not path.parent.is_dir():
            raise BadInputError(f"The folder {path.parent} does not exist: make it, or give another path.")
        if path.exists() and not path.is_file():  # a pipe or a terminal: there is nothing to replace
            with path.open("w", encoding="utf-8", newline="") as stream:
                fill(stream)
        else:
            _replace(path.resolve(), fill)
    except OSError as error:
        raise BadInputError(f"{path} cannot be written ({error.strerror or error}): give another path.") from error


def format_of(path: Path) -> Format:
    """The format that the suffix of ``path`` means.

    Raises:
        BadInputError: it means none.
    """
    try:
        return SUFFIXES[path.suffix.lower()]
    except KeyError:
        suffix = f'"{path.suffix}"' if path.suffix else "no suffix"
        raise BadInputError(
            f"An export cannot be made from {suffix}: end the path in one of {', '.join(SUFFIXES)}, or name a format."
        ) from None


def _replace(path: Path, fill: Callable[[TextIO], object]) -> None:
    """Fill a file beside ``path`` and put it in its place."""
    fresh = path.with_name(f".greennb-{os.getpid()}.part")
    try:
        with fresh.open("w", encoding="utf-8", newline="") as stream:
            fill(stream)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _write_json(rows: Iterable[LedgerRow], stream: TextIO) -> None:
    for row in rows:
        stream.write(json.dumps(as_dict(row), allow_nan=False) + "\n")


def _write_csv(rows: Iterable[LedgerRow], stream: TextIO) -> None:
    _write_table(stream, CSV_COLUMNS, (_own(row) for row in rows))


def _write_codecarbon(rows: Iterable[LedgerRow], stream: TextIO) -> None:
    # No column could say that a window is part of another one, and readers add up what they find.
    _write_table(stream, emissions.COLUMNS, (emissions.record(row) for row in outermost(rows)))


def _write_table(stream: TextIO, columns: Iterable[str], records: Iterable[Mapping[str, Any]]) -> None:
    columns = tuple(columns)
    out = csv.writer(stream, lineterminator="\n")
    out.writerow(columns)
    out.writerows([_cell(record.get(column)) for column in columns] for record in records)


def _own(row: LedgerRow) -> Mapping[str, Any]:
    document = row.measurement_dict
    faults = "; ".join(fault["reason"] for fault in document["faults"])
    return document | {column: getattr(row, column) for column in CSV_COLUMNS if hasattr(row, column)} | {
        "started_at": row.started_at.isoformat(),
        "faults": faults,
    }  # fmt: skip


def _cell(value: Any) -> Any:
    """A value as CSV holds it: nothing for what is missing, and no text that a spreadsheet would run."""
    if isinstance(value, str) and value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return "'" + value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


_WRITERS: Mapping[Format, Callable[[Iterable[LedgerRow], TextIO], None]] = {
    Format.JSON: _write_json,
    Format.CSV: _write_csv,
    Format.CODECARBON: _write_codecarbon,
    Format.PROMETHEUS: prometheus.write,
}
