"""The marker ``%%energy``: a line that says "measure this cell" and is gone before the cell runs.

It is no wrapper. An input transformer takes the line away, so the cell runs as if it had never been there: top-level
``await``, ``%%time`` or ``%%bash`` below it, the value of the last line, tracebacks with the right line numbers.
Where the options cannot be followed without running the body ourselves (``-r``), or are wrong, the line stays and
IPython calls the cell magic of the same name, which repeats the body or says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from greennb.jupyter.options import Options, parse
from greennb.model.errors import BadInputError

MARKER = "%%energy"

_LINE = re.compile(r"%%energy(?=\s|$)")

_TRANSPARENT = re.compile(r"%%(time|timeit|capture|prun)(?=\s|$)")
"""Cell magics that run their body as a cell, so that a marker below them is meant for that cell."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A marker found on line ``index`` of a cell, with its options."""

    index: int
    options: Options


def find(lines: Sequence[str]) -> Marker | None:
    """The marker that the hooks are to follow; None where there is none, or where the magic has to see it."""
    index = _index(lines)
    if index is None:
        return None
    try:
        options = parse(MARKER, lines[index][len(MARKER) :])
    except BadInputError:
        return None
    return Marker(index, options) if options.repeat is None else None


def strip(lines: list[str]) -> list[str]:
    """``lines`` without the marker: an input transformer for IPython.

    A blank line takes its place, so that line numbers in tracebacks stay right, except above another cell magic,
    which must come first in its cell to be one.
    """
    marker = find(lines)
    if marker is None:
        return lines
    before, after = lines[: marker.index], lines[marker.index + 1 :]
    if before or _first(after).startswith("%%"):
        return [*before, *after[_blank(after) :]] if not before else [*before, *after]
    return ["\n", *after]


def first_line(source: str) -> str:
    """The first line of a cell that is code rather than a marker, for tables."""
    for line in source.splitlines():
        if line.strip() and not _LINE.match(line):
            return line.strip()
    return ""


def _index(lines: Sequence[str]) -> int | None:
    for index, line in enumerate(lines):
        if _LINE.match(line):
            return index
        if line.strip() and not _TRANSPARENT.match(line):
            return None
    return None


def _blank(lines: Sequence[str]) -> int:
    """How many blank lines there are at the start."""
    return next((n for n, line in enumerate(lines) if line.strip()), len(lines))


def _first(lines: Sequence[str]) -> str:
    return next((line for line in lines if line.strip()), "")
