"""``greennb history``: the windows that the ledger keeps, newest last, and what they cost together."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greennb.model.errors import BadInputError
from greennb.settings import Settings

if TYPE_CHECKING:
    from greennb.ledger.rows import LedgerRow
    from greennb.ledger.store import Ledger

SCHEMA = 1
"""Version of what ``greennb history --json`` prints."""

_LAST = 20  # a screenful
_HEADINGS = ("when", "notebook", "cell", "time", "energy (95 %)", "method", "CO2e", "status")
_CELL = 2  # the column that takes what room is left
_RIGHT = (3, 4, 6)  # columns of numbers


def add_parser(subparsers: Any) -> None:
    """Add ``history`` to ``subparsers`` of the ``greennb`` command."""
    parser = subparsers.add_parser(
        "history",
        help="what was measured so far",
        description="Show the windows that the ledger keeps, newest last, and what they cost together. "
        "A window inside another one is indented and counted once.",
    )
    add_ledger_option(parser)
    parser.add_argument(
        "--last", type=count, default=_LAST, metavar="N", help=f"the newest N windows ({_LAST} unless told; 0 for all)"
    )
    parser.add_argument("--notebook", metavar="NAME", help="only this notebook: its path as recorded, or its file name")
    parser.add_argument("--session", metavar="ID", help="only this kernel's windows: its id, or how the id begins")
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    parser.set_defaults(run=run)


def add_ledger_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--ledger``, as every command that reads the ledger has it."""
    parser.add_argument("--ledger", metavar="PATH", help="the ledger to read (GREENNB_LEDGER, or the platform's, unless told)")


def count(text: str) -> int:
    """A whole number of windows, at least 0, as an option's type."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f'"{text}" is no number of windows: give 0 (all), 1, 2, ...')
    return number


def open_ledger(option: str | None) -> Ledger:
    """The ledger that ``--ledger`` names, or that the environment and the platform do.

    Raises:
        BadInputError: the ledger is off, or the file named by ``option`` is not there.
    """
    from greennb.ledger.store import Ledger, ledger_path

    path = ledger_path(Settings.from_environment().ledger if option is None else option)
    if path is None:
        raise BadInputError("The ledger is off, so there is nothing to read: name one with --ledger PATH.")
    if option is not None and not path.exists():
        raise BadInputError(f"There is no ledger at {path}: give the path of a ledger.sqlite3.")
    return Ledger(path)


def run(args: argparse.Namespace) -> int:
    """Print the windows; 0 also when there are none."""
    ledger = open_ledger(args.ledger)
    session = None if args.session is None else _session(ledger, args.session)
    rows = ledger.rows(last=args.last or None, session_id=session, notebook=args.notebook)
    if args.json:
        print(json.dumps(_document(rows, ledger.path), allow_nan=False, indent=2))
    elif rows:
        print(table(rows, shutil.get_terminal_size((120, 24)).columns))
    else:
        print(f"No windows in {ledger.path} yet." if args.notebook is None and session is None else "No windows match.")
    return 0


def table(rows: Sequence[LedgerRow], width: int) -> str:
    """``rows`` and their total as text, at most ``width`` columns wide where the cells' lines can make room for that."""
    from greennb.views.format import columns, pad, plain

    lines = [_HEADINGS, *_lines(rows)]
    widths = [max(columns(line[place]) for line in lines) for place in range(len(_HEADINGS))]
    others = sum(widths) - widths[_CELL] + 2 * (len(widths) - 1)
    widths[_CELL] = max(12, min(widths[_CELL], width - others))
    return "\n".join(
        "  ".join(
            pad(plain_keeping_indent(text, wide) if place == _CELL else plain(text, wide), wide, right=place in _RIGHT)
            for place, (text, wide) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ) + f"\n\n{_total(rows)}"  # fmt: skip
