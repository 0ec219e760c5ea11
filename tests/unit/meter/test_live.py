"""Live watts: a steady load reads as it is, whatever the sensor; what could not be read is no number and says why."""

from __future__ import annotations

import math
import time

import pytest

from greennb.meter.live import HISTORY_VALUES, NOISE_REFRESHES, History, Live, Row
from greennb.meter.meter import Meter
from greennb.model.reading import DomainKind, Fault, Method
from greennb.model.units import s_to_ns
from greennb.testing import FakeClock, FakeSource, RecordedSource, fake_channel

LOST = Fault(domain=None, t_ns=0, reason="the GPU is lost", hint="reboot")


class Bench:
    """A meter on a clock that is moved by hand; what the sampler's thread would do is done here."""

    def __init__(self, *sources, hz: float = 10.0, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.meter = Meter(sources, clock=self.clock)
        self.calls = 0
        self.live = Live(self.meter, self._ready)
        self.live.period_s = 1 / hz

    def _ready(self) -> None:
        self.calls += 1

    def run(self, seconds: float, every_s: float = 0.1) -> list[Row]:
        rows = []
        for _ in range(round(seconds / every_s)):
            self.clock.sleep(every_s)
            self.live.take(self.meter.look())
            rows += self.live.drain()
        return rows


def watts(rows: list[Row], index: int = 0) -> list[float | None]:
    return [row.powers[index].w for row in rows]


def staircase(clock: FakeClock, *, power_w: float, refresh_ns: int):
    """A counter that shows its energy as of its last update, as GPUs' do."""

    class Stepped(FakeSource):
        def sample(self):
            t_ns = (self._clock.monotonic_ns() // refresh_ns) * refresh_ns
            return (round(power_w * (t_ns - self._start_ns) / 1e3),)

    channel = fake_channel(kind=DomainKind.GPU, refresh_ns=refresh_ns)
    return Stepped(clock=clock, channel=channel)


@pytest.mark.parametrize("method", list(Method))
def test_a_steady_load_reads_as_it_is(method):
    clock = FakeClock()
    bench = Bench(FakeSource(40.0, clock=clock, channel=fake_channel(method=method)), clock=clock)
    rows = bench.run(2)
    assert watts(rows)[-5:] == pytest.approx([40.0] * 5, rel=1e-3)


def test_an_estimate_has_its_bounds_and_a_sensor_has_none():
    clock = FakeClock()
    estimate = FakeSource(40.0, clock=clock, channel=fake_channel(method=Method.ESTIMATED), spread=0.25)
    counter = FakeSource(100.0, clock=clock, channel=fake_channel(device="b"))
    last = Bench(estimate, counter, clock=clock).run(1)[-1].powers
    assert (last[0].low_w, last[0].high_w) == (pytest.approx(30.0, rel=1e-3), pytest.approx(50.0, rel=1e-3))
    assert last[1] == (pytest.approx(100.0, rel=1e-3), None, None)


@pytest.mark.parametrize("refresh_ms", [20, 33, 100])
@pytest.mark.parametrize("hz", [2.0, 10.0])
def test_a_counter_of_slow_refresh_is_off_by_a_tenth_at_most(refresh_ms, hz):
    """Looks come at no fixed distance from the counter's updates, as on a real machine."""
    clock = FakeClock()
    bench = Bench(staircase(clock, power_w=300.0, refresh_ns=refresh_ms * 1_000_000), hz=hz, clock=clock)
    rows = bench.run(20, every_s=1 / hz + 0.0037)
    found = [w for w in watts(rows) if w is not None]
    assert len(found) > 10
    assert all(abs(w - 300.0) <= 300.0 / NOISE_REFRESHES for w in found)


def test_a_change_of_load_is_seen_within_a_slope():
    clock = FakeClock()
    source = FakeSource(lambda t: 40.0 if t < 5 else 200.0, clock=clock, channel=fake_channel(refresh_ns=20_000_000))
    rows = Bench(source, clock=clock).run(10)
    after = [row.powers[0].w for row in rows if row.t_s > rows[0].t_s + 5.3]
    assert after == pytest.approx([200.0] * len(after), rel=1e-3)


def test_a_wrap_is_no_gap_and_no_jump():
    clock = FakeClock()
    source = FakeSource(40.0, clock=clock, channel=fake_channel(wrap_uj=30_000_000, max_power_w=100.0))
    found = [w for w in watts(Bench(source, clock=clock).run(5)) if w is not None]
    assert found == pytest.approx([40.0] * len(found), rel=1e-3)
    assert len(found) >= 49


def test_a_reset_is_a_fault_and_no_number_and_the_next_slope_is_right_again():
    clock = FakeClock()
    rows = [(1_000_000_000 + n * 4_000_000,) for n in range(10)] + [(n * 4_000_000,) for n in range(10)]
    bench = Bench(RecordedSource([fake_channel()], rows), clock=clock)
    seen = []
    for _ in range(20):
        rows_now = bench.run(0.1)
        seen += [(row.powers[0].w, [fault.reason for fault in bench.live.faults]) for row in rows_now]
    assert (None, ["the energy counter was reset"]) in seen
    assert all(w == pytest.approx(40.0) for w, _ in seen if w is not None)
    assert seen[-1] == (pytest.approx(40.0), [])


def test_a_sensor_that_vanishes_is_null_with_its_fault_and_comes_back():
    clock = FakeClock()
    source = FakeSource(40.0, clock=clock)
    other = FakeSource(10.0, clock=clock, channel=fake_channel(device="b"))
    bench = Bench(source, other, clock=clock)
    bench.run(1)
    source.fault = LOST
    gone = bench.run(1)
    assert watts(gone) == [None] * 10
    assert watts(gone, 1) == pytest.approx([10.0] * 10, rel=1e-3)
    assert bench.live.faults == [LOST]
    source.fault = None
    back = bench.run(1)
    # The first sample only begins a slope: nothing is made of what was not seen.
    assert watts(back)[0] is None
    assert watts(back)[1:] == pytest.approx([40.0] * 9, rel=1e-3)
    assert bench.live.faults == []


def test_a_counter_that_stands_still_is_a_fault_and_never_0_watts():
    clock = FakeClock()
    bench = Bench(RecordedSource([fake_channel(refresh_ns=1_000_000)], [(5_000_000,)]), clock=clock)
    rows = bench.run(1)
    assert set(watts(rows)) == {None}
    assert "has not moved" in bench.live.faults[0].reason


def test_memory_may_rest_at_0_watts():
    clock = FakeClock()
    channel = fake_channel(kind=DomainKind.DRAM, refresh_ns=1_000_000)
    bench = Bench(RecordedSource([channel], [(5_000_000,)]), clock=clock)
    assert watts(bench.run(1))[-1] == 0.0


def test_a_jump_that_no_hardware_can_draw_is_a_fault():
    clock = FakeClock()
    rows = [(n * 4_000_000,) for n in range(5)] + [(10**12 + n * 4_000_000,) for n in range(20)]
    bench = Bench(RecordedSource([fake_channel(max_power_w=400.0)], rows), clock=clock)
    found = [w for w in watts(bench.run(2)) if w is not None]
    assert found == pytest.approx([40.0] * len(found))


def test_ten_kilowatts_and_no_watts_are_numbers_like_others():
    clock = FakeClock()
    big = FakeSource(10_000.0, clock=clock, channel=fake_channel(max_power_w=12_000.0))
    nothing = FakeSource(0.0, clock=clock, channel=fake_channel(device="b", method=Method.INTEGRATED))
    last = Bench(big, nothing, clock=clock).run(1)[-1].powers
    assert last[0].w == pytest.approx(10_000.0)
    assert last[1].w == 0.0


def test_looks_for_somebody_else_are_left_out_and_batches_are_handed_over_in_batches():
    clock = FakeClock()
    bench = Bench(FakeSource(40.0, clock=clock), hz=2.0, clock=clock)
    for _ in range(400):
        clock.sleep(0.01)
        bench.live.take(bench.meter.look())
    assert len(bench.live.drain()) == 8  # the first look only begins the slope
    assert bench.calls == 5  # at once, and then each pair
    fast = Bench(FakeSource(40.0, clock=clock), hz=10.0, clock=clock)
    fast.run(4)
    assert fast.calls == pytest.approx(8, abs=1)


def test_without_any_source_rows_come_for_the_gauges_sake():
    bench = Bench()
    assert [row.powers for row in bench.run(1)] == [[]] * 10


def test_joules_are_what_was_seen_and_a_pause_is_not_made_up():
    clock = FakeClock()
    bench = Bench(FakeSource(40.0, clock=clock), clock=clock)
    bench.run(2.1)
    assert bench.live.joules == pytest.approx([40.0 * 2.0], rel=1e-2)
    bench.live.watch(0)
    clock.sleep(3600)
    bench.live.period_s = 0.1
    bench.run(1.1)
    assert bench.live.joules == pytest.approx([40.0 * 3.0], rel=0.05)


def test_a_learnt_refresh_makes_the_slope_shorter():
    """The vendor's upper figure asks for a second; a card that was seen to update every 20 ms tells power at once."""
    clock = FakeClock()
    source = FakeSource(40.0, clock=clock, channel=fake_channel(kind=DomainKind.GPU, refresh_ns=100_000_000))
    bench = Bench(source, clock=clock)
    assert watts(bench.run(0.8)) == []
    period = bench.meter.ticker.tracks[0].period
    period.mean_ns = 20_000_000.0
    period._intervals.extend([(20_000_000.0, 1.0)] * 12)
    bench.live._forget()
    assert len(bench.run(0.8)) == 6


def test_history_keeps_an_hour_of_means_and_no_more():
    history = History(2)
    for n in range(2 * 4000):
        history.add(n / 2, [100.0 + n % 2, None if n < 7000 else 5.0])
    times, values = history.since(0.0, 10**6)
    assert len(times) == 3600
    assert times == sorted(times)
    assert times[-1] - times[0] == pytest.approx(3599, abs=1)
    assert values[0] == pytest.approx([100.5] * 3600)
    assert values[1][0] is None
    assert values[1][-1] == 5.0
    assert history.since(times[-10], 10**6)[0] == times[-10:]


def test_history_of_many_domains_stays_small_and_is_told_thinned():
    history = History(64)
    for n in range(5000):
        history.add(float(n), [1.0] * 64)
    times, values = history.since(0.0, 10_000)
    assert len(values) == 64
    assert len(times) * 64 <= 10_000
    assert times[-1] - times[0] > 3000
    assert sum(len(kept) for kept in history._values) <= HISTORY_VALUES


def test_history_of_nothing_is_empty():
    assert History(0).since(0.0, 100) == ([], [])
    assert History(3).since(0.0, 100) == ([], [[], [], []])


def test_watching_starts_the_sampler_and_leaving_ends_it():
    """On the machine's own clock: this is where the thread comes from, and where it goes."""
    clock = FakeClock()
    meter = Meter([FakeSource(40.0, clock=clock)])
    live = Live(meter, lambda: None)
    assert not meter.sampler.alive
    live.watch(10.0)
    deadline = time.monotonic() + 5
    while not live._waiting and time.monotonic() < deadline:
        clock.sleep(0.1)
        time.sleep(0.01)
    assert live._waiting
    live.watch(2.0)
    assert live.period_s == 0.5
    live.watch(0)
    assert live.period_s == math.inf
    while meter.sampler.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not meter.sampler.alive


def test_the_times_of_rows_are_those_of_the_looks():
    clock = FakeClock(start_ns=s_to_ns(100))
    rows = Bench(FakeSource(40.0, clock=clock), clock=clock).run(1)
    assert [row.t_s for row in rows] == pytest.approx([100.2 + n / 10 for n in range(9)])
