"""What the dashboard says of a trial, from its messages: the plan, how far it is, how it ended, the change to copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from greennb.model.finding import Change
from greennb.model.reading import Method
from greennb.views import trial
from greennb.views.format import plain

Said = Mapping[str, Any]

_ENDS = {"refused": "It can't be tried here.", "void": "The trial does not count."}
"""What is said before the sentence of a trial that came to no verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A plan as its message tells it."""

    key: str
    variant: str
    variants: tuple[str, ...]
    words: tuple[str, ...]
    change: Change


def plan(said: Said, *, waits: bool) -> str:
    """What would be run; ``waits`` is whether a cell runs that it would have to wait for."""
    planned = _Planned(
        key=said["key"], variant=said["variant"], variants=(said["variant"],), words=tuple(said["words"]),
        change=_change(said["change"]),
    )  # fmt: skip
    wait = "<p>A cell runs: the trial waits for the cell.</p>" if waits else ""
    return trial.plan_html(planned) + wait


def progress(said: Said) -> str:
    """How far the trial is that runs, or how it ended where it came to no verdict."""
    if said["state"] == "running":
        interval = said["interval"]
        words = trial.progress(
            phase=said["phase"], rounds=said["rounds"], ratio=said["ratio"],
            interval=None if interval is None or None in interval else (interval[0], interval[1]),
            spent_s=said["spent_s"], spent_j=said["spent_j"], budget_s=said["budget_s"],
            method=None if said["method"] is None else Method(said["method"]),
        )  # fmt: skip
        name = ", ".join(part for part in (plain(said["key"], 80), plain(said["variant"], 60)) if part)
        return sentence(f"{name}: {words}")
    return sentence(f"{_ENDS.get(said['state'], '')} {said['words']}".strip())


def verdict(told: Said, key: str) -> str:
    """What a trial showed, and where it saves the changed cell to copy: no dashboard writes into a notebook."""
    change = told.get("change")
    shown = trial.html(told, key)
    if change is None or not trial.is_proven(told):
        return shown
    lines = trial.diff_html(_change(change))
    return (
        f"{shown}<p>The change, to make in the cell by hand: the dashboard cannot write into the notebook.</p>{lines}"
        f"<details><summary>The whole cell as changed, to copy</summary><pre><code>{escape(str(change['after']))}"
        "</code></pre></details>"
    )


def sentence(words: str) -> str:
    """A sentence that is read out when it changes."""
    return f'<p role="status"><bdi>{escape(plain(words, 600))}</bdi></p>'


def _change(said: Said) -> Change:
    return Change(cell_id=said["cell_id"], before=str(said["before"]), after=str(said["after"]))
