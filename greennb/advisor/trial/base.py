"""What a trial is made of: a scene, a variant, two ways to do its work, and a guard. Everything in here is a contract.

A **scene** is a cell that ran, with the notebook's objects. A **variant** changes its source as the user could. A
**kit** (one a framework) makes two **ways** of a scene and a variant: the work as it is and the work as changed, both
on copies. The schedule (:mod:`greennb.advisor.trial.schedule`) runs the ways by turns; the guard looks at quality.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from greennb.advisor.signals.cell import CellContext
from greennb.model.errors import GreennbError
from greennb.model.finding import Finding


class RefusedError(GreennbError):
    """This can't be tried, or not to its end; one sentence says why and what would help. Nothing was changed."""


class ChangedError(GreennbError):
    """Something of the user's is not as it was before the trial, which is void; the message names what."""


class Stopped(BaseException):
    """Somebody stopped the trial. No ``Exception``: what runs in a trial must not catch it by chance."""


class Stop:
    """Asks a trial to end; from any thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """End the trial at the next step."""
        self._event.set()

    @property
    def wanted(self) -> bool:
        """Whether somebody wants it to end."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise where it was asked for.

        Raises:
            Stopped: it was.
        """
        if self._event.is_set():
            raise Stopped


class Kind(StrEnum):
    """What a variant may change in the results; it decides how quality is looked at."""

    SAME = "same"
    """Nothing beyond the order of sums: threads, workers, prefetching."""
    NUMERIC = "numeric"
    """Rounding: lower precision, another kernel. Guard: the losses against the seed's own spread."""
    LEARNING = "learning"
    """What is learned, and how fast: batch size, optimizer, pruning. Cost is shown, quality is not."""
    ESTIMATOR = "estimator"
    """Another estimator or other parameters. Guard: cross-validated scores, at two sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What a guard saw. ``good`` is None where it has not looked, or can't; ``words`` are for the user."""

    good: bool | None
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A cell that ran, and what a trial of it may use.

    Attributes:
        cell: what was seen of it; ``cell.source`` is its source, with the marker line where it had one.
        code: that source as Python: magics and marker lines made blank, line numbers kept.
        namespace: the notebook's own names: the dictionary that its functions have as globals.
        finding: what is tried; None where the user named a rule that was not found.
        stop: ends the trial.
        quiet: makes a context in which nothing that runs prints or shows anything.
        budget_s: seconds that the trial may take.
    """

    cell: CellContext
    code: str
    namespace: dict[str, Any]
    finding: Finding | None = None
    stop: Stop = field(default_factory=Stop)
    quiet: Callable[[], AbstractContextManager[object]] = nullcontext
    budget_s: float = 30.0


class Way(Protocol):
    """One way to do the work, again and again. Its user's objects are copies; its first unit may compile and allocate.

    Attributes:
        label: "A" for the work as it is, "B" for the changed one.
    """

    label: str

    def run(self, units: int, window: Callable[[], AbstractContextManager[object]]) -> float:
        """Do ``units`` units of work within one ``with window():``; what is done around that is not counted.

        Returns:
            How many items (samples, rows) went through while the window was open; ``units`` where items mean nothing.
            Joules are compared per item.

        Raises:
            RefusedError: it can't be done, or not again.
            Stopped: somebody stopped the trial.
        """

    def close(self) -> None:
        """Give back memory, workers and hooks; may be called twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two ways of one trial.

    Attributes:
        unit: what one unit is: "step", "call", "fit", "run".
        guard: looks at quality, once, after the ways have run; may run them some more.
        units: how many units the cell had when it ran; None where that is not known. For the break-even.
        notes: sentences for the user on what of the cell is not in a unit: callbacks, validation.
    """

    baseline: Way
    candidate: Way
    unit: str
    guard: Callable[[], Quality]
    units: float | None = None
    notes: tuple[str, ...] = ()


class Variant(Protocol):
    """One change that can be tried: a frozen dataclass; one file a variant, or a few that belong together.

    Attributes:
        name: in a few words, as on a button: "bf16 autocast", "batch x2".
        codes: the rules that it answers, ("GNB206",).
        kind: what it may change in the results.
    """

    @property
    def name(self) -> str: ...  # noqa: D102  # said above

    @property
    def codes(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def kind(self) -> Kind: ...  # noqa: D102

    def change(self, scene: Scene) -> str:
        """The cell's source (``scene.code``) with the change in it: what is tried is what would be applied.

        Pure: reads the scene, runs nothing, copies nothing.

        Raises:
            RefusedError: it makes no sense here (already so, no such object, this machine can't).
        """


class Kit(Protocol):
    """A framework's way to make trials: a module with these names.

    Attributes:
        VARIANTS: what it can try, in the order in which it would.
    """

    VARIANTS: tuple[Variant, ...]

    def pair(self, scene: Scene, variant: Variant) -> Pair:
        """The two ways, on copies of the user's objects. The caller closes both ways and checks that nothing changed.

        Raises:
            RefusedError: the work has effects outside, can't be copied, or can't be repeated.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a trial is.

    Attributes:
        phase: "copying", "warming up", "measuring", "judging", "checking".
        rounds: rounds of four blocks that are complete.
        ratio, interval: as they stand, None before the second round.
        spent_s, spent_j: up to now; ``budget_s`` in all. ``spent_j`` None where no joules are known.
    """

    phase: str
    rounds: int = 0
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    spent_s: float = 0.0
    spent_j: float | None = None
    budget_s: float = 0.0


Tell = Callable[[Progress], object]
"""Told how far a trial is, now and then; must be quick."""
