"""The meter, on fake time and fake hardware: what a window says it cost is what was drawn in it."""

from __future__ import annotations

import contextlib
import os
import threading
import time

import pytest

from greennb.meter.idle import Baseline
from greennb.meter.meter import Meter
from greennb.meter.sampler import LINGER_S
from greennb.model.measurement import Measurement, Status
from greennb.model.reading import DomainKind, Fault, Method
from greennb.testing import FakeClock, FakeSource, RecordedSource, fake_channel


def metered(
    watts: float, seconds: float, **channel: object
) -> tuple[Measurement, FakeClock]:  # fmt: skip
    clock = FakeClock()
    source = FakeSource(watts, clock=clock, channel=fake_channel(**channel))  # type: ignore[arg-type]
    meter = Meter([source], clock=clock)
    window = meter.open("job")
    clock.sleep(seconds)
    window.close()
    return window.result, clock


def test_a_window_costs_what_was_drawn_in_it() -> None:
    result, _ = metered(40, 2.5)
    assert result.total_j == pytest.approx(100)
    assert result.duration_s == pytest.approx(2.5)
    assert result.mean_w == pytest.approx(40)
    assert result.method is Method.COUNTER
    assert not result.partial


def test_the_interval_holds_the_truth_and_grows_with_the_refresh() -> None:
    fast, _ = metered(40, 2.5, refresh_ns=1_000_000)
    slow, _ = metered(40, 2.5, refresh_ns=100_000_000)
    for result in (fast, slow):
        assert result.low_j is not None
        assert result.high_j is not None
        assert result.low_j <= 100 <= result.high_j
    assert slow.energies[0].u_j > 10 * fast.energies[0].u_j


def test_a_window_shorter_than_the_refresh_is_an_interval_not_a_zero() -> None:
    """No tick fell into it: it may have cost anything from nothing to what the hardware can draw."""
    clock = FakeClock()
    channel = fake_channel(refresh_ns=100_000_000, max_power_w=300)
    meter = Meter([RecordedSource([channel], [[5], [5]])], clock=clock)
    window = meter.open()
    clock.sleep(0.02)
    window.close()
    energy = window.result.energies[0]
    assert energy.low_j == 0
    assert energy.high_j == pytest.approx(300 * 0.02)


def test_an_estimate_says_so_and_keeps_its_spread() -> None:
    result, _ = metered(40, 1, method=Method.ESTIMATED)
    assert result.method is Method.ESTIMATED
    assert result.low_j == pytest.approx(20, rel=0.01)
    assert result.high_j == pytest.approx(60, rel=0.01)


def test_power_without_a_counter_is_integrated() -> None:
    result, _ = metered(40, 1, method=Method.INTEGRATED)
    assert result.total_j == pytest.approx(40)
    assert result.method is Method.INTEGRATED


def test_a_failed_close_is_a_fault_and_makes_the_total_unknown() -> None:
    clock = FakeClock()
    source = FakeSource(40, clock=clock)
    meter = Meter([source], clock=clock)
    window = meter.open()
    clock.sleep(1)
    source.fault = Fault(domain=source.channels[0].domain, t_ns=0, reason="EACCES", hint="chmod")
    window.close()
    assert window.result.total_j is None
    assert window.result.partial
    assert [fault.reason for fault in window.result.faults] == ["EACCES"]


def test_one_sensor_that_fails_leaves_the_others_and_a_partial_total() -> None:
    clock = FakeClock()
    good = FakeSource(40, clock=clock)
    bad = FakeSource(99, clock=clock, channel=fake_channel(device="fake-1", kind=DomainKind.DRAM))
    bad.fault = Fault(domain=bad.channels[0].domain, t_ns=0, reason="EIO")
    meter = Meter([good, bad], clock=clock)
    with meter.measure() as window:
        clock.sleep(1)
    assert window.result.total_j == pytest.approx(40)
    assert window.result.partial


def test_a_device_that_could_not_be_opened_makes_every_total_partial() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(40, clock=clock)], clock=clock, faults=[Fault(domain=None, t_ns=0, reason="lost")])
    with meter.measure() as window:
        clock.sleep(1)
    assert window.result.partial


def test_without_any_source_nothing_is_invented() -> None:
    meter = Meter([], clock=FakeClock())
    with meter.measure() as window:
        pass
    assert window.result.total_j is None
    assert window.result.method is None


def test_windows_nest_and_each_has_its_own_energy() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(10, clock=clock)], clock=clock)
    outer = meter.open("outer")
    clock.sleep(1)
    inner = meter.open("inner", parent=outer)
    clock.sleep(2)
    inner.close()
    clock.sleep(3)
    outer.close()
    assert inner.result.total_j == pytest.approx(20)
    assert outer.result.total_j == pytest.approx(60)
    assert inner.result.window.parent_id == outer.id


@pytest.mark.parametrize(
    ("error", "status"), [(None, Status.OK), (ValueError(), Status.ERROR), (KeyboardInterrupt(), Status.INTERRUPTED)]
)
def test_a_window_closes_however_its_block_ends(error: BaseException | None, status: Status) -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(10, clock=clock)], clock=clock)

    def block() -> None:
        with meter.measure() as window:
            windows.append(window)
            clock.sleep(1)
            if error is not None:
                raise error

    windows: list[object] = []
    with contextlib.nullcontext() if error is None else pytest.raises(type(error)) as caught:
        block()
    assert error is None or caught.value is error
    result = windows[0].result  # type: ignore[attr-defined]
    assert result.window.status is status
    assert result.total_j == pytest.approx(10)


