"""What a trial of a step of about 10 ms takes, beside what its verdict needs.

    python tests/bench/trial_cost.py [--repeats N] [--budget S]

Needed are the joules of an experiment planned by somebody who knows the effect and the scatter of this trial's rounds:
as many rounds as find it with a t-test of 1 % in nine of ten tries (the usual sample size; two at least, for one has no
scatter). Where no difference was shown: as many as tell within 5 %. Spent are the joules of everything from the call to
the answer: copies, replay, warm-up, blocks, the guard, and the look at what may have changed.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass

import trial_table  # noqa: F401  # puts the project's root on the path
from independent import a_b
from trials_torch import LOOP, plain

import greennb
from greennb.advisor.trial.stats import LEAST_DIFFERENCE, TELLING, Quad, student
from greennb.advisor.trial.trials import Trials
from greennb.model.finding import Trial, Verdict
from greennb.model.measurement import Measurement
from greennb.runtime import runtime
from tests.advisor.harness import notebook

SETUP = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 16 * 16, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
x, y = torch.randn(14, 3, 32, 32), torch.randint(0, 10, (14,))
"""


@dataclass(frozen=True)
class Case:
    """A change of the step."""

    code: str
    variant: str | None


CASES = (Case("GNB206", "bf16 autocast"), Case("GNB210", None), Case("GNB216", None))


def needed_j(trial: Trial) -> float | None:
    """Joules of the planned experiment; None where nothing was told."""
    a, b = _joules(trial.baseline, trial.baseline_items), _joules(trial.candidate, trial.candidate_items)
    rounds = [Quad((a[n], a[n + 1]), (b[n], b[n + 1])).log_ratio for n in range(0, len(a) - 1, 2)]
    if trial.verdict is Verdict.CANNOT_TELL or len(rounds) < 2:
        return None
    mean, spread = statistics.fmean(rounds), statistics.stdev(rounds)
    shown = trial.verdict is Verdict.NO_DIFFERENCE
    room = math.log1p(TELLING) if shown else abs(mean) - math.log1p(LEAST_DIFFERENCE)
    least = 0.975 if shown else 0.995
    if room <= 0:
        return None
    count = next(n for n in range(2, 10_000) if (student(least, n - 1) + student(0.9, n - 1)) * spread / n**0.5 < room)
    whole = math.fsum(block.total_j or 0.0 for block in (*trial.baseline, *trial.candidate))
    return whole / len(rounds) * count


def _joules(blocks: tuple[Measurement, ...], items: tuple[float, ...]) -> list[float]:
    """Of one item, block by block."""
    return [(block.total_j or math.nan) / count for block, count in zip(blocks, items, strict=True)]


def main() -> None:
    """Print a line for each trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--budget", type=float, default=30.0, help="seconds of each trial")
    given = parser.parse_args()
    own: dict[str, object] = {}
    exec(SETUP, own)
    null = a_b(plain(own), plain(own), pairs=4)
    print(f"(the same step beside itself, 4 pairs: {null.ratio:.3f})")
    print("| change | ms a step | verdict | ratio | rounds | s | spent J | needed J | spent / needed |")
    print("|---|--:|---|--:|--:|--:|--:|--:|--:|")
    book = notebook([SETUP, LOOP.format(steps=100)])
    made = Trials(book.advisor, namespace=book.namespace, meter=lambda: runtime().meter)
    for case in CASES:
        for _ in range(given.repeats):
            plan = made.plan(case.code, variant=case.variant, budget_s=given.budget)
            with greennb.measure("whole trial") as whole:
                trial = made.run(plan)
            print(_row(plan.variant, trial, whole.result.window.duration_s, whole.result.total_j), flush=True)
    book.close()


def _row(name: str, trial: Trial, seconds: float, spent_j: float | None) -> str:
    needs = needed_j(trial)
    step_s = statistics.median(it.window.duration_s for it in trial.baseline) / max(1, trial.baseline_runs)
    cells = [
        name, f"{1e3 * step_s:.1f}", trial.verdict, "-" if trial.ratio is None else f"{trial.ratio:.3f}",
        len(trial.order) // 4, f"{seconds:.1f}", "-" if spent_j is None else f"{spent_j:.0f}",
        "-" if needs is None else f"{needs:.0f}",
        "-" if needs is None or spent_j is None else f"{spent_j / needs:.1f}",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
