"""``greennb report``: an energy statement from the ledger, for a paper, a model card or a README."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from greennb import __version__
from greennb.cli.choose import add_choice_options, add_ledger_options, choose, nothing, open_ledger
from greennb.cli.files import STDOUT, check_writable, write_text
from greennb.cli.grid import add_grid_options, with_grid
from greennb.cli.terminal import say
from greennb.ledger.statement import TRAINING_TYPES, make_statement
from greennb.model.errors import BadInputError
from greennb.model.footprint import CarbonIntensity
from greennb.model.statement import Machine, Statement
from greennb.settings import Settings
from greennb.views.format import plain

ALL = "all"
"""The format that means every one of them."""

SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".tex": "latex", ".yaml": "yaml", ".yml": "yaml"}
"""The format that a file's suffix means; the first one of a format is what ``all`` gives it."""

_STEM = "statement"  # of the files in a folder
_FORMATS = ("html", "md", "latex", "yaml")


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
        "--format", choices=[*_FORMATS, ALL],
        help="may be left out where the suffix of PATH says it (.html, .md, .tex, .yaml); Markdown if nothing does",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="PATH",
        help="the file to write, in place of standard output; with --format all a folder, or a name without suffix",
    )  # fmt: skip
    add_grid_options(parser, pue="as it was when the work ran", zone="as it was when the work ran")
    parser.add_argument(
        "--title", default="", metavar="TEXT", help='the heading ("Energy statement" and the notebooks)'
    )
    parser.add_argument("--training-type", choices=TRAINING_TYPES, default="", help="what a model card is to say")
    parser.add_argument(
        "--per", type=float, metavar="N", help="units of work done: adds CO2e a unit (SCI, ISO/IEC 21031)"
    )
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
    for name in outputs.values():
        check_writable(name)
    statement = _statement(args)
    for kind, name in outputs.items():
        try:
            write_text(name, written(statement, kind).rstrip("\n") if name == STDOUT else written(statement, kind))
        except BadInputError as error:
            if args.format != ALL:
                raise
            say(f"{plain(name, 200)} was not written: {error}")
            continue
        if name != STDOUT:
            say(f"{plain(name, 200)} written.")
    return 0


def written(statement: Statement, kind: str) -> str:
    """The statement in one of the formats.

    Raises:
        BadInputError: it has no grams, and the format is a model card's.
    """
    from greennb.views.statement.html import html
    from greennb.views.statement.latex import latex
    from greennb.views.statement.markdown import markdown
    from greennb.views.statement.yaml import yaml

    views: Mapping[str, Callable[[Statement], str]] = {"html": html, "md": markdown, "latex": latex, "yaml": yaml}
    return views[kind](statement)


def _outputs(kind: str | None, out: str | None) -> dict[str, str]:
    """Which formats are written, and where each goes."""
    suffix = "" if out in (None, STDOUT) else Path(str(out)).suffix.lower()
    if kind == ALL:
        if out in (None, STDOUT):
            raise BadInputError("--format all writes several files: give --out a folder, or a name without suffix.")
        path = Path(str(out))
        stem = path / _STEM if path.is_dir() else path.with_suffix("") if suffix in SUFFIXES else path
        endings = {name: ending for ending, name in reversed(SUFFIXES.items())}
        return {name: f"{stem}{endings[name]}" for name in _FORMATS}
    if kind is None and suffix and suffix not in SUFFIXES:
        raise BadInputError(
            f'A report cannot be made from "{plain(suffix, 20)}": end the path in one of {", ".join(SUFFIXES)}, '
            "or name a format."
        )
    return {kind or SUFFIXES.get(suffix, "md"): out or STDOUT}


def _statement(args: argparse.Namespace) -> Statement:
    settings = with_grid(Settings.from_environment(), args)  # refused before a long ledger is read
    intensity = _intensity(settings, args)
    ledger = open_ledger(args.ledger)
    rows, trials = choose(ledger, args)
    if not rows:
        raise BadInputError(f"There is nothing to report. {nothing(ledger, args)}")
    return make_statement(
        rows, trials, version=__version__, title=args.title, intensity=intensity, pue=args.pue,
        machines=_here({row.host for row in rows}), per=args.per, unit=args.unit, embodied_g=args.embodied,
        training_type=args.training_type,
    )  # fmt: skip


def _intensity(settings: Settings, args: argparse.Namespace) -> CarbonIntensity | None:
    """What --zone or --intensity give; None leaves what was in force. A live figure of now is none of then."""
    if args.zone is None and args.intensity is None:
        return None
    from greennb.carbon.intensity import resolve

    return resolve(settings.changed(live=""))


def _here(hosts: set[str]) -> dict[str, Machine]:
    """This machine, where it is one of ``hosts``."""
    import platform

    host = platform.node()
    if host not in hosts:
        return {}
    from greennb.sources.cpu_facts import read_facts
    from greennb.sources.machine import memory_total_b

    facts = read_facts()
    return {
        host: Machine(
            host=host, cpu=facts.name, cpus=facts.cpus, memory_b=memory_total_b(),
            system=f"{platform.system()} {platform.release()}",
        )
    }  # fmt: skip
