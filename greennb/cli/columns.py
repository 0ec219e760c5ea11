"""Rows of text in columns, at most as wide as the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from greennb.views.format import columns, pad, plain

_GAP = 2
_LEAST = 8


def laid_out(
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right: Collection[int] = (),
    gives_way: int,
    width: int,
) -> str:
    """``rows`` below ``headings``; the columns ``right`` end at the right, ``gives_way`` takes what room is left."""
    lines = [headings, *rows]
    widths = [max(columns(line[place]) for line in lines) for place in range(len(headings))]
    others = sum(widths) - widths[gives_way] + _GAP * (len(widths) - 1)
    widths[gives_way] = min(widths[gives_way], max(_LEAST, width - others))
    return "\n".join(_line(line, widths, right) for line in lines)


def _line(line: Sequence[str], widths: Sequence[int], right: Collection[int]) -> str:
    cells = (
        pad(plain(text, wide), wide, right=place in right)
        for place, (text, wide) in enumerate(zip(line, widths, strict=True))
    )
    return (" " * _GAP).join(cells).rstrip()
