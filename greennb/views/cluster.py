"""What tasks took on a cluster, as text and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Protocol

from greennb.model.reading import Method
from greennb.views.format import NOT_MEASURED, joules, plain, seconds

NOTE = (
    "Each host's joules are shared out by the time that its tasks ran there: a model, which does not know how hard "
    "each of them worked."
)


class TaskKind(Protocol):
    """Tasks whose keys begin alike."""

    @property
    def prefix(self) -> str: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102
    @property
    def joules(self) -> float | None: ...  # noqa: D102


def tasks_bundle(kinds: Sequence[TaskKind]) -> dict[str, str]:
    """A row a kind; a share by time is an estimate, however its host's joules were measured."""
    if not kinds:
        return {"text/plain": "No task ran on the workers in the latest cell."}
    rows = [(plain(it.prefix, 60), seconds(it.seconds), _joules(it.joules)) for it in kinds]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    text = [f"{name:<{widths[0]}}  {time:>{widths[1]}}  {cost:>{widths[2]}}" for name, time, cost in rows]
    cells = "".join(
        f"<tr><td><bdi>{escape(name)}</bdi></td><td>{escape(time)}</td><td>{escape(cost)}</td></tr>"
        for name, time, cost in rows
    )
    html = (
        '<table class="gnb-tasks"><thead><tr><th>tasks</th><th>ran for</th><th>share of the joules</th></tr></thead>'
        f"<tbody>{cells}</tbody><caption>{escape(NOTE)}</caption></table>"
    )
    return {"text/plain": "\n".join([*text, NOTE]), "text/html": html}


def _joules(value: float | None) -> str:
    return NOT_MEASURED if value is None else joules(value, Method.ESTIMATED)
