"""The idle baseline: asked for, learnt while nothing runs, or the model's; never learnt from work."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from greennb.meter.idle import Baseline, IdlePower, chosen
from greennb.meter.meter import Meter
from greennb.meter.passive import SHORTEST_NS
from greennb.meter.work import Mark, SystemWork
from greennb.model.idle import IdleBasis, IdleOrigin
from greennb.model.measurement import DomainEnergy, Measurement
from greennb.model.reading import DomainKind, Fault, Method
from greennb.sources.base import Channel
from greennb.testing import FakeClock, FakeSource, fake_channel

GAP_S = SHORTEST_NS / 1e9


class FakeWork:
    """CPU times that follow a fake clock: ``own`` and ``busy`` CPUs from now on."""

    def __init__(self, clock: FakeClock, cpus: int = 4) -> None:
        self.clock, self.cpus = clock, cpus
        self.own = self.busy = 0.0
        self._t_ns = clock.monotonic_ns()
        self._own = self._busy = 0.0

    def mark(self) -> Mark:
        now_ns = self.clock.monotonic_ns()
        self._own += self.own * (now_ns - self._t_ns)
        self._busy += self.busy * (now_ns - self._t_ns)
        self._t_ns = now_ns
        return Mark(now_ns, round(self._own), round(self._busy), frozenset(), 10_000_000)

    def after_fork(self) -> None: ...

    def close(self) -> None: ...


class Bench:
    """A meter on fake time whose hardware draws ``watts``."""

    def __init__(self, channel: Channel | None = None, cpus: int = 4) -> None:
        self.clock = FakeClock()
        self.watts = 40.0
        self.source = FakeSource(lambda _t: self.watts, clock=self.clock, channel=channel)
        self.work = FakeWork(self.clock, cpus)
        self.meter = Meter([self.source], clock=self.clock, work=self.work)

    def cell(self, watts: float = 100.0, seconds: float = 1.0, own: float = 1.0) -> Measurement:
        """A cell that uses ``own`` CPUs; what it cost."""
        with self.meter.measure() as window:
            self.go(seconds, watts, own, own)
        return window.result

    def go(self, seconds: float, watts: float = 40.0, own: float = 0.001, busy: float = 0.01) -> None:
        """Time passes."""
        self.work.mark()
        self.watts, self.work.own, self.work.busy = watts, own, busy
        self.clock.sleep(seconds)
        self.source.sample()
        self.work.mark()


def learnt(bench: Bench) -> DomainEnergy:
    return bench.cell().energies[0]


def test_a_quiet_gap_between_two_cells_teaches_idle() -> None:
    bench = Bench()
    first = bench.cell()
    assert first.net_j is None
    bench.go(30)
    second = bench.cell()
    assert second.idle_j == pytest.approx(40, rel=0.01)
    assert second.net_j == pytest.approx(60, rel=0.01)
    basis = second.energies[0].idle_basis
    assert basis is not None
    assert basis.origin is IdleOrigin.LEARNT
    assert basis.over_s == pytest.approx(30)
    assert basis.busy == pytest.approx(0.01 / 4, rel=0.1)
    assert basis.as_of == second.window.started_at


@pytest.mark.parametrize(
    ("own", "busy", "seconds"),
    [(1.0, 1.0, 30), (0.05, 0.05, 30), (0.0, 1.0, 30), (0.0, 0.01, 0.9 * GAP_S)],
    ids=["a thread of ours works", "it works a little", "another process works", "too short"],
)
def test_no_other_gap_does(own: float, busy: float, seconds: float) -> None:
    bench = Bench()
    bench.cell()
    bench.go(seconds, 90, own, busy)
    assert learnt(bench).idle_j is None


def test_five_percent_of_a_big_machine_is_work() -> None:
    """Of 128 CPUs they would be six busy ones."""
    bench = Bench(cpus=128)
    bench.cell()
    bench.go(30, 90, 0.0, 0.04 * 128)
    assert learnt(bench).idle_j is None


def test_nothing_is_learnt_while_a_window_is_open() -> None:
    """A cell that sleeps is a cell: somebody may use the machine through it."""
    bench = Bench()
    outer = bench.meter.open("outer")
    bench.cell()
    bench.go(30)
    assert learnt(bench).idle_j is None
    outer.close()
    bench.go(30)
    assert learnt(bench).idle_j is not None


def test_a_gap_with_a_fault_at_its_end_teaches_nothing() -> None:
    bench = Bench()
    bench.cell()
    bench.go(30)
    bench.source.fault = Fault(domain=None, t_ns=0, reason="gone")
    bench.cell()
    bench.source.fault = None
    assert bench.cell().idle_j is None


def test_a_counter_that_was_reset_in_a_gap_teaches_nothing() -> None:
    bench = Bench()
    bench.cell()
    bench.go(30)
    bench.source._uj = 0.0
    assert learnt(bench).idle_j is None


def test_a_device_at_work_teaches_nothing() -> None:
    """A GPU may work for somebody whose CPU time is nothing to speak of."""
    bench = Bench(fake_channel(kind=DomainKind.GPU))
    asked: list[int] = []

    def at_work(position: int) -> bool:
        asked.append(position)
        return len(asked) == 1

    bench.source.at_work = at_work  # type: ignore[attr-defined]
    bench.source.own_share = lambda *_: "not told"  # type: ignore[attr-defined]
    bench.meter = Meter([bench.source], clock=bench.clock, work=bench.work)
    bench.cell()
    bench.go(30, 90)
    assert learnt(bench).idle_j is None
    bench.go(30, 40)
    assert learnt(bench).idle_j == pytest.approx(40, rel=0.01)
    assert asked == [0, 0], "and only at the end of a quiet gap"


def test_power_without_a_counter_is_taken_from_the_end_of_the_gap() -> None:
    """Nobody sampled meanwhile; the sensor's own average lies within the gap."""
    bench = Bench(fake_channel(method=Method.INTEGRATED))
    bench.cell()
    bench.go(30)
    energy = learnt(bench)
    assert energy.idle_j == pytest.approx(40 * energy.coverage, rel=0.01)
    assert energy.idle_basis is not None
    assert energy.idle_basis.over_s == 1.0


