"""``greennb export``: the ledger for other programs."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from greennb.cli.choose import add_ledger_options, open_ledger
from greennb.cli.terminal import say
from greennb.ledger.export import Format, export_path, format_of, write
from greennb.model.errors import BadInputError
from greennb.views.format import plain

_ABOUT = """\
Write the windows that the ledger keeps, oldest first.

  json        JSON lines: one measurement a line, with all its domains and faults, then one trial a line
              (its "kind" is "trial")
  csv         greennb's own columns, one row a window
  codecarbon  the columns of CodeCarbon's emissions.csv; what greennb does not know is left empty,
              and a window inside another one is left out
  prometheus  text exposition, for a textfile collector: export all windows, so that counters never fall"""


def add_parser(subparsers: Any) -> None:
    """Add ``export`` to the command line."""
    parser = subparsers.add_parser(
        "export",
        help="write the ledger as JSON lines, CSV, codecarbon's CSV or Prometheus text",
        description=_ABOUT,
        epilog="example: greennb export --format csv --out energy.csv",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--format",
        choices=[kind.value for kind in Format],
        help="may be left out where the suffix of PATH says it (.json, .jsonl, .csv, .prom, .txt)",
    )
    parser.add_argument("--out", metavar="PATH", help="the file to write, in place of standard output")
    add_ledger_options(parser, last=0)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the windows; 0 also where there are none.

    Raises:
        BadInputError: no format is named and none follows from a file's suffix.
    """
    if args.format is None and args.out in (None, "-"):
        raise BadInputError(f"Which format? Name one with --format: {', '.join(Format)}.")
    if args.format is None:
        format_of(Path(args.out))  # refused before a long ledger is read
    ledger = open_ledger(args.ledger)
    rows, trials = ledger.rows(last=args.last or None), ledger.trials(last=args.last or None)
    if args.out in (None, "-"):
        write(rows, args.format, sys.stdout, trials=trials)
    else:
        export_path(rows, args.out, args.format, trials=trials)
        say(f"{len(rows)} window{'' if len(rows) == 1 else 's'} written to {plain(args.out, 200)}.")
    return 0
