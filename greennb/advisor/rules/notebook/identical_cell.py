"""Keep what a cell has loaded instead of loading it again

**Seen.** This cell has run before in this kernel, word for word, with inputs that no cell in between names, and all
that it does is load or derive something that comes out the same each time: it reads files, fetches a data set, fits
a transformation with a fixed `random_state`.

**Why it costs energy.** The seconds of the second run gave what the first had given already.

**Change.** Let the cell work only where its result is not there yet, as in the code below; delete the name to load
anew. To keep it from one session to the next, write it to a file that is cheap to read (Parquet, `numpy.save`), or wrap
the function that makes it in `joblib.Memory`.

**Not where**

- the file, table or page behind it has changed since;
- a later cell changes the result in place and you need it fresh: then keep a copy, or a cache on disk.

**Check.** Run the cell twice: the second run should take next to nothing.

**Thresholds.** Both runs at least 2 s; the cell consists of known loaders and transformations only, for a training cell
that runs again goes on training: nothing is said on those. Ours. [joblib's
Memory](https://joblib.readthedocs.io/en/stable/memory.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.notebook._shared import clock_share
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB104",
    name="Keep what a cell has loaded instead of loading it again",
    framework="notebook",
    severity=Severity.NOTE,
    since="0.2",
    source="seconds of both runs, in this notebook; joblib's Memory",
    wrong_when=("what it reads has changed since", "a later cell changes the result in place and needs it fresh"),
)

LEAST_S = 2.0
"""Seconds of each run below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """A cell of loaders that ran before on the same inputs."""
    code = cell.code
    if code is None or cell.failed or cell.duration_s < LEAST_S or not code.of("pure"):
        return
    made = _no_modules(code.writes, [cell])
    if not made or set(code.reads) & set(made):  # it changes its own input
        return
    earlier = [it for it in cell.past if it.source == cell.source and not it.failed and it.duration_s >= LEAST_S]
    if not earlier:
        return
    since = [it for it in cell.past if it.number > earlier[-1].number]
    if _named(_no_modules(code.reads, cell.past), since):
        return
    told = ", ".join(made[:4])
    yield Found(
        evidence=(
            evidence("this run", cell.duration_s, "s"),
            evidence("the run before", earlier[-1].duration_s, "s"),
            evidence("runs so far", len(earlier) + 1, "runs"),
        ),
        text=(
            f"This cell gave {told} once more in {cell.duration_s:.1f} s, from inputs that had "
            f"not changed in this notebook. Let it work only where the result is not there yet."
        ),
        code=_guarded(cell.source, made),
        share=clock_share(cell, cell.duration_s),
        subject=told,
    )


def _no_modules(names: Sequence[str], cells: Sequence[CellContext]) -> list[str]:
    """``names`` without those that some of these cells import."""
    return [name for name in names if not any(_imports(it.source, name) for it in cells)]


def _imports(source: str, name: str) -> bool:
    return re.search(rf"\bimport\b[^\n]*\b{re.escape(name)}\b", source) is not None


def _named(names: Sequence[str], cells: Sequence[CellContext]) -> bool:
    """Whether any of these cells names any of them: it may have bound it anew, or changed it in place."""
    return any(re.search(rf"\b{re.escape(name)}\b", it.source) for name in names for it in cells)


def _guarded(source: str, writes: Sequence[str]) -> str:
    """The cell under an ``if``; nothing where that could change it (texts over several lines, magics)."""
    if '"""' in source or "'''" in source or re.search(r"^\s*[%!]", source, re.MULTILINE):
        return ""
    lines = [f"    {line}" if line.strip() else "" for line in source.strip("\n").split("\n")]
    return "\n".join([f'if "{writes[-1]}" not in globals():', *lines])
