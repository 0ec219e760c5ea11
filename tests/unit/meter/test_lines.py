"""Joules by line, on real time: where the thread was, and that everything adds up."""

from __future__ import annotations

import linecache
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from greennb.meter.meter import Meter
from greennb.model.lines import Lines
from greennb.model.measurement import Measurement
from greennb.model.wire import measurement_from_dict, measurement_to_dict
from greennb.sources.base import Sample
from greennb.testing import fake_channel

CELL = "<cell 1>"
EARLIER = "<cell 0>"


class Steady:
    """A counter of 40 W, and of ``later_w`` from ``turn_s`` seconds on."""

    name = "steady"

    def __init__(self, later_w: float = 40, turn_s: float = math.inf) -> None:
        self.channels = (fake_channel(),)
        self._began = time.monotonic()
        self._later_w, self._turn_s = later_w, turn_s

    def sample(self) -> tuple[Sample]:
        passed_s = time.monotonic() - self._began
        later_s = max(0.0, passed_s - self._turn_s)
        return (int(((passed_s - later_s) * 40 + later_s * self._later_w) * 1e6),)

    def after_fork(self) -> None:
        """Nothing is shared."""

    def close(self) -> None:
        """Nothing is open."""


def compiled(source: str, file: str, space: dict[str, Any]) -> Callable[[], None]:
    """A cell as a notebook compiles it, known to linecache."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    code = compile(source, file, "exec")
    return lambda: exec(code, space)


def by_line(cell: Callable[[], None], meter: Meter | None = None) -> tuple[Measurement, Lines]:
    window = (meter or Meter([Steady()])).open()
    window.by_line({CELL: "In[1]", EARLIER: "In[0]"}.get)
    try:
        cell()
    finally:
        window.close()
    assert window.result.lines is not None
    return window.result, window.result.lines


def total(lines: Lines) -> float:
    return math.fsum(line.joules for line in lines.lines) + lines.elsewhere_j


SPIN = """
def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
"""


def test_joules_go_to_the_lines_that_took_the_time_in_this_cell_and_in_earlier_ones() -> None:
    """One line sleeps 0.2 s, one calls a function of an earlier cell that spins 0.6 s: 1 to 3."""
    space: dict[str, Any] = {"time": time}
    compiled(SPIN, EARLIER, space)()
    measured, lines = by_line(compiled("x = 1\ntime.sleep(0.2)\nspin(0.6)\n", CELL, space))
    assert total(lines) == pytest.approx(measured.total_j)
    slept = next(line for line in lines.lines if (line.where, line.lineno) == ("In[1]", 2))
    spun = math.fsum(line.joules for line in lines.lines if line.where == "In[0]")
    assert slept.source == "time.sleep(0.2)"
    assert 2 < spun / slept.joules < 4.5
    assert spun + slept.joules > 0.9 * (measured.total_j or 0)


def test_a_line_that_draws_more_gets_more_in_the_same_time() -> None:
    """0.5 s at 40 W, then 0.5 s at 200 W: 1 to 5, blurred by a sensor period of 0.1 s."""
    meter = Meter([Steady(later_w=200, turn_s=0.5)])
    _measured, lines = by_line(compiled("time.sleep(0.5)\ntime.sleep(0.5)\n", CELL, {"time": time}), meter)
    low, high = (next(line for line in lines.lines if line.lineno == number) for number in (1, 2))
    assert 2.5 < high.joules / low.joules < 7


def test_other_threads_are_named_and_their_time_is_not_counted_twice() -> None:
    source = SPIN + "t = threading.Thread(target=spin, args=(0.4,))\nt.start()\nt.join()\n"
    measured, lines = by_line(compiled(source, CELL, {"time": time, "threading": threading}))
    assert lines.threads == 1
    assert all(words.startswith("In[1] line") for words in lines.thread_lines)
    assert max(lines.lines, key=lambda line: line.joules).source == "t.join()"
    assert total(lines) == pytest.approx(measured.total_j)


def test_time_outside_the_notebook_is_elsewhere() -> None:
    _measured, lines = by_line(lambda: time.sleep(0.3))
    assert lines.lines == ()
    assert lines.elsewhere_s == pytest.approx(0.3, abs=0.2)
    assert lines.elsewhere_j > 0


def test_a_cell_that_raises_keeps_its_lines_and_leaves_no_thread() -> None:
    before = threading.active_count()
    meter = Meter([Steady()])
    window = meter.open()
    window.by_line({CELL: "In[1]"}.get)
    with pytest.raises(ZeroDivisionError):
        compiled("time.sleep(0.15)\n1/0\n", CELL, {"time": time})()
    window.close()
    assert window.result.lines is not None
    assert window.result.lines.lines[0].lineno == 1
    assert threading.active_count() == before


def test_a_deep_stack_costs_little() -> None:
    """Looking 100 times a second at 400 frames: its own CPU time is told, and is a small part."""
    source = SPIN + "def deep(n):\n    spin(0.5) if n == 0 else deep(n - 1)\ndeep(400)\n"
    measured, lines = by_line(compiled(source, CELL, {"time": time}))
    assert 0 < lines.cost_s < 0.1 * measured.duration_s
    assert lines.samples > 10


def test_a_short_cell_has_no_samples_and_everything_is_elsewhere() -> None:
    measured, lines = by_line(compiled("x = 1\n", CELL, {}))
    assert lines.lines == ()
    assert lines.elsewhere_j == pytest.approx(measured.total_j)


def test_lines_travel() -> None:
    measured, _lines = by_line(compiled("time.sleep(0.15)\n", CELL, {"time": time}))
    assert measurement_from_dict(measurement_to_dict(measured)).lines == measured.lines
