"""Counters that fail while a window is open: either the number is right, or a Fault says that it is not."""

from __future__ import annotations

import time

import pytest

from greennb.meter.meter import Meter
from greennb.model.measurement import DomainEnergy, Measurement
from greennb.settings import Settings
from greennb.sources.detect import detect
from tests.rig.rig import Rig

PACKAGE, DRAM = "intel-rapl:0", "intel-rapl:0:0"


@pytest.fixture(scope="module")
def meter() -> Meter:
    return Meter(detect(Settings(sources="rapl"), "rig").sources, host="rig")


def package(measured: Measurement) -> DomainEnergy | None:
    return next((e for e in measured.energies if e.domain.kind.value == "cpu_package"), None)


def missing(measured: Measurement) -> bool:
    """Whether the package has no number, or one that says that it stands for a part of the time (a look between)."""
    energy = package(measured)
    return measured.partial and (energy is None or (energy.coverage < 1 and energy.gross_j >= 0))


def holds(rig: Rig, measured: Measurement, device: str = PACKAGE) -> bool:
    """Whether the package's (DRAM's) number agrees with the truth: within twice its 95 % interval's half-width.

    A single 95 % interval may miss: under load some 2 in 100 do, and ``test_coverage.py`` counts them. A fault that is
    handled wrongly shows itself by joules, by far more than that.
    """
    kind = "cpu_package" if device == PACKAGE else "dram"
    energy = next(e for e in measured.energies if e.domain.kind.value == kind)
    truth_j = rig.joules(device, measured.window.t0_ns, measured.window.t1_ns)
    return abs(energy.gross_j - truth_j) <= energy.high_j - energy.low_j


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("eacces", "no permission"),
        ("eio", "failed"),
        ("empty", "no number"),
        ("garbage", "no number"),
        ("negative", "negative"),
        ("vanish", "gone"),
    ],
)
def test_a_counter_that_cannot_be_read_at_the_close_gives_a_fault_and_no_whole_number(
    rig: Rig, meter: Meter, fault: str, says: str
) -> None:
    window = meter.open()
    time.sleep(0.05)
    rig.fault(f"{PACKAGE} {fault}")
    window.close()
    rig.fault()
    measured = window.result
    assert missing(measured)
    assert any(says in f.reason and f.hint and f.domain is not None for f in measured.faults), measured.faults
    if fault == "vanish":
        assert not measured.energies, "its memory's zone lies in its folder"
    else:
        assert holds(rig, measured, DRAM), "the other counter is not touched by it"


@pytest.mark.parametrize("fault", ["eacces", "eio", "empty", "garbage", "negative", "vanish"])
def test_a_counter_that_is_back_at_the_close_has_counted_on(rig: Rig, meter: Meter, fault: str) -> None:
    """It failed between the edges, where the sampler saw it: the joules are right, and the failure is told."""
    window = meter.open()
    time.sleep(0.3)
    rig.fault(f"{PACKAGE} {fault}")
    time.sleep(1.7)
    rig.fault()
    time.sleep(0.05)
    window.close()
    measured = window.result
    assert holds(rig, measured)
    assert measured.faults
    assert measured.partial


def test_the_next_window_is_well(rig: Rig, meter: Meter) -> None:
    rig.fault(f"{PACKAGE} eio")
    with meter.measure():
        pass
    rig.fault()
    with meter.measure() as window:
        time.sleep(0.1)
    assert holds(rig, window.result)
    assert not window.result.faults


def test_a_wrap_a_millisecond_before_the_close_is_right(rig: Rig, meter: Meter) -> None:
    for before_ms in (1, 3, 20, 0):
        at_ns = time.monotonic_ns() + 150_000_000
        rig.fault(f"{PACKAGE} wrap {at_ns}")
        window = meter.open()
        time.sleep(max(0.0, (at_ns - time.monotonic_ns()) / 1e9 + before_ms / 1e3))
        window.close()
        assert not window.result.faults
        assert holds(rig, window.result)


def test_a_counter_that_was_reset_is_a_fault_and_never_negative(rig: Rig, meter: Meter) -> None:
    """As after a suspend: the counter begins at 0 again, far from its end."""
    rig.fault()
    window = meter.open()
    time.sleep(0.1)
    rig.fault(f"{PACKAGE} reset {time.monotonic_ns()}")
    time.sleep(0.1)
    window.close()
    measured = window.result
    assert missing(measured)
    assert any("reset" in f.reason for f in measured.faults)


def test_a_counter_that_stands_still_is_a_fault(rig: Rig, meter: Meter) -> None:
    rig.fault(f"{PACKAGE} frozen {time.monotonic_ns()}")
    with meter.measure() as window:
        time.sleep(10.2)
    measured = window.result
    assert package(measured) is None
    assert any("has not moved" in f.reason for f in measured.faults)
    assert holds(rig, measured, DRAM)


def test_reads_of_fifty_milliseconds_widen_the_interval(rig: Rig, meter: Meter) -> None:
    rig.fault(f"{PACKAGE} slow 50")
    with meter.measure() as window:
        time.sleep(0.2)
    measured = window.result
    energy = package(measured)
    assert energy is not None
    assert holds(rig, measured)
    assert energy.u_j > 0.5, "40 W for 100 ms of reading"
    assert measured.overhead_s >= 0.05
