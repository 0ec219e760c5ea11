"""What the advisor found: as text, as HTML, as JSON, and as the one line on an expensive cell's card.

Joules are those that ran through what would change, and are called so. No saving is shown here: only a trial has one.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from greennb.model.finding import Evidence, Finding, Severity
from greennb.model.messages import VERSION, finding_to_dict
from greennb.model.wire import ADVICE_MIME_TYPE
from greennb.views import trial
from greennb.views.format import NOT_MEASURED, joules, percent, plain, seconds, size, watts
from greennb.views.style import CARD

AT_STAKE = "At stake is what ran through it, never a saving: only a trial can show one."
"""What the joules of a finding mean."""

_WIDTH = 100  # columns of text
_HEAD = 10  # of which the first are the rows' names
_CODE_LINES = 40
_LONG = 1200  # characters of a text that a rule may fill

_RULES = """
.gnb-card .gnb-advice{margin:10px 0 0;padding:6px 0 0;border-top:1px solid var(--g-line)}
.gnb-card .gnb-advice pre{margin:4px 0;padding:4px 8px;background:var(--g-bg2);color:inherit;border-radius:3px;
white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.45 ui-monospace,"DejaVu Sans Mono",monospace}
.gnb-card .gnb-advice p{margin:3px 0}
""".replace("\n", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was looked at, for the sentence where nothing was found.

    Attributes:
        cells: runs of cells that were watched.
        frameworks: names of those that were seen at work.
        rules: how many rules looked.
        dismissed: findings that are not shown because somebody has dismissed them.
        off: names of observers that have turned themselves off.
    """

    cells: int
    frameworks: tuple[str, ...] = ()
    rules: int = 0
    dismissed: int = 0
    off: tuple[str, ...] = ()


def bundle(
    findings: Sequence[Finding], looked: Looked, *, more: int = 0, can_try: Callable[[str], bool] = lambda _code: False
) -> dict[str, Any]:
    """Findings for every kind of reader, in the order given; ``more`` is how many smaller ones are not among them.

    ``can_try`` is told a rule's code, and says whether some variant answers it.
    """
    return {
        ADVICE_MIME_TYPE: {
            "v": VERSION, "more": more,
            "findings": [finding_to_dict(finding, can_try=can_try(finding.rule.code)) for finding in findings],
            "looked": {"cells": looked.cells, "frameworks": list(looked.frameworks), "rules": looked.rules,
                       "dismissed": looked.dismissed},
        },
        "text/html": html(findings, looked, more=more),
        "text/plain": text(findings, looked, more=more),
    }  # fmt: skip


def text(findings: Sequence[Finding], looked: Looked, *, more: int = 0) -> str:
    """Findings in words, the change as code that can be copied."""
    parts = [heading(findings, looked, more=more), *(_block(finding) for finding in findings)]
    return "\n\n".join([*parts, *_notes(looked, more)])


def html(findings: Sequence[Finding], looked: Looked, *, more: int = 0) -> str:
    """Findings as a card."""
    head = f'<div class="gnb-head"><b>{escape(heading(findings, looked, more=more))}</b></div>'
    body = "".join(map(_article, findings))
    notes = "".join(f'<div class="gnb-foot">{escape(note)}</div>' for note in _notes(looked, more))
    style = f"{CARD}<style>{_RULES}</style>"
    return f'<div class="gnb-card" role="group" aria-label="advice">{style}{head}{body}{notes}</div>'


def articles(findings: Sequence[Finding]) -> str:
    """Findings as HTML for a page that has the style of a card: for the report of a run."""
    return f'<style>{_RULES}</style><div class="gnb-card">{"".join(map(_article, findings))}</div>'


def heading(findings: Sequence[Finding], looked: Looked, *, more: int = 0) -> str:
    """How many findings there are and what their joules mean, or that there are none and what was looked at."""
    if not findings and more:
        return "Nothing to say on cells of at least 1 J and 1 s."
    if not findings:
        return nothing(looked)
    many = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}"
    order = ", the most at stake first" if len(findings) > 1 else ""
    return f"{many}{order}. {AT_STAKE}"


def nothing(looked: Looked) -> str:
    """The sentence where nothing was found."""
    seen = f"{looked.cells} run{'' if looked.cells == 1 else 's'} of cells"
    frameworks = ", ".join(looked.frameworks) or "no framework that greennb knows"
    return f"Nothing found. {looked.rules} rules looked at {seen}; at work in them: {frameworks}."


def line(finding: Finding) -> str:
    """One finding on one line, for a card: "GNB201 loader: workers load no batches (waiting 62 %)"."""
    subject = f"{plain(finding.subject, 30)}: " if finding.subject else ""
    shown = f" ({evidence_words(finding.evidence[0])})" if finding.evidence else ""
    if finding.trial is not None:
        shown = f"; tried: {trial.verdict(finding.trial.to_dict())}"
    return f"{plain(finding.rule.code, 12)} {subject}{plain(finding.rule.name, 70)}{shown}. %energy_advise says more."


def brief(finding: Finding, place: str = "") -> str:
    """One finding on one line of a list: its code, its name, where, and what is at stake."""
    parts = [f"{plain(finding.rule.code, 12)}  {plain(finding.rule.name, 70)}"]
    parts += [f"on {plain(finding.subject, 30)}"] if finding.subject else []
    parts += [where(finding, place), at_stake(finding)]
    return " · ".join(part for part in parts if part)


