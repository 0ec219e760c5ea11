"""``greennb run``: a notebook executed headless, every cell measured, and what came of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from greennb.cli.files import STDOUT, check_writable, json_text, write_text
from greennb.cli.terminal import say, unicode_in, width
from greennb.model.errors import GreennbError
from greennb.model.run import NotebookRun
from greennb.views.above_idle import run_words
from greennb.views.format import energy, plain, seconds
from greennb.views.words import footprint_words, not_included

if TYPE_CHECKING:
    from greennb.cli.notebook import Execution

CANNOT = 2
"""Exit status where an output could not be written."""

_ABOUT = """\
Execute a notebook through a real kernel and measure every cell: time, joules with their 95 % interval, how they
were obtained, and grams of CO2e. The notebook itself is left as it is.

Exit status: 0 done, 1 a cell raised that has no tag raises-exception, 2 could not be done (no such file, a
time-out, a kernel that died), 130 interrupted. The cells that ran are reported in any case."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``run`` to the command line."""
    parser = commands.add_parser(
        "run",
        help="run a notebook, every cell measured",
        description=_ABOUT,
        epilog="example: greennb run train.ipynb --html report.html --json run.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("notebook", metavar="NB", type=Path, help="the notebook")
    parser.add_argument("--out", metavar="NB", help="write the executed notebook there")
    parser.add_argument("--json", metavar="F", help='write the numbers there; "-" is standard output')
    parser.add_argument(
        "--advise", action="store_true", help="also say what would make the notebook cheaper (watching costs a little)"
    )
    parser.add_argument("--html", metavar="F", help="write a report with plots there, readable without a network")
    add_execution_options(parser)
    parser.set_defaults(run=run)


def add_execution_options(parser: argparse.ArgumentParser) -> None:
    """Add what says how a notebook is executed."""
    parser.add_argument("--kernel", metavar="K", default="", help="use this kernel rather than the notebook's")
    parser.add_argument("--timeout", metavar="S", type=_positive_s, help="seconds that each cell may take; no limit")
    parser.add_argument("--allow-errors", action="store_true", help="go on after a cell that raises")
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress bar, and one line instead of a table")


def run(given: argparse.Namespace) -> int:
    """Execute the notebook, write what was asked for, print the table; the exit status."""
    for name in filter(None, (given.out, given.json, given.html)):
        check_writable(name)
    execution = executed(given.notebook, given)
    result = execution.run
    stream = sys.stderr if given.json == STDOUT else sys.stdout
    # The numbers first: whatever goes wrong with the report, they are not lost.
    whole = _written(given.json, lambda: json_text(result.to_dict()))
    whole &= _written(given.out, lambda: _notebook_text(execution))
    if result.cells or result.error:
        show(result, stream, quiet=given.quiet)
        show_advice(execution, stream)
    else:
        print(f"{plain(str(given.notebook), 200)} has no code cells: there is nothing to measure.", file=stream)
    if result.error:
        say(result.error)
    whole &= _written(given.html, lambda: _report(result))
    if not given.quiet and whole:
        report = plain(given.html, 400) if given.html else "none; add --html report.html for one with plots"
        print(f"Report: {report}", file=stream)
    return int(execution.ending) if whole else CANNOT


def executed(path: Path, given: argparse.Namespace) -> Execution:
    """Execute the notebook at ``path`` with the options of :func:`add_execution_options`."""
    from greennb.cli.notebook import execute
    from greennb.cli.progress import Bar, Silence

    execution = execute(
        path,
        kernel=given.kernel,
        timeout_s=given.timeout,
        allow_errors=given.allow_errors,
        advise=getattr(given, "advise", False),
        progress=Silence if given.quiet else Bar,
    )
    for problem in execution.problems:
        say(problem)
    return execution


def show(run: NotebookRun, stream: TextIO, *, quiet: bool = False) -> None:
    """Print what a run cost: a table and what its numbers mean, or the total in one line."""
    total = run.total
    if quiet:
        amount = energy(total.total_j, total.low_j, total.high_j, total.method)
        method = "" if total.method is None else f", {total.method.value}"
        partial = ", partial" if total.partial else ""
        print(f"{amount} in {seconds(total.duration_s)}{method}{partial}", file=stream)
        return
    from greennb.views.table import table

    rows = [(_place(number, cell.measurement), cell.first_line, cell.measurement)
            for number, cell in enumerate(run.cells, start=1)]  # fmt: skip
    print(table(rows, unicode=unicode_in(stream), width=width()), file=stream)
    for line in notes(run):
        print(line, file=stream)


def show_advice(execution: Execution, stream: TextIO) -> None:
    """Print what the advisor found, where it was asked: a few lines a finding, the code is in the files."""
    if execution.looked is None or execution.run.findings is None:
        return
    from greennb.views.advice import brief, heading, short_evidence

    findings = execution.run.findings
    print(f"Advice: {heading(findings, execution.looked)}", file=stream)
    for finding in findings:
        cell = execution.run.cell_of(finding)
        print(f"  {brief(finding, '' if cell is None else cell.place)}", file=stream)
        print(f"  {'':8}{plain(finding.suggestion.text, 300)} Seen: {short_evidence(finding)}.", file=stream)
    if findings:
        print("  `greennb rules CODE` explains one; --html and --json have the changes as code.", file=stream)
    if execution.looked.dismissed:
        print(f"  {execution.looked.dismissed} dismissed in this notebook, and not shown.", file=stream)


def notes(run: NotebookRun) -> list[str]:
    """What the numbers of a run stand on, a line each: sources, carbon intensity, what is left out."""
    used = [_without(line, " used: ") for line in run.sources if " not used: " not in line]
    refused = [_without(line, " not used: ") for line in run.sources if " not used: " in line]
    lines = [f"Read from: {'; '.join(used) or 'no source of joules'}."]
    if refused:
        lines.append(f"Not read: {'; '.join(refused)}. `greennb doctor` says more.")
    idle = run_words([cell.measurement for cell in run.cells if cell.measurement is not None])
    lines += [f"Net: {idle}."] if idle else []
    lines += [f"Carbon: {footprint_words(part, run.started_at)}." for part in run.footprints]
    return [*lines, f"Not included: {not_included(run.measurements)}."]


def _without(sentence: str, fate: str) -> str:
    """A sentence on a source where a heading says already whether it is used: "rapl: no powercap here"."""
    return plain(sentence, 200).replace(fate, ": ", 1)


def _written(name: str | None, text: Callable[[], str]) -> bool:
    """Write an output that was asked for; one that fails is said and does not keep the others from being written."""
    if name is None:
        return True
    try:
        write_text(name, text())
    except GreennbError as error:
        say(str(error))
        return False
    return True


def _notebook_text(execution: Execution) -> str:
    import nbformat

    return str(nbformat.writes(execution.notebook)) + "\n"


def _report(run: NotebookRun) -> str:
    from greennb.views.report import html_report

    return str(html_report(run))


def _place(number: int, measurement: object) -> str:
    count = getattr(getattr(measurement, "window", None), "execution_count", None)
    return f"[{count}]" if count is not None else f"{number}"


def _positive_s(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no time: give seconds, above 0")
    return value
