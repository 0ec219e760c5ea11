"""Every notebook runs from clean: as students get it, and solved; and its figures show what was measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import Any

import pytest

from tests.notebooks.books import MIME, RIG_W, Execution, is_check

pytestmark = pytest.mark.kernel

MOST_CPU_S = 240.0


def test_unsolved_exactly_the_checks_fail_each_with_a_sentence_that_helps(unsolved: Execution) -> None:
    """In another time zone and locale. A check that fails otherwise (a name missing) tells a student nothing."""
    raised = unsolved.raised()
    assert set(raised) == {cell.id for cell in unsolved.code if is_check(cell)}
    for cell_id, said in raised.items():
        assert said.startswith("AssertionError: "), (cell_id, said)
        assert len(said.split()) > 4, (cell_id, said)


def test_unsolved_every_other_cell_is_measured(unsolved: Execution) -> None:
    """A cell without greennb's bundle was not measured; those that ask for silence or repeat themselves show none."""
    unmeasured = [
        cell.id
        for cell in unsolved.code[1:]
        if not any(MIME in output.get("data", {}) for output in cell.outputs) and not cell.source.startswith("%%energy")
    ]
    assert unmeasured == []


def test_solved_no_cell_raises_and_every_cell_is_measured(solved: Execution) -> None:
    assert solved.raised() == {}
    assert solved.status == 0, solved.said
    assert {cell["status"] for cell in solved.run["cells"]} == {"ok"}
    assert all(cell["total_j"] is not None for cell in solved.run["cells"])


def test_it_computes_for_no_longer_than_two_minutes_of_two_cores(solved: Execution) -> None:
    """CPU time, which a busy machine stretches less than the clock's."""
    assert 0 < solved.cpu_s < MOST_CPU_S


def test_figures_change_as_the_measurement_does(solved: Execution, unsolved: Execution) -> None:
    """The same work on a CPU of twenty times the watts: joules and grams that are drawn are about twenty times as much.

    They have names that end in _j or _g, in dictionaries named figure_data. Trials' ratios do not follow the watts, as
    it should be; but two executions never give the same to all digits.
    """
    few, many = energies(solved.figures), energies(unsolved.figures)
    both = sorted(set(few) & set(many))
    told = [ratios(execution.figures) for execution in (solved, unsolved)]
    assert both or all(told), "neither joules nor ratios in figure_data"
    if all(told):
        assert told[0] != told[1]
    if not both:
        return
    nominal = RIG_W["students"] / RIG_W["solved"]
    times = {key: many[key] / few[key] for key in both}
    # The same work takes other seconds the second time, on a shared machine several times as many.
    assert nominal / 6 < statistics.median(times.values()) < nominal * 6, times
    assert {key: ratio for key, ratio in times.items() if ratio <= 1} == {}


def ratios(figures: dict[str, Any]) -> list[float]:
    """The ratios of trials that figures are drawn from; 1 is what something is compared with."""
    return [value for path, value in leaves(figures, "") if path.endswith("/ratio") and value != 1]


def energies(figures: dict[str, Any]) -> dict[str, float]:
    """The median of what is above 0 under each name of joules or grams, in whatever order; intervals' ends left out."""
    found: dict[str, list[float]] = {}
    for path, value in leaves(figures, ""):
        key = path.rpartition("/")[2]
        if key.endswith(("_j", "_g")) and "low" not in key and "high" not in key and value > 0:
            found.setdefault(path, []).append(value)
    return {path: statistics.median(values) for path, values in found.items()}


def leaves(value: Any, path: str) -> Iterator[tuple[str, float]]:
    """Every number in plain data with the keys that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        yield path, float(value)
