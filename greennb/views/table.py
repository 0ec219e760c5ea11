"""The command line's table: one row a cell, a total row, as wide as a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from greennb.model.measurement import Measurement, Status
from greennb.model.reading import Method
from greennb.model.total import Total
from greennb.views.format import NOT_MEASURED, columns, energy, grams, pad, plain, seconds

_HEADINGS = ("cell", "source", "time", "energy (95 %)", "method", "CO2e", "status")
_TO_THE_RIGHT = (True, False, True, True, False, True, False)
_SOURCE = 1  # the column that gives way
_LEAST_SOURCE = 8
_ASCII = {"–": "-", "−": "-", "±": "+/-", "µ": "u", "…": "...", "─": "-", "·": "|", "×": "x"}


def table(rows: Sequence[tuple[str, str, Measurement | None]], *, unicode: bool = True, width: int = 100) -> str:
    """Cells (index, first line of source, measurement or None) and their total, at most ``width`` columns.

    ``unicode=False`` writes ASCII only. Nothing measured leaves "not measured", never a 0.
    """
    total = Total.of([measurement for _index, _source, measurement in rows])
    body = [_row(index, source, measurement) for index, source, measurement in rows]
    cells = [_HEADINGS, *body, _total_row(total, len(rows))]
    if not unicode:
        cells = [tuple(_ascii(cell) for cell in row) for row in cells]
    widths = _widths(cells, width)
    lines = [_line(row, widths, "…" if unicode else "...") for row in cells]
    rule = ("─" if unicode else "-") * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def _row(index: str, source: str, measurement: Measurement | None) -> tuple[str, ...]:
    head = (plain(index, 8), plain(source, 200))
    if measurement is None:
        return (*head, "", NOT_MEASURED, "", "", "no result")
    joules = energy(measurement.total_j, measurement.low_j, measurement.high_j, measurement.method)
    return (
        *head, seconds(measurement.duration_s), joules, _method(measurement.method),
        _grams(measurement.co2e_g, measurement.method), _status(measurement.window.status, measurement.partial),
    )  # fmt: skip


def _total_row(total: Total, cells: int) -> tuple[str, ...]:
    joules = energy(total.total_j, total.low_j, total.high_j, total.method)
    heading = f"{cells} cell{'' if cells == 1 else 's'}"
    return (
        "all", heading, seconds(total.duration_s), joules, _method(total.method), _grams(total.co2e_g, total.method),
        "partial" if total.partial else "",
    )  # fmt: skip


def _method(method: Method | None) -> str:
    return "" if method is None else method.value


def _grams(value: float | None, method: Method | None) -> str:
    return "" if value is None else grams(value, method)


def _status(status: Status, partial: bool) -> str:
    return f"{status.value}, partial" if partial else status.value


def _widths(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Each column as wide as its widest cell; the source takes what is left, but some."""
    widths = [max(columns(cell) for cell in column) for column in zip(*rows, strict=True)]
    rest = sum(widths) - widths[_SOURCE] + 2 * (len(widths) - 1)
    widths[_SOURCE] = min(widths[_SOURCE], max(_LEAST_SOURCE, width - rest))
    return widths


def _line(row: Sequence[str], widths: Sequence[int], ellipsis: str) -> str:
    cells = zip(row, widths, _TO_THE_RIGHT, strict=True)
    return "  ".join(pad(_fit(cell, width, ellipsis), width, right=right) for cell, width, right in cells).rstrip()


def _fit(cell: str, width: int, ellipsis: str) -> str:
    if columns(cell) <= width:
        return cell
    return plain(cell, width) if ellipsis == "…" else cell[: width - len(ellipsis)] + ellipsis


def _ascii(text: str) -> str:
    plain_text = "".join(_ASCII.get(char, char) for char in text)
    return plain_text.encode("ascii", "replace").decode("ascii")
