"""A trial of two callables: warm up, size the blocks, run them interleaved, stop as soon as the verdict is safe."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from greennb.advisor.trial.stats import LOOKS, Estimate, Quad, at_the_end, estimate, verdict
from greennb.meter.meter import Meter
from greennb.model.errors import BadInputError
from greennb.model.finding import Trial, Verdict
from greennb.model.measurement import Measurement
from greennb.model.units import ns_to_s

BLOCK_S = 0.25
"""A block's least length: the CPU clock that estimates stand on moves every 10 ms (proc(5), USER_HZ), RAPL's counters
every 1 ms (Intel SDM, 15.10): an edge costs a block at most some percent. A slower counter makes it longer."""

WARM_UPS = 5
"""Runs of each way before any counts, at most: the first ones compile, allocate and fill caches."""

SETTLED = 0.25
"""Two runs that differ by less than this part are warm."""

Quality = Callable[[Any, Any], object]
"""Given what the baseline and what the candidate returned last: True (or None) where the candidate is as good, False or
a sentence that says why not where it isn't."""


@dataclass(slots=True)
class _Way:
    """One of the two ways, and what is known of it."""

    label: str
    call: Callable[[], Any]
    run_s: float = 0.0
    runs: int = 1
    blocks: list[Measurement] = field(default_factory=list)
    returned: Any = None

    @property
    def joules(self) -> list[float]:
        """Of one run, block by block."""
        return [(block.total_j or 0.0) / self.runs for block in self.blocks]


