"""``greennb history``: the windows that the ledger keeps, newest last, what they cost together, and the trials."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from greennb.cli.choose import add_choice_options, add_ledger_options, choose, nothing, open_ledger
from greennb.cli.columns import laid_out
from greennb.cli.files import json_text
from greennb.cli.terminal import width
from greennb.ledger.rows import LedgerRow, as_dict, outermost, total
from greennb.ledger.trials import TrialRow
from greennb.ledger.trials import as_dict as trial_as_dict
from greennb.model.reading import Method
from greennb.model.total import Total
from greennb.views.format import energy, grams, plain, seconds
from greennb.views.trial import listed

SCHEMA = 1
"""Version of what ``greennb history --json`` prints."""

_LAST = 20  # a screenful
_HEADINGS = ("when", "notebook", "cell", "time", "energy (95 %)", "method", "CO2e", "status")
_CELL = 2  # the column that gives way
_NUMBERS = (3, 4, 6)


def add_parser(subparsers: Any) -> None:
    """Add ``history`` to the command line."""
    parser = subparsers.add_parser(
        "history",
        help="show what the ledger keeps",
        description="Show the windows that the ledger keeps, newest last, what they cost together, and the trials. "
        'A window inside another one is marked with ">" and counts once.',
        epilog="example: greennb history --notebook train.ipynb --last 50",
        allow_abbrev=False,
    )
    add_ledger_options(parser, last=_LAST)
    add_choice_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the windows; 0 also where there are none."""
    ledger = open_ledger(args.ledger)
    rows, trials = choose(ledger, args)
    if args.json:
        print(json_text(document(rows, ledger.path, trials)))
    elif rows or trials:
        print("\n\n".join(part for part in (table(rows, width()) if rows else "", tried(trials)) if part))
    else:
        print(nothing(ledger, args))
    return 0


def document(rows: Sequence[LedgerRow], path: Path | None, trials: Sequence[TrialRow] = ()) -> dict[str, Any]:
    """Windows, their total and trials as plain JSON values; each as ``to_dict`` has it, and where it ran."""
    whole = total(rows)
    return {
        "schema": SCHEMA,
        "ledger": str(path),
        "windows": [as_dict(row) for row in rows],
        "total": {
            "windows": len(outermost(rows)),
            "total_j": whole.total_j,
            "low_j": whole.low_j,
            "high_j": whole.high_j,
            "method": None if whole.method is None else whole.method.value,
            "partial": whole.partial,
            "duration_s": whole.duration_s,
            "co2e_g": whole.co2e_g,
        },
        "trials": [trial_as_dict(row) for row in trials],
    }


def tried(trials: Sequence[TrialRow]) -> str:
    """A line for each trial: when, where, what it showed, and what it took; "" without any."""
    lines = listed([(row.key, row.trial_dict) for row in trials])
    whens = [row.at.astimezone().strftime("%Y-%m-%d %H:%M:%S") for row in trials]
    names = [plain(_file_name(row.notebook), 24) for row in trials]
    told = [
        f"{when}  {f'{name}  ' if name else ''}{line}" for when, name, line in zip(whens, names, lines, strict=True)
    ]
    return "\n".join(["trials", *told]) if told else ""


def table(rows: Sequence[LedgerRow], columns: int) -> str:
    """``rows`` and their total as text, ``columns`` wide where the cells' lines can make room for that."""
    outer = {row.id for row in outermost(rows)}
    lines = [_line(row, inside=row.id not in outer) for row in rows]
    lines.append(_total_line(total(rows), len(rows)))
    return laid_out(_HEADINGS, lines, right=_NUMBERS, gives_way=_CELL, width=columns)


def _line(row: LedgerRow, *, inside: bool) -> tuple[str, ...]:
    method = None if row.method is None else Method(row.method)
    return (
        row.started_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        plain(_file_name(row.notebook), 24),
        ("> " if inside else "") + plain(row.label or row.source, 200),
        seconds(row.duration_s),
        energy(row.total_j, row.low_j, row.high_j, method),
        row.method or "",
        "" if row.co2e_g is None else grams(row.co2e_g, method),
        _with_gap(row.status, row.partial),
    )


def _total_line(whole: Total, count: int) -> tuple[str, ...]:
    return (
        "all",
        "",
        f"{count} window{'' if count == 1 else 's'}",
        seconds(whole.duration_s),
        energy(whole.total_j, whole.low_j, whole.high_j, whole.method),
        "" if whole.method is None else whole.method.value,
        "" if whole.co2e_g is None else grams(whole.co2e_g, whole.method),
        _with_gap("", whole.partial),
    )


def _with_gap(status: str, partial: bool) -> str:
    return ", ".join(part for part in (status, "partial" if partial else "") if part)


def _file_name(notebook: str) -> str:
    """The last part of a path as any platform writes it: a ledger may be read elsewhere."""
    return notebook.replace("\\", "/").rpartition("/")[2]
