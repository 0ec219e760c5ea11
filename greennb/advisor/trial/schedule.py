"""The schedule of a trial: warm up, size the blocks, run them by turns, stop as soon as the verdict is safe.

How joules become a verdict is :mod:`greennb.advisor.trial.stats`; what runs is a ``Pair``.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from greennb.advisor.trial.base import Pair, Progress, Quality, Stop, Tell, Way
from greennb.advisor.trial.memory import Peak
from greennb.advisor.trial.stats import LOOKS, Estimate, Quad, at_the_end, estimate, futile, verdict
from greennb.advisor.trial.temperature import Temperature
from greennb.meter.meter import Meter, OpenWindow
from greennb.model.finding import Trial, Verdict
from greennb.model.measurement import Measurement
from greennb.model.units import ns_to_s
from greennb.views import format as fmt

BLOCK_S = 0.25
"""A block's least length: the CPU clock that estimates stand on moves every 10 ms (proc(5), USER_HZ), RAPL's counters
every 1 ms (Intel SDM, 15.10): an edge costs a block at most some percent. A slower counter makes it longer."""

BLOCKS = 4 * LOOKS[0] + 4
"""Blocks for which the budget must have room: those of the fewest rounds, and as many as a warm-up and a guard take."""

WARM_UPS = 5
"""Runs of each way before any counts, at most: the first ones compile, allocate and fill caches."""

WARM_S = 0.02
"""A run of the warm-up after the first holds units for about so long: one short unit alone says little of the next."""

SETTLED = 0.25
"""Two runs that differ by less than this part are warm."""


@dataclass(slots=True)
class _Side:
    """One of the two ways, and what is known of it.

    Attributes:
        unit_s: seconds of a unit; ``block_s`` of a whole block, with what is not counted. ``units`` in a block.
        items: that went through, block by block. ``apart_j``: joules of its warm-up, None where not all is known.
    """

    way: Way
    unit_s: float = 0.0
    block_s: float = 0.0
    units: int = 1
    blocks: list[Measurement] = field(default_factory=list)
    items: list[float] = field(default_factory=list)
    apart_j: float | None = 0.0
    peak_b: int | None = None

    @property
    def joules(self) -> list[float]:
        """Of one item, block by block."""
        return [(block.total_j or 0.0) / count for block, count in zip(self.blocks, self.items, strict=True)]

    @property
    def unit_j(self) -> float:
        """Of one unit, the mean."""
        return math.fsum(block.total_j or 0.0 for block in self.blocks) / (len(self.blocks) * self.units)


class _Enough(Exception):  # noqa: N818  # no error: the trial has an answer
    """The trial can't go on; ``note`` says why."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


def compare(
    meter: Meter,
    pair: Pair,
    *,
    budget_s: float,
    budget_j: float | None = None,
    stop: Stop | None = None,
    tell: Tell | None = None,
    judge_always: bool = False,
) -> Trial:
    """Run the two ways of ``pair`` by turns and compare the joules of an item.

    Quality is looked at where the candidate may be a saving. What a way raises goes through; the caller closes both.

    Args:
        budget_s: seconds after which no round of blocks is begun; one that runs is ended. ``budget_j`` likewise.
        stop: ends the trial between two blocks, and within one where its way looks at it.
        tell: told how far it is at every block; what it raises is dropped.
        judge_always: look at quality even where the candidate costs more.

    Raises:
        Stopped: ``stop`` was set.
        RefusedError: a way can't do its work.
    """
    with meter.measure("trial") as whole:
        return _Schedule(meter, pair, whole, budget_s, budget_j, stop or Stop(), tell, judge_always).trial()


