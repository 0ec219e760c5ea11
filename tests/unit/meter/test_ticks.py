"""Windows shorter than the counter's refresh can resolve: the ticks are found, and the interval holds the truth."""

from __future__ import annotations

import statistics
import threading
import time

import pytest

from greennb.meter.meter import Meter
from greennb.meter.sampler import LINGER_S
from greennb.model.reading import DomainKind, Fault
from greennb.testing import FakeClock, fake_channel
from tests.unit.meter.staircase import Bench, Energy, Staircase, constant, ramp, square

TRACES = {"constant": constant(250), "square": square(100, 400, 0.3), "ramp": ramp(60, 350, 1.7)}


def bench(energy_j: Energy, **counter: float) -> Bench:
    clock = FakeClock()
    return Bench(Staircase(energy_j, clock, **counter), clock)


def warm(bench: Bench) -> None:
    """Long enough a window for the rhythm to be learnt."""
    bench.window(20 * bench.source.refresh_s)
    assert bench.meter.ticker.tracks[0].period.learnt


@pytest.mark.parametrize("refresh_s", [0.02, 0.05, 0.1])
def test_the_refresh_is_learnt_not_assumed(refresh_s: float) -> None:
    """The vendor's figure is 100 ms; the counter's own is found to a hundredth."""
    b = bench(constant(250), refresh_s=refresh_s)
    warm(b)
    period = b.meter.ticker.tracks[0].period
    assert period.mean_ns == pytest.approx(refresh_s * 1e9, rel=0.01)
    assert period.spread_ns < 0.03 * refresh_s * 1e9


def test_the_spread_of_an_uneven_refresh_is_learnt_too() -> None:
    """Ticks up to a fifth of a refresh late: intervals spread by 20 % * sqrt(2 / 12) = 8.2 %."""
    b = bench(constant(250), jitter=0.2)
    for _ in range(10):
        b.window(0.4)
    assert b.meter.ticker.tracks[0].period.spread_ns == pytest.approx(0.082 * 20e6, rel=0.35)


@pytest.mark.parametrize("length_s", [0.023, 0.107, 0.511])
@pytest.mark.parametrize("trace", ["constant", "square"])
def test_a_short_window_errs_by_a_fifth_of_what_two_bare_reads_do(trace: str, length_s: float) -> None:
    b = bench(TRACES[trace])
    warm(b)
    ours, bare = [], []
    for _ in range(60):
        b.sleep(b.random.random() * 0.3)
        window, truth_j = b.window(length_s * (0.8 + 0.4 * b.random.random()))
        ours.append(abs(window.result.energies[0].gross_j - truth_j))
        assert window._closing is not None
        bare.append(abs((window._closing[1][0][0] - window._opening[1][0][0]) / 1e6 - truth_j))  # type: ignore[operator]
    assert statistics.mean(ours) < statistics.mean(bare) / 5


@pytest.mark.parametrize("jitter", [0.0, 0.05])
@pytest.mark.parametrize("trace", TRACES)
def test_the_interval_holds_the_truth_and_is_no_wider_than_it_must_be(trace: str, jitter: float) -> None:
    """Of 600 random windows 95 % hold it, and half a width is at most twice the 95 % quantile of the errors."""
    b = bench(TRACES[trace], jitter=jitter)
    warm(b)
    held, errors, halves = 0, [], []
    for _ in range(600):
        b.sleep(b.random.random() * 0.1)
        window, truth_j = b.window(b.random.uniform(0.021, 0.4))
        energy = window.result.energies[0]
        held += energy.low_j <= truth_j <= energy.high_j
        errors.append(abs(energy.gross_j - truth_j))
        halves.append((energy.high_j - energy.low_j) / 2)
    assert held / 600 >= 0.95
    needed_j = sorted(errors)[int(0.95 * 600)]
    assert statistics.median(halves) <= 2 * needed_j


@pytest.mark.parametrize("trace", TRACES)
def test_windows_within_one_refresh_say_how_little_is_known(trace: str) -> None:
    """Between two ticks there is one number: no less than nothing was drawn, and no more than the tick added."""
    b = bench(TRACES[trace], refresh_s=0.1)
    warm(b)
    held = 0
    for _ in range(500):
        b.sleep(b.random.random() * 0.3)
        window, truth_j = b.window(b.random.uniform(0.002, 0.05))
        energy = window.result.energies[0]
        held += energy.low_j <= truth_j <= energy.high_j
    assert held / 500 >= 0.95


def test_before_the_rhythm_is_known_a_short_window_has_an_interval_all_the_same() -> None:
    """On a busy machine the first ticks are seen late and teach nothing: the refresh bounds the joules then."""
    clock = FakeClock()
    for seed in range(20):
        b = Bench(Staircase(constant(250), clock), clock, seed=seed, late_s=0.005)
        for _ in range(3):
            window, truth_j = b.window(0.0003)
            (energy,) = window.result.energies
            assert energy.low_j <= truth_j <= energy.high_j
            assert energy.u_j <= 250 * 0.1


