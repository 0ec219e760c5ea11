"""A measurement as HTML: the cell's card, and the quiet line of auto mode.

Self-contained: no script, no resources from elsewhere, class names of our own. Whatever came from outside is cleaned
(:func:`greennb.views.format.plain`) and escaped here. Without its style sheet, as on a page that strips it, each card
still reads as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from greennb.model.measurement import DomainEnergy, Measurement, Status
from greennb.model.reading import Method
from greennb.views import lines, text
from greennb.views.above_idle import idle_sentences, net_words, share_words
from greennb.views.format import energy, joules, percent, plain, seconds, watt_hours, watts
from greennb.views.shown import PLAINLY, Shown
from greennb.views.style import CARD, COLOURS, QUIET
from greennb.views.words import (
    METHODS,
    NO_READING,
    domain_name,
    faults_in_words,
    footprint_words,
    gaps,
    not_included,
    status_words,
)

if TYPE_CHECKING:
    from greennb.model.series import Series
    from greennb.views.compare import Comparison

_LABEL_WIDTH = 60
_RUNS_SHOWN = 12  # bars of a series
_EARLIER_SHOWN = 6  # earlier runs in a card's history row


def card(
    measurement: Measurement,
    *,
    history: Sequence[Measurement] | None = None,
    shown: Shown = PLAINLY,
    advice: str = "",
) -> str:
    """The cell's card. ``history`` is earlier measurements of the same work, the oldest first.

    ``advice`` is one line of the advisor's, "" for none.
    """
    return _card(
        _head(measurement, shown),
        _facts(measurement, shown),
        _bar(measurement),
        *(_domain(part, measurement) for part in measurement.energies),
        lines.html(measurement),
        _above_idle(measurement),
        _history(measurement, history or ()),
        _faults(measurement),
        f'<div class="gnb-gap"><bdi>{_escaped(advice)}</bdi></div>' if advice else "",
        _foot(measurement, shown),
    )


def quiet_line(measurement: Measurement, shown: Shown = PLAINLY) -> str:
    """One quiet line, for auto mode."""
    return quiet(text.line(measurement, shown))


def quiet(line: str) -> str:
    """A line that :func:`greennb.views.text.line` made, as HTML."""
    return f'<div class="gnb-quiet" style="{QUIET}"><bdi>{_escaped(line)}</bdi></div>'


def series_card(repeats: Series) -> str:
    """Repetitions: the mean with its interval, a bar for each run, and how they scatter."""
    mean = energy(repeats.mean_j, repeats.total_low_j, repeats.total_high_j, repeats.method)
    unit = "a run" if repeats.n else ""
    facts = [text.scatter(repeats) if repeats.n else "", seconds(repeats.mean_s) if repeats.n else ""]
    missing = f"{repeats.missing} of {len(repeats.measurements)} runs could not be measured; they are in no mean."
    faults = [fault for run in repeats.measurements for fault in run.faults]
    told = [missing] if repeats.missing else []
    return _card(
        _heading(mean, repeats.method, repeats.label, badges=["partial"] if repeats.partial else [], after=unit),
        f'<div class="gnb-m">{_escaped(" · ".join(part for part in facts if part))}</div>',
        _runs(repeats),
        _warning([(sentence, "") for sentence in told] + faults_in_words(faults)),
        _note(_series_note(repeats)),
        _note(f"Not included: {not_included(repeats.measurements)}."),
    )


def comparison_card(both: Comparison) -> str:
    """Two measurements side by side, and whether their intervals allow telling them apart."""
    a, b = both.a, both.b
    most = max(a.high_j or 0.0, b.high_j or 0.0)
    verdict = both.verdict
    return _card(
        f'<div class="gnb-head"><b><bdi>{_escaped(verdict)}</bdi></b></div>',
        *(_side(name, part, most) for name, part in zip(both.names, (a, b), strict=True)),
        _warning([(f"{name}: {sentence}", "") for name, part in zip(both.names, (a, b), strict=True)
                  for sentence in text.missing_sentences(part)]),
        _note("The bracket is the 95 % interval. One run of each proves no saving: repeat both, in turn."),
        _note(f"Not included: {not_included([a, b])}."),
    )  # fmt: skip


def _card(*parts: str) -> str:
    return f'<div class="gnb-card" role="group" aria-label="energy">{CARD}{"".join(parts)}</div>'


def _escaped(words: str) -> str:
    return escape(words.replace("CO2e", "CO₂e"))


def _head(measurement: Measurement, shown: Shown) -> str:
    badges = ["partial"] if measurement.partial else []
    if shown.over_budget(measurement):
        badges.append("over budget")
    if measurement.window.status is not Status.OK:
        badges.append(status_words(measurement.window.status))
    return _heading(shown.total(measurement), measurement.method, measurement.window.label, badges=badges)


def _heading(value: str, method: Method | None, label: str, *, badges: Sequence[str], after: str = "") -> str:
    """The number large, its interval beside it, how it was obtained, what is wrong, and the label."""
    number, spread = _split(value)
    pills = "" if method is None else _badge(method.value, f"gnb-{method.value}", METHODS[method])
    pills += "".join(_badge(words, "gnb-bad") for words in badges)
    name = _escaped(plain(label, _LABEL_WIDTH))
    return (
        f'<div class="gnb-head"><span class="gnb-total">{number}</span> '
        f'<span class="gnb-m" title="95 % interval">{spread}{f" {after}" if after else ""}</span> {pills}'
        f'{f"""<span class="gnb-label"><bdi>{name}</bdi></span>""" if name else ""}</div>'
    )


def _split(value: str) -> tuple[str, str]:
    """ "1.23 kJ ± 0.04" as "1.23 kJ" and "± 0.04"; a sentence keeps its first number large."""
    starts = [at for at in map(value.find, (" ± ", " (", " above", ", ")) if at >= 0]
    cut = min(starts, default=len(value))
    return escape(value[:cut]), escape(value[cut:].strip())


def _badge(words: str, kind: str, title: str = "") -> str:
    tip = f' title="{escape(title)}"' if title else ""
    return f'<span class="gnb-badge {kind}"{tip}>{_escaped(words)}</span> '


def _facts(measurement: Measurement, shown: Shown) -> str:
    parts = [seconds(measurement.duration_s)]
    if measurement.mean_w is not None:
        parts.append(f"{watts(measurement.mean_w, measurement.method)} on average")
    if measurement.total_j is not None:
        parts.append(watt_hours(measurement.total_j, measurement.method))
    parts += text.carbon(measurement) if shown.carbon else []
    parts += shown.extras(measurement)
    return f'<div class="gnb-m">{_escaped(" · ".join(parts))}</div>'


def _bar(measurement: Measurement) -> str:
    """The roots side by side, to the scale of the interval's upper end, and the interval below as a bracket."""
    most = measurement.high_j
    if not most or measurement.total_j is None:
        return ""
    words = ", ".join(f"{domain_name(part.domain)} {joules(part.gross_j, part.method)}" for part in measurement.roots)
    segments = "".join(_segment(part, most) for part in measurement.roots)
    low = measurement.low_j or 0.0
    return (
        f'<div class="gnb-bar" role="img" aria-label="{_escaped(words)}">{segments}</div>'
        f'<div class="gnb-ci" aria-hidden="true"><i style="left:{_width(low, most)};width:{_width(most - low, most)}">'
        "</i></div>"
    )


