"""The schedule of two ways, on a clock and a source of joules that are given."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from greennb.advisor.trial.base import Pair, Progress, Quality, RefusedError, Stop, Stopped
from greennb.advisor.trial.schedule import BLOCK_S, _with_notes, compare
from greennb.meter.meter import Meter
from greennb.model.finding import Trial, Verdict
from greennb.model.reading import Method
from greennb.testing import FakeClock, FakeSource, fake_channel
from greennb.views.trial import rows

Window = Callable[[], AbstractContextManager[object]]


class Work:
    """A way whose unit takes so long, with so many items in it, and ``around_s`` before its window."""

    def __init__(self, label: str, clock: FakeClock, unit_s: float, items: float = 1, around_s: float = 0.0) -> None:
        self.label = label
        self.blocks: list[int] = []
        self.first_s = 0.0
        self._clock, self._unit_s, self._items, self._around_s = clock, unit_s, items, around_s

    def run(self, units: int, window: Window) -> float:
        self._clock.sleep(self._around_s)
        with window():
            assert not gc.isenabled()
            self._clock.sleep(units * self._unit_s + (0 if self.blocks else self.first_s))
        self.blocks.append(units)
        return units * self._items

    def close(self) -> None:
        pass


class Bench:
    """A machine of 40 W."""

    def __init__(self, refresh_ns: int = 0) -> None:
        self.clock = FakeClock()
        source = FakeSource(40.0, clock=self.clock, channel=fake_channel(refresh_ns=refresh_ns))
        self.meter = Meter([source], clock=self.clock, host="bench")
        self.judged = 0
        self.told: list[Progress] = []

    def work(self, label: str, unit_s: float, items: float = 1, around_s: float = 0.0) -> Work:
        return Work(label, self.clock, unit_s, items, around_s)

    def trial(self, a: Work, b: Work, *, good: bool | None = True, notes: tuple[str, ...] = (), **how) -> Trial:
        def guard() -> Quality:
            self.judged += 1
            return Quality(good=good, words="looked at.")

        pair = Pair(baseline=a, candidate=b, unit="step", guard=guard, units=500.0, notes=notes)
        return compare(self.meter, pair, **{"budget_s": 30.0, "tell": self.told.append, **how})


def test_joules_are_compared_by_item() -> None:
    """Twice the batch in 1.5 times the time is a saving of a quarter."""
    bench = Bench()
    trial = bench.trial(bench.work("A", 0.010, items=32), bench.work("B", 0.015, items=64))
    assert trial.verdict is Verdict.SAVES
    assert trial.ratio == pytest.approx(0.75, rel=0.01)
    told = trial.to_dict()
    assert told["baseline"]["joules_per_item"] == pytest.approx(40 * 0.010 / 32, rel=0.01)
    assert told["candidate"]["joules_per_run"] == pytest.approx(40 * 0.015, rel=0.01)
    assert (told["unit"], told["units"]) == ("step", 500.0)


def test_where_a_unit_is_one_item_nobody_counted_items() -> None:
    """Two functions are compared by the run: nothing is said of items that nobody has seen."""
    bench = Bench()
    trial = bench.trial(bench.work("A", 0.010), bench.work("B", 0.015))
    assert (trial.baseline_items, trial.candidate_items) == ((), ())
    told = trial.to_dict()
    assert told["baseline"]["joules_per_item"] is None
    assert told["baseline"]["joules_per_run"] == pytest.approx(40 * 0.010, rel=0.01)
    assert "a step" in dict(rows(told))["joules"]


def test_what_is_done_once_is_apart_and_paid_back() -> None:
    """A compilation of 2 s is no part of a block, and is in what has to be paid back."""
    bench = Bench()
    b = bench.work("B", 0.005)
    b.first_s = 2.0
    trial = bench.trial(bench.work("A", 0.010), b)
    assert trial.candidate_apart_j == pytest.approx(40 * 2.0, rel=0.1)
    assert trial.ratio == pytest.approx(0.5, rel=0.01)
    assert trial.break_even == pytest.approx((trial.spent_j or 0) / (40 * 0.005), rel=0.01)


def test_what_stands_around_a_window_is_not_counted_but_takes_of_the_budget() -> None:
    bench = Bench()
    trial = bench.trial(bench.work("A", 0.010, around_s=3.0), bench.work("B", 0.005, around_s=3.0))
    assert trial.verdict is Verdict.CANNOT_TELL
    assert "the budget had room for" in trial.note
    assert (trial.spent_s or 0) < 45


def test_a_clear_difference_ends_after_three_rounds() -> None:
    """A 10 ms step: within 10 s, and no round more than the verdict needs."""
    bench = Bench()
    trial = bench.trial(bench.work("A", 0.010), bench.work("B", 0.008))
    assert len(trial.order) == 12
    assert (trial.spent_s or 99) < 10
    assert all(block.window.duration_s >= BLOCK_S for block in (*trial.baseline, *trial.candidate))


def test_a_slow_counter_makes_blocks_longer_as_far_as_the_budget_goes() -> None:
    bench = Bench(refresh_ns=1_000_000_000)
    trial = bench.trial(bench.work("A", 0.010), bench.work("B", 0.008))
    assert trial.verdict is Verdict.SAVES
    assert trial.baseline[0].window.duration_s == pytest.approx(2.0, rel=0.1)


def test_quality_is_looked_at_where_it_may_save() -> None:
    bench = Bench()
    assert bench.trial(bench.work("A", 0.01), bench.work("B", 0.02)).quality == "not looked at, for it costs more"
    assert bench.judged == 0
    trial = bench.trial(bench.work("A", 0.01), bench.work("B", 0.005), good=False, notes=("Validation is left out.",))
    assert (bench.judged, trial.verdict, trial.quality_good) == (1, Verdict.CANNOT_TELL, False)
    assert trial.quality == "looked at. Validation is left out."
    assert "not as good" in trial.note


def test_sentences_after_what_the_guard_saw_begin_anew() -> None:
    assert _with_notes("the loss differs by 0.1 %", ["Validation is left out."]) == (
        "the loss differs by 0.1 %. Validation is left out."
    )
    assert _with_notes("as good.", ["Validation is left out."]) == "as good. Validation is left out."
    assert _with_notes("the loss differs by 0.1 %", []) == "the loss differs by 0.1 %"


def test_a_trial_without_a_block_says_how_its_own_joules_came_about() -> None:
    """They would be shown like a sensor's otherwise, where they are an estimate."""
    bench = Bench()
    trial = bench.trial(bench.work("A", 30.0), bench.work("B", 30.0))
    assert (trial.order, trial.baseline, trial.candidate) == ("", (), ())
    assert (trial.spent_j or 0) > 0
    assert trial.method is Method.COUNTER
    assert trial.to_dict()["method"] == "counter"


