"""This process's share: real processes burn real CPU time; shared machines are noisy, so the bounds are wide."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.meter.attribution import LOST, NO_IDLE, attributed, cpu_share, own_cpu_s, parts
from greennb.meter.idle import Baseline
from greennb.meter.meter import Meter
from greennb.meter.work import Mark, SystemWork
from greennb.model.measurement import Measurement
from greennb.model.reading import DomainKind, Method
from greennb.testing import FakeClock, FakeSource, fake_channel

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="living children are counted on Linux only")
BURN = "import time\nt = time.process_time()\nwhile time.process_time() - t < {}: pass"
MS = 1_000_000
FINITE = st.floats(0, 1e9)


def mark(t_ms: float, own_ms: float, busy_ms: float | None, step_ms: float = 10) -> Mark:
    return Mark(
        round(t_ms * MS), round(own_ms * MS), None if busy_ms is None else round(busy_ms * MS), frozenset(),
        round(step_ms * MS),
    )  # fmt: skip


def burn(cpu_s: float) -> None:
    began = time.thread_time()
    while time.thread_time() - began < cpu_s:
        pass


def fresh(work: SystemWork) -> Mark:
    """A mark that is not the last one again."""
    last = work.mark()
    while (now := work.mark()) is last:
        time.sleep(0.005)
    return now


@contextmanager
def burning(*, affinity: int | None = None, orphan: bool = False) -> Iterator[int]:
    """A process that burns a CPU: a child of ours, or nobody's that we know."""
    code = "import os\n" + (f"os.sched_setaffinity(0, {{{affinity}}})\n" if affinity is not None else "")
    code += "print(os.getpid(), flush=True)\nwhile True: pass"
    command = [sys.executable, "-c", code]
    if orphan:  # the shell that started it ends, and is waited for: it is no descendant of ours then
        command = ["/bin/sh", "-c", '"$0" -c "$1" &', sys.executable, code]
    starter = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    if orphan:
        starter.wait()
    try:
        yield pid
    finally:
        os.kill(pid, 9)
        starter.wait()
        starter.stdout.close()


@given(gross=FINITE, idle=FINITE, share=st.floats(0, 1))
def test_the_parts_sum_to_the_machine(gross: float, idle: float, share: float) -> None:
    """And none of them is less than nothing, also where idling would have cost more than was used."""
    found = parts(gross, idle, share)
    assert sum(found) == pytest.approx(gross)
    assert min(found) >= -1e-6 * gross


def test_a_share_is_our_cpu_time_over_the_machines() -> None:
    assert cpu_share(mark(0, 5, 100), mark(1000, 305, 1300)).value == pytest.approx(0.25)


def test_a_window_of_few_ticks_has_no_share() -> None:
    """10 ms of uncertainty at both ends of 50 ms would make a share that is none."""
    share = cpu_share(mark(0, 0, 0), mark(50, 50, 50))
    assert share.value is None
    assert "too short to tell" in share.note
    assert cpu_share(mark(0, 0, 0, step_ms=50), mark(400, 50, 50, step_ms=50)).value is None
    assert own_cpu_s(mark(0, 0, 0), mark(50, 50, 50)) is None


def test_nobody_is_more_than_all_of_the_machine() -> None:
    """Its clock lags behind ours."""
    assert cpu_share(mark(0, 0, 0), mark(1000, 1000, 990)).value == 1


def test_a_machine_at_rest_gives_no_share_of_nothing() -> None:
    assert cpu_share(mark(0, 0, 0), mark(1000, 0, 0)).value == 0


def test_what_is_not_known_gives_no_share_and_says_why() -> None:
    assert cpu_share(None, None).value is None
    assert cpu_share(mark(0, 0, None), mark(1000, 5, None)) == (None, "CPU times cannot be read")
    assert cpu_share(mark(0, 900, 0), mark(1000, 5, 500)) == (None, LOST)


class FakeWork:
    """CPU times that follow a fake clock at set rates."""

    cpus = 4

    def __init__(self, clock: FakeClock, own: float = 0.0, busy: float = 0.0) -> None:
        self.clock, self.own, self.busy = clock, own, busy
        self._t_ns = clock.monotonic_ns()
        self._own = self._busy = 0.0

    def mark(self) -> Mark:
        now_ns = self.clock.monotonic_ns()
        self._own += self.own * (now_ns - self._t_ns)
        self._busy += self.busy * (now_ns - self._t_ns)
        self._t_ns = now_ns
        return Mark(now_ns, round(self._own), round(self._busy), frozenset(), 10 * MS)

    def after_fork(self) -> None: ...

    def close(self) -> None: ...


def shared(kind: DomainKind = DomainKind.CPU_PACKAGE, own: float = 0.5, busy: float = 2.0) -> Measurement:
    """10 s at 40 W idle, then 2 s at 100 W, in which we used ``own`` of the ``busy`` CPUs that were at work."""
    clock = FakeClock()
    source = FakeSource(lambda t: 40 if t < 10 else 100, clock=clock, channel=fake_channel(kind=kind))
    work = FakeWork(clock)
    meter = Meter([source], clock=clock, work=work)
    with meter.measure() as idle:
        clock.sleep(10)
    meter.baseline = meter.baseline_of(idle)
    work.own, work.busy = own, busy
    with meter.measure() as window:
        clock.sleep(2)
    return window.result


@pytest.mark.parametrize("kind", [DomainKind.CPU_PACKAGE, DomainKind.DRAM, DomainKind.PSYS, DomainKind.CPU_CORE])
def test_what_is_above_idle_is_shared_out_by_cpu_time(kind: DomainKind) -> None:
    result = shared(kind)
    assert result.idle_j == pytest.approx(80)
    assert result.net_j == pytest.approx(120)
    assert result.process_j == pytest.approx(30)
    assert "CPU time" in result.energies[0].process_note