def where(finding: Finding, place: str = "") -> str:
    """The cell that a finding is about, and how many more there are: "cell [4] and 2 more"."""
    place = place or ("" if finding.execution_count is None else f"[{finding.execution_count}]")
    more = finding.cells - 1
    if not place:
        return "" if more < 1 else f"{finding.cells} cells"
    return f"cell {place}" + (f" and {more} more" if more > 0 else "")


def at_stake(finding: Finding) -> str:
    """What ran through what would change: "~412 J in 9.30 s ran through it"; "" where that is not known."""
    if finding.at_stake_s is None:
        return ""
    if finding.at_stake_j is None:
        return f"{seconds(finding.at_stake_s)} ran through it, joules not measured"
    return f"{joules(finding.at_stake_j, finding.method)} in {seconds(finding.at_stake_s)} ran through it"


def evidence_words(evidence: Evidence) -> str:
    """A number of a finding with its name and unit: "waiting for batches 62 %"."""
    return f"{plain(evidence.name, 60)} {_quantity(evidence.value, evidence.unit, evidence.name)}".strip()


def short_evidence(finding: Finding) -> str:
    """The numbers that a finding stands on, on one line."""
    return " · ".join(map(evidence_words, finding.evidence))


def _quantity(value: float, unit: str, name: str) -> str:
    if not math.isfinite(value):
        return NOT_MEASURED
    if unit in ("s", "ms"):
        return seconds(value / (1000 if unit == "ms" else 1))
    if unit == "%":
        return percent(value / 100)
    if unit in ("J", "W"):
        return (joules if unit == "J" else watts)(value)
    if unit == "B":
        return size(value)
    number = f"{value:,.0f}" if value == round(value) and abs(value) < 1e12 else f"{value:.4g}"
    return f"{number} {_counted(value, plain(unit, 20), name)}".strip()


def _counted(value: float, unit: str, name: str) -> str:
    """The unit of a count, "" where its name says it already: "calls 240", not "calls 240 calls"."""
    if unit == "1" or unit.lower() in name.lower().split():
        return ""
    return unit.removesuffix("s") if value == 1 else unit


def _rows(finding: Finding) -> list[tuple[str, str]]:
    """What is said of a finding beside its suggestion, each with its name."""
    rows = [
        ("tried", "" if finding.trial is None else trial.line(finding.trial.to_dict())),
        ("at stake", at_stake(finding)),
        ("seen", short_evidence(finding)),
        ("not where", "; ".join(plain(clause, 300) for clause in finding.rule.wrong_when)),
        ("source", plain(finding.rule.source, 600)),
        ("page", f"greennb rules {plain(finding.rule.code, 12)}"),
    ]
    return [(name, words) for name, words in rows if words]


def _title(finding: Finding) -> str:
    subject = f" ({plain(finding.subject, 40)})" if finding.subject else ""
    return f"{plain(finding.rule.name, 80)}{subject}"


def _code_of(finding: Finding) -> list[str]:
    """The change as lines, each safe to print and with its indentation."""
    lines = finding.suggestion.code.rstrip().splitlines()[:_CODE_LINES]
    return [line[: len(line) - len(line.lstrip(" "))] + plain(line, 300) for line in lines]


def _severity(finding: Finding) -> Severity:
    return finding.severity or finding.rule.severity


def _block(finding: Finding) -> str:
    head = f"{plain(finding.rule.code, 12)}  {_title(finding)}"
    place = where(finding)
    told = [f"{head}  [{_severity(finding).value}]" + (f"  {place}" if place else "")]
    told.append(
        textwrap.fill(plain(finding.suggestion.text, _LONG), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    )
    told += [f"      {line}".rstrip() for line in _code_of(finding)]
    told += [
        textwrap.fill(
            words, _WIDTH, initial_indent=f"  {name:<{_HEAD}}", subsequent_indent=" " * (_HEAD + 2),
            break_long_words=False, break_on_hyphens=False,
        )
        for name, words in _rows(finding)
    ]  # fmt: skip
    return "\n".join(told)


def _article(finding: Finding) -> str:
    severity = _severity(finding)
    pill = f'<span class="gnb-badge{" gnb-bad" if severity is Severity.ACT else ""}">{severity.value}</span>'
    place = where(finding)
    cell = f' <span class="gnb-m">{escape(place)}</span>' if place else ""
    name, code = escape(plain(finding.rule.code, 12)), "\n".join(_code_of(finding))
    rows = "".join(
        f'<div class="gnb-m"><b>{escape(head)}</b> <bdi>{escape(words)}</bdi></div>' for head, words in _rows(finding)
    )
    return (
        f'<div class="gnb-advice"><div><b>{name}</b> <bdi>{escape(_title(finding))}</bdi> '
        f"{pill}{cell}</div><p><bdi>{escape(plain(finding.suggestion.text, _LONG))}</bdi></p>"
        f"{f'<pre><code>{escape(code)}</code></pre>' if code else ''}{rows}</div>"
    )


def _notes(looked: Looked, more: int) -> list[str]:
    """What else there is to know: smaller findings, dismissed ones, observers that are off."""
    notes = []
    if more:
        notes.append(
            f"{more} more on cells below 1 J or 1 s: %energy_advise --all shows {'it' if more == 1 else 'them'}."
        )
    if looked.dismissed:
        notes.append(f"{looked.dismissed} dismissed, and not shown.")
    if looked.off:
        notes.append(
            f"Not watched any more, since watching failed: {', '.join(plain(name, 30) for name in looked.off)}."
        )
    return notes
