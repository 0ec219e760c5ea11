"""The report of a notebook's run: one HTML file that needs nothing else, and no network, to be read."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from greennb.model.measurement import DomainEnergy
from greennb.model.reading import Domain, Fault, Method
from greennb.model.run import NotebookRun
from greennb.model.total import Total, domain_totals
from greennb.views.above_idle import run_words
from greennb.views.format import NOT_MEASURED, co2e, energy, percent, plain, seconds, watt_hours, watts
from greennb.views.html_table import bad_badge, badge, table
from greennb.views.style import CARD, COLOURS, REPORT_RULES, TABLE_RULES, palette
from greennb.views.words import METHODS, domain_name, faults_in_words, footprint_words, not_included

_SOURCE_LINES = 3

_UNCERTAINTY = {
    Method.COUNTER: """The sensor counts joules. Its interval holds the counter's step, its update period at both edges
        of the cell, and the time that reading it took.""",
    Method.INTEGRATED: """The sensor tells watts, which are summed over time. Its interval holds the sensor's
        stated accuracy and what may have happened between two readings.""",
    Method.ESTIMATED: """No sensor could be read: a model of power and of how busy the processor was. Its interval is
        the model's spread, and it is wide. Such numbers carry “~” and their bars are hatched.""",
}
"""What the interval of each method holds."""


def html_report(run: NotebookRun, *, version: str = "") -> str:
    """The whole page. ``version`` is greennb's, where it is to be named."""
    total = run.total
    title = f"{plain(run.notebook, 120)}: what it cost"
    sections = (
        _heading(run, total),
        _section("By cell", _figure(run)),
        _section("Cells", f'<div class="gnb-card">{table(run.cells, lines=_SOURCE_LINES)}</div>'),
        _section("Advice", _advice(run)),
        _section("By domain", _domains(run, total)),
        _section("What these numbers mean", _meaning(run, total)),
        _section("What is missing", _faults(run)),
        _section("Sensors", _listed(run.sources)),
        _section("Carbon", _carbon(run, total)),
        _section("How sure", _uncertainty(run)),
        _section("Run", _about(run, version)),
    )
    style = f"<style>{palette('body')}{TABLE_RULES}{REPORT_RULES}</style>".replace("\n", "")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{_text(title)}</title>\n{CARD}\n{style}</head>\n<body><main>\n{''.join(sections)}</main></body></html>\n"
    )


def _text(words: str) -> str:
    return escape(words.replace("CO2e", "CO₂e"))


def _section(heading: str, body: str) -> str:
    return f"<section><h2>{heading}</h2>\n{body}</section>\n" if body else ""


def _heading(run: NotebookRun, total: Total) -> str:
    amount = energy(total.total_j, total.low_j, total.high_j, total.method)
    cut = min((at for at in map(amount.find, (" ± ", " (")) if at >= 0), default=len(amount))
    parts = [seconds(total.duration_s)]
    if total.total_j is not None:
        parts.append(watt_hours(total.total_j, total.method))
        if total.duration_s > 0:
            parts.append(f"{watts(total.total_j / total.duration_s, total.method)} on average")
        if total.net_j is not None:
            parts.append(run_words([cell.measurement for cell in run.cells if cell.measurement is not None]))
        if total.co2e_g is not None:
            parts.append(co2e(total.co2e_g, total.method))
    badges = badge(total.method) + (bad_badge("partial") if total.partial else "")
    error = f'<p class="gnb-error" role="alert">{_text(plain(run.error, 600))}</p>' if run.error else ""
    return (
        f'<header><h1><bdi>{_text(plain(run.notebook, 300))}</bdi></h1>'
        f'<div class="gnb-big">{_text(amount[:cut])} <small title="95 % interval">{_text(amount[cut:].strip())}</small>'
        f'</div><div class="gnb-m">{_text(" · ".join(parts))}'
        f' <span class="gnb-card" style="display:inline">{badges}</span></div>{error}</header>\n'
    )  # fmt: skip


def _figure(run: NotebookRun) -> str:
    if run.total.total_j is None:
        return ""
    from greennb.views.plot import bars, figure_svg  # matplotlib, only when a plot is wanted

    figure = bars([cell.measurement for cell in run.cells], [f"{cell.place} {cell.first_line}" for cell in run.cells])
    words = "Joules by cell; the table below has the same numbers"
    return f'<figure role="img" aria-label="{words}">{figure_svg(figure)}</figure>'


def _advice(run: NotebookRun) -> str:
    """The findings; "" where nobody asked for advice."""
    if run.findings is None:
        return ""
    if not run.findings:
        return "<p>Asked for, and nothing was found.</p>"
    from greennb.views.advice import AT_STAKE, articles

    return f"<p>{AT_STAKE}</p>{articles(run.findings)}"


def _domains(run: NotebookRun, total: Total) -> str:
    rows = [_domain_row(part, total) for part in domain_totals(run.measurements)]
    return f'<div class="gnb-card">{"".join(rows)}</div>' if rows else ""