@pytest.mark.parametrize("kind", [DomainKind.BATTERY, DomainKind.SOC, DomainKind.CPU_UNCORE, DomainKind.GPU])
def test_what_cpu_time_does_not_tell_has_no_share_and_says_why(kind: DomainKind) -> None:
    result = shared(kind)
    assert result.net_j == pytest.approx(120)
    assert result.process_j is None
    assert result.energies[0].process_note


def test_without_idle_there_is_no_share() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(40, clock=clock)], clock=clock, work=FakeWork(clock, 1, 1))
    with meter.measure() as window:
        clock.sleep(1)
    energy = window.result.energies[0]
    assert (energy.idle_j, energy.process_j, energy.process_note) == (None, None, NO_IDLE)


def test_an_estimate_knows_its_idle_and_shares_its_own_model() -> None:
    """3 W idle and 5 W a busy CPU, 1 s at 13 W: 10 J are two busy CPUs', of which one was ours."""
    channel = replace(fake_channel(method=Method.ESTIMATED), idle_w=(3.0, 2.0, 5.0), busy_w=5.0)
    clock = FakeClock()
    meter = Meter([FakeSource(13, clock=clock, channel=channel)], clock=clock, work=FakeWork(clock, 1, 2))
    with meter.measure() as window:
        clock.sleep(1)
    energy = window.result.energies[0]
    assert (energy.idle_j, energy.net_j) == (pytest.approx(3), pytest.approx(10))
    assert energy.process_j == pytest.approx(5)
    assert energy.net_u_j is not None
    assert energy.net_u_j < energy.u_j


def test_a_gap_in_the_readings_is_a_gap_in_idle_too() -> None:
    """Half a window's joules are compared with half a window's idling."""
    whole = shared().energies[0]
    half = replace(whole, coverage=0.5, gross_j=100.0)
    power = Baseline(
        watts={whole.domain: 40.0}, u_watts={}, measured_at=shared().window.started_at, duration_s=5.0
    ).power(whole.domain)  # fmt: skip
    found = attributed(
        fake_channel(), half, 2.0, idle=power, marks=(mark(0, 0, 0), mark(2000, 500, 2000)),
        gpu_share=lambda: pytest.fail("it is no GPU"),
    )  # fmt: skip
    assert found.idle_j == pytest.approx(40)
    assert found.process_j == pytest.approx(15)


def test_own_time_holds_threads_and_children_that_have_ended() -> None:
    work = SystemWork()
    first = fresh(work)
    burn(0.1)
    subprocess.run([sys.executable, "-c", BURN.format(0.3)], check=True)
    other = threading.Thread(target=burn, args=(0.2,))
    other.start()
    other.join()
    last = fresh(work)
    work.close()
    own_s = own_cpu_s(first, last)
    assert own_s is not None
    assert 0.58 <= own_s < 1.5  # and Python's own start
    assert own_s <= (last.t_ns - first.t_ns) / 1e9 * work.cpus


@linux
def test_a_child_that_still_runs_counts_and_goes_on_counting_once_it_has_ended() -> None:
    """Its seconds pass from the living to the waited for, and none twice."""
    work = SystemWork()
    first = fresh(work)
    child = subprocess.Popen([sys.executable, "-c", BURN.format(1.0) + "\nprint(1, flush=True)\ninput()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdout is not None
    child.stdout.readline()
    living = fresh(work)
    child.communicate(b"\n")
    ended = fresh(work)
    work.close()
    assert child.pid in living.pids
    assert child.pid not in ended.pids
    running_s, whole_s = own_cpu_s(first, living), own_cpu_s(first, ended)
    assert running_s is not None
    assert whole_s is not None
    assert running_s >= 0.98
    assert running_s - 0.02 <= whole_s < running_s + 0.3


@linux
def test_a_child_of_a_child_counts() -> None:
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BURN.format(9)!r}])"
    work = SystemWork()
    first = fresh(work)
    child = subprocess.Popen([sys.executable, "-c", nested])
    try:
        time.sleep(1.0)
        last = fresh(work)
    finally:
        for pid in sorted(last.pids - first.pids - {child.pid}):
            os.kill(pid, 9)
        child.wait()
        work.close()
    assert len(last.pids - first.pids) == 2
    assert (own_cpu_s(first, last) or 0) > 0.2


@linux
def test_a_competing_process_takes_its_part() -> None:
    """On one CPU with it we have half of that; what else the machine does makes it less."""
    here = os.sched_getaffinity(0)
    cpu = min(here)
    work = SystemWork()
    with burning(affinity=cpu, orphan=True) as pid:
        os.sched_setaffinity(0, {cpu})
        try:
            first = fresh(work)
            assert pid not in first.pids
            burn(0.5)
            last = fresh(work)
        finally:
            os.sched_setaffinity(0, here)
    work.close()
    share = cpu_share(first, last).value
    assert share is not None
    assert 0.1 < share < 0.75


def test_marks_in_a_burst_are_one_mark() -> None:
    """Thousands of short windows cost no system calls for it."""
    calls: list[Any] = []
    work = SystemWork(now_ns=lambda: calls.append(None) or 1_000_000_000)  # type: ignore[func-returns-value]
    assert all(work.mark() is work.mark() for _ in range(1000))
    work.close()


def test_marks_after_close_and_in_a_fork_do_not_raise() -> None:
    work = SystemWork()
    work.after_fork()
    assert work.mark().own_ns > 0
    work.close()
    assert fresh(work).t_ns > 0
