"""From two samples to joules: wraps, resets, gaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greennb.meter.integrate import longest_safe_ns, span
from greennb.model.reading import DomainKind, Fault, Method
from greennb.sources.base import Modelled
from greennb.testing import fake_channel

S = 1_000_000_000
RAPL_WRAP_UJ = 262_143_328_850


def test_a_counter_gives_its_difference() -> None:
    piece = span(fake_channel(), 0, 5_000_000, 1 * S, 45_000_000)
    assert (piece.uj, piece.covered_ns, piece.fault) == (40_000_000, S, None)


def test_a_wrap_is_added_back() -> None:
    """RAPL's counter starts again after 262 kJ; a window across it is neither negative nor huge."""
    channel = fake_channel(wrap_uj=RAPL_WRAP_UJ, max_power_w=200)
    piece = span(channel, 0, RAPL_WRAP_UJ - 10_000_000, S, 30_000_000)
    assert piece.uj == 40_000_000
    assert piece.fault is None


def test_a_reset_is_told_from_a_wrap_by_the_power_that_it_would_mean() -> None:
    """After suspend the counter starts at 0: as a wrap that would be 200 kJ in a second."""
    channel = fake_channel(wrap_uj=RAPL_WRAP_UJ, max_power_w=200)
    piece = span(channel, 0, 60_000_000_000, S, 1_000_000)
    assert piece.fault is not None
    assert "reset" in piece.fault.reason
    assert (piece.uj, piece.covered_ns) == (0, 0)


def test_a_counter_that_goes_back_and_cannot_wrap_was_reset() -> None:
    piece = span(fake_channel(wrap_uj=None), 0, 100, S, 50)
    assert piece.fault is not None
    assert piece.covered_ns == 0


def test_more_energy_than_the_hardware_can_draw_is_not_believed() -> None:
    """One bad read made 261,663 J elsewhere."""
    channel = fake_channel(max_power_w=100)
    piece = span(channel, 0, 0, S, 261_663_000_000)
    assert piece.fault is not None
    assert "jumped" in piece.fault.reason
    assert piece.uj == 0


def test_a_window_that_may_hide_several_wraps_says_so() -> None:
    channel = fake_channel(wrap_uj=RAPL_WRAP_UJ, max_power_w=200)
    piece = span(channel, 0, 0, 3600 * S, 1_000_000)
    assert piece.fault is not None
    assert "more than once" in piece.fault.reason


def test_readings_at_the_safe_distance_leave_no_doubt() -> None:
    channel = fake_channel(wrap_uj=RAPL_WRAP_UJ, max_power_w=200)
    safe_ns = longest_safe_ns(channel)
    assert safe_ns is not None
    assert safe_ns > 60 * S
    assert span(channel, 0, 0, safe_ns, 1_000_000).fault is None
    assert longest_safe_ns(fake_channel(wrap_uj=None)) is None


def test_power_is_integrated_by_trapezoids_with_its_bounds() -> None:
    channel = fake_channel(method=Method.INTEGRATED)
    piece = span(channel, 0, 100_000, S // 10, 200_000)
    assert piece.uj == pytest.approx(15_000_000)
    assert (piece.low_uj, piece.high_uj) == (pytest.approx(10_000_000), pytest.approx(20_000_000))


def test_power_that_was_not_read_for_long_is_a_gap_not_a_guess() -> None:
    piece = span(fake_channel(method=Method.INTEGRATED), 0, 100_000, 10 * S, 100_000)
    assert piece.fault is not None
    assert piece.covered_ns == 0


def test_an_estimate_keeps_its_bounds() -> None:
    channel = fake_channel(method=Method.ESTIMATED)
    piece = span(channel, 0, Modelled(10, 5, 20), S, Modelled(110, 55, 220))
    assert (piece.uj, piece.low_uj, piece.high_uj) == (100, 50, 200)


@pytest.mark.parametrize(
    ("kind", "still"), [("gpu", True), ("cpu_package", True), ("dram", False), ("cpu_core", False)]
)
def test_a_counter_that_stands_still_is_no_zero(kind: str, still: bool) -> None:
    """Hardware that answers draws power; memory and cores may rest at nothing that their counters show."""
    channel = fake_channel(kind=DomainKind(kind), refresh_ns=100_000_000)
    piece = span(channel, 0, 5_000_000, 10 * S, 5_000_000)
    assert (piece.fault is not None) is still
    assert piece.covered_ns == (0 if still else 10 * S)
    assert span(channel, 0, 5_000_000, S // 10, 5_000_000).fault is None, "one refresh may pass without a move"


def test_a_fault_at_either_end_is_never_a_zero() -> None:
    fault = Fault(domain=None, t_ns=0, reason="EIO")
    for ends in ((fault, 5), (5, fault)):
        piece = span(fake_channel(), 0, ends[0], S, ends[1])
        assert piece.fault is fault
        assert piece.covered_ns == 0


@given(
    start=st.integers(0, RAPL_WRAP_UJ - 1),
    watts=st.floats(0.01, 190),
    seconds=st.floats(0.001, 400),
)
def test_any_start_and_any_plausible_power_come_out_right(start: int, watts: float, seconds: float) -> None:
    """Wherever in its range the counter stands, joules never go negative and never jump by a wrap."""
    channel = fake_channel(wrap_uj=RAPL_WRAP_UJ, max_power_w=200)
    truth = int(watts * seconds * 1e6)
    piece = span(channel, 0, start, int(seconds * S), (start + truth) % RAPL_WRAP_UJ)
    assert piece.fault is None
    assert piece.uj == truth
