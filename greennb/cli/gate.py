"""``greennb gate``: does a run keep to its budget, or to what an earlier run cost? For continuous integration."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greennb.cli.files import json_text, read_run
from greennb.cli.judge import Estimate, Verdict, ratio, same_ground
from greennb.cli.run import add_execution_options, executed
from greennb.model.errors import BadInputError
from greennb.model.reading import Method
from greennb.model.run import NotebookRun
from greennb.model.units import joules_in
from greennb.views.format import energy, joules, percent, plain

SCHEMA = 1
"""Version of what ``greennb gate --json`` prints."""


_ABOUT = """\
Check what a notebook cost. Exit status: 0 within, 1 over, 2 cannot tell.

The whole 95 % interval must lie on one side of the limit; where the limit lies inside it, nobody can tell, and
--judge value asks for the value alone. A run that failed cannot be told. What is missing from a partial one can
only add to it: it may be over, and is never within."""

_EXAMPLES = """\
examples:
  greennb gate train.ipynb --budget 2kJ
  greennb gate run.json --baseline main.json --tolerance 10%

With --baseline, estimates of one machine are compared by their ratio, since their model is wrong by the same factor
both times; estimates of two machines are not. It is one run each: give a --tolerance above the scatter between two
runs of the same code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was asked, and the answer: a verdict and its sentence."""

    kind: str
    limit: float
    verdict: Verdict
    words: str


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``gate`` to the command line."""
    parser = commands.add_parser(
        "gate",
        help="check a run against a budget or an earlier run",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("what", metavar="NB-or-JSON", type=Path, help="a notebook, which is run, or a run's JSON")
    parser.add_argument("--budget", metavar="E", type=_energy_j, help="most energy it may cost: 500J, 2kJ, 1.5Wh")
    parser.add_argument("--baseline", metavar="F", type=Path, help="JSON of an earlier run, which it may not exceed")
    parser.add_argument("--tolerance", metavar="P", type=_share, default=0.1, help="by more than this (10%%)")
    parser.add_argument(
        "--judge", choices=["interval", "value"], default="interval",
        help="what must be on one side of the limit: the 95 %% interval, or the value alone",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    add_execution_options(parser)
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Judge a run, executing the notebook first where one is given; the exit status is the verdict."""
    if given.budget is None and given.baseline is None:
        raise BadInputError("greennb gate needs a limit: give --budget 500J, or --baseline with an earlier run's JSON.")
    baseline = None if given.baseline is None else read_run(given.baseline)
    notebook = given.what.suffix.lower() == ".ipynb"
    result = executed(given.what, given).run if notebook else read_run(given.what)
    by_value = given.judge == "value"
    checks = []
    if given.budget is not None:
        checks.append(budget_check(result, given.budget, by_value=by_value))
    if baseline is not None:
        checks.append(baseline_check(result, baseline, given.tolerance, by_value=by_value))
    verdict = overall(checks)
    if given.json:
        print(json_text(document(result, checks)))
    else:
        for check in checks:
            print(f"{check.verdict.word}: {check.words}")
    return verdict.value


def overall(checks: list[Check]) -> Verdict:
    """OVER where any limit is passed, else CANNOT_TELL where any cannot be told, else WITHIN."""
    verdicts = {check.verdict for check in checks}
    return next(verdict for verdict in (Verdict.OVER, Verdict.CANNOT_TELL, Verdict.WITHIN) if verdict in verdicts)


def budget_check(run: NotebookRun, budget_j: float, *, by_value: bool) -> Check:
    """``run`` against ``budget_j`` joules."""

    def check(verdict: Verdict, words: str) -> Check:
        return Check(kind="budget", limit=budget_j, verdict=verdict, words=words)

    total = run.total
    unusable = _unusable(run, "the run")
    if unusable or total.total_j is None or total.low_j is None or total.high_j is None:
        return check(Verdict.CANNOT_TELL, unusable)
    amount = energy(total.total_j, total.low_j, total.high_j, total.method)
    estimate = Estimate(value=total.total_j, low=total.low_j, high=total.high_j)
    verdict = estimate.against(budget_j, by_value=by_value)
    limit = f"the budget of {joules(budget_j)}"
    if verdict is Verdict.OVER:
        return check(verdict, f"{amount} is above {limit}{_how(by_value)}.")
    if total.partial:
        return check(
            Verdict.CANNOT_TELL, f"{amount} is not above {limit}, but something is missing from it. {_SEE_DOCTOR}"
        )
    if verdict is Verdict.WITHIN:
        return check(verdict, f"{amount} keeps to {limit}{_how(by_value)}.")
    return check(verdict, f"{limit} lies inside the interval, {amount}. {_mend(total.method)}")


def baseline_check(run: NotebookRun, baseline: NotebookRun, tolerance: float, *, by_value: bool) -> Check:
    """``run`` against ``baseline``: its joules may be at most (1 + ``tolerance``) times those."""

    def check(verdict: Verdict, words: str) -> Check:
        return Check(kind="baseline", limit=1 + tolerance, verdict=verdict, words=words)

    unusable = _unusable(run, "the run") or _unusable(baseline, "the baseline")
    found = ratio(run, baseline)
    if not unusable and not same_ground(run, baseline):
        unusable = "the two runs were measured in different ways or on different parts of the machine"
    elif not unusable and (run.total.partial or baseline.total.partial):
        unusable = f"something is missing from the run or from the baseline. {_SEE_DOCTOR}"
    elif not unusable and found is None:
        unusable = "the baseline cost no joules that a ratio could be made with"
    if unusable or found is None:
        return check(Verdict.CANNOT_TELL, unusable)
    verdict = found.against(1 + tolerance, by_value=by_value)
    shown = f"{percent(found.value - 1, signed=True)} against the baseline"
    if found.low < found.value < found.high:
        shown += f" ({percent(found.low - 1, signed=True)} to {percent(found.high - 1, signed=True)})"
    limit = f"the tolerance of {percent(tolerance, signed=True)}"
    if verdict is Verdict.CANNOT_TELL:
        return check(verdict, f"{limit} lies inside the interval, {shown}. {_mend(run.total.method)}")
    word = "is above" if verdict is Verdict.OVER else "keeps to"
    return check(verdict, f"{shown} {word} {limit}{_how(by_value)}.")


def document(run: NotebookRun, checks: list[Check]) -> dict[str, Any]:
    """The verdict as plain JSON values."""
    total = run.total
    verdict = overall(checks)
    return {
        "schema": SCHEMA,
        "verdict": verdict.word,
        "exit": verdict.value,
        "notebook": run.notebook,
        "total_j": total.total_j,
        "low_j": total.low_j,
        "high_j": total.high_j,
        "method": None if total.method is None else total.method.value,
        "partial": total.partial,
        "error": run.error,
        "checks": [
            {"kind": check.kind, "limit": check.limit, "verdict": check.verdict.word, "words": check.words}
            for check in checks
        ],
    }


_SEE_DOCTOR = "`greennb doctor` says what cannot be read here."


def _unusable(run: NotebookRun, name: str) -> str:
    """Why nothing can be said of a run, "" where something can."""
    if run.error:
        return f"{name} did not reach its end: {plain(run.error, 300)}"
    if not run.cells:
        return f"{name} has no code cells, so nothing was measured."
    return "" if run.total.total_j is not None else f"{name} has no joules: nothing could be measured. {_SEE_DOCTOR}"


def _how(by_value: bool) -> str:
    return ", judged by the value alone" if by_value else ""


def _mend(method: Method | None) -> str:
    if method is Method.ESTIMATED:
        return "This is an estimate: --judge value looks at the value alone, a sensor narrows the interval."
    return "Run it again, give a limit further off, or use --judge value."


def _energy_j(text: str) -> float:
    try:
        return joules_in(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no energy: give 500J, 2kJ, 1MJ, 1.5Wh or 0.1kWh") from None


def _share(text: str) -> float:
    number, sign = (text.strip().removesuffix("%"), 0.01) if text.strip().endswith("%") else (text, 1.0)
    try:
        value = float(number) * sign
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no tolerance: give 10% or 0.1")
    return value
