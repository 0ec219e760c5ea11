"""What an observer is, what a rule is, and what a rule answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from greennb.advisor.names import Names
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Evidence, Rule, Severity

Failed = Callable[[BaseException], object]
"""Told by an observer whose hook has failed: it is removed at the cell's end, and the user is told once."""


class Observer(Protocol):
    """Watches one framework, or the machine, while cells run.

    It registers with :meth:`install` and takes everything back with :meth:`remove`. It is called through
    :class:`greennb.advisor.watch.Watch`: whatever it raises in these five turns it off, once said, and reaches nobody.
    What runs inside the user's calls (hooks, wrappers) must guard itself: see :func:`greennb.advisor.watch.guarded`.

    Attributes:
        name: the field of :class:`~greennb.advisor.signals.cell.CellContext` that it fills: "torch".
        modules: those whose import wakes it, each a name for ``sys.modules``; empty for one that is always on.
    """

    name: str
    modules: tuple[str, ...]

    def install(self, failed: Failed) -> None:
        """One of the modules is there, whole: register hooks; called again when another of them arrives.

        ``failed`` is to be called where a hook goes wrong later: the observer is removed at the cell's end.
        """

    def remove(self) -> None:
        """Take back whatever :meth:`install` registered; may be called without it."""

    def begin(self) -> None:
        """A cell begins, on the thread that runs it."""

    def end(self, names: Names) -> Any:
        """The cell has ended: what was seen, frozen, or None for nothing. Nothing of the cell is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a rule says on one cell.

    Attributes:
        evidence: the numbers that it stands on, from this cell's run, with units.
        text: what to change and why here, one or two sentences; no percentage that was not measured in this run.
        code: the change as code, with the user's own names where they are known; "" where it can't be code.
        share: part of the cell's time that ran through what would change, 0 to 1: the most that could be at stake.
        subject: what it is about: the user's name for it, else its class. One finding per rule and subject.
        severity: louder or quieter than the rule itself, where the evidence says so.
    """

    evidence: tuple[Evidence, ...]
    text: str
    code: str
    share: float
    subject: str = ""
    severity: Severity | None = None


class RuleModule(Protocol):
    """A rule: a module with these names, or any object that has them.

    Its ``__doc__`` is the page that the user reads, in Markdown: what is seen, why it costs energy, what to change,
    when not to, how to check it.

    Attributes:
        RULE: what it is.
    """

    RULE: Rule

    def check(self, cell: CellContext) -> Iterable[Found]:
        """What it has to say on ``cell``; nothing, almost always. Pure: no I/O, no state, no framework."""


def evidence(name: str, value: float, unit: str = "1") -> Evidence:
    """One number of a finding. ``unit``: "s", "ms", "%", "J", "W", "B", "rows", "steps", "calls"; "1" for none."""
    return Evidence(name=name, value=float(value), unit=unit)
