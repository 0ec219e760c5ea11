"""Long windows, clocks that are set, processes that end: what a window makes of time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from greennb.meter.meter import Meter
from greennb.model.reading import Method
from greennb.model.units import uj_to_j
from greennb.sources.base import Modelled
from greennb.testing import FakeClock, FakeSource, RecordedSource, fake_channel

DAY_S = 86_400


class Set(FakeClock):
    """A wall clock that somebody sets."""

    step_ns = 0

    def wall_ns(self) -> int:
        return super().wall_ns() + self.step_ns


@pytest.mark.parametrize("step_s", [-3600, 3600, -10 * 365 * DAY_S])
def test_setting_the_wall_clock_changes_no_joule_and_no_second(step_s: int) -> None:
    clock = Set()
    meter = Meter([FakeSource(40, clock=clock)], clock=clock)
    window = meter.open()
    began = window.started_at
    clock.sleep(1)
    clock.step_ns = step_s * 10**9
    clock.sleep(1)
    window.close()
    result = window.result
    assert result.duration_s == pytest.approx(2)
    assert result.total_j == pytest.approx(80)
    assert result.window.started_at == began


def test_a_window_of_thirty_days() -> None:
    """No figure overflows, wraps or loses its milliseconds."""
    clock = FakeClock()
    thirty_days_uj = 30 * DAY_S * 40 * 10**6
    bounds = Modelled(thirty_days_uj, thirty_days_uj // 2, thirty_days_uj * 2)
    source = RecordedSource([fake_channel(method=Method.ESTIMATED)], [[Modelled(0, 0, 0)], [bounds]])
    meter = Meter([source], clock=clock)
    window = meter.open()
    clock.sleep(30 * DAY_S)
    window.close()
    result = window.result
    assert result.duration_s == pytest.approx(30 * DAY_S, abs=1e-6)
    assert result.total_j == pytest.approx(uj_to_j(thirty_days_uj))
    assert result.low_j == pytest.approx(result.total_j / 2, rel=1e-6)


def test_a_counter_that_may_have_wrapped_unseen_is_a_fault() -> None:
    """The machine slept for a day while a window was open and nobody looked: two wraps look like none."""
    clock = FakeClock()
    channel = fake_channel(wrap_uj=262_143_328_850, max_power_w=250)
    source = RecordedSource([channel], [[5_000_000], [45_000_000]])
    meter = Meter([source], clock=clock)
    window = meter.open()
    clock.sleep(DAY_S)
    window.close()
    assert window.result.total_j is None
    assert "wrapped more than once" in window.result.faults[0].reason


def test_the_interpreter_s_exit_closes_an_open_window_and_keeps_it(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    code = "import greennb\nw = greennb.measure('left open')\nw.__enter__()\n"
    environ = {**os.environ, "GREENNB_LEDGER": str(ledger)}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=environ, capture_output=True, text=True, timeout=60
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    kept = subprocess.run(
        [sys.executable, "-m", "greennb", "export", "--format", "json"],
        env=environ, capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    rows = [json.loads(line) for line in kept.splitlines()]
    assert [(row["label"], row["status"]) for row in rows] == [("left open", "open")]
