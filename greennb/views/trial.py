"""A trial in words and as HTML: what would be run, how far it is, and what it showed, the verdict first.

A trial is taken as ``Trial.to_dict()`` has it: so the ledger's and a file's are shown like the one that has just run.
"""

from __future__ import annotations

import difflib
import math
import textwrap
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Protocol

from greennb.model.finding import Change, Verdict
from greennb.model.reading import Method
from greennb.views.format import count, joules, percent, percents, plain, seconds, size
from greennb.views.style import CARD

Told = Mapping[str, Any]
"""A trial as ``Trial.to_dict()`` has it."""

APPLY = "The changed cell was put below this one. It has not been run: look at it, and run it if you like."
"""Said where the magic has offered the change."""

LEAST_PEAK_B = 2**20
"""Bytes below which a peak is not worth a row; ours."""

_WIDTH, _HEAD = 100, 13  # columns of text, of which the first are the rows' names
_LINES, _LINE = 60, 300  # of a diff
_CODE = """
.gnb-card pre.gnb-diff{margin:6px 0;padding:4px 8px;background:var(--g-bg2);color:inherit;border-radius:3px;
white-space:pre-wrap;overflow-wrap:anywhere;font:12px/1.45 ui-monospace,"DejaVu Sans Mono",monospace}
.gnb-card .gnb-diff ins,.gnb-card .gnb-diff del{text-decoration:none}
.gnb-card .gnb-diff ins{font-weight:600}
.gnb-card .gnb-diff del{color:var(--g-muted)}
.gnb-card p.gnb-said{margin:4px 0}
""".replace("\n", "")


class Planned(Protocol):
    """What is said of a plan; :class:`greennb.advisor.trial.trials.Plan` has it."""

    @property
    def key(self) -> str:
        """The finding's."""

    @property
    def variant(self) -> str:
        """What would be tried."""

    @property
    def variants(self) -> tuple[str, ...]:
        """All that could be."""

    @property
    def words(self) -> tuple[str, ...]:
        """What would be run, in sentences."""

    @property
    def change(self) -> Change:
        """What would be applied."""


def plan_text(plan: Planned) -> str:
    """What a trial would run, and the change that it would try as a diff."""
    told = [f"{plain(plan.key, 80)}: {plain(plan.variant, 60)}"]
    told += [textwrap.fill(line, _WIDTH, initial_indent="  ", subsequent_indent="  ") for line in _plan_lines(plan)]
    return "\n".join([*told, *(f"      {line}".rstrip() for line in diff(plan.change))])


def plan_html(plan: Planned) -> str:
    """The same as a card."""
    head = f'<div class="gnb-head"><b><bdi>{_safe(plan.key, 80)}</bdi></b> <bdi>{_safe(plan.variant, 60)}</bdi></div>'
    words = "".join(f'<p class="gnb-said"><bdi>{escape(line)}</bdi></p>' for line in _plan_lines(plan))
    return _card("what a trial would run", head + words + diff_html(plan.change))


def plan_bundle(plan: Planned) -> dict[str, Any]:
    """A plan for every kind of reader."""
    return {"text/html": plan_html(plan), "text/plain": plan_text(plan)}


def progress(
    *,
    phase: str,
    rounds: int,
    ratio: float | None,
    interval: tuple[float, float] | None,
    spent_s: float,
    spent_j: float | None,
    budget_s: float,
    method: Method | None,
) -> str:
    """How far a trial is, on one line: "measuring, 4.20 s of 30.0 s and ~81 J: 3 rounds, so far 19 % less (7–30 %)"."""
    spent = f"{seconds(spent_s)} of {seconds(budget_s)}"
    if spent_j is not None:
        spent += f" and {joules(spent_j, method)}"
    seen = f": {rounds} round{'' if rounds == 1 else 's'}" if rounds else ""
    if ratio is not None and interval is not None and interval[1] <= 2:  # else nothing is known yet
        seen += f", so far {_difference(ratio, interval, method)}"
    return f"{plain(phase, 30)}, {spent}{seen}"


def text(told: Told, key: str = "") -> str:
    """A trial in words: the verdict, and what it stands on."""
    lines = [_headline(told, key)]
    lines += [
        textwrap.fill(
            words, _WIDTH, initial_indent=f"  {name:<{_HEAD}}", subsequent_indent=" " * (_HEAD + 2),
            break_long_words=False, break_on_hyphens=False,
        )
        for name, words in rows(told)
    ]  # fmt: skip
    return "\n".join(lines)


