"""Joules between two instants that are over, from looks that were kept."""

from __future__ import annotations

import math
import random

import pytest

from greennb.meter.meter import Meter
from greennb.meter.past import LAYERS, PERIOD_S, Past
from greennb.model.reading import Fault, Method
from greennb.model.units import s_to_ns
from greennb.testing import FakeClock, FakeSource, fake_channel


class Host:
    """A machine whose power is known, with looks every ``PERIOD_S`` while time passes."""

    def __init__(self, watts: float | object = 40.0, method: Method = Method.COUNTER) -> None:
        self.clock = FakeClock()
        self.source = FakeSource(watts, clock=self.clock, channel=fake_channel(method=method))
        self.meter = Meter([self.source], clock=self.clock)
        self.past = Past(self.meter)
        self.born_ns = self.clock.monotonic_ns()

    def live(self, seconds: float) -> None:
        """Let time pass under the eyes of the meter."""
        for _ in range(round(seconds / PERIOD_S)):
            self.past.take(self.meter.look())
            self.clock.sleep(PERIOD_S)
        self.past.take(self.meter.look())

    def at(self, seconds: float) -> int:
        """That many seconds after the beginning, on this host's clock."""
        return self.born_ns + s_to_ns(seconds)


def test_a_window_that_nobody_announced_has_its_joules() -> None:
    host = Host(40.0)
    host.live(20)
    (energy,) = host.past.between(host.at(3.1), host.at(13.7)).energies
    assert energy.gross_j == pytest.approx(40 * 10.6)
    assert energy.low_j <= 40 * 10.6 <= energy.high_j
    assert energy.coverage == 1
    assert energy.method is Method.COUNTER


@pytest.mark.parametrize("method", list(Method))
def test_the_interval_holds_the_truth_of_a_load_that_changes(method: Method) -> None:
    """Whatever an edge falls on: of 300 windows of a load that switches between 20 and 100 W, no more than 5 % miss."""

    def watts(t_s: float) -> float:
        return 100.0 if math.floor(t_s / 0.7) % 2 else 20.0

    host = Host(watts, method)
    host.live(60)
    chance = random.Random(1)
    held = 0
    for _ in range(300):
        t0_s = chance.uniform(1, 40)
        t1_s = t0_s + chance.uniform(0.5, 15)
        truth_j = sum(watts(t0_s + (n + 0.5) * 0.01) for n in range(round((t1_s - t0_s) / 0.01))) * 0.01
        (energy,) = host.past.between(host.at(t0_s), host.at(t1_s)).energies
        held += energy.low_j <= truth_j <= energy.high_j
    assert held >= 285


def test_what_was_before_the_first_look_is_missing_and_said() -> None:
    host = Host(40.0)
    host.live(10)
    stretch = host.past.between(host.at(-10), host.at(10))
    (energy,) = stretch.energies
    assert energy.gross_j == pytest.approx(400, rel=0.01)
    assert energy.coverage == pytest.approx(0.5)
    assert [fault.reason for fault in stretch.faults] == ["the first 10 s were not measured here"]


def test_a_window_before_all_looks_is_a_fault_and_no_zero() -> None:
    host = Host()
    stretch = Host().past.between(host.at(0), host.at(0) - 1)
    assert stretch.energies == ()
    assert [fault.reason for fault in stretch.faults] == ["nothing was read on this host in that time"]


def test_a_sensor_that_fails_is_a_fault_and_no_zero() -> None:
    host = Host()
    host.live(2)
    domain = host.source.channels[0].domain
    host.source.fault = Fault(domain=domain, t_ns=0, reason="permission denied")
    host.live(8)
    stretch = host.past.between(host.at(3), host.at(9))
    assert stretch.energies == ()
    assert "permission denied" in [fault.reason for fault in stretch.faults]


def test_the_end_may_be_now() -> None:
    """The looks are up to a quarter of a second old: one is taken for the window's end."""
    host = Host(40.0)
    host.live(5)
    host.clock.sleep(0.2)
    (energy,) = host.past.between(host.at(1), host.clock.monotonic_ns()).energies
    assert energy.gross_j == pytest.approx(40 * 4.2)


def test_hours_take_a_bounded_number_of_looks_and_still_have_their_joules() -> None:
    host = Host(40.0)
    host.live(4000)
    kept = sum(len(layer) for layer in host.past._layers)  # white box: memory is the promise
    assert kept <= sum(most for _period_s, most in LAYERS)
    assert kept < 1300
    (energy,) = host.past.between(host.at(100), host.at(3_100)).energies
    assert energy.gross_j == pytest.approx(40 * 3_000, rel=1e-6)
    assert energy.high_j - energy.low_j < 0.01 * energy.gross_j


def test_instants_that_are_unsure_widen_the_interval() -> None:
    host = Host(40.0)
    host.live(20)
    (sure,) = host.past.between(host.at(3), host.at(13)).energies
    (unsure,) = host.past.between(host.at(3), host.at(13), unsure_ns=s_to_ns(0.5)).energies
    assert unsure.high_j - unsure.low_j >= sure.high_j - sure.low_j + 2 * 40 * 0.4


def test_it_ends() -> None:
    """No look after the end, and no thread for it."""
    host = Host()
    host.past.begin()
    host.past.end()
    assert host.meter.sampler._watchers == []
