"""``greennb report``: an energy statement from the ledger, for a paper, a model card or a README."""

from __future__ import annotations

import argparse
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

from greennb import __version__
from greennb.carbon.given import given_intensity
from greennb.cli.choose import add_choice_options, add_ledger_options, choose, nothing, open_ledger
from greennb.cli.files import STDOUT, check_writable, write_text
from greennb.cli.grid import add_grid_options
from greennb.cli.terminal import say
from greennb.ledger.statement import TRAINING_TYPES, make_statement
from greennb.model.errors import BadInputError
from greennb.model.statement import Statement
from greennb.settings import Settings
from greennb.sources.computer import computer
from greennb.views.format import plain
from greennb.views.statement.formats import FORMATS, format_of, stem_of, written

ALL = "all"
"""The format that means every one of them."""

_STEM = "statement"  # of the files in a folder


def add_parser(subparsers: Any) -> None:
    """Add ``report`` to the command line."""
    parser = subparsers.add_parser(
        "report",
        help="an energy statement from the ledger: HTML, Markdown, LaTeX, a model card's YAML",
        description="Write what the windows that the ledger keeps cost together, on what hardware, how that is known "
        "and what is not in it: a page, Markdown, LaTeX for a paper, or the co2_eq_emissions of a model card. "
        "A window inside another one counts once; windows that failed count too.",
        epilog="example: greennb report --notebook train.ipynb --since 2026-03-01 --zone FRA --out statement.html",
        allow_abbrev=False,
    )
    add_ledger_options(parser, last=0)
    add_choice_options(parser)
    parser.add_argument(
        "--format", choices=[*FORMATS, ALL],
        help="may be left out where the suffix of PATH says it (.html, .md, .tex, .yaml); Markdown if nothing does",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="PATH",
        help="the file to write, in place of standard output; with --format all a folder, or a name without suffix",
    )  # fmt: skip
    add_grid_options(parser, pue="as it was when the work ran", zone="as it was when the work ran")
    parser.add_argument("--title", default="", metavar="TEXT", help='the heading ("Energy statement" and notebooks)')
    parser.add_argument("--training-type", choices=TRAINING_TYPES, default="", help="what a model card is to say")
    parser.add_argument("--per", type=float, metavar="N", help="units of work done: adds CO2e a unit (ISO/IEC 21031)")
    parser.add_argument("--unit", default="unit", metavar="NAME", help='what --per counts, like "prediction"')
    parser.add_argument("--embodied", type=float, metavar="G", help="grams of CO2e of making the hardware, for --per")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the statement; 0.

    Raises:
        BadInputError: nothing was chosen, or a figure, a place or a path that is no good.
        LedgerError: the ledger cannot be read.
    """
    outputs = _outputs(args.format, args.out)
    statement = _statement(args)
    for kind, name in outputs.items():
        try:
            text = written(statement, kind)
        except BadInputError as error:
            if args.format != ALL:
                raise
            say(f"{plain(name, 200)} is not written: {error}")
            continue
        if name == STDOUT:
            print(text, end="")
        else:
            check_writable(name)
            write_text(name, text)
            say(f"{plain(name, 200)} written.")
    return 0


def _outputs(kind: str | None, out: str | None) -> dict[str, str]:
    """Which forms are written, and where each goes."""
    if kind == ALL:
        if out in (None, STDOUT):
            raise BadInputError("--format all writes several files: give --out a folder, or a name without suffix.")
        stem = str(Path(str(out), _STEM)) if Path(str(out)).is_dir() else stem_of(str(out))
        return {name: stem + suffix for name, suffix in FORMATS.items()}
    if out in (None, STDOUT):
        return {kind or "md": STDOUT}
    return {kind or format_of(str(out)): str(out)}


def _statement(args: argparse.Namespace) -> Statement:
    settings = Settings.from_environment()  # what is no good is refused before a long ledger is read
    intensity = given_intensity(settings, pue=args.pue, intensity=args.intensity, zone=args.zone)
    if args.embodied is not None and args.per is None:
        raise BadInputError("--embodied is for grams a unit: give --per too.")
    ledger = open_ledger(args.ledger)
    rows, trials = choose(ledger, args)
    if not rows:
        raise BadInputError(f"There is nothing to report. {nothing(ledger, args)}")
    if args.last:  # the newest trials may be of long before the newest windows
        trials = [trial for trial in trials if trial.at >= rows[0].started_at]
    here = replace(computer(platform.node()), python="", greennb="")  # of this process, not of the one that ran
    return make_statement(
        rows, trials, version=__version__, title=args.title, intensity=intensity, pue=args.pue,
        machines=ledger.machines(), here=here, per=args.per, unit=args.unit, embodied_g=args.embodied,
        training_type=args.training_type,
    )  # fmt: skip
