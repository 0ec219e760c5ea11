"""The dashboard's parts as HTML: watts now, what is read and what is not, the cells, idle waste.

Pure functions of what the kernel's messages tell (:mod:`greennb.model.messages`); whatever came from outside is cleaned
and escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from greennb.model.reading import DomainKind, Method
from greennb.model.run import CellCost
from greennb.model.total import Total
from greennb.views.format import co2e, energy, plain, watts, whole_seconds
from greennb.views.html_table import bad_badge, badge, table
from greennb.views.live_chart import STYLE as CHART
from greennb.views.live_chart import Band, Curve, fade, svg
from greennb.views.style import CARD, COLOURS, TABLE_RULES
from greennb.views.words import KINDS

CELLS_SHOWN = 8
"""Rows of the table: the latest cells; the total is of all."""

ROWS_SHOWN = 16
"""Devices with a row of their own; the chart has all of them."""

STALE_S = 20
"""Seconds after which the page itself says that nothing comes any more: it is the only one left to say so once the
kernel is gone."""

STALE = (
    "Nothing has come for a while: nobody looked on for long, or the kernel was restarted or has ended. "
    "Run this cell again to see it live."
)

_RULES = f"""
.gnb-card.gnb-dash{{max-width:none;margin:0 0 6px}}
.gnb-dash .gnb-card{{border:0;padding:0;margin:0;max-width:none}}
.gnb-dash .gnb-advice.gnb-advice{{border:0;margin:0;padding:0;max-width:56em}}
.gnb-dash .gnb-row{{max-width:none;margin-top:2px}}
.gnb-dash h3{{font-size:12px;letter-spacing:.05em;text-transform:uppercase;font-weight:600;
color:var(--g-muted);margin:0}}
.gnb-dash p{{margin:2px 0}}
.gnb-dash pre{{margin:4px 0;padding:6px 10px;background:var(--g-bg2);color:inherit;border-radius:3px;
white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.45 ui-monospace,"DejaVu Sans Mono",monospace;user-select:text}}
.gnb-dash details{{margin-top:4px}}
.gnb-dash summary{{cursor:pointer;color:var(--g-muted)}}
.gnb-dash .gnb-scroll{{overflow-x:auto}}
.gnb-dash .gnb-stale{{height:0;margin:0;overflow:hidden;visibility:hidden;
animation:gnb-stale 0s linear {STALE_S}s forwards}}
@keyframes gnb-stale{{to{{height:auto;visibility:visible}}}}
""".replace("\n", "")

STYLE = f"{CARD}<style>{TABLE_RULES}{CHART}{_RULES}</style>"
"""The style of all parts, once in each dashboard."""

Said = Mapping[str, Any]
"""A message, or a part of one."""


def live(
    domains: Sequence[Said],
    t_s: Sequence[float],
    w: Sequence[Sequence[float | None]],
    *,
    latest: Said | None,
    bands: Sequence[Band],
    span_s: float,
    name: str,
) -> str:
    """Watts now, the chart of the last ``span_s`` seconds, and a row for each device.

    Args:
        domains: as ``hello`` tells of them; ``w`` has their watts at each of ``t_s``, in the same order.
        latest: the latest ``samples``, None before the first.
        bands: the cells over the time; the one that runs has no end.
        name: tells this drawing from others on the same page.
    """
    roots = [at for at, domain in enumerate(domains) if domain["root"]]
    curves = [_curve(domains[at], w[at]) for at in roots]
    running = next((band for band in bands if band.t1_s is None), None)
    now = [None if latest is None or not row else row[-1] for row in (latest or {"w": w})["w"]]
    head = _now(curves, [now[at] for at in roots], _running(running, t_s[-1] if t_s else None))
    chart = svg(t_s, curves, bands, span_s=span_s, name=name)
    rows = "".join(_row(domains, at, now[at], latest) for at in range(min(ROWS_SHOWN, len(domains))))
    if len(domains) > ROWS_SHOWN:
        rows += f'<p class="gnb-m">and {len(domains) - ROWS_SHOWN} more devices</p>'
    faults = _faults(() if latest is None else latest["faults"])
    return part("live power", f'{head}{chart}{rows}{faults}<p class="gnb-stale gnb-m" role="note">{STALE}</p>')


def ended(words: str) -> str:
    """In the place of the watts, once no more come."""
    return part("live power", f"<p><b>{escape(plain(words, 300))}</b></p>")


def sensors(hello: Said) -> str:
    """Who measures, which sources of joules are read and which are not, each with its reason and what mends it."""
    unused = [source for source in hello["sources"] if not source["used"]]
    used = ", ".join(plain(str(source["name"]), 30) for source in hello["sources"] if source["used"])
    reasons = "".join(
        f"<li><b>{escape(plain(str(source['name']), 30))}</b> {_with_hint(source['reason'], source['hint'])}</li>"
        for source in unused
    )
    many = f"{len(unused)} source{'' if len(unused) == 1 else 's'} of joules not read here, and why"
    body = f'<p class="gnb-m">Read on {escape(plain(str(hello["host"]), 60))}: {escape(used) or "nothing"}.</p>'
    body += f"<details><summary>{many}</summary><ul>{reasons}</ul></details>" if unused else ""
    return part("sensors", _faults(hello["faults"]) + body)


def cells(runs: Sequence[CellCost], session: Said | None, *, measures: bool = True) -> str:
    """What this notebook cost, and its latest cells.

    Args:
        runs: the latest of each cell, oldest first.
        session: what all runs cost together since the kernel began, as messages tell it.
        measures: whether cells are measured at all.
    """
    off = "" if measures else "Cells are not measured in this kernel: %energy_auto on turns it on."
    if not runs:
        return titled("This notebook", off or "No cell has been measured yet.", "cells")
    total = Total.of([run.measurement for run in runs])
    amount = energy(total.total_j, total.low_j, total.high_j, total.method)
    pills = badge(total.method) + (bad_badge("partial") if total.partial else "")
    more = [] if total.co2e_g is None else [co2e(total.co2e_g, total.method).replace("CO2e", "CO₂e")]
    more += [_session(session)] if session is not None and session["runs"] > len(runs) else []
    shown = list(reversed(runs))[:CELLS_SHOWN]
    latest = f'<p class="gnb-m">The latest {len(shown)} of {len(runs)} cells.</p>' if len(shown) < len(runs) else ""
    return part(
        "cells",
        f'<h3>This notebook</h3><div class="gnb-head"><span class="gnb-total">{escape(amount)}</span> {pills}'
        f'<span class="gnb-m">{escape(" · ".join(more))}</span></div>{latest}'
        f'<div class="gnb-scroll">{table(shown, whole=runs)}</div>{f"<p>{off}</p>" if off else ""}',
    )


def waste(items: Sequence[Said]) -> str:
    """What is held or used while nothing runs, with the code that releases it; "" where nothing is."""
    parts = "".join(
        f"<p><bdi>{escape(plain(str(item['why']), 400))}</bdi></p>"
        + (f"<pre><code>{_code(str(item['code']))}</code></pre>" if item["code"] else "")
        for item in items
    )
    return part("idle waste", f"<h3>Idle waste</h3>{parts}") if parts else ""


def titled(title: str, words: str, label: str = "") -> str:
    """A part with a heading and a sentence below it; ``label`` is for a screen reader, where not the heading."""
    return part(label or title.lower(), f'<h3>{escape(title)}</h3><p class="gnb-m">{escape(plain(words, 600))}</p>')


def part(label: str, body: str) -> str:
    """A part of the dashboard; ``label`` says to a screen reader what it is, ``body`` is HTML that is safe."""
    return f'<div class="gnb-card gnb-dash" role="group" aria-label="{escape(label)}">{body}</div>'


def _curve(domain: Said, w: Sequence[float | None]) -> Curve:
    return Curve(label=_name(domain), kind=DomainKind(domain["kind"]), method=Method(domain["method"]), w=w)


def _name(domain: Said) -> str:
    kind, label = KINDS[DomainKind(domain["kind"])], plain(str(domain["label"]), 48)
    return label if label.casefold().startswith(kind.casefold()) else f"{kind} {label}".rstrip()


def _now(curves: Sequence[Curve], values: Sequence[float | None], running: str) -> str:
    known = [value for value in values if value is not None]
    method = Method.worst(curve.method for curve in curves)
    partial = bad_badge("partial") if known and len(known) < len(curves) else ""
    number = watts(math.fsum(known), method) if known else "no watts yet"
    return (
        f'<div class="gnb-head"><span class="gnb-total">{escape(number)}</span> <span class="gnb-m">now</span> '
        f'{badge(method)}{partial}<span class="gnb-label"><bdi>{escape(running)}</bdi></span></div>'
    )


def _running(band: Band | None, now_s: float | None) -> str:
    if band is None:
        return ""
    for_s = 0.0 if now_s is None else max(0.0, now_s - band.t0_s)
    return f"running {plain(band.name, 40)} for {whole_seconds(for_s)}"


def _row(domains: Sequence[Said], at: int, value: float | None, latest: Said | None) -> str:
    domain = domains[at]
    method = Method(domain["method"])
    same = [DomainKind(other["kind"]) for other in domains if other["root"]]
    place = sum(bool(other["root"]) for other in domains[:at])
    opacity = fade(same, place) if domain["root"] else 0.5
    hatched = " gnb-est" if method is Method.ESTIMATED else ""
    colour = f"background-color:{COLOURS[DomainKind(domain['kind'])]};opacity:{opacity:g}"
    how = " · ".join(part for part in (method.value, plain(str(domain["note"]), 200)) if part)
    told = "" if value is None else _between(at, latest, method)
    number = "no reading" if value is None else watts(value, method)
    return (
        f'<div class="gnb-row{"" if domain["root"] else " gnb-in"}">'
        f'<span class="gnb-sw{hatched}" style="{colour}"></span> '
        f"<span>{'' if domain['root'] else 'of which '}<bdi>{escape(_name(domain))}</bdi> "
        f'<span class="gnb-m">{escape(how)}</span></span> <span title="{told}">{escape(number)}</span></div>'
    )


def _between(at: int, latest: Said | None, method: Method) -> str:
    """The 95 % interval of a model's watts, for who points at them."""
    low, high = (None, None) if latest is None else (latest["low_w"][at], latest["high_w"][at])
    if low is None or high is None:
        return ""
    return f"95 %: {watts(low, method)} to {watts(high, method)}"


def _faults(faults: Sequence[Said]) -> str:
    rows = "".join(
        f"<div>{_with_hint(': '.join(part for part in (fault['label'], fault['reason']) if part), fault['hint'])}</div>"
        for fault in faults
    )
    return f'<div class="gnb-fault"><b>Not read:</b> {rows}</div>' if rows else ""


def _with_hint(reason: str, hint: str) -> str:
    words = f"<bdi>{escape(plain(str(reason), 300))}</bdi>"
    return f'{words}<br><span class="gnb-m">{escape(plain(str(hint), 400))}</span>' if hint else words


def _code(text: str) -> str:
    return "\n".join(escape(plain(line, 200)) for line in text[:2000].splitlines())


def _session(session: Said) -> str:
    method = None if session["method"] is None else Method(session["method"])
    words = energy(session["total_j"], session["low_j"], session["high_j"], method)
    return f"{words} since the kernel began, re-runs included"
