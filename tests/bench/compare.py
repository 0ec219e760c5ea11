"""Trials of ``greennb.compare`` on this machine's own joules: of equal ways, and of ways that differ by a tenth.

    python tests/bench/compare.py [--nulls N] [--planted N] [--json]

The work is 20 matrix products; the planted way does 18 of them. Beside each kind of trial: how often each verdict came,
the median ratio, and the seconds that a verdict took.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

import greennb
from greennb.model.finding import Trial

REPEATS, FEWER = 20, 18
"""Products in a run of the baseline, and of the way that takes a tenth less."""


def work(times: int) -> Callable[[], None]:
    """``times`` matrix products of about half a millisecond."""
    a = np.random.default_rng(0).normal(size=(256, 256))

    def run() -> None:
        for _ in range(times):
            a @ a

    return run


def trials(candidate: int, count: int, budget_s: float) -> dict[str, object]:
    """``count`` trials of ``candidate`` products against the baseline's."""
    known: list[tuple[Trial, float]] = []
    for number in range(count):
        began = time.perf_counter()
        trial = greennb.compare(work(REPEATS), work(candidate), budget_s=budget_s)
        known.append((trial, time.perf_counter() - began))
        told = (f"{trial.ratio:.3f}" if trial.ratio else "-", trial.verdict.value, trial.note)
        print(f"  {number + 1}/{count}", *told, file=sys.stderr)
    ratios = [trial.ratio for trial, _s in known if trial.ratio is not None]
    return {
        "true ratio": candidate / REPEATS,
        "trials": count,
        "verdicts": dict(Counter(trial.verdict.value for trial, _s in known)),
        "median ratio": round(statistics.median(ratios), 3) if ratios else None,
        "median seconds": round(statistics.median(s for _trial, s in known), 1),
    }


def main() -> None:
    """Print both kinds of trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nulls", type=int, default=20)
    parser.add_argument("--planted", type=int, default=20)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of each trial")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    kinds = [(REPEATS, given.nulls), (FEWER, given.planted)]
    told = [trials(candidate, count, given.budget) for candidate, count in kinds if count]
    if given.json:
        print(json.dumps(told))
        return
    for row in told:
        print(", ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