def test_joules_are_a_budget_too() -> None:
    bench = Bench()
    trial = bench.trial(bench.work("A", 0.0100), bench.work("B", 0.0099), budget_j=120.0)
    assert (trial.spent_j or 0) < 240  # the round in which they are spent is ended


def test_it_tells_how_far_it_is() -> None:
    bench = Bench()
    bench.trial(bench.work("A", 0.01), bench.work("B", 0.005))
    assert [it.phase for it in bench.told] == ["warming up"] * 2 + ["measuring"] * 3 + ["judging"]
    assert bench.told[-1].rounds == 3
    assert bench.told[-1].ratio == pytest.approx(0.5, rel=0.01)


def test_who_looks_on_can_not_spoil_it() -> None:
    bench = Bench()

    def fails(_progress: Progress) -> None:
        raise ValueError

    assert bench.trial(bench.work("A", 0.01), bench.work("B", 0.005), tell=fails).verdict is Verdict.SAVES


def test_a_stop_ends_it_at_the_next_block() -> None:
    bench, stop = Bench(), Stop()
    a = bench.work("A", 0.01)

    def tell(progress: Progress) -> None:
        if progress.phase == "measuring":
            stop.set()

    with pytest.raises(Stopped):
        bench.trial(a, bench.work("B", 0.0099), stop=stop, tell=tell)
    assert gc.isenabled()


@pytest.mark.parametrize("error", [RefusedError("No."), KeyboardInterrupt(), MemoryError()])
def test_what_a_way_raises_goes_through_and_the_collector_is_as_before(error: BaseException) -> None:
    bench = Bench()
    b = bench.work("B", 0.01)

    def run(_units: int, window: Window) -> float:
        with window():
            raise error

    b.run = run  # type: ignore[method-assign]  # another way, not one of ours
    frozen = gc.get_freeze_count()
    with pytest.raises(type(error)):
        bench.trial(bench.work("A", 0.01), b)
    assert gc.isenabled()
    assert gc.get_freeze_count() == frozen


@pytest.mark.parametrize("items", [0.0, float("nan"), float("inf")])
def test_items_that_can_not_be_are_no_ratio(items: float) -> None:
    bench = Bench()
    trial = bench.trial(bench.work("A", 0.01), bench.work("B", 0.01, items=items))
    assert trial.verdict is Verdict.CANNOT_TELL
    assert "how many items" in trial.note
