"""``greennb``: finds the command that is named, loads it and no other, and turns errors into an exit status."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from greennb import __version__
from greennb.cli.terminal import forgive, say
from greennb.model.errors import GreennbError

COMMANDS = {
    "run": "run a notebook, every cell measured",
    "diff": "compare two runs cell by cell",
    "gate": "check a run against a budget or an earlier run",
    "doctor": "say which sources of joules work here, and what mends the others",
    "history": "show what the ledger keeps",
    "report": "an energy statement from the ledger: HTML, Markdown, LaTeX, a model card's YAML",
    "export": "write the ledger as JSON lines, CSV, codecarbon's CSV or Prometheus text",
    "rules": "list the advisor's rules, or show the page of one",
    "estimate": "plan with watts and hours, or check a paper",
}
"""Each command and what it is for; ``greennb.cli.<command>`` has its ``add_parser``."""

CANNOT = 2
"""Exit status where something that was asked for cannot be done or told."""

_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_BROKEN_PIPE = 141  # 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (the process's own where None) and give its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        forgive(stream)
    try:
        status = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_has_gone()
    return status


def _run(words: Sequence[str]) -> int:
    try:
        parser = make_parser(words)
        given = parser.parse_args(words)
        if not hasattr(given, "run"):
            parser.print_help()
            return 0
        return int(given.run(given))
    except SystemExit as stop:  # argparse: --help, --version, and what it refuses
        return stop.code if isinstance(stop.code, int) else 0
    except GreennbError as error:
        say(str(error))
        return CANNOT
    except KeyboardInterrupt:
        say("interrupted.")
        return _INTERRUPTED


def make_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for ``words``: all commands by name, and the named one with its options."""
    parser = argparse.ArgumentParser(
        prog="greennb",
        description="What did that cell cost? Joules and grams of CO2e of every notebook cell.",
        epilog="example: greennb run notebook.ipynb --html report.html",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"greennb {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    wanted = next((word for word in words if not word.startswith("-")), None)
    for name, purpose in COMMANDS.items():
        if name == wanted:
            import_module(f"greennb.cli.{name}").add_parser(commands)
        else:
            commands.add_parser(name, help=purpose)
    return parser


def _reader_has_gone() -> int:
    """The other end of the pipe was closed (``| head``): what is left to write goes nowhere, without a word."""
    with contextlib.suppress(OSError, ValueError):  # stdout is no file (in a notebook): nothing can break later
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _BROKEN_PIPE
