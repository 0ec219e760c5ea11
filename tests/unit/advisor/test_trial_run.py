"""A trial of two callables, on a clock and a source of joules that are given."""

from __future__ import annotations

import gc
import json
import random
import re
from collections.abc import Callable

import pytest

import greennb
from greennb.advisor.trial.calls import run
from greennb.advisor.trial.schedule import BLOCK_S
from greennb.meter.meter import Meter
from greennb.model.errors import BadInputError
from greennb.model.finding import Trial, Verdict
from greennb.model.reading import Fault
from greennb.testing import FakeClock, FakeSource, fake_channel


class Bench:
    """A machine of 40 W on which work takes the time that it is told, give or take ``noise``."""

    def __init__(self, *, seed: int = 0, noise: float = 0.02, source: FakeSource | None = None, refresh_ns: int = 0):
        self.clock = FakeClock()
        self.source = source or FakeSource(40.0, clock=self.clock, channel=fake_channel(refresh_ns=refresh_ns))
        self.meter = Meter([self.source], clock=self.clock, host="bench")
        self.calls: dict[str, int] = {}
        self._random = random.Random(seed)
        self._noise = noise

    def work(self, seconds: float, name: str = "work", result: object = None) -> Callable[[], object]:
        def call() -> object:
            self.calls[name] = self.calls.get(name, 0) + 1
            self.clock.sleep(max(1e-6, seconds * (1 + self._random.gauss(0, self._noise))))
            return result

        return call

    def trial(self, a_s: float, b_s: float, **how) -> Trial:
        return run(self.meter, self.work(a_s, "a"), self.work(b_s, "b"), **how)


@pytest.mark.parametrize(
    ("b_s", "said"),
    [(0.010, Verdict.NO_DIFFERENCE), (0.007, Verdict.SAVES), (0.009, Verdict.SAVES), (0.013, Verdict.COSTS_MORE)],
)
def test_a_verdict_with_its_ratio_and_interval(b_s: float, said: Verdict) -> None:
    trial = Bench().trial(0.010, b_s)
    assert trial.verdict is said
    assert trial.ratio == pytest.approx(b_s / 0.010, rel=0.02)
    assert trial.interval is not None
    assert trial.interval[0] <= b_s / 0.010 <= trial.interval[1]


def test_a_clear_trial_of_a_ten_millisecond_step_ends_within_ten_seconds() -> None:
    bench = Bench()
    began_ns = bench.clock.monotonic_ns()
    bench.trial(0.010, 0.007)
    assert bench.clock.monotonic_ns() - began_ns < 10e9


def test_blocks_are_interleaved_and_long_enough_for_the_meter() -> None:
    trial = Bench().trial(0.003, 0.002)
    assert trial.order.startswith("ABBAABBABAABBAAB"[: len(trial.order)])
    assert len(trial.baseline) == len(trial.candidate) == trial.order.count("A")
    for block in (*trial.baseline, *trial.candidate):
        assert block.duration_s >= 0.9 * BLOCK_S
    assert trial.baseline_runs > 50


def test_a_slow_counter_makes_longer_blocks() -> None:
    trial = Bench(refresh_ns=100_000_000).trial(0.01, 0.005)
    assert all(block.duration_s >= 0.9 for block in trial.baseline)


def test_the_budget_is_kept_and_what_is_missing_is_said() -> None:
    bench = Bench(noise=0.3)
    began_ns = bench.clock.monotonic_ns()
    trial = bench.trial(1.0, 0.95, budget_s=20)
    assert bench.clock.monotonic_ns() - began_ns < 25e9
    assert trial.verdict is Verdict.CANNOT_TELL
    assert "known to within" in trial.note
    assert "give a larger budget" in trial.note


@pytest.mark.parametrize(("noise", "how_well"), [(0.05, r"\d+ %"), (0.3, r"a factor of \d+")])
def test_how_well_the_ratio_is_known_is_said_in_a_number_that_can_be_read(noise: float, how_well: str) -> None:
    trial = Bench(noise=noise).trial(1.0, 0.99, budget_s=20)
    assert trial.verdict is Verdict.CANNOT_TELL
    assert re.search(f"known to within {how_well}", trial.note), trial.note