def test_watching_is_bounded_and_ends() -> None:
    """A learnt counter is read once a refresh while a window is short, a few times more at its edges, then no more."""
    b = bench(constant(250))
    warm(b)
    b.sleep(5)
    before = b.source.reads
    window, _truth = b.window(0.2)
    assert b.source.reads - before < 10 + 2 * 25
    after = b.source.reads
    b.sleep(5)
    assert b.source.reads - after <= 1
    assert b.meter.ticker.next_ns() is None
    assert window.result.energies


def test_a_long_window_is_not_watched_to_its_end() -> None:
    b = bench(constant(250))
    warm(b)
    before = b.source.reads
    window, truth_j = b.window(60)
    assert b.source.reads - before < 250, "a tick a read for 100 refreshes, then none until the close"
    energy = window.result.energies[0]
    assert energy.low_j <= truth_j <= energy.high_j


def test_a_counter_that_stops_at_the_edge_is_a_fault() -> None:
    b = bench(constant(250))
    warm(b)
    b.source.frozen_s = b.clock.monotonic_ns() / 1e9 + 0.05
    window, _truth = b.window(0.2)
    b.sleep(0.2)
    assert any("stood still" in fault.reason for fault in window.result.faults)
    assert window.result.partial


def test_a_counter_that_fails_in_a_window_leaves_no_wrong_number() -> None:
    b = bench(constant(250))
    warm(b)
    window = b.meter.open()
    b.sleep(0.01)
    b.source.fault = Fault(domain=b.source.channels[0].domain, t_ns=0, reason="the GPU is lost")
    b.sleep(0.2)
    window.close()
    assert window.result.partial
    assert window.result.total_j is None
    b.source.fault = None
    window, truth_j = b.window(0.2)
    assert window.result.total_j == pytest.approx(truth_j, rel=0.05), "back again"


def test_a_card_that_changes_its_pace_is_learnt_anew() -> None:
    b = bench(constant(250))
    warm(b)
    b.source.refresh_s = 0.05
    for _ in range(12):
        b.window(0.3)
    assert b.meter.ticker.tracks[0].period.mean_ns == pytest.approx(50e6, rel=0.02)


def test_reading_late_costs_width_not_truth() -> None:
    """The thread may come up to 8 ms late to a 20 ms counter, as it does beside pure Python code."""
    clock = FakeClock()
    b = Bench(Staircase(constant(250), clock), clock, late_s=0.008)
    for _ in range(20):
        b.window(0.3)
    held = 0
    for _ in range(200):
        b.sleep(b.random.random() * 0.1)
        window, truth_j = b.window(b.random.uniform(0.021, 0.4))
        energy = window.result.energies[0]
        held += energy.low_j <= truth_j <= energy.high_j
    assert held / 200 >= 0.95


class RealStaircase(Staircase):
    """On the machine's own clock."""

    def __init__(self, refresh_s: float) -> None:
        super().__init__(constant(250), time, refresh_s=refresh_s)  # type: ignore[arg-type]


def test_the_result_waits_one_refresh_at_most_and_the_thread_ends() -> None:
    """On real time: the close itself does not wait; the result does, for the tick; then nobody is left."""
    meter = Meter([RealStaircase(0.05)])
    with meter.measure():
        time.sleep(1.2)
    began = time.monotonic()
    window = meter.open()
    time.sleep(0.06)
    window.close()
    result = window.result
    assert time.monotonic() - began < 0.06 + 0.05 + 0.5, "a shared machine may be late, but not by this much"
    assert result.energies[0].gross_j == pytest.approx(250 * result.duration_s, rel=0.2)
    assert result.energies[0].u_j < 1.0
    deadline = time.monotonic() + 5 * LINGER_S
    while meter.sampler.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not meter.sampler.alive
    assert all(thread is threading.main_thread() or thread.daemon for thread in threading.enumerate())


def test_many_cards_are_not_watched() -> None:
    """64 cards: what the reads would cost is more than what they tell is worth."""

    class Many(Staircase):
        def __init__(self, clock: FakeClock) -> None:
            super().__init__(constant(100), clock)
            self.channels = tuple(
                fake_channel(kind=DomainKind.GPU, device=f"GPU-{n}", refresh_ns=100_000_000) for n in range(64)
            )

        def sample(self) -> list[int]:
            return [super().sample()[0]] * 64  # type: ignore[list-item]

    clock = FakeClock()
    meter = Meter([Many(clock)], clock=clock)
    window = meter.open()
    clock.sleep(10)
    window.close()
    assert window.result.total_j == pytest.approx(64_000, rel=0.02)
    assert not meter.ticker.tracks