def _segment(part: DomainEnergy, most: float) -> str:
    return f'<i class="{_hatched(part.method)}" style="width:{_width(part.gross_j, most)};{_colour(part)}"></i>'


def _hatched(method: Method | None) -> str:
    return "gnb-est" if method is Method.ESTIMATED else ""


def _colour(part: DomainEnergy) -> str:
    return f"background-color:{COLOURS[part.domain.kind]}"


def _width(value: float, most: float) -> str:
    return f"{100 * min(1.0, max(0.0, value / most)):.2f}%"


def _domain(part: DomainEnergy, measurement: Measurement) -> str:
    inside = part not in measurement.roots
    name = f"{'of which ' if inside else ''}<bdi>{_escaped(domain_name(part.domain))}</bdi>"
    share = ""
    if not inside and measurement.total_j and len(measurement.roots) > 1:
        share = f" · {percent(part.gross_j / measurement.total_j)}"
    value = energy(part.gross_j, part.low_j, part.high_j, part.method)
    return (
        f'<div class="gnb-row{" gnb-in" if inside else ""}">'
        f'<span class="gnb-sw {_hatched(part.method)}" style="{_colour(part)}"></span> '
        f'<span>{name} <span class="gnb-m">{part.method.value}{share}</span></span> <span>{escape(value)}</span></div>'
    )


