"""What a kernel and a page say to each other of trials; :mod:`greennb.model.messages` has the rest, and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from greennb.model.finding import Change
from greennb.model.messages import finite, message
from greennb.model.reading import Method

TRIAL_STATES = ("running", "done", "refused", "stopped", "void", "failed")
"""How a trial can stand: "void" is that something of the user's has changed, "failed" an error that nobody foresaw."""

MOST_PER_S = 4.0
"""How often a page is told of a trial that runs, in messages a second: more than a person reads."""


def trial(
    *,
    key: str,
    code: str,
    variant: str,
    cell_id: str | None,
    state: str,
    phase: str,
    rounds: int,
    ratio: float | None,
    interval: tuple[float, float] | None,
    spent_s: float,
    spent_j: float | None,
    budget_s: float,
    method: Method | None,
    words: str = "",
) -> dict[str, Any]:
    """How far the trial of the finding ``key`` is, or how it ended.

    ``state`` is one of :data:`TRIAL_STATES`; ``words`` are one sentence for all but "running" and "done". After "done"
    a ``findings`` message follows, whose finding has the trial. ``ratio`` and ``interval`` are as they stand.
    """
    return message(
        "trial", key=key, code=code, variant=variant, cell_id=cell_id, state=state, phase=phase, rounds=rounds,
        ratio=finite(ratio), interval=None if interval is None else finite(list(interval)),
        spent_s=round(spent_s, 3), spent_j=None if spent_j is None else finite(round(spent_j, 3)),
        budget_s=budget_s, method=None if method is None else method.value, words=finite(words),
    )  # fmt: skip


def plan(
    *,
    key: str,
    code: str,
    variant: str,
    kind: str,
    variants: Sequence[str],
    cell_id: str | None,
    execution_count: int | None,
    words: Sequence[str],
    budget_s: float,
    expected_j: float | None,
    method: Method | None,
    change: Change,
    run: str,
    re: str,
) -> dict[str, Any]:
    """What a trial would run: nothing has been run. ``run`` is the line that runs it, for the page to send."""
    return message(
        "plan", key=key, code=code, variant=variant, kind=kind, variants=list(variants), cell_id=cell_id,
        execution_count=execution_count, words=finite(list(words)), budget_s=budget_s, expected_j=expected_j,
        method=None if method is None else method.value, change=finite(change.to_dict()), run=run, re=re,
    )  # fmt: skip


def stopping(*, running: bool, re: str) -> dict[str, Any]:
    """A trial was asked to stop; ``running`` is whether it ran. One that waits for a cell will not begin then."""
    return message("stopping", running=running, re=re)