def test_of_several_gaps_the_quieter_ones_count() -> None:
    """Work that no CPU time shows only ever makes a gap cost more; the spread goes into the uncertainty."""
    steady, uneven = Bench(), Bench()
    for bench, powers in ((steady, (40, 40, 40, 40)), (uneven, (90, 40, 60, 41))):
        for watts in powers:
            bench.cell()
            bench.go(10, watts)
    assert learnt(steady).idle_j == pytest.approx(40, rel=0.01)
    energy = learnt(uneven)
    assert energy.idle_j == pytest.approx(40, rel=0.05)
    assert (energy.idle_u_j or 0) > (learnt(steady).idle_u_j or 0)


def test_no_more_than_idle_is_never_negative() -> None:
    bench = Bench()
    bench.cell()
    bench.go(30)
    result = bench.cell(watts=39.9, own=0.0)
    assert result.net_j == 0
    assert result.process_j == 0
    assert result.to_dict()["domains"][0]["net_j"] == 0


def power(origin: IdleOrigin, watts: float, age: timedelta) -> IdlePower:
    now = Bench().cell().window.started_at
    return IdlePower(watts, 0.1, IdleBasis(origin=origin, as_of=now - age, over_s=30.0))


def test_what_was_asked_for_wins_while_it_is_fresh() -> None:
    now = Bench().cell().window.started_at
    minutes, hours = timedelta(minutes=5), timedelta(hours=2)
    counter = fake_channel()
    asked, old_asked = power(IdleOrigin.ASKED, 10, minutes), power(IdleOrigin.ASKED, 10, hours)
    learnt, old_learnt = power(IdleOrigin.LEARNT, 20, timedelta(0)), power(IdleOrigin.LEARNT, 20, 2 * hours)
    assert chosen(counter, now, asked, learnt) is asked
    assert chosen(counter, now, old_asked, learnt) is learnt
    assert chosen(counter, now, old_asked, old_learnt) is old_asked, "stale is better than nothing, the younger first"
    assert chosen(counter, now, None, old_learnt) is old_learnt
    assert chosen(counter, now, None, None) is None
    model = replace(fake_channel(method=Method.ESTIMATED), idle_w=(3.0, 2.0, 4.0))
    assert chosen(model, now, asked, None) is asked
    assert chosen(model, now, old_asked, learnt) == (
        3.0, pytest.approx(2 / 3.92), IdleBasis(origin=IdleOrigin.MODEL),
    )  # fmt: skip


def test_a_baseline_that_was_asked_for_knows_its_conditions() -> None:
    bench = Bench()
    with bench.meter.measure() as window:
        bench.go(10, 40, 0.0, 0.4)
    found = bench.meter.baseline_of(window)
    assert found.busy == pytest.approx(0.1)
    domain = bench.source.channels[0].domain
    idle = found.power(domain)
    assert idle is not None
    assert idle.w == pytest.approx(40)
    assert idle.basis.origin is IdleOrigin.ASKED
    assert not found.stale(window.started_at)
    assert found.stale(window.started_at + timedelta(hours=2))


def test_a_baseline_leaves_out_what_has_gaps() -> None:
    bench = Bench()
    result = bench.cell()
    gap = replace(result, energies=(replace(result.energies[0], coverage=0.9),))
    assert Baseline.of(gap).watts == {}


def test_no_thread_and_no_look_of_its_own() -> None:
    """What it learns from is there anyway: two looks a window, and no thread between them."""
    bench = Bench()
    looks: list[None] = []
    sample = bench.source.sample
    bench.source.sample = lambda: looks.append(None) or sample()  # type: ignore[method-assign,func-returns-value]
    meter = Meter([bench.source], clock=bench.clock, work=bench.work)
    for _ in range(3):
        meter.open().close()
        bench.clock.sleep(30)
    assert len(looks) == 6
    names = {thread.name for thread in threading.enumerate()}
    assert not any("idle" in name or "baseline" in name for name in names)


def test_a_real_thread_at_work_keeps_the_real_machine_from_being_idle() -> None:
    """The system's own CPU times, as in a kernel: a background thread, then another process."""
    work = SystemWork()
    clock = FakeClock()
    source = FakeSource(40, clock=clock)
    meter = Meter([source], clock=clock, work=work)
    meter.open().close()
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            pass

    thread = threading.Thread(target=spin)
    thread.start()
    time.sleep(GAP_S + 0.1)
    clock.sleep(GAP_S + 0.1)
    meter.open().close()
    stop.set()
    thread.join()
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    time.sleep(GAP_S + 0.1)
    clock.sleep(GAP_S + 0.1)
    window = meter.open()
    window.close()
    other.kill()
    other.wait()
    meter.close_sources()
    assert meter.accounts.passive.power(0) is None
