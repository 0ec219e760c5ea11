"""Trials of a change that changes nothing, on cells of PyTorch, scikit-learn and Keras: how often one names a winner.

    python tests/bench/trials_null.py [--count N] [--budget S] [--only NAME] [--seconds S]

Each trial goes the whole way: copies, replay, warm-up, blocks, guard, and the look at what it may have changed. The
change is a comment at the cell's end. At most 1 of 100 may say "saves" or "costs more". Run it in a folder in which
nobody else writes: a file that appears there voids a trial.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import trial_table  # noqa: F401  # puts the project's root on the path
from trials_keras import COMPILED
from trials_sklearn import DATA
from trials_torch import CONVNET, LOOP

from greennb.advisor.trial.base import Kind, Scene
from greennb.advisor.trial.keras.seen import KerasVariant
from greennb.advisor.trial.trials import Trials
from greennb.model.finding import Trial, Verdict
from greennb.runtime import runtime
from tests.advisor.harness import notebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """A variant that changes nothing but the source's last line, a comment."""

    codes: tuple[str, ...]
    name: str = "nothing"
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """The cell's source and a comment."""
        return f"{scene.code.rstrip()}\n# changed\n"


class NothingInKeras(KerasVariant):
    """The same for Keras, whose kit wants to know what is repeated: ``fit``."""

    name, codes, kind = "nothing", ("GNB403",), Kind.SAME
    change = Nothing.change

    def loops(self, scene: Scene) -> bool:
        """It is Keras' own loop."""
        return False


@dataclass(frozen=True)
class Case:
    """A framework's cell, and a rule under which it is tried; the rule only finds the cell."""

    kit: str
    code: str
    cells: tuple[str, str]


CASES = (
    Case("torch", "GNB206", (CONVNET, LOOP.format(steps=60))),
    Case("sklearn", "GNB305", (DATA.format(rows=5000), "m = KMeans(8, n_init=3, random_state=0).fit(X)")),
    Case("keras", "GNB403", (COMPILED, "model.fit(x, y, batch_size=32, epochs=2, verbose=0)\n")),
)


def trials(case: Case, count: int, budget_s: float, until: float) -> list[tuple[Trial, float]]:
    """``count`` trials of nothing on one notebook; fewer where the monotonic clock is at ``until`` before that."""
    kit = importlib.import_module(f"greennb.advisor.trial.{case.kit}")
    kit.VARIANTS = (*kit.VARIANTS, NothingInKeras() if case.kit == "keras" else Nothing(codes=(case.code,)))
    book = notebook(case.cells)
    known: list[tuple[Trial, float]] = []
    try:
        made = Trials(book.advisor, namespace=book.namespace, meter=lambda: runtime().meter)
        plan = made.plan(case.code, variant="nothing", budget_s=budget_s)
        while len(known) < count and time.monotonic() < until:
            began = time.perf_counter()
            trial = made.run(plan)
            known.append((trial, time.perf_counter() - began))
            ratio = "-" if trial.ratio is None else f"{trial.ratio:.3f}"
            print(f"  {case.kit} {len(known)}/{count}", ratio, trial.verdict, trial.note, file=sys.stderr, flush=True)
    finally:
        book.close()
    return known


def row(case: Case, known: list[tuple[Trial, float]]) -> str:
    """A line of the table."""
    said = Counter(trial.verdict for trial, _s in known)
    ratios = [trial.ratio for trial, _s in known if trial.ratio is not None]
    cells = [
        case.kit, len(known), *(said[verdict] for verdict in Verdict),
        f"{min(ratios):.3f} / {statistics.median(ratios):.3f} / {max(ratios):.3f}" if ratios else "-",
        f"{statistics.median(s for _trial, s in known):.1f}" if known else "-",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Print a line for each framework."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=70, help="trials of each framework")
    parser.add_argument("--budget", type=float, default=10.0, help="seconds of each trial")
    parser.add_argument("--only", default="", help="frameworks whose name has this in it")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="for each framework, at most")
    given = parser.parse_args()
    print(f"| framework | trials | {' | '.join(Verdict)} | ratio: least / median / most | s |")
    print(f"|---|{'--:|' * (len(Verdict) + 1)}---|--:|")
    for case in (it for it in CASES if given.only in it.kit):
        known = trials(case, given.count, given.budget, time.monotonic() + given.seconds)
        print(row(case, known), flush=True)


if __name__ == "__main__":
    main()
