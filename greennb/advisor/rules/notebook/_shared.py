"""What several rules of the notebook and the machine ask of a cell: its lines' seconds and joules, its boards."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.source import SourceFact

GIB = 2**30


class Spent(NamedTuple):
    """Seconds and joules of some lines, and the part that each is of the whole cell's, 0 to 1."""

    seconds: float
    joules: float
    share_s: float
    share_j: float


def spent(cell: CellContext, facts: Iterable[SourceFact]) -> Spent | None:
    """What the lines of ``facts`` took, each line counted once; None without ``%%energy --lines``."""
    lines = cell.lines
    if lines is None:
        return None
    places = {(where, line) for fact in facts for where in [_where(cell, fact)] for line in _span(fact)}
    mine = [line for line in lines.lines if (line.where, line.lineno) in places and not line.few]
    seconds, joules = math.fsum(it.seconds for it in mine), math.fsum(it.joules for it in mine)
    total_s = math.fsum(it.seconds for it in lines.lines) + lines.elsewhere_s
    total_j = math.fsum(it.joules for it in lines.lines) + lines.elsewhere_j
    return Spent(seconds, joules, _part(seconds, total_s), _part(joules, total_j))


def clock_share(cell: CellContext, seconds: float) -> float:
    """The part of the cell's time that ``seconds`` are, 0 to 1."""
    return _part(seconds, cell.duration_s)


def gib(b: float) -> str:
    """Bytes for a sentence: "1.5 GiB"."""
    return f"{b / GIB:.1f} GiB" if b >= 0.95 * GIB else f"{b / 2**20:.0f} MiB"


def _span(fact: SourceFact) -> range:
    return range(fact.first or fact.line, (fact.last or fact.line) + 1)


def _where(cell: CellContext, fact: SourceFact) -> str:
    """What the notebook calls the cell in which a fact is written."""
    if not fact.back:
        return f"In[{cell.execution_count}]"
    if fact.back > len(cell.past):
        return ""
    return f"In[{cell.past[-fact.back].execution_count}]"


def _part(part: float, whole: float) -> float:
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 0.0
