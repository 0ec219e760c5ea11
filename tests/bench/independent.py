"""A long A/B that knows nothing of trials: its own loop, order and arithmetic. Only the joules are greennb's.

Pairs of blocks in an order drawn for each pair, the ratio of the medians, a bootstrap of the pairs for its interval.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import greennb

Work = Callable[[], object]
"""Does one unit of work."""


@dataclass(frozen=True)
class Answer:
    """What a long A/B says: joules of B over joules of A for a unit, with its 95 % interval."""

    ratio: float
    low: float
    high: float
    pairs: int

    @property
    def verdict(self) -> str:
        """In the words of a trial: below or above 1 for sure, else the same to within 5 %, else unknown."""
        if self.high < 0.99:
            return "saves"
        if self.low > 1.01:
            return "costs more"
        return "no difference shown" if self.low > 0.95 and self.high < 1.05 else "cannot tell"

    def agrees(self, verdict: str) -> bool:
        """Whether a trial's verdict is no other than this; one that cannot tell, or sees no 5 %, contradicts nobody."""
        sure = {"saves", "costs more"}
        return (
            verdict == self.verdict
            if {verdict, self.verdict} <= sure
            else not (verdict in sure and self.verdict == "no difference shown")
        )


def a_b(a: Work, b: Work, *, pairs: int = 40, block_s: float = 0.5, warm_s: float = 2.0) -> Answer:
    """``pairs`` pairs of blocks of about ``block_s`` seconds each, after ``warm_s`` seconds of both."""
    counts = [_count(work, block_s, warm_s) for work in (a, b)]
    order = random.Random(0)
    taken: list[tuple[float, float]] = []
    for _pair in range(pairs):
        joules = [0.0, 0.0]
        for way in order.sample((0, 1), 2):
            joules[way] = _block((a, b)[way], counts[way])
        taken.append((joules[0], joules[1]))
    draws = sorted(_ratio(order.choices(taken, k=pairs)) for _ in range(2000))
    return Answer(_ratio(taken), draws[49], draws[1949], pairs)


def _count(work: Work, block_s: float, warm_s: float) -> int:
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < warm_s or count < 3:
        work()
        count += 1
    began = time.perf_counter()
    work()
    return max(1, round(block_s / max(time.perf_counter() - began, 1e-6)))


def _block(work: Work, count: int) -> float:
    with greennb.measure("independent") as window:
        for _ in range(count):
            work()
    total_j = window.result.total_j
    if total_j is None:
        raise SystemExit("No source of joules could be read: see `greennb doctor`.")
    return total_j / count


def _ratio(taken: list[tuple[float, float]]) -> float:
    return statistics.median(b for _a, b in taken) / statistics.median(a for a, _b in taken)
