"""``greennb diff``: two runs of a notebook, cell by cell, and what the intervals allow to be said."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from greennb.cli.columns import laid_out
from greennb.cli.files import json_text, read_run
from greennb.cli.terminal import width
from greennb.model.measurement import Measurement
from greennb.model.run import CellCost, NotebookRun
from greennb.model.total import Total
from greennb.views.compare import Comparison
from greennb.views.format import energy, plain

SCHEMA = 1
"""Version of what ``greennb diff --json`` prints."""


_ABOUT = """\
Compare two runs that `greennb run --json` wrote, cell by cell.

Cells belong together by their id, else by place and source, else by source. A difference is named where the 95 %
intervals have no point in common; one run each shows that they differed, not why. Exit status: 0 whatever it shows,
2 where a file cannot be read."""


class Answer(StrEnum):
    """What can be said of two amounts of energy."""

    SAME = "no difference beyond the intervals"
    MORE = "more"
    LESS = "less"
    OTHER_GROUND = "not comparable: measured in other ways"
    MISSING = "not measured in both"
    ONLY_A = "only in A"
    ONLY_B = "only in B"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The same cell in two runs; None where a run lacks it."""

    a: CellCost | None
    b: CellCost | None

    @property
    def cell(self) -> CellCost:
        """The cell as the later run has it, else as the earlier."""
        return self.b or self.a  # type: ignore[return-value]  # one of them is there

    @property
    def changed(self) -> bool:
        """Whether its source differs."""
        return self.a is not None and self.b is not None and self.a.source != self.b.source

    @property
    def answer(self) -> Answer:
        """What can be said of its joules in B against A."""
        if self.a is None or self.b is None:
            return Answer.ONLY_B if self.a is None else Answer.ONLY_A
        if self.a.measurement is None or self.b.measurement is None:
            return Answer.MISSING
        both = Comparison(a=self.a.measurement, b=self.b.measurement)
        return _answer(both.overlap, both.difference_j, same_ground=both.same_ground)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``diff`` to the command line."""
    parser = commands.add_parser(
        "diff",
        help="compare two runs cell by cell",
        description=_ABOUT,
        epilog="example: greennb diff before.json after.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("a", metavar="A.json", type=Path, help="the run to compare with")
    parser.add_argument("b", metavar="B.json", type=Path, help="the run that is compared")
    parser.add_argument("--json", action="store_true", help="print JSON for a machine to read")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the comparison of two files; 0 whatever it shows."""
    a, b = read_run(given.a), read_run(given.b)
    if given.json:
        print(json_text(document(a, b)))
        return 0
    for line in [*_headings(a, b), "", _table(a, b), "", *_remarks(a, b)]:
        print(line)
    return 0


def pairs(a: NotebookRun, b: NotebookRun) -> list[Pair]:
    """The cells of two runs that belong together, in the order of ``b``; those only in ``a`` stand at the end."""
    partner: dict[int, CellCost] = {}
    for key in (_by_id, _by_place, _by_source):
        _match(a.cells, b.cells, key, partner)
    matched = {id(cell) for cell in partner.values()}
    found = [Pair(a=partner.get(position), b=cell) for position, cell in enumerate(b.cells)]
    return found + [Pair(a=cell, b=None) for cell in a.cells if id(cell) not in matched]


def total_answer(a: NotebookRun, b: NotebookRun) -> Answer:
    """What can be said of the joules of the whole of ``b`` against those of ``a``."""
    one, other = a.total, b.total
    if one.total_j is None or other.total_j is None:
        return Answer.MISSING
    ends = (one.low_j or 0.0) <= (other.high_j or 0.0) and (other.low_j or 0.0) <= (one.high_j or 0.0)
    return _answer(ends, other.total_j - one.total_j, same_ground=_ground(a) == _ground(b))


def document(a: NotebookRun, b: NotebookRun) -> dict[str, Any]:
    """The comparison as plain JSON values."""
    return {
        "schema": SCHEMA,
        "a": _run_heading(a),
        "b": _run_heading(b),
        "cells": [_pair_to_dict(pair) for pair in pairs(a, b)],
        "total": {
            "a": _amount(a.total),
            "b": _amount(b.total),
            "ratio": _ratio(a.total, b.total),
            "answer": total_answer(a, b).value,
        },
    }


def _answer(overlap: bool | None, difference_j: float | None, *, same_ground: bool) -> Answer:
    if overlap is None or difference_j is None:
        return Answer.MISSING
    if not same_ground:
        return Answer.OTHER_GROUND
    if overlap:
        return Answer.SAME
    return Answer.MORE if difference_j > 0 else Answer.LESS


