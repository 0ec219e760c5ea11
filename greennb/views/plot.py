"""Plots, with matplotlib: the only module that uses it, and only inside functions.

Figures are made without pyplot, so that no global state and no window system is touched. Their background is
transparent and their text a grey that reads on white and on black.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from greennb.model.measurement import Measurement
from greennb.model.reading import DomainKind, Method
from greennb.views.format import NOT_MEASURED, energy, plain, si_step
from greennb.views.style import COLOURS
from greennb.views.words import KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#7a828c"
"""Grey of text and lines: 3.9 to 1 on white, 4.9 to 1 on near-black (WCAG 2.2 asks 3 of graphics and large text)."""

_MOST_BARS = 40
_LABEL_WIDTH = 34
_HATCH = "////"
_WIDTH_IN, _BAR_IN, _REST_IN = 7.6, 0.30, 1.15  # inches: the figure, one bar, axis and legend together


def bars(measurements: Sequence[Measurement | None], labels: Sequence[str]) -> Figure:
    """A bar of joules for each measurement, stacked by kind of domain, with the total's 95 % interval as a whisker.

    Estimated parts are hatched and their totals carry "~". What has no total has no bar, and says "not measured".
    Beyond 40 measurements the 40 costliest are drawn, in their order, and the axis says so.

    Raises:
        ValueError: as many labels as measurements are needed.
    """
    from matplotlib.figure import Figure as NewFigure

    if len(labels) != len(measurements):
        raise ValueError(f"{len(measurements)} measurements need as many labels, not {len(labels)}.")
    shown = _costliest(measurements)
    scale, unit = si_step(max((part.high_j or 0.0 for part in measurements if part is not None), default=0.0))
    with _quietly():
        figure = NewFigure(figsize=(_WIDTH_IN, _REST_IN + _BAR_IN * max(2, len(shown))), layout="constrained")
        figure.patch.set_alpha(0.0)
        axes = figure.add_subplot()
        for place, index in enumerate(shown):
            _bar(axes, place, measurements[index], scale)
        _dress(axes, [plain(labels[index], _LABEL_WIDTH) for index in shown])
        left_out = len(measurements) - len(shown)
        axes.set_xlabel(
            f"energy in {unit}J, whiskers: 95 % interval"
            + (f"; the {len(shown)} costliest of {len(measurements)}" if left_out else ""),
            color=INK,
            fontsize=9,
        )
        _legend(figure, [part for part in measurements if part is not None])
    return figure


def figure_png(figure: Figure, *, dpi: int = 150) -> bytes:
    """The figure as PNG with a transparent background."""
    return _saved(figure, format="png", dpi=dpi)


def figure_svg(figure: Figure) -> str:
    """The figure as an SVG element to put into a page: text stays text, and its grey is the page's text colour.

    The same figure gives the same characters each time.
    """
    page = _saved(figure, format="svg", metadata={"Date": None, "Creator": None}).decode()
    element = page[page.index("<svg") :]  # without the XML declaration and the doctype, which only a file needs
    head, _metadata, rest = element.partition("<metadata>")
    return (head + rest.partition("</metadata>")[2]).replace(INK, "currentColor")


def _saved(figure: Figure, **options: Any) -> bytes:
    file = io.BytesIO()
    with _quietly():
        figure.savefig(file, transparent=True, **options)
    return file.getvalue()


@contextmanager
def _quietly() -> Iterator[None]:
    """Our settings for the moment, and no warning for characters that a font lacks (it draws a box instead)."""
    from matplotlib import rc_context

    ours = {
        "svg.fonttype": "none",
        "svg.hashsalt": "greennb",
        "font.family": ["sans-serif"],
        "hatch.linewidth": 1.0,
        "axes.unicode_minus": True,
    }
    with rc_context(ours), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _costliest(measurements: Sequence[Measurement | None]) -> list[int]:
    """Places of the measurements to draw, in their order."""

    def joules(index: int) -> float:
        part = measurements[index]
        return -1.0 if part is None or part.total_j is None else part.total_j

    ranked = sorted(range(len(measurements)), key=joules, reverse=True)
    return sorted(ranked[:_MOST_BARS])


def _bar(axes: Any, place: int, measured: Measurement | None, scale: float) -> None:
    total_j = None if measured is None else measured.total_j
    if measured is None or total_j is None:
        axes.text(0, place, f" {NOT_MEASURED}", va="center", fontsize=8, color=INK, style="italic")
        return
    left = 0.0
    for part in measured.roots:
        width = part.gross_j / scale
        hatch = _HATCH if part.method is Method.ESTIMATED else None
        axes.barh(
            place, width, left=left, height=0.62, color=COLOURS[part.domain.kind], hatch=hatch,
            edgecolor="#ffffffb0" if hatch else "none", linewidth=0,
        )  # fmt: skip
        left += width
    low, high = (measured.low_j or 0.0) / scale, (measured.high_j or 0.0) / scale
    axes.errorbar(
        total_j / scale, place, xerr=[[max(0.0, left - low)], [max(0.0, high - left)]], color=INK, capsize=3,
        elinewidth=1.2, fmt="none",
    )  # fmt: skip
    partial = ", partial" if measured.partial else ""
    value = energy(total_j, measured.low_j, measured.high_j, measured.method)
    axes.annotate(
        f"{value}{partial}", (max(left, high), place), xytext=(6, 0), textcoords="offset points", va="center",
        fontsize=8, color=INK, annotation_clip=False,
    )  # fmt: skip


def _dress(axes: Any, labels: Sequence[str]) -> None:
    axes.patch.set_alpha(0.0)
    axes.set_yticks(range(len(labels)), labels=labels, fontsize=8.5, parse_math=False)
    axes.set_ylim(max(len(labels), 1) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.margins(x=0.28)  # room for the number beside the longest bar
    axes.tick_params(colors=INK, length=0, labelsize=8.5)
    axes.xaxis.grid(visible=True, color=INK, alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(INK)


def _legend(figure: Any, measurements: Sequence[Measurement]) -> None:
    """Each kind of domain with the method that measured it."""
    from matplotlib.patches import Patch

    kinds: dict[tuple[DomainKind, Method], None] = dict.fromkeys(
        (part.domain.kind, part.method) for measured in measurements for part in measured.roots
    )
    patches = [
        Patch(
            facecolor=COLOURS[kind], label=f"{KINDS[kind]}, {method.value}", linewidth=0,
            hatch=_HATCH if method is Method.ESTIMATED else None, edgecolor="#ffffffb0",
        )
        for kind, method in kinds
    ]  # fmt: skip
    if patches:
        figure.legend(
            handles=patches, loc="outside upper left", ncols=4, frameon=False, fontsize=8.5, labelcolor=INK,
        )  # fmt: skip
