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


def test_figures_change_as_the_measurement_does(name: str, solved: Execution, unsolved: Execution) -> None:
    """The same work on a CPU of twenty times the watts: what is drawn in joules is about twenty times as much.

    Joules that figures are drawn from have names that end in _j, in dictionaries named figure_data.
    """
    few, many = joules(solved.figures), joules(unsolved.figures)
    both = sorted(set(few) & set(many))
    if not both and name[:2] in ("01", "02", "08"):
        pytest.skip("no figure of joules is promised here")
    assert both, "no joules in figure_data"
    nominal = RIG_W["students"] / RIG_W["solved"]
    ratios = {key: many[key] / few[key] for key in both}
    # The same work takes other seconds the second time, up to several times as many on a shared machine.
    wrong = {key: ratio for key, ratio in ratios.items() if not nominal / 6 < ratio < nominal * 6}
    assert wrong == {}


def joules(figures: dict[str, Any]) -> dict[str, float]:
    """The median of all joules above 0 of each name, whatever their order; intervals' ends are left to the middle."""
    found: dict[str, list[float]] = {}
    for path, value in leaves(figures, ""):
        key = path.rpartition("/")[2]
        if key.endswith("_j") and not key.endswith(("low_j", "high_j")) and value > 0:
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