def _domain_row(part: DomainEnergy, total: Total) -> str:
    hatched = " gnb-est" if part.method is Method.ESTIMATED else ""
    share = f", {percent(part.gross_j / total.total_j)}" if total.total_j else ""
    value = energy(part.gross_j, part.low_j, part.high_j, part.method)
    return (
        f'<div class="gnb-row"><span class="gnb-sw{hatched}" '
        f'style="background-color:{COLOURS[part.domain.kind]}"></span> <span><bdi>{_text(domain_name(part.domain))}'
        f'</bdi> <span class="gnb-m">{part.method.value}{share}</span></span> <span>{_text(value)}</span></div>'
    )


def _meaning(run: NotebookRun, total: Total) -> str:
    if total.method is None:
        return f"<p>The energy of this run is {NOT_MEASURED}: no source of joules gave a reading.</p>"
    method = f"A total is called by its worst part: this one is {total.method.value}, {METHODS[total.method]}."
    whole = (
        "It is partial: something that should have been counted is missing, so it stands for less than the whole."
        if total.partial
        else "Nothing that was to be counted is missing from it."
    )
    return (
        f"<p>Joules that the parts of this machine below drew while the cells ran, whoever used them. {_text(method)} "
        f"{whole} The range after a number is its 95&nbsp;% interval.</p>"
        f"<p>Not included: {_text(not_included(run.measurements))}.</p>"
    )


def _faults(run: NotebookRun) -> str:
    told = [
        f"cell {cell.place} was not measured" for cell in run.cells if cell.measurement is None
    ] + _gaps(run)  # fmt: skip
    rows = [f"<li><bdi>{_text(sentence)}</bdi></li>" for sentence in told]
    rows += [
        f'<li><bdi>{_text(reason)}</bdi>{f"""<br><span class="gnb-m">{_text(hint)}</span>""" if hint else ""}</li>'
        for reason, hint in faults_in_words(_all_faults(run))
    ]
    return f"<ul>{''.join(rows)}</ul>" if rows else ""


def _all_faults(run: NotebookRun) -> Iterable[Fault]:
    return (fault for part in run.measurements for fault in part.faults)


def _gaps(run: NotebookRun) -> list[str]:
    """A sentence for each domain that readings do not cover in some cells."""
    cells: dict[Domain, list[str]] = {}
    for cell in run.cells:
        for part in () if cell.measurement is None else cell.measurement.roots:
            if part.coverage < 1:
                cells.setdefault(part.domain, []).append(cell.place)
    return [
        f"{domain_name(domain)}: readings do not cover all of cell{'s' if len(places) > 1 else ''} "
        + ", ".join(places[:20])
        + (" and more" if len(places) > 20 else "")
        for domain, places in cells.items()
    ]


def _listed(sentences: Iterable[str]) -> str:
    rows = "".join(f"<li><bdi>{_text(plain(sentence, 600))}</bdi></li>" for sentence in sentences)
    return f"<ul>{rows}</ul>" if rows else ""


def _carbon(run: NotebookRun, total: Total) -> str:
    if not run.footprints:
        return "<p>No carbon intensity was set, so no grams are shown.</p>"
    rows = []
    for part in run.footprints:
        note = plain(part.intensity.note, 300).rstrip(".")
        source = f"source: {plain(part.intensity.provider, 120)}"
        rows.append(f"{footprint_words(part, run.started_at)}; {source}{f'; {note}' if note else ''}.")
    amount = co2e(total.co2e_g, total.method) if total.co2e_g is not None else NOT_MEASURED
    pue = ", ".join(f"{value:g}" for value in dict.fromkeys(part.pue for part in run.footprints))
    return (
        f"{_listed(rows)}<p>{_text(amount)}: kilowatt hours × PUE × grams a kilowatt hour. PUE is {pue}; it stands for "
        "cooling and other overhead of the building and is 1 unless it was set. The making of the machine is not in it."
        "</p>"
    )


def _uncertainty(run: NotebookRun) -> str:
    used = {part.method for measured in run.measurements for part in measured.roots}
    rows = "".join(f"<dt>{name.value}</dt><dd>{words}</dd>" for name, words in _UNCERTAINTY.items() if name in used)
    return (
        f"<dl>{rows}</dl><p>In a sum, the errors of counters are independent and add as squares; those of one "
        "model or of one power sensor go the same way and add up. None of this covers a counter that is itself wrong."
        "</p>"
    ) if rows else ""  # fmt: skip


def _about(run: NotebookRun, version: str) -> str:
    overhead_s = sum(part.overhead_s for part in run.measurements)
    rows = {
        "notebook": run.notebook,
        "started": f"{run.started_at:%Y-%m-%d %H:%M:%S %Z}".rstrip(),
        "host": run.host,
        "kernel": run.kernel or "none",
        "own cost": f"greennb took {seconds(overhead_s)} to open and close the windows of these cells",
    } | ({"greennb": version} if version else {})
    items = (f"<dt>{name}</dt><dd><bdi>{_text(plain(words, 300))}</bdi></dd>" for name, words in rows.items())
    return f"<dl>{''.join(items)}</dl>"
