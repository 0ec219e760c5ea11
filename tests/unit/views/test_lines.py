"""Joules by line as they are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from greennb.model.lines import LineEnergy, Lines
from greennb.model.measurement import Measurement
from greennb.views import html, lines, mime, text


def line(lineno: int, joules: float, samples: int, source: str = "x = f(a < b)") -> LineEnergy:
    return LineEnergy(where="In[1]", lineno=lineno, source=source, seconds=joules / 40, samples=samples, joules=joules)


@pytest.fixture
def followed(samples: Any) -> Measurement:
    measured = samples.counted()
    whole = measured.total_j or 0.0
    parts = (line(3, 0.7 * whole, 70), line(1, 0.2 * whole, 20), line(2, 0.01 * whole, 1, "y = 1"))
    return replace(measured, lines=Lines(
        lines=parts, elsewhere_j=0.09 * whole, elsewhere_s=0.2, samples=100, period_s=0.01, longest_s=0.3, threads=2,
        thread_lines=("In[1] line 9",), gpu=True, cost_s=0.004,
    ))  # fmt: skip


def test_the_source_stands_in_its_order_and_is_escaped(followed: Measurement) -> None:
    card = html.card(followed)
    assert card.index("y = 1") < card.rindex("x = f(a &lt; b)")
    assert "a < b" not in card
    assert "<script" not in card
    assert card.count('class="gnb-part') == 3


def test_few_samples_are_no_figure(followed: Measurement) -> None:
    assert lines.figure(followed.lines.lines[2], followed).startswith("< ")  # type: ignore[union-attr]
    assert not lines.figure(followed.lines.lines[0], followed).startswith("<")  # type: ignore[union-attr]


def test_what_the_figures_are_is_said(followed: Measurement) -> None:
    told = " ".join(lines.notes(followed))
    for words in ("a model", "A GPU", "2 other threads", "longest time between two looks", "Looking took"):
        assert words in told
    assert told.replace("'", "&#x27;") in html.card(followed)


def test_a_terminal_sees_the_heaviest_lines_first(followed: Measurement) -> None:
    block = text.block(followed)
    assert block.index("In[1] line 3") < block.index("In[1] line 1")
    assert "In[1] line 3" in mime.bundle(followed)["text/plain"]


def test_a_long_cell_is_folded(followed: Measurement) -> None:
    assert followed.lines is not None
    many = replace(followed, lines=replace(followed.lines, lines=tuple(line(n, 1.0, 10) for n in range(1, 501))))
    card = html.card(many)
    assert "<summary>488 more lines</summary>" in card


def test_without_lines_nothing_is_said(samples: Any) -> None:
    assert lines.html(samples.counted()) == ""
    assert lines.rows(samples.counted()) == []
