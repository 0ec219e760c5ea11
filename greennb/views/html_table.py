"""Cells as an HTML table: in a notebook's output and in the report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from greennb.model.measurement import Measurement, Status
from greennb.model.reading import Method
from greennb.model.run import CellCost
from greennb.model.total import Total
from greennb.views.format import NOT_MEASURED, energy, grams, plain, seconds, watts
from greennb.views.style import CARD, TABLE_RULES
from greennb.views.words import status_words

_HEADINGS = ("cell", "source", "time", "energy (95 %)", "mean power", "method", "CO₂e", "")
_SOURCE_LINES = 3
_LINE_WIDTH, _LONE_LINE_WIDTH = 110, 48


def table_card(cells: Sequence[CellCost]) -> str:
    """A table of cells that stands on its own in an output."""
    style = f"{CARD}<style>.gnb-card.gnb-wide{{max-width:none;overflow-x:auto}}{TABLE_RULES}</style>"
    return f'<div class="gnb-card gnb-wide" role="group" aria-label="energy by cell">{style}{table(cells)}</div>'


def table(cells: Sequence[CellCost], *, lines: int = 1, whole: Sequence[CellCost] | None = None) -> str:
    """One row a cell with the first ``lines`` lines of its source, and a total row; a cell without a number says so.

    ``whole`` are the cells that the total is of, where only some of them have a row.
    """
    whole = cells if whole is None else whole
    total = Total.of([cell.measurement for cell in whole])
    most = max((cell.measurement.total_j or 0.0 for cell in cells if cell.measurement is not None), default=0.0)
    head = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
    body = "".join(_row(cell, most, lines) for cell in cells)
    return (
        f'<table class="gnb-t"><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        f"<tfoot>{_total_row(total, len(whole))}</tfoot></table>"
    )


def source(text: str, lines: int = _SOURCE_LINES) -> str:
    """The first ``lines`` lines of a cell's source that are not blank, cleaned and escaped, one a line."""
    kept = [line for line in text[:20_000].splitlines() if line.strip() and not line.startswith("%%energy")]
    shown = [_line(line, _LINE_WIDTH if lines > 1 else _LONE_LINE_WIDTH) for line in kept[:lines]]
    if len(kept) > lines > 1:
        shown[-1] += " …"
    return "\n".join(escape(line) for line in shown)


def _line(line: str, width: int) -> str:
    """A line with its indentation, which :func:`plain` would take away."""
    indent = len(line) - len(line.lstrip(" "))
    return " " * min(indent, 24) + plain(line, width)


def _row(cell: CellCost, most: float, lines: int) -> str:
    code = f'<td class="gnb-src"><code>{source(cell.source, lines)}</code>{_heat(cell.measurement, most)}</td>'
    head = f'<tr><th scope="row">{cell.place}</th>{code}'
    measured = cell.measurement
    if measured is None:
        return f'{head}<td></td><td class="gnb-m">{NOT_MEASURED}</td><td></td><td></td><td></td><td>no result</td></tr>'
    joules = energy(measured.total_j, measured.low_j, measured.high_j, measured.method)
    power = "" if measured.mean_w is None else watts(measured.mean_w, measured.method)
    return (
        f"{head}<td>{seconds(measured.duration_s)}</td><td>{joules}</td><td>{power}</td>"
        f"<td>{badge(measured.method)}</td><td>{_grams(measured.co2e_g, measured.method)}</td>"
        f"<td>{_status(measured)}</td></tr>"
    )


def _total_row(total: Total, cells: int) -> str:
    joules = energy(total.total_j, total.low_j, total.high_j, total.method)
    power = ""
    if total.total_j is not None and total.duration_s > 0:
        power = watts(total.total_j / total.duration_s, total.method)
    return (
        f'<tr><th scope="row">all</th><td>{cells} cell{"" if cells == 1 else "s"}</td>'
        f"<td>{seconds(total.duration_s)}</td><td>{joules}</td><td>{power}</td><td>{badge(total.method)}</td>"
        f"<td>{_grams(total.co2e_g, total.method)}</td><td>{_partial(total.partial)}</td></tr>"
    )


def _heat(measured: Measurement | None, most: float) -> str:
    """A line below the source as long as the cell's share of the costliest; hatched where estimated."""
    if measured is None or measured.total_j is None or most <= 0:
        return ""
    hatched = " gnb-est" if measured.method is Method.ESTIMATED else ""
    return f'<i class="gnb-heat{hatched}" style="width:{100 * max(0.0, measured.total_j / most):.1f}%"></i>'


def badge(method: Method | None) -> str:
    """The method as a pill; "" where there is none."""
    return "" if method is None else f'<span class="gnb-badge gnb-{method.value}">{method.value}</span> '


def _grams(value: float | None, method: Method | None) -> str:
    return "" if value is None else grams(value, method)


def _status(measured: Measurement) -> str:
    bad = "" if measured.window.status is Status.OK else bad_badge(status_words(measured.window.status))
    return " ".join(part for part in (bad, _partial(measured.partial)) if part)


def _partial(partial: bool) -> str:
    return bad_badge("partial") if partial else ""


def bad_badge(words: str) -> str:
    """What is wrong, as a pill; ``words`` are our own."""
    return f'<span class="gnb-badge gnb-bad">{words}</span>'