def test_work_that_is_too_long_for_the_budget_is_run_once_each() -> None:
    bench = Bench()
    trial = bench.trial(8.0, 4.0, budget_s=10)
    assert trial.verdict is Verdict.CANNOT_TELL
    assert trial.ratio is None
    assert trial.interval is None
    assert bench.calls == {"a": 1, "b": 1}
    assert "room for 0 rounds" in trial.note


def test_a_candidate_that_is_not_as_good_never_saves() -> None:
    bench = Bench()
    both = bench.work(0.01, "a", result=1.0), bench.work(0.005, "b", result=0.2)
    trial = run(bench.meter, *both, quality=lambda a, b: b >= a or f"the score fell from {a} to {b}")
    assert trial.verdict is Verdict.CANNOT_TELL
    assert trial.quality == "the score fell from 1.0 to 0.2"
    assert "not as good" in trial.note
    assert trial.break_even is None
    assert run(bench.meter, *both, quality=lambda _a, _b: True).verdict is Verdict.SAVES


def test_break_even_is_the_trials_own_joules_over_what_a_run_saves() -> None:
    bench = Bench(noise=0.0)
    began_ns = bench.clock.monotonic_ns()
    trial = bench.trial(0.010, 0.005)
    spent_j = 40 * (bench.clock.monotonic_ns() - began_ns) / 1e9
    assert trial.break_even == pytest.approx(spent_j / (40 * 0.005), rel=0.02)
    assert bench.trial(0.01, 0.02).break_even is None


def test_without_joules_nothing_can_be_told_and_it_is_said_why() -> None:
    bench = Bench()
    bench.source.fault = Fault(domain=bench.source.channels[0].domain, t_ns=0, reason="no permission", hint="")
    trial = bench.trial(0.01, 0.005)
    assert trial.verdict is Verdict.CANNOT_TELL
    assert "doctor" in trial.note
    assert trial.ratio is None


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_the_work_raises_is_the_callers_and_nothing_is_left_behind(error: type[BaseException]) -> None:
    bench = Bench()
    fine = bench.work(0.01)

    def fails() -> None:
        if bench.calls.get("work", 0) > 40:
            raise error
        fine()

    assert gc.isenabled()
    with pytest.raises(error):
        run(bench.meter, fine, fails)
    assert gc.isenabled()
    assert bench.trial(0.01, 0.005).verdict is Verdict.SAVES


def test_the_garbage_collector_is_put_back_as_it_was() -> None:
    gc.disable()
    try:
        Bench().trial(0.01, 0.005)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("baseline", "candidate", "budget_s", "words"),
    [
        (3, print, 30, "baseline is a int"),
        (print, "x", 30, "candidate is a str"),
        (print, print, 0, "above 0"),
        (print, print, float("nan"), "above 0"),
        (print, print, "30", "above 0"),
        (print, print, True, "above 0"),
    ],
)
def test_bad_input_is_refused_in_words_before_anything_runs(baseline, candidate, budget_s, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        run(Bench().meter, baseline, candidate, budget_s=budget_s)


def test_a_trial_as_json_says_what_it_stands_on() -> None:
    told = json.loads(json.dumps(Bench().trial(0.010, 0.007).to_dict()))
    assert told["verdict"] == "saves"
    assert told["interval"][0] < told["ratio"] < told["interval"][1]
    assert told["baseline"]["joules_per_run"] == pytest.approx(0.4, rel=0.05)
    assert told["candidate"]["seconds_per_run"] == pytest.approx(0.007, rel=0.05)
    assert told["baseline"]["method"] == "counter"
    assert told["quality"] == "not looked at"


def test_in_plain_python_on_this_machine() -> None:
    """For real: three times the work takes more joules, or this machine has no joules to tell and says so."""

    def work(times: int) -> Callable[[], int]:
        return lambda: sum(n * n for n in range(times * 100_000))

    trial = greennb.compare(work(3), work(1), budget_s=20)
    if trial.ratio is None:
        assert "doctor" in trial.note
        return
    assert trial.ratio < 0.7
    assert trial.verdict in (Verdict.SAVES, Verdict.CANNOT_TELL)
