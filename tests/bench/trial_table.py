"""A table of trials, each beside a long A/B of the same change: what the benches of the frameworks have in common."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from independent import Answer  # noqa: E402  # found through the script's own folder

from greennb.advisor.trial.trials import Trials  # noqa: E402
from greennb.model.finding import Trial  # noqa: E402
from greennb.runtime import runtime  # noqa: E402
from tests.advisor.harness import notebook  # noqa: E402

HEAD = """| change | trial | ratio (95 %) | s | long A/B | ratio (95 %) | contradict? | quality |
|---|---|---|---|---|---|---|---|"""


def told(change: str, trial: Trial, seconds: float, answer: Answer | None) -> str:
    """A row of the table: the trial, and the A/B beside it where there is one."""
    beside = ["", "", ""]
    if answer is not None:
        ends = (answer.low, answer.high)
        contradict = "no" if answer.agrees(trial.verdict.value) else "YES"
        beside = [answer.verdict, _interval(answer.ratio, ends), contradict]
    words = " ".join(filter(None, (trial.quality, trial.note)))
    cells = [change, trial.verdict.value, _interval(trial.ratio, trial.interval), f"{seconds:.1f}", *beside, words]
    return f"| {' | '.join(cells)} |"


def _interval(ratio: float | None, ends: tuple[float, float] | None) -> str:
    if ratio is None:
        return "-"
    return f"{ratio:.3f}" + ("" if ends is None else f" ({ends[0]:.3f} to {ends[1]:.3f})")


def tried(cells: Sequence[str], code: str, *, budget_s: float, variant: str | None = None) -> tuple[Trial, float]:
    """A trial of the last of these cells, run under the advisor as in a notebook, and the seconds that it took."""
    book = notebook(cells)
    try:
        trials = Trials(book.advisor, namespace=book.namespace, meter=lambda: runtime().meter)
        began = time.perf_counter()
        trial = trials.run(trials.plan(code, variant=variant, budget_s=budget_s))
        return trial, time.perf_counter() - began
    finally:
        book.close()


class Named(Protocol):
    """A case of the table."""

    @property
    def name(self) -> str:
        """What is changed, on what."""


C = TypeVar("C", bound=Named, contravariant=True)


class Row(Protocol[C]):
    """Makes the row of a case."""

    def __call__(self, case: C, *, budget_s: float, pairs: int) -> str:
        """The trial, and the A/B of ``pairs`` pairs; none for 0."""


def table(what: str | None, cases: Sequence[C], row: Row[C]) -> None:
    """The command line of such a bench: print a row for each case."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of each trial")
    parser.add_argument("--pairs", type=int, default=40, help="pairs of blocks of each A/B; 0 for none")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    given = parser.parse_args()
    print(HEAD)
    for case in (it for it in cases if given.only in it.name):
        print(row(case, budget_s=given.budget, pairs=given.pairs), flush=True)
