"""Which windows and trials of which ledger a command is about: the options, and what they choose."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from greennb.ledger.rows import LedgerRow
from greennb.ledger.store import Ledger, ledger_path
from greennb.ledger.trials import TrialRow
from greennb.model.errors import BadInputError
from greennb.settings import Settings
from greennb.views.format import plain

_AGO = re.compile(r"(\d{1,5})([dh])")


class Chosen(NamedTuple):
    """Windows in order of their start, and trials in order of their end."""

    rows: Sequence[LedgerRow]
    trials: Sequence[TrialRow]


def add_ledger_options(parser: argparse.ArgumentParser, *, last: int) -> None:
    """Add what every command that reads the ledger takes: which ledger, and how many windows (``last`` unless told)."""
    parser.add_argument("--ledger", metavar="PATH", help="the ledger to read, in place of GREENNB_LEDGER or your own")
    shown = f"{last} unless told, 0 for all" if last else "all unless told"
    parser.add_argument("--last", type=_count, default=last, metavar="N", help=f"the newest N windows ({shown})")


def add_choice_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose among a ledger's windows; several of them narrow the choice."""
    parser.add_argument(
        "--notebook", action="extend", nargs="+", default=[], metavar="NAME",
        help="only these notebooks: the path as recorded, or the file's name",
    )  # fmt: skip
    parser.add_argument(
        "--session", action="extend", nargs="+", default=[], metavar="ID",
        help="only these kernels' windows: the id, or how it begins",
    )  # fmt: skip
    parser.add_argument(
        "--since", type=_when, default=None, metavar="WHEN",
        help="only what began then or later: 2026-03-01, 2026-03-01T12:00 (local time), or 7d, 12h ago",
    )  # fmt: skip


def open_ledger(option: str | None) -> Ledger:
    """The ledger that ``--ledger`` names, or else the environment, or else the platform.

    Raises:
        BadInputError: the ledger is off, or the file named by ``option`` is not there.
    """
    path = ledger_path(Settings.from_environment().ledger if option is None else option)
    if path is None:
        raise BadInputError("The ledger is off, so there is nothing to read: name one with --ledger PATH.")
    if option is not None and not _exists(path):
        raise BadInputError(f"There is no ledger at {plain(str(path), 200)}: check the path.")
    return Ledger(path)


def is_narrowed(args: argparse.Namespace) -> bool:
    """Whether the options leave anything out but by number."""
    return bool(args.notebook or args.session or args.since is not None)


def choose(ledger: Ledger, args: argparse.Namespace) -> Chosen:
    """The windows and trials of ``ledger`` that the options of :func:`add_choice_options` name.

    Raises:
        BadInputError: a session that is not there, or more than one that begins so.
        LedgerError: the ledger cannot be read.
    """
    sessions: list[str | None] = [_session_id(ledger, start) for start in args.session]
    rows: dict[str, LedgerRow] = {}
    trials: dict[tuple[datetime, str, str], TrialRow] = {}
    last = args.last or None
    for session in dict.fromkeys(sessions or [None]):
        for notebook in dict.fromkeys(args.notebook) or [None]:
            found = ledger.rows(last=last, session_id=session, notebook=notebook, since=args.since)
            rows |= {row.id: row for row in found}
            tried = ledger.trials(last=last, session_id=session, notebook=notebook or "", since=args.since)
            trials |= {(row.at, row.session_id, row.key): row for row in tried}
    return Chosen(
        sorted(rows.values(), key=lambda row: row.started_at)[-args.last :],
        sorted(trials.values(), key=lambda row: row.at)[-args.last :],
    )


def nothing(ledger: Ledger, args: argparse.Namespace) -> str:
    """The sentence on a choice that holds no window."""
    if is_narrowed(args):
        return "No window in the ledger matches."
    return f"No window is in the ledger {plain(str(ledger.path), 200)} yet."


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that no file can have, or a folder that may not be looked into
        return False


def _session_id(ledger: Ledger, start: str) -> str:
    """The only session whose id begins with ``start``.

    Raises:
        BadInputError: there is none, or more than one.
    """
    found = [session.session_id for session in ledger.sessions() if session.session_id.startswith(start)]
    if len(found) == 1 or start in found:
        return start if start in found else found[0]
    shown = plain(start, 40)
    if not found:
        raise BadInputError(
            f'No session in the ledger begins with "{shown}": `greennb history --json` shows their ids.'
        )
    raise BadInputError(f'{len(found)} sessions begin with "{shown}": give more of the id.')


def _count(text: str) -> int:
    """A number of windows, as an option's type."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f'"{plain(text, 40)}" is no number of windows: give 1, 2, ... or 0 for all')
    return min(number, 2**62)  # SQLite counts to 2**63


def _when(text: str) -> datetime:
    """A moment, as an option's type; without a time zone it is local time."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        number = int(ago[1])
        return datetime.now(UTC) - (timedelta(days=number) if ago[2] == "d" else timedelta(hours=number))
    try:
        return datetime.fromisoformat(text.strip()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f'"{plain(text, 40)}" is no date: give 2026-03-01, 2026-03-01T12:00, or 7d or 12h ago'
        ) from None
