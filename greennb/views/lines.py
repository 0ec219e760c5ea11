"""Joules by source line: a heat column beside the source, and a few rows for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from greennb.model.lines import LineEnergy
from greennb.model.measurement import Measurement
from greennb.model.reading import Method
from greennb.views.format import joules, percent, plain, seconds

SHOWN = 12
"""Lines in sight; the rest of a long cell is folded away."""

_TEXT_ROWS = 6
_LONG_GAP = 5.0
"""A gap of so many periods between two looks is worth a word."""

_HEAT = "#c4463a"
"""4.9 to 1 on white and 3.4 to 1 on near-black."""


def rows(measurement: Measurement) -> list[tuple[str, str]]:
    """The heaviest lines as (what, source) for a block of text, and what to know about them."""
    lines = measurement.lines
    if lines is None:
        return []
    told = [(figure(line, measurement), f"{line.where} line {line.lineno}: {plain(line.source.strip(), 60)}")
            for line in lines.lines[:_TEXT_ROWS]]  # fmt: skip
    if lines.elsewhere_j > 0:
        told.append((joules(lines.elsewhere_j, measurement.method), "no line of the notebook: awaiting, or starting"))
    return [("by line", f"{value:<16} {where}") for value, where in told] + [("", note) for note in notes(measurement)]


def figure(line: LineEnergy, measurement: Measurement) -> str:
    """A line's joules; "< x" where it was seen too seldom to say more."""
    if not line.few or measurement.lines is None:
        return joules(line.joules, measurement.method)
    most = line.joules + 2 * measurement.lines.u_j(line)
    return f"< {joules(most, measurement.method)}"


def notes(measurement: Measurement) -> list[str]:
    """What the figures by line are, what they leave out, and what looking cost."""
    lines = measurement.lines
    if lines is None:
        return []
    told = [
        (
            f"By line is a model: the total shared out by where the cell's thread was, seen {lines.samples} times; "
            "time in a library counts for the line that called it."
        )
    ]
    if lines.gpu:
        told.append(
            "A GPU works on by itself: its joules count for the line that runs then, often one that waits for it."
        )
    if lines.elsewhere_s > 0.05 * max(measurement.duration_s, 1e-9):
        told.append(f"{seconds(lines.elsewhere_s)} passed outside the notebook's lines, awaiting something.")
    if lines.threads:
        told.append(
            f"{lines.threads} other thread{'' if lines.threads == 1 else 's'} ran lines of the notebook too "
            f"({', '.join(lines.thread_lines)}): what they drew counts for the cell's own line of that moment."
        )
    if lines.longest_s > _LONG_GAP * lines.period_s:
        told.append(f"The longest time between two looks was {seconds(lines.longest_s)}: lines within it are guesses.")
    part = lines.cost_s / max(measurement.duration_s, 1e-9)
    return [*told, f"Looking took {seconds(lines.cost_s)} of one CPU, {100 * part:.2g} % of the time."]


def html(measurement: Measurement) -> str:
    """The source with a heat column, heaviest lines in sight, as part of a card; "" without lines."""
    lines = measurement.lines
    if lines is None or not lines.lines:
        return "" if lines is None else _notes(measurement)
    heavy = sorted(lines.lines[:SHOWN], key=lambda line: (line.where, line.lineno))
    rest = sorted(lines.lines[SHOWN:], key=lambda line: (line.where, line.lineno))
    folded = f"<details><summary>{len(rest)} more lines</summary>{_table(rest, measurement)}</details>" if rest else ""
    return f"<style>{_RULES}</style>{_table(heavy, measurement)}{folded}{_notes(measurement)}"


def _table(lines: Sequence[LineEnergy], measurement: Measurement) -> str:
    several = len({line.where for line in lines}) > 1
    body = "".join(_row(line, measurement, several=several) for line in lines)
    return (
        '<table class="gnb-lines"><thead><tr><th scope="col">joules</th><th scope="col">share</th>'
        f'<th scope="col">time</th><th scope="col">line</th><th scope="col">source</th></tr></thead>{body}</table>'
    )


def _row(line: LineEnergy, measurement: Measurement, *, several: bool) -> str:
    share = line.joules / measurement.total_j if measurement.total_j else 0.0
    hatch = " gnb-est" if measurement.method is Method.ESTIMATED else ""
    bar = f'<i class="gnb-part{hatch}" style="width:{100 * min(1.0, share):.1f}%"></i>'
    place = f"{line.where}:{line.lineno}" if several else str(line.lineno)
    return (
        f"<tr><td>{escape(figure(line, measurement))}</td>"
        f'<td class="gnb-heatcell" title="{escape(percent(share))} of the total">{bar}</td>'
        f"<td>{escape(seconds(line.seconds))}</td><td>{escape(place)}</td>"
        f"<td><code>{escape(line.source)}</code></td></tr>"
    )


def _notes(measurement: Measurement) -> str:
    return f'<div class="gnb-foot">{escape(" ".join(notes(measurement)))}</div>'


_RULES = f"""
.gnb-card .gnb-lines{{border-collapse:collapse;margin:8px 0 0;width:100%;font-size:inherit;table-layout:auto;border:0}}
.gnb-card .gnb-lines tr:nth-child(n){{background:none}}
.gnb-card .gnb-lines :is(th,td){{padding:1px 8px 1px 0;border:0;text-align:right;white-space:nowrap;font-weight:400;
vertical-align:baseline;max-width:none}}
.gnb-card .gnb-lines thead th{{color:var(--g-muted)}}
.gnb-card .gnb-lines :is(th,td):last-child{{text-align:left;width:99%}}
.gnb-card .gnb-lines .gnb-heatcell{{min-width:70px;text-align:left}}
.gnb-card .gnb-lines .gnb-part{{display:inline-block;height:9px;min-width:1px;background-color:{_HEAT}}}
.gnb-card .gnb-lines code{{font:12px/1.45 ui-monospace,"DejaVu Sans Mono",monospace;white-space:pre-wrap;
overflow-wrap:anywhere;background:none;color:inherit;padding:0}}
.gnb-card summary{{color:var(--g-muted);cursor:pointer}}
""".replace("\n", "")