class _Schedule:
    def __init__(
        self,
        meter: Meter,
        pair: Pair,
        whole: OpenWindow,
        budget_s: float,
        budget_j: float | None,
        stop: Stop,
        tell: Tell | None,
        judge_always: bool,
    ) -> None:
        self._meter = meter
        self._pair = pair
        self._whole = whole
        self._a, self._b = _Side(pair.baseline), _Side(pair.candidate)
        self._budget_s, self._budget_j = budget_s, budget_j
        self._began_s = self._now_s()
        self._stop = stop
        self._tell = tell
        self._judge_always = judge_always
        self._order = ""
        self._quads: list[Quad] = []
        self._temperature = Temperature(meter)

    def _now_s(self) -> float:
        return ns_to_s(self._meter.clock.monotonic_ns())

    @property
    def _left_s(self) -> float:
        return self._began_s + self._budget_s - self._now_s()

    @property
    def _rounds_left(self) -> float:
        """How many rounds the budget has room for still."""
        return max(0.0, self._left_s) / max(1e-9, 2 * (self._a.block_s + self._b.block_s))

    def trial(self) -> Trial:
        """The whole trial."""
        note = ""
        said: Verdict | None = None
        try:
            with _lasting_garbage_apart():
                self._warm_up()
                while said is None:
                    self._quad()
                    if len(self._quads) in LOOKS:
                        known = estimate(self._quads)
                        said = verdict(known) or (Verdict.NO_DIFFERENCE if futile(known, self._rounds_left) else None)
        except _Enough as enough:
            note = enough.note
        known = estimate(self._quads)
        said = said or at_the_end(known)
        return self._judged(known, said, note if said is Verdict.CANNOT_TELL else "")

    def _warm_up(self) -> None:
        """Both ways until they are warm; then blocks long enough for the meter."""
        for side in (self._a, self._b):
            self._say("warming up")
            seconds = [self._warmed(side, 1)]
            while len(seconds) < WARM_UPS and (len(seconds) < 2 or not _settled(*seconds[-2:])):
                units = max(1, round(WARM_S / max(seconds[-1], 1e-9)))
                if side.block_s + units * seconds[-1] > self._left_s:
                    break
                seconds.append(self._warmed(side, units))
            side.unit_s = min(seconds)  # what else runs here may slow one down: blocks are long enough without it
            side.units = max(1, math.ceil(max(BLOCK_S, self._least_s()) / max(side.unit_s, 1e-9)))
            # What a block takes beside its units (copying, units before the window) was seen in the last warm-up.
            side.block_s += side.units * side.unit_s

    def _least_s(self) -> float:
        """Ten times what the slowest counter needs to move; less where the budget had no room for that, twice at least.

        What shorter blocks lose at their edges is in their scatter, and so in the interval.
        """
        slowest_s = max((ns_to_s(channel.refresh_ns) for channel in self._meter.channels), default=0.0)
        return min(10 * slowest_s, max(2 * slowest_s, self._budget_s / BLOCKS))

    def _warmed(self, side: _Side, units: int) -> float:
        """Seconds of a unit in a run that counts for nothing else."""
        self._stop.check()
        began_s = self._now_s()
        with self._meter.measure(f"trial {side.way.label}, warm-up") as apart, Peak() as peak:
            inner, _items = self._measured(side, units)
        joules = apart.result.total_j
        side.apart_j = None if side.apart_j is None or joules is None else side.apart_j + joules
        side.peak_b = peak.value_b
        took_s = inner.window.duration_s
        side.block_s = max(0.0, self._now_s() - began_s - took_s)
        return took_s / units

    def _measured(self, side: _Side, units: int) -> tuple[Measurement, float]:
        windows: list[OpenWindow] = []

        @contextmanager
        def window() -> Iterator[None]:
            with _without_gc(), self._meter.measure(f"trial {side.way.label}") as opened:
                windows.append(opened)
                yield

        items = side.way.run(units, window)
        return windows[-1].result, items

    def _quad(self) -> None:
        """Four blocks, ABBA twice and then BAAB twice, as :mod:`greennb.advisor.trial.stats` wants them."""
        expected_s = 2 * (self._a.block_s + self._b.block_s)
        if expected_s > self._left_s:
            raise _Enough(self._spent(expected_s))
        order = "ABBA" if len(self._quads) // 2 % 2 == 0 else "BAAB"
        self._temperature.look()
        for label in order:
            self._block(self._a if label == "A" else self._b)
        self._temperature.settle(self._left_s / 2, self._stop)
        self._order += order
        a, b = self._a.joules[-2:], self._b.joules[-2:]
        self._quads.append(Quad((a[0], a[1]), (b[0], b[1])))
        self._say("measuring")
        spent_j = self._whole.result.total_j
        if self._budget_j is not None and spent_j is not None and spent_j >= self._budget_j:
            raise _Enough(self._spent(expected_s))

    def _spent(self, round_s: float) -> str:
        """Why the budget did not suffice, and what would."""
        known = estimate(self._quads)
        rounds = f"{known.quads} round{'' if known.quads == 1 else 's'}"
        if known.quads < LOOKS[0]:
            return (
                f"the budget had room for {rounds} of {fmt.seconds(round_s)}, and {LOOKS[0]} are the fewest: "
                "give a larger budget, or less work in a run."
            )
        return (
            f"after {rounds} the ratio is known to within {_within(known.half)} only: "
            "give a larger budget, or end what else runs on this machine."
        )

    def _block(self, side: _Side) -> None:
        self._stop.check()
        measurement, items = self._measured(side, side.units)
        side.blocks.append(measurement)
        side.items.append(items)
        if measurement.total_j is None:
            raise _Enough("no source of joules could be read here: `greennb doctor` says why.")
        if measurement.total_j <= 0:
            raise _Enough("a block took too few joules to be told from none: put more work into a run.")
        if not 0 < items < math.inf:
            raise _Enough("how many items went through in a block can't be told.")

    def _say(self, phase: str) -> None:
        if self._tell is None:
            return
        known = estimate(self._quads)
        progress = Progress(
            phase=phase, rounds=known.quads, ratio=known.ratio if known.quads > 1 else None,
            interval=known.interval if known.quads > 1 else None, spent_s=self._now_s() - self._began_s,
            spent_j=self._whole.result.total_j, budget_s=self._budget_s,
        )  # fmt: skip
        try:
            self._tell(progress)
        except Exception:  # noqa: BLE001  # who looks on is no part of the trial
            self._tell = None

    def _judged(self, known: Estimate, said: Verdict, note: str) -> Trial:
        quality = self._quality(said)
        if quality.good is False and said is Verdict.SAVES:
            said = Verdict.CANNOT_TELL
            note = "it takes fewer joules, and its result is not as good"
        a, b = self._a, self._b
        whole = 2 * known.quads  # a round that was broken off is not the verdict's
        counted = any(count != side.units for side in (a, b) for count in side.items)  # else a unit is an item
        items_a, items_b = (tuple(side.items[:whole]) if counted else () for side in (a, b))
        spent = self._whole.result
        return Trial(
            baseline=tuple(a.blocks[:whole]), candidate=tuple(b.blocks[:whole]),
            baseline_runs=a.units, candidate_runs=b.units, order=self._order,
            baseline_items=items_a, candidate_items=items_b,
            ratio=known.ratio if known.quads else None, interval=known.interval if known.quads > 1 else None,
            quality=_with_notes(quality.words, self._pair.notes), quality_good=quality.good, verdict=said, note=note,
            break_even=self._break_even(said, spent.total_j), unit=self._pair.unit, units=self._pair.units,
            baseline_apart_j=a.apart_j, candidate_apart_j=b.apart_j,
            baseline_peak_b=a.peak_b, candidate_peak_b=b.peak_b,
            spent_s=self._now_s() - self._began_s, spent_j=spent.total_j, spent_method=spent.method,
            temperature_c=self._temperature.ends,
        )  # fmt: skip

    def _quality(self, said: Verdict) -> Quality:
        if said is Verdict.COSTS_MORE and not self._judge_always:
            return Quality(good=None, words="not looked at, for it costs more")
        self._stop.check()
        self._say("judging")
        return self._pair.guard()

    def _break_even(self, said: Verdict, spent_j: float | None) -> float | None:
        """Units after which the trial's own joules are paid back; None where nothing is saved or not all is known.

        What a unit saves is by the items that go through one of the baseline's.
        """
        if said is not Verdict.SAVES or spent_j is None or not self._quads:
            return None
        saved_j = self._a.unit_j * (1 - estimate(self._quads).ratio)
        return spent_j / saved_j if saved_j > 0 else None


def _within(half: float) -> str:
    """How well a ratio is known whose logarithm has this half-width: "12 %", "a factor of 4", or hardly at all."""
    if half < math.log(2):
        return fmt.percent(math.expm1(half))
    return f"a factor of {math.exp(half):.2g}" if half < math.log(1000) else "a factor of more than 1,000"


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


@contextmanager
def _lasting_garbage_apart() -> Iterator[None]:
    """What lives when a trial begins is not gone through before every block: with frameworks loaded, that takes 0.1 s.

    Somebody who has frozen objects of their own keeps them frozen, and waits.
    """
    ours = gc.get_freeze_count() == 0
    if ours:
        gc.collect()
        gc.freeze()
    try:
        yield
    finally:
        if ours:
            gc.unfreeze()


def _with_notes(words: str, notes: Sequence[str]) -> str:
    """What the guard saw, and sentences after it."""
    end = "." if notes and words and not words.endswith((".", "!", "?")) else ""
    return " ".join([f"{words}{end}", *notes])