def html(told: Told, key: str = "", note: str = "") -> str:
    """A trial as a card; ``note`` is a sentence below it."""
    bad = "" if is_proven(told) else " gnb-bad"
    pill = f'<span class="gnb-badge{bad if told["verdict"] == Verdict.COSTS_MORE else ""}">trial</span>'
    head = f'<div class="gnb-head"><b><bdi>{escape(_headline(told, key))}</bdi></b> {pill}</div>'
    body = "".join(
        f'<div class="gnb-m"><b>{escape(name)}</b> <bdi>{escape(words)}</bdi></div>' for name, words in rows(told)
    )
    foot = f'<div class="gnb-foot">{_safe(note, 400)}</div>' if note else ""
    return _card("what a trial showed", head + body + foot)


def bundle(told: Told, key: str = "", note: str = "") -> dict[str, Any]:
    """A trial for every kind of reader; ``note`` is a sentence below it."""
    words = text(told, key) + (f"\n  {plain(note, 400)}" if note else "")
    return {"text/html": html(told, key, note), "text/plain": words}


def listed(trials: Sequence[tuple[str, Told]]) -> list[str]:
    """A line for each trial, with the key of what it was about: the verdict, and what the trial took."""
    lines = []
    for key, told in trials:
        took = _took(told)
        lines.append(_headline(told, key) + (f"; the trial took {took}" if took else ""))
    return lines


def list_bundle(trials: Sequence[tuple[str, Told]]) -> dict[str, Any]:
    """The trials of a session, for every kind of reader."""
    lines = listed(trials)
    rows = "".join(f"<div><bdi>{escape(line)}</bdi></div>" for line in lines)
    head = f'<div class="gnb-head"><b>{_many(len(lines))}</b></div>'
    return {
        "text/html": _card("trials", head + rows),
        "text/plain": "\n".join([_many(len(lines)), *(f"  {line}" for line in lines)]),
    }


def _many(count: int) -> str:
    return f"{count} trial{'' if count == 1 else 's'}"


def verdict(told: Told) -> str:
    """The verdict on one line: "saves ~33 % (27–38 %)". Of a change that fails its guard no saving is said alone."""
    method = _method(told)
    ratio, interval = told["ratio"], _interval(told)
    match told["verdict"]:
        case Verdict.SAVES | Verdict.COSTS_MORE if ratio is not None:
            less = told["verdict"] == Verdict.SAVES
            share = _share(1 - ratio if less else ratio - 1, method)
            words = f"saves {share}" if less else f"costs {share} more"
            words += "" if interval is None else f" ({_turned(interval, less=less)})"
            return f"{words}, but results are not as good" if told.get("quality_good") is False and less else words
        case Verdict.NO_DIFFERENCE if ratio is not None:
            shown = "" if interval is None else f" ({percents(interval[0] - 1, interval[1] - 1)})"
            return f"no difference shown{shown}"
        case other:
            return str(other)


def line(told: Told) -> str:
    """A trial in a sentence or two, for a finding: what was tried, the verdict, joules, and when it pays back."""
    tried = plain(str(told.get("variant") or ""), 60)
    parts = [f"{tried}: {verdict(told)}" if tried else verdict(told)]
    parts += [f"pays back {words}" if name == "pays back" else words
              for name, words in rows(told) if name in ("joules", "pays back", "note")]  # fmt: skip
    return "; ".join(parts)


def is_proven(told: Told) -> bool:
    """Whether it saves, and no guard has said that results are worse."""
    return bool(told["verdict"] == Verdict.SAVES) and told.get("quality_good") is not False


def rows(told: Told) -> list[tuple[str, str]]:
    """What is said of a trial below its verdict, each with its name; what is not known has no row."""
    found = [
        ("joules", _per(told, "joules", lambda value: joules(value, _method(told)))),
        ("time", _per(told, "seconds", seconds)),
        ("peak memory", _peak(told)),
        ("done once", _both(told, "apart_j", lambda value: joules(value, _method(told)), "to warm up and compile, ")),
        ("quality", _quality(told)),
        ("pays back", _pays_back(told)),
        ("note", plain(str(told.get("note") or ""), 400)),
        ("the trial", _took(told)),
    ]
    return [(name, words) for name, words in found if words]


def diff(change: Change) -> list[str]:
    """A change as the lines of a diff, each safe to print and with its indentation."""
    made = difflib.unified_diff(change.before.splitlines(), change.after.splitlines(), lineterm="", n=2)
    lines = [line for line in made if not line.startswith(("---", "+++", "@@"))]
    shown = [_code_line(line) for line in lines[:_LINES]]
    return [*shown, "…"] if len(lines) > _LINES else shown


