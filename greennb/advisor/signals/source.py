"""What a cell's source says. Used to confirm what was measured, never alone to claim that something is slow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFact:
    """One thing in the source.

    Attributes:
        kind: what it is, one of the names in :mod:`greennb.advisor.observe.source.signals`.
        line: in the cell, from 1. ``text``: the expression, at most 120 characters.
        name: the variable that it is about ("loss", "df"), "" where there is none.
        in_loop: whether it stands in a loop of this cell (or in a function that this cell calls in one).
        loop_depth: how many loops are around it.
        guarded: whether an ``if`` within the innermost loop is around it (``if step % 100 == 0``).
        back: how many runs of cells before this one it is written in, for what is in a function of an earlier cell
            that this one calls: ``past[-back]`` of the context. 0 for this cell. ``line`` is then that of the call.
        first, last: the lines that its statement takes up in the cell in which it is written, a loop with its body.
    """

    kind: str
    line: int
    text: str
    name: str = ""
    in_loop: bool = False
    loop_depth: int = 0
    guarded: bool = False
    back: int = 0
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSignals:
    """What a cell's source says; functions and classes of earlier cells that it uses are looked into, four deep.

    Attributes:
        digest: of the syntax tree: equal for cells that differ in comments and spaces only.
        reads, writes: global names that it reads before it binds them, and binds.
        statements: how many of its statements do something: all but imports, definitions, names for constants or
            empty containers, and a name or ``.head()`` that is shown.
    """

    digest: str
    facts: tuple[SourceFact, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    statements: int = 0

    def of(self, *kinds: str) -> tuple[SourceFact, ...]:
        """The facts of these kinds, in the source's order."""
        return tuple(fact for fact in self.facts if fact.kind in kinds)