class _Stop(Exception):  # noqa: N818  # no error: the trial has an answer
    """The trial can't go on; ``note`` says why."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


def run(
    meter: Meter,
    baseline: Callable[[], Any],
    candidate: Callable[[], Any],
    *,
    quality: Quality | None = None,
    budget_s: float = 30.0,
) -> Trial:
    """Run ``baseline`` and ``candidate`` by turns and compare the joules of one run.

    What either raises is the caller's, and ends the trial.

    Args:
        quality: whether the candidate's result is as good; where it is not, the verdict is never "saves".
        budget_s: seconds after which no new quad of blocks is begun; one that runs is ended.

    Raises:
        BadInputError: one is not callable, or the budget is no number of seconds above 0.
    """
    for name, call in (("baseline", baseline), ("candidate", candidate)):
        if not callable(call):
            raise BadInputError(f"{name} is a {type(call).__name__}: give a function that does the work once.")
    if isinstance(budget_s, bool) or not isinstance(budget_s, int | float) or not 0 < budget_s < math.inf:
        raise BadInputError("budget_s must be a number of seconds above 0.")
    return _Run(meter, _Way("A", baseline), _Way("B", candidate), quality, float(budget_s)).trial()


class _Run:
    def __init__(self, meter: Meter, a: _Way, b: _Way, quality: Quality | None, budget_s: float) -> None:
        self._meter = meter
        self._a, self._b = a, b
        self._quality = quality
        self._end_s = self._now_s() + budget_s
        self._order = ""
        self._quads: list[Quad] = []
        self._spent_j: list[float | None] = []

    def _now_s(self) -> float:
        return ns_to_s(self._meter.clock.monotonic_ns())

    def trial(self) -> Trial:
        note = ""
        said: Verdict | None = None
        try:
            self._warm_up()
            while said is None:
                self._quad()
                if len(self._quads) in LOOKS:
                    said = verdict(estimate(self._quads))
        except _Stop as stop:
            note = stop.note
        known = estimate(self._quads)
        said = said or at_the_end(known)
        return self._judged(known, said, note if said is Verdict.CANNOT_TELL else "")

    def _warm_up(self) -> None:
        """Both ways until they are warm; then blocks long enough for the meter."""
        for way in (self._a, self._b):
            seconds = [self._timed(way)]
            while len(seconds) < WARM_UPS and (len(seconds) < 2 or not _settled(*seconds[-2:])):
                if self._now_s() + seconds[-1] > self._end_s:
                    break
                seconds.append(self._timed(way))
            way.run_s = seconds[-1]
            way.runs = max(1, math.ceil(max(BLOCK_S, self._least_s()) / max(way.run_s, 1e-9)))

    def _least_s(self) -> float:
        """Ten times what the slowest counter needs to move."""
        return 10 * max((ns_to_s(channel.refresh_ns) for channel in self._meter.channels), default=0.0)

    def _timed(self, way: _Way) -> float:
        began_s = self._now_s()
        with self._meter.measure(f"trial {way.label}, warm-up") as window:
            way.returned = way.call()
        self._spent_j.append(window.result.total_j)
        return self._now_s() - began_s

    def _quad(self) -> None:
        """Four blocks, ABBA twice and then BAAB twice, as :mod:`greennb.advisor.trial.stats` wants them."""
        expected_s = 2 * (self._a.runs * self._a.run_s + self._b.runs * self._b.run_s)
        if self._now_s() + expected_s > self._end_s:
            raise _Stop(self._spent(expected_s))
        order = "ABBA" if len(self._quads) // 2 % 2 == 0 else "BAAB"
        for label in order:
            self._block(self._a if label == "A" else self._b)
        self._order += order
        a, b = self._a.joules[-2:], self._b.joules[-2:]
        self._quads.append(Quad((a[0], a[1]), (b[0], b[1])))

    def _spent(self, round_s: float) -> str:
        """Why the budget did not suffice, and what would."""
        known = estimate(self._quads)
        if known.quads < LOOKS[0]:
            return (
                f"the budget had room for {known.quads} rounds of {round_s:.2g} s, and {LOOKS[0]} are the fewest: "
                "give more seconds (budget_s), or less work in a run."
            )
        return (
            f"after {known.quads} rounds the ratio is known to within {math.expm1(known.half):.0%} only: "
            "give more seconds (budget_s), or end what else runs on this machine."
        )

    def _block(self, way: _Way) -> None:
        with _without_gc(), self._meter.measure(f"trial {way.label}") as window:
            for _ in range(way.runs):
                way.returned = way.call()
        measurement = window.result
        way.blocks.append(measurement)
        self._spent_j.append(measurement.total_j)
        if measurement.total_j is None:
            raise _Stop("no source of joules could be read here: `greennb doctor` says why.")
        if measurement.total_j <= 0:
            raise _Stop("a block took too few joules to be told from none: put more work into a run.")

    def _judged(self, known: Estimate, said: Verdict, note: str) -> Trial:
        good, words = self._judge_quality()
        if not good and said is Verdict.SAVES:
            said = Verdict.CANNOT_TELL
            note = "it takes fewer joules, and its result is not as good"
        enough = known.quads > 1
        whole = 4 * known.quads  # a round that was broken off is not the verdict's
        return Trial(
            baseline=tuple(self._a.blocks[: whole // 2]), candidate=tuple(self._b.blocks[: whole // 2]),
            baseline_runs=self._a.runs, candidate_runs=self._b.runs, order=self._order,
            ratio=known.ratio if known.quads else None, interval=known.interval if enough else None,
            quality=words, verdict=said, break_even=self._break_even(said), note=note,
        )  # fmt: skip

    def _judge_quality(self) -> tuple[bool, str]:
        if self._quality is None:
            return True, "not looked at"
        told = self._quality(self._a.returned, self._b.returned)
        if isinstance(told, str):
            return False, told
        return (True, "as good") if told is None or bool(told) else (False, "not as good")

    def _break_even(self, said: Verdict) -> float | None:
        """Runs after which the trial's own joules are paid back; None where nothing is saved or not all is known."""
        if said is not Verdict.SAVES or any(j is None for j in self._spent_j):
            return None
        saved_j = _mean(self._a.joules) - _mean(self._b.joules)
        return sum(j for j in self._spent_j if j is not None) / saved_j if saved_j > 0 else None


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _settled(one_s: float, two_s: float) -> bool:
    return abs(one_s - two_s) <= SETTLED * max(one_s, two_s)


@contextmanager
def _without_gc() -> Iterator[None]:
    """What lies about is collected before the block, and nothing within it."""
    was = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
