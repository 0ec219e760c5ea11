"""Let NumPy go through the numbers, not a Python loop

**Seen.** By `%%energy --lines`, more than half of the cell's time was in a loop of the notebook's own that handles
numbers one at a time: it indexes an array by its counter, or goes through its elements, and does nothing else but
arithmetic.

**Why it costs energy.** For each number the interpreter looks up names, makes objects and counts references; the
multiplication itself is the least of it, and one core is busy with that for as long as it takes.

**Change.** Write it as operations on whole arrays: `a * a`, `np.where`, `a[1:] - a[:-1]`, `np.cumsum`. Where each step
needs the one before it, `numba.njit` on the function compiles the loop as it is.

**Not where**

- each step needs the last one's result in a way that no array operation expresses, and numba is not at hand;
- the array operations would need copies that do not fit into memory: work in pieces.

**Check.** Both ways on a part of the data: same numbers (`np.testing.assert_allclose`; sums in another order differ in
the last digits), then `%energy_compare`.

**Thresholds.** More than half of a cell of at least 5 s, measured by lines: the catalogue's. [NumPy on
broadcasting](https://numpy.org/doc/stable/user/basics.broadcasting.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.notebook._shared import spent
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB107",
    name="Let NumPy go through the numbers, not a Python loop",
    framework="notebook",
    severity=Severity.ACT,
    since="0.2",
    source="joules by source line, in this notebook; NumPy documentation",
    wrong_when=(
        "each step needs the one before it in a way that no array operation expresses",
        "whole arrays of results would not fit into memory",
    ),
)

LEAST_S = 5.0
"""Seconds of the cell below which a loop is not worth rewriting (the catalogue)."""

LEAST_SHARE = 0.5
"""Part of the cell's time that the loop's lines must have taken (the catalogue)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Loops over numbers, by the time that their lines took."""
    if cell.code is None or cell.lines is None or cell.duration_s < LEAST_S:
        return
    for loop in cell.code.of("element_loop"):
        took = spent(cell, [loop])
        if took is None or took.share_s <= LEAST_SHARE:
            continue
        what = f"goes through {loop.name} one number at a time" if loop.name else "handles one number at a time"
        yield Found(
            evidence=(
                evidence("time in the loop", took.seconds, "s"),
                evidence("part of the cell's time", 100 * took.share_s, "%"),
                evidence("joules in the loop", took.joules, "J"),
            ),
            text=(
                f"The loop in line {loop.line} ({loop.text}) {what}, in the interpreter. Write it as operations on "
                f"whole arrays, or compile it with numba."
            ),
            code="",
            share=took.share_s,
            subject=loop.name or loop.text,
        )