def _match(
    a: Sequence[CellCost],
    b: Sequence[CellCost],
    key: Callable[[CellCost], Hashable],
    partner: dict[int, CellCost],
) -> None:
    """Give each cell of ``b`` (by position) that has none yet the first free cell of ``a`` with the same key."""
    taken = {id(cell) for cell in partner.values()}
    free: dict[Hashable, list[CellCost]] = {}
    for cell in a:
        if id(cell) not in taken and key(cell) is not None:
            free.setdefault(key(cell), []).append(cell)
    for position, cell in enumerate(b):
        if position not in partner and free.get(key(cell)):
            partner[position] = free[key(cell)].pop(0)


def _by_id(cell: CellCost) -> Hashable:
    return cell.cell_id


def _by_place(cell: CellCost) -> Hashable:
    return cell.index, cell.source


def _by_source(cell: CellCost) -> Hashable:
    return cell.source


def _ground(run: NotebookRun) -> set[tuple[str, str]]:
    """On which kinds of domain a run was measured, and how."""
    return {(root.domain.kind.value, root.method.value) for part in run.measurements for root in part.roots}


def _table(a: NotebookRun, b: NotebookRun) -> str:
    rows = [
        (
            str(pair.cell.index),
            pair.cell.first_line,
            _energy(None if pair.a is None else pair.a.measurement),
            _energy(None if pair.b is None else pair.b.measurement),
            _times(pair),
            pair.answer.value + (", source changed" if pair.changed else ""),
        )
        for pair in pairs(a, b)
    ]
    total = ("all", "", _energy(a.total), _energy(b.total), _factor(_ratio(a.total, b.total)), total_answer(a, b).value)
    headings = ("cell", "source", "A (95 %)", "B (95 %)", "B/A", "B against A")
    return laid_out(headings, [*rows, total], right=(0, 2, 3, 4), gives_way=1, width=width())


def _headings(a: NotebookRun, b: NotebookRun) -> list[str]:
    return [
        f"{name}: {plain(run.notebook, 120)} on {plain(run.host, 40) or 'an unnamed host'}, "
        f"{run.started_at.isoformat(sep=' ', timespec='seconds')}"
        for name, run in (("A", a), ("B", b))
    ]


def _remarks(a: NotebookRun, b: NotebookRun) -> list[str]:
    """What a reader should know before believing the table."""
    remarks = []
    for name, run in (("A", a), ("B", b)):
        if run.error:
            remarks.append(f"{name} did not reach its end: {plain(run.error, 300)}")
        elif run.total.partial:
            remarks.append(f"{name} is partial: something is missing from its total.")
    if a.host != b.host:
        remarks.append("The runs were on different machines.")
    answers = {pair.answer for pair in pairs(a, b)}
    if answers <= {Answer.SAME} and total_answer(a, b) is Answer.SAME:
        return [*remarks, "No difference beyond the intervals."]
    if answers & {Answer.MORE, Answer.LESS}:
        remarks.append("One run each: this says that they differed, not that a change made the difference.")
    return remarks


def _energy(part: Measurement | Total | None) -> str:
    return "" if part is None else energy(part.total_j, part.low_j, part.high_j, part.method)


def _times(pair: Pair) -> str:
    if pair.a is None or pair.b is None or pair.answer in (Answer.OTHER_GROUND, Answer.MISSING):
        return ""
    return _factor(_ratio(pair.a.measurement, pair.b.measurement))


def _ratio(a: Measurement | Total | None, b: Measurement | Total | None) -> float | None:
    if a is None or b is None or not a.total_j or b.total_j is None:
        return None
    return b.total_j / a.total_j


def _factor(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}" if ratio < 100 else f"{ratio:.3g}"


def _run_heading(run: NotebookRun) -> dict[str, Any]:
    return {
        "notebook": run.notebook,
        "host": run.host,
        "started_at": run.started_at.isoformat(),
        "error": run.error,
    }


def _pair_to_dict(pair: Pair) -> dict[str, Any]:
    a, b = (None if cost is None else cost.measurement for cost in (pair.a, pair.b))
    return {
        "cell_id": pair.cell.cell_id,
        "cell_index": pair.cell.index,
        "first_line": pair.cell.first_line,
        "source_changed": pair.changed,
        "a": _amount(a),
        "b": _amount(b),
        "ratio": _ratio(a, b),
        "answer": pair.answer.value,
    }


def _amount(part: Measurement | Total | None) -> dict[str, Any] | None:
    if part is None:
        return None
    return {
        "total_j": part.total_j,
        "low_j": part.low_j,
        "high_j": part.high_j,
        "method": None if part.method is None else part.method.value,
        "partial": part.partial,
        "duration_s": part.duration_s,
    }
