"""Watts over the last minutes as an SVG: devices stacked, estimates hatched, gaps left open, the cells as bands.

A pure function of what was sent; no script, and colours from the page's own variables
(:func:`greennb.views.style.palette`).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from greennb.model.reading import DomainKind, Method
from greennb.views.format import plain, si_step, watts, whole_seconds
from greennb.views.style import COLOURS

WIDTH, HEIGHT = 820, 190
"""The drawing's own units; it is shown as wide as there is room."""

MOST_POINTS = 160
"""Points of a curve that are worth drawing: one every five units of width."""

GAP_S = 2.5
"""Seconds without a look that are left open: the slowest pace that the dashboard asks for is two a second, told in
pairs, so that a longer silence is one in which nobody looked."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 16, 22  # room for the scale, the last label, the cells' numbers, the times
_STEPS = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
_FADES = (1.0, 0.72, 0.5, 0.34)  # devices of one kind, from the first on
_BAND_LABEL = 26  # units of width that a cell's number needs

STYLE = """
.gnb-live{display:block;width:100%;height:auto;margin:8px 0 4px;font:11.5px system-ui,"DejaVu Sans",sans-serif}
.gnb-live text{fill:var(--g-muted,#5f6670)}
.gnb-live .gnb-grid{stroke:var(--g-line,#dfe2e6);stroke-width:1}
.gnb-live .gnb-edge{fill:none;stroke-width:1.4;stroke-linejoin:round}
.gnb-live .gnb-cellband{fill:var(--g-text,#1c1f23);opacity:.07}
.gnb-live .gnb-cellband.gnb-runs{opacity:.13}
.gnb-live .gnb-failed{fill:var(--g-warn,#8f5600);opacity:.22}
""".replace("\n", "")
"""What :func:`svg` needs of a style sheet, beside the palette."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Watts of one device that is in no other, None where they could not be read."""

    label: str
    kind: DomainKind
    method: Method
    w: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A cell over the time; ``t1_s`` is None while it runs."""

    name: str
    t0_s: float
    t1_s: float | None


def svg(t_s: Sequence[float], curves: Sequence[Curve], bands: Sequence[Band], *, span_s: float, name: str) -> str:
    """The chart of the ``span_s`` seconds up to the last of ``t_s`` (seconds, ascending; all curves are as long).

    ``name`` tells this drawing from others on the same page: letters and digits.
    """
    end_s = t_s[-1] if t_s else 0.0
    begin = bisect_left(t_s, end_s - span_s)
    times, rows = t_s[begin:], [curve.w[begin:] for curve in curves]
    frame = _Frame(end_s=end_s, span_s=span_s, top_w=_top(rows))
    patterns = "".join(_pattern(curves, at, name) for at in range(len(curves)))
    words = escape(summary(t_s, curves, span_s=span_s))
    return (
        f'<svg class="gnb-live" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{words}">'
        f"<title>{words}</title><defs>{patterns}</defs>"
        f"{_scale(frame)}{_bands(frame, bands)}{_failures(frame, times, rows)}"
        f"{_stack(frame, times, rows, curves, name)}</svg>"
    )


def summary(t_s: Sequence[float], curves: Sequence[Curve], *, span_s: float) -> str:
    """The chart in a sentence, for who cannot see it: watts now, and between what they were."""
    since_s = (t_s[-1] if t_s else 0.0) - span_s
    shown = [at for at, time_s in enumerate(t_s) if time_s >= since_s]
    read = [curve for curve in curves if any(curve.w[at] is not None for at in shown)]
    # Where one of them is missing for a while, the others' sum is not what the machine drew.
    columns = [[curve.w[at] for curve in read] for at in shown]
    sums = [math.fsum(w for w in column if w is not None) for column in columns if None not in column and column]
    if not sums:
        return "Power over time: nothing has been read yet."
    method = Method.worst(curve.method for curve in read)
    names = ", ".join(plain(curve.label, 40) for curve in read)
    missing = ", ".join(plain(curve.label, 40) for curve in curves if curve not in read)
    return (
        f"Power over the last {whole_seconds(span_s)}: now {watts(sums[-1], method)}, "
        f"between {watts(min(sums), method)} and {watts(max(sums), method)}. {names}."
        + (f" Not read: {missing}." if missing else "")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """Where a time and a power lie in the drawing."""

    end_s: float
    span_s: float
    top_w: float

    def x(self, t_s: float) -> float:
        room = WIDTH - _LEFT - _RIGHT
        return _LEFT + room * min(1.0, max(0.0, 1 - (self.end_s - t_s) / self.span_s))

    def y(self, power_w: float) -> float:
        room = HEIGHT - _TOP - _BOTTOM
        return _TOP + room * (1 - min(1.0, max(0.0, power_w / self.top_w)))


def _top(rows: Sequence[Sequence[float | None]]) -> float:
    """The upper end of the scale: a round number of watts above everything."""
    most = max((math.fsum(w for w in column if w is not None) for column in zip(*rows, strict=True)), default=0.0)
    if not 0 < most < math.inf:
        return 1.0
    most = max(most, 1e-3)  # less than a milliwatt is nothing that any sensor here tells
    decade = 10.0 ** math.floor(math.log10(most))
    return next(step * decade for step in (*_STEPS, 20.0) if step * decade >= 1.05 * most)


def _scale(frame: _Frame) -> str:
    """Lines with their watts, and times below."""
    divisor, prefix = si_step(frame.top_w)
    lines = []
    for part in range(5):
        power_w = frame.top_w * part / 4
        y, unit = frame.y(power_w), f" {prefix}W" if part == 4 else ""
        lines.append(
            f'<line class="gnb-grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{power_w / divisor:g}{unit}</text>'
        )
    for part, anchor in ((4, "start"), (3, "middle"), (2, "middle"), (1, "middle"), (0, "end")):
        before_s = frame.span_s * part / 4
        words = "now" if part == 0 else f"{whole_seconds(before_s)} ago"
        x = frame.x(frame.end_s - before_s)
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{words}</text>')
    return "".join(lines)


def _bands(frame: _Frame, bands: Sequence[Band]) -> str:
    parts = []
    for band in bands:
        t1_s = frame.end_s if band.t1_s is None else band.t1_s
        if t1_s < frame.end_s - frame.span_s or band.t0_s > frame.end_s:
            continue
        x, width = frame.x(band.t0_s), max(1.0, frame.x(t1_s) - frame.x(band.t0_s))
        runs = " gnb-runs" if band.t1_s is None else ""
        parts.append(
            f'<rect class="gnb-cellband{runs}" x="{x:.1f}" y="{_TOP}" width="{width:.1f}" '
            f'height="{HEIGHT - _TOP - _BOTTOM}"/>'
        )
        if width >= _BAND_LABEL:
            label = escape(plain(band.name, max(3, int(width / 7))))
            parts.append(f'<text x="{x + width / 2:.1f}" y="{_TOP - 5}" text-anchor="middle">{label}</text>')
    return "".join(parts)


def _failures(frame: _Frame, times: Sequence[float], rows: Sequence[Sequence[float | None]]) -> str:
    """Stripes over the times in which some device could not be read: not 0 W, but not known."""
    parts = []
    for piece in _pieces([any(row[at] is None for row in rows) for at in range(len(times))]):
        x, width = frame.x(times[piece.start]), 2.0
        width = max(width, frame.x(times[piece.stop - 1]) - x)
        parts.append(
            f'<rect class="gnb-failed" x="{x:.1f}" y="{_TOP}" width="{width:.1f}" height="{HEIGHT - _TOP - _BOTTOM}"/>'
        )
    return "".join(parts)


def _stack(
    frame: _Frame, times: Sequence[float], rows: Sequence[Sequence[float | None]], curves: Sequence[Curve], name: str
) -> str:
    xs = [f"{frame.x(time_s):.1f}" for time_s in times]
    base = [0.0] * len(times)
    below = _points(frame, xs, base)
    parts = []
    for place, (row, curve) in enumerate(zip(rows, curves, strict=True)):
        base = [low + (w or 0.0) for low, w in zip(base, row, strict=True)]
        above = _points(frame, xs, base)
        area, edge = "", ""
        for piece in _unbroken(times, row, frame.span_s):
            over, under = above[piece.start : piece.stop], below[piece.start : piece.stop]
            area += f"M{'L'.join(over)}L{'L'.join(reversed(under))}Z"
            edge += f"M{'L'.join(over)}"
        dashed = ' stroke-dasharray="5 3"' if curve.method is Method.ESTIMATED else ""
        parts.append(
            f'<path class="gnb-area" data-device="{place}" d="{area}" fill="url(#{name}-{place})"/>'
            f'<path class="gnb-edge" d="{edge}" stroke="{COLOURS[curve.kind]}"{dashed}/>'
        )
        below = above
    return "".join(parts)


def _points(frame: _Frame, xs: Sequence[str], levels: Sequence[float]) -> list[str]:
    return [f"{x},{frame.y(level):.1f}" for x, level in zip(xs, levels, strict=True)]


def _unbroken(times: Sequence[float], row: Sequence[float | None], span_s: float) -> Iterator[range]:
    """The stretches of a curve without a missing number or a silence in them."""
    longest_s = max(GAP_S, 2.5 * span_s / MOST_POINTS)
    begin = 0
    for at in range(1, len(times) + 1):
        if at == len(times) or times[at] - times[at - 1] > longest_s:
            for piece in _pieces([row[place] is not None for place in range(begin, at)]):
                yield range(begin + piece.start, begin + piece.stop)
            begin = at


def _pieces(holds: Sequence[bool]) -> Iterator[range]:
    """The ranges of places over which something holds."""
    begin: int | None = None
    for at, value in enumerate((*holds, False)):
        if value and begin is None:
            begin = at
        elif not value and begin is not None:
            yield range(begin, at)
            begin = None


def fade(kinds: Sequence[DomainKind], at: int) -> float:
    """How opaque the device ``at`` is shown: devices of one kind have one colour, each paler than the one before."""
    same = sum(kind is kinds[at] for kind in kinds[:at])
    return _FADES[min(same, len(_FADES) - 1)]


def _pattern(curves: Sequence[Curve], at: int, name: str) -> str:
    """What an area is filled with; an estimate's has stripes of the ground in it."""
    curve, opacity = curves[at], fade([curve.kind for curve in curves], at)
    colour = f'<rect width="7" height="7" fill="{COLOURS[curve.kind]}" opacity="{0.6 * opacity:.2f}"/>'
    stripes = ""
    if curve.method is Method.ESTIMATED:
        stripes = '<rect width="1.6" height="7" style="fill:var(--g-bg,#fff)"/>'
    return (
        f'<pattern id="{name}-{at}" width="7" height="7" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)">{colour}{stripes}</pattern>'
    )
