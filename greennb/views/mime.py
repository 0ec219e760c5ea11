"""MIME bundles: what a measurement puts into a notebook's output, for every kind of reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from greennb.model.measurement import Measurement
from greennb.model.wire import MIME_TYPE, measurement_to_dict
from greennb.views import html, lines, text
from greennb.views.shown import Shown

if TYPE_CHECKING:
    from greennb.model.run import CellCost
    from greennb.model.series import Series


def bundle(
    measurement: Measurement,
    *,
    quiet: bool = False,
    history: Sequence[Measurement] | None = None,
    net: bool = False,
    carbon: bool = True,
    budget_j: float | None = None,
    per: float | None = None,
    unit: str = "",
    price: float = 0.0,
    currency: str = "",
    advice: str = "",
) -> dict[str, Any]:
    """A measurement as JSON of our own type, as HTML (its card, or one ``quiet`` line), and as a line of text.

    The JSON holds all of the measurement whatever is shown, and under "shown" how it is, so that a page which draws
    from the JSON shows the same. ``advice`` is one line of the advisor's, "" for none. The other options
    are those of :class:`greennb.views.shown.Shown`, and ``history`` is that of :func:`greennb.views.html.card`.
    """
    shown = Shown(net=net, carbon=carbon, budget_j=budget_j, per=per, unit=unit, price=price, currency=currency)
    line = text.line(measurement, shown)
    if quiet:
        page = html.quiet(line) + (html.quiet(advice) if advice else "")
    else:
        page = html.card(measurement, history=history, shown=shown, advice=advice)
    below = [*(value for _head, value in lines.rows(measurement)), *([advice] if advice else [])]
    plain = "\n".join([line, *(f"  {words}".rstrip() for words in below)])
    how = shown.to_dict() | ({"quiet": True} if quiet else {})
    json = measurement_to_dict(measurement) | ({"shown": how} if how else {}) | ({"advice": advice} if advice else {})
    return {MIME_TYPE: json, "text/html": page, "text/plain": plain}


def series_bundle(repeats: Series) -> dict[str, Any]:
    """Repetitions as a card and as a line."""
    return {"text/html": html.series_card(repeats), "text/plain": text.series(repeats)}


def comparison_bundle(a: Measurement, b: Measurement, name_a: str = "", name_b: str = "") -> dict[str, Any]:
    """Two measurements side by side, called by their labels where no names are given."""
    from greennb.views.compare import Comparison

    both = Comparison(a=a, b=b, name_a=name_a, name_b=name_b)
    return {"text/html": html.comparison_card(both), "text/plain": text.comparison(both)}


def table_bundle(cells: Sequence[CellCost]) -> dict[str, Any]:
    """Cells and their total as a table."""
    from greennb.views.html_table import table_card  # only a report asks for it, and the first cell should not wait

    return {"text/html": table_card(cells), "text/plain": text.table(cells)}