def _above_idle(measurement: Measurement) -> str:
    """Net beside gross where a baseline is known, what that rests on, and this process's share or why it has none."""
    parts = []
    if measurement.net_j is not None:
        idle = "; ".join(idle_sentences(measurement))
        idle = f" ({idle})" if idle else ""
        parts += [net_words(measurement)]
        parts += [f"idling would have cost {joules(measurement.idle_j, measurement.method)}{idle}"]
    share = share_words(measurement)
    if share:
        parts.append(share if measurement.process_j is not None else f"this process's share is {share}")
    return f'<div class="gnb-m gnb-gap">{_escaped(" · ".join(parts))}</div>' if parts else ""


def _history(measurement: Measurement, earlier: Sequence[Measurement]) -> str:
    if not earlier:
        return ""
    from greennb.views.compare import Comparison

    shown = earlier[-_EARLIER_SHOWN:]
    totals = ", ".join(joules(run.total_j, run.method) for run in shown)
    more = f", and {len(earlier) - len(shown)} before" if len(earlier) > len(shown) else ""
    verdict = Comparison(a=earlier[-1], b=measurement, name_a="the last run", name_b="this run").verdict
    return f'<div class="gnb-m gnb-gap">Earlier: {escape(totals)}{more}. Against the last one: {escape(verdict)}.</div>'


def _faults(measurement: Measurement) -> str:
    told = faults_in_words(measurement.faults) + [(gap, "") for gap in gaps(measurement.roots)]
    if measurement.partial and not told:
        told = [(NO_READING, "")]
    return _warning(told)


def _warning(told: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        f"<div><bdi>{_escaped(reason)}</bdi>"
        f'{f"""<br><span class="gnb-m">{_escaped(hint)}</span>""" if hint else ""}</div>'
        for reason, hint in told
    )
    return f'<div class="gnb-fault"><b>Partial:</b> {rows}</div>' if rows else ""


def _foot(measurement: Measurement, shown: Shown) -> str:
    footprint = measurement.footprint
    carbon = ""
    if footprint is not None and shown.carbon:
        carbon = f" Carbon intensity: {footprint_words(footprint, measurement.window.started_at)}."
        note = plain(footprint.intensity.note, 200).rstrip(".")
        carbon += f" {note[:1].upper()}{note[1:]}." if note else ""
    cost = f" greennb itself took {seconds(measurement.overhead_s)}."
    return _note(f"Not included: {not_included([measurement])}.{carbon}{cost}")


def _note(words: str) -> str:
    return f'<div class="gnb-foot">{_escaped(words)}</div>' if words else ""


def _runs(repeats: Series) -> str:
    """One bar a run; a run without a total is a sentence, not a bar of length 0."""
    most = max(repeats.totals_j, default=0.0)
    more = len(repeats.measurements) - _RUNS_SHOWN
    return "".join(
        _side(f"{place}", run, most, slim=True) for place, run in enumerate(repeats.measurements[:_RUNS_SHOWN], 1)
    ) + _note(f"and {more} runs more" if more > 0 else "")


def _side(name: str, part: Measurement, most: float, *, slim: bool = False) -> str:
    value = joules(part.total_j, part.method) if slim else PLAINLY.total(part)
    how = "" if slim or part.method is None else f" · {part.method.value}"
    bar = ""
    if most and part.total_j is not None:
        segments = "".join(_segment(root, most) for root in part.roots)
        low, high = part.low_j or 0.0, part.high_j or 0.0
        bracket = f'<i style="left:{_width(low, most)};width:{_width(high - low, most)}"></i>'
        bar = f'<div class="gnb-bar" aria-hidden="true">{segments}</div>'
        bar += "" if slim else f'<div class="gnb-ci" aria-hidden="true">{bracket}</div>'
    return (
        f'<div class="gnb-row"><span class="gnb-m"><bdi>{_escaped(name)}</bdi></span><span>{bar}</span> '
        f'<span>{escape(value)} <span class="gnb-m">{seconds(part.duration_s)}{how}</span></span></div>'
    )


def _series_note(repeats: Series) -> str:
    if repeats.n < 2:
        return "A single run has no scatter: repeat it (-r 5) for an interval of the mean."
    if repeats.method is Method.ESTIMATED:
        return "The interval holds the model's own error, which repeating does not make smaller; the scatter does not."
    return "95 % interval of the mean by Student's t."