def diff_html(change: Change) -> str:
    """The same as HTML."""
    marks = {"+": ("<ins>", "</ins>"), "-": ("<del>", "</del>")}
    parts = []
    for one in diff(change):
        begin, end = marks.get(one[:1], ("", ""))
        parts.append(f"{begin}{escape(one)}{end}")
    return f'<pre class="gnb-diff"><code>{chr(10).join(parts)}</code></pre>' if parts else ""


def _plan_lines(plan: Planned) -> Sequence[str]:
    others = [plain(name, 60) for name in plan.variants if name != plan.variant]
    more = [f"It could also be tried with {', '.join(others)} (--variant)."] if others else []
    return [*(plain(words, 400) for words in plan.words), *more]


def _code_line(line: str) -> str:
    mark, code = line[:1], line[1:]
    return mark + code[: len(code) - len(code.lstrip(" "))][:80] + plain(code, _LINE)


def _headline(told: Told, key: str) -> str:
    """ "GNB210 model, channels_last: saves ~33 % (27–38 %)"."""
    about = ", ".join(part for part in (plain(key, 80), plain(str(told.get("variant") or ""), 60)) if part)
    return f"{about}: {verdict(told)}" if about else verdict(told)


def _method(told: Told) -> Method | None:
    return None if told.get("method") is None else Method(told["method"])


def _interval(told: Told) -> tuple[float, float] | None:
    ends = told.get("interval")
    return None if ends is None or None in ends else (float(ends[0]), float(ends[1]))


def _share(value: float, method: Method | None) -> str:
    return f"{'~' if method is Method.ESTIMATED else ''}{percent(value)}"


def _turned(interval: tuple[float, float], *, less: bool) -> str:
    low, high = interval
    return percents(1 - high, 1 - low) if less else percents(low - 1, high - 1)


def _difference(ratio: float, interval: tuple[float, float], method: Method | None) -> str:
    less = ratio < 1
    return f"{_share(abs(1 - ratio), method)} {'less' if less else 'more'} ({_turned(interval, less=less)})"


def _per(told: Told, what: str, words: Any) -> str:
    """What the work took as it was and as changed, of an item where items were counted, else of a unit."""
    before, after = told.get("baseline") or {}, told.get("candidate") or {}
    unit = plain(str(told.get("unit") or "run"), 20)
    for name, each in (("item", "an item"), ("run", f"a {unit}")):
        values = before.get(f"{what}_per_{name}"), after.get(f"{what}_per_{name}")
        if None not in values:
            return f"{words(values[0])} before, {words(values[1])} after, {each}"
    return ""


def _both(told: Told, what: str, words: Any, head: str = "") -> str:
    values = (told.get("baseline") or {}).get(what), (told.get("candidate") or {}).get(what)
    return "" if None in values else f"{head}{words(values[0])} before, {words(values[1])} after"


def _peak(told: Told) -> str:
    """Nothing where both are small: what a process holds goes up and down by as much without any reason."""
    peaks = [way.get("peak_b") for way in (told.get("baseline") or {}, told.get("candidate") or {})]
    return _both(told, "peak_b", size) if any(peak is not None and peak >= LEAST_PEAK_B for peak in peaks) else ""


def _quality(told: Told) -> str:
    words = plain(str(told.get("quality") or ""), 400)
    if told.get("quality_good") is False:
        return f"not as good. {words}".rstrip()
    return words


def _pays_back(told: Told) -> str:
    """ "after 340 steps; this cell had 2,000": the trial's own joules, and those of compiling."""
    after, units = told.get("break_even"), told.get("units")
    if after is None or not math.isfinite(after):
        return ""
    unit = plain(str(told.get("unit") or "run"), 20)
    words = f"after {count(after)} {unit if round(after) == 1 else _plural(unit)}"
    return words if units is None else f"{words}; this cell had {count(units)}"


def _plural(unit: str) -> str:
    return unit if unit.endswith("s") else f"{unit}s"


def _took(told: Told) -> str:
    blocks = len(told.get("order") or "")
    parts = [f"{blocks} blocks"] if blocks else []
    if told.get("spent_s") is not None:
        parts.append(seconds(told["spent_s"]))
    if told.get("spent_j") is not None:
        parts.append(joules(told["spent_j"], _method(told)))
    if told.get("temperature_c") is not None:
        low, high = told["temperature_c"]
        parts.append(f"card at {low:.0f} to {high:.0f} °C")
    return ", ".join(parts)


def _safe(words: str, width: int) -> str:
    return escape(plain(words, width))


def _card(label: str, body: str) -> str:
    return f'<div class="gnb-card" role="group" aria-label="{label}">{CARD}<style>{_CODE}</style>{body}</div>'
