"""Let pandas work on columns, not row by row

**Seen.** A loop over `iterrows()`, or `apply(..., axis=1)`, with nothing but arithmetic, comparisons and look-ups in
it, that took much of the cell: by `%%energy --lines`, or because the cell holds nothing else.

**Why it costs energy.** For every row pandas makes a Series object with an index and one common type, and every look-up
in it goes through the index: microseconds of interpreter for each number. Columns are arrays, and an operation on them
makes no objects.

**Change.** Write the same with whole columns: `df["a"] * df["b"]`, `np.where`, `Series.where`, `.str` and `.dt`
methods, `map` for look-ups, `groupby` for sums. Where a loop is needed, `itertuples()` makes far lighter rows.

**Not where**

- each row needs the result of the one before it;
- the function called asks a service, a model or a file: then the rows are not what takes the time, and nothing is said.

**Check.** Compare the results (`pd.testing.assert_series_equal`), then `%energy_compare` on a part of the rows.

**Thresholds.** Three tenths of the joules of a cell of at least 2 s: ours. pandas says in [its
documentation](https://pandas.pydata.org/docs/user_guide/basics.html#iteration) that iterating is slow and seldom
needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.notebook._shared import spent
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.source import SourceFact
from greennb.model.finding import Evidence, Rule, Severity

RULE = Rule(
    code="GNB108",
    name="Let pandas work on columns, not row by row",
    framework="notebook",
    severity=Severity.ACT,
    since="0.2",
    source="pandas documentation, iteration; joules by source line, in this notebook",
    wrong_when=("each row needs the result of the one before it",),
)

LEAST_S = 2.0
"""Seconds of the cell below which nothing is said (ours)."""

LEAST_SHARE = 0.3
"""Part of the cell's joules that the lines must have taken (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Plain work on rows that took a large part of the cell."""
    if cell.code is None or cell.duration_s < LEAST_S:
        return
    rows = cell.code.of("rows_plain")
    for name in dict.fromkeys(fact.name for fact in rows):
        of_name = [fact for fact in rows if fact.name == name]
        told = _measured(cell, of_name)
        if told is None:
            continue
        seen, share = told
        first = of_name[0]
        yield Found(
            evidence=seen,
            text=(
                f"Line {first.line} ({first.text}) makes a Series object of each row of {name or 'the frame'}. "
                f"Write it with whole columns: arithmetic, np.where, map, groupby."
            ),
            code="",
            share=share,
            subject=name or first.text,
        )


def _measured(cell: CellContext, facts: list[SourceFact]) -> tuple[tuple[Evidence, ...], float] | None:
    """The evidence that these lines were dear, and the part of the cell that they are; None where it isn't shown."""
    took = spent(cell, facts)
    if took is None:
        if cell.code is None or cell.code.statements != 1 or any(fact.in_loop for fact in facts):
            return None
        return (evidence("time of the cell, which holds nothing else", cell.duration_s, "s"),), 1.0
    if took.share_j < LEAST_SHARE:
        return None
    seen = (
        evidence("time in these lines", took.seconds, "s"),
        evidence("joules in these lines", took.joules, "J"),
        evidence("part of the cell's joules", 100 * took.share_j, "%"),
    )
    return seen, took.share_j