def test_an_open_window_tells_what_it_has_cost_so_far_and_goes_on() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(10, clock=clock)], clock=clock)
    window = meter.open()
    clock.sleep(1)
    so_far = window.result
    assert so_far.window.status is Status.OPEN
    assert so_far.total_j == pytest.approx(10)
    clock.sleep(1)
    window.close()
    assert window.result.total_j == pytest.approx(20)


def test_a_second_close_changes_nothing() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(10, clock=clock)], clock=clock)
    window = meter.open()
    clock.sleep(1)
    window.close()
    clock.sleep(9)
    window.close(Status.ERROR)
    assert window.result.total_j == pytest.approx(10)
    assert window.result.window.status is Status.OK


def test_idle_is_taken_off_only_where_a_baseline_is_known() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(40, clock=clock)], clock=clock)
    with meter.measure() as idle:
        clock.sleep(10)
    assert idle.result.net_j is None
    meter.baseline = Baseline.of(idle.result)
    with meter.measure() as window:
        clock.sleep(2)
    assert window.result.net_j == pytest.approx(0, abs=1e-6)
    assert window.result.idle_j == pytest.approx(80)


def test_a_window_on_a_wrapping_counter_is_watched_and_the_thread_goes_away() -> None:
    """A thread is there while a long window may need it, and not when nothing is open."""
    clock = FakeClock()
    channel = fake_channel(wrap_uj=262_143_328_850, max_power_w=300)
    meter = Meter([FakeSource(40, clock=clock, channel=channel)], clock=clock)
    window = meter.open()
    assert meter.sampler.alive
    window.close()
    deadline = time.monotonic() + 3 * LINGER_S
    while meter.sampler.alive and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not meter.sampler.alive


def test_an_estimate_needs_no_thread() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(40, clock=clock, channel=fake_channel(method=Method.ESTIMATED))], clock=clock)
    meter.open()
    assert not meter.sampler.alive


def test_integration_follows_power_between_the_edges() -> None:
    """Edges alone would see 10 W all along; the sampler sees the 200 W in between."""
    from greennb.meter.clock import SystemClock

    class Pulse:
        name = "pulse"
        channels = (fake_channel(method=Method.INTEGRATED),)

        def sample(self) -> tuple[int]:
            return (200_000 if 0.3 < time.monotonic() - began < 1.3 else 10_000,)

        def after_fork(self) -> None: ...

        def close(self) -> None: ...

    began = time.monotonic()
    meter = Meter([Pulse()], clock=SystemClock())
    with meter.measure() as window:
        time.sleep(1.6)
    assert window.result.total_j is not None
    assert window.result.total_j == pytest.approx(206, rel=0.25)
    assert window.result.energies[0].coverage == pytest.approx(1, abs=0.01)


def test_threads_may_open_and_close_at_once() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(10, clock=clock)], clock=clock)
    ids: list[str] = []

    def work() -> None:
        for _ in range(200):
            with meter.measure() as window:
                pass
            ids.append(window.result.window.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 800


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_measures_its_own_and_knows_what_it_inherited() -> None:
    clock = FakeClock()
    channel = fake_channel(wrap_uj=262_143_328_850, max_power_w=300)
    meter = Meter([FakeSource(10, clock=clock, channel=channel)], clock=clock)
    window = meter.open()
    child = os.fork()
    if child == 0:
        mine = meter.open()
        clock.sleep(1)
        mine.close()
        right = window.inherited and not mine.inherited and abs((mine.result.total_j or 0) - 10) < 0.01
        os._exit(0 if right and mine.id != window.id else 1)
    assert os.waitpid(child, 0)[1] == 0
    window.close()
    assert not window.inherited


def test_overhead_is_measured_not_assumed() -> None:
    class Slow:
        name = "slow"
        channels = (fake_channel(),)

        def sample(self) -> tuple[int]:
            time.sleep(0.02)
            return (0,)

        def after_fork(self) -> None: ...

        def close(self) -> None: ...

    meter = Meter([Slow()])
    with meter.measure() as window:
        pass
    assert 0.04 <= window.result.overhead_s < 1


def test_work_that_could_not_be_waited_for_is_a_fault() -> None:
    clock = FakeClock()
    gpu = fake_channel(kind=DomainKind.GPU)
    meter = Meter([FakeSource(10, clock=clock, channel=gpu)], clock=clock, synchronise=lambda: "torch is half there")
    with meter.measure() as window:
        clock.sleep(1)
    assert "half there" in window.result.faults[0].reason


def test_ten_thousand_nested_windows() -> None:
    clock = FakeClock()
    meter = Meter([FakeSource(10, clock=clock)], clock=clock)
    windows = []
    for _ in range(10_000):
        windows.append(meter.open(parent=windows[-1] if windows else None))
    clock.sleep(1)
    for window in reversed(windows):
        window.close()
    assert windows[0].result.total_j == pytest.approx(10)
    assert windows[-1].result.window.parent_id == windows[-2].id
