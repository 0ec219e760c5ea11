"""A way that replays a cell: what stands before its work once, the work again and again, left in its middle.

The units of work are seen by a counter, which calls back after each. A block begins with a few units outside the
window, has the window open for as many whole units as are wanted, and leaves the statement from within by an exception
of its own that no ``except Exception`` catches. A statement that ends by itself is run again. Each way goes on with its
own copies, random numbers and flags.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from greennb.advisor.trial.base import RefusedError, Scene, Stopped
from greennb.advisor.trial.leave import Leaving, Left
from greennb.advisor.trial.shadow import Shadow
from greennb.advisor.trial.split import ENOUGH, Script, Split, Statement, split
from greennb.advisor.trial.stage import Stage, failure
from greennb.meter.sync import wait_for_devices

Find = Callable[[str], Any]
"""What a name means in the trial; None where it means something of the user's own, which is not to be touched."""

Window = Callable[[], AbstractContextManager[object]]

PREFIX_SHARE = 5
"""What stands before the work may take this part of the budget: it runs several times in a trial."""

CHANGED_SHARE = 2
"""The same for the changed cell, which may load its libraries the first time: torch.compile's take 3 s."""

LONG_S = 1.0
"""Seconds after which two units are enough to know the work by."""

WARM_S = 0.02
"""Seconds of units before a window: after another way's block caches are cold, and a loader starts anew."""

SLOW_S = 0.2
"""A unit that takes this long needs one such unit only: WARM_S is less than a tenth of it."""

MOST_WARM = 50
"""Units before a window, at most."""

PATIENCE = 3
"""Budgets without a unit after which the trial is given up: compiling may take more than one."""

_PLAIN = (int, float, complex, bool, str, bytes, type(None))
"""What can't be changed but only bound anew; a run of the work finds these as the first run found them."""


class Counter(Protocol):
    """Sees units of work go by, in the thread that does them.

    Attributes:
        unit: what one is: "step", "call".
        items: samples that have gone through since it was made; never less than before.
    """

    unit: str
    items: float

    def on(self, passed: Callable[[], None], busy: Callable[[], None]) -> AbstractContextManager[object]:
        """Until the context is left, call ``passed`` after every unit, and ``busy`` now and then between; both may
        raise, and what they raise goes up through the user's code."""

    def look(self, find: Find) -> None:
        """A statement is about to be run: find what is counted."""

    def mark(self, own: Mapping[str, Any]) -> None:
        """The work is about to be run for the first time: remember what a run of it uses up, as a schedule.

        ``own`` are the names that mean copies, or what the trial has made.
        """

    def rewind(self) -> None:
        """The work is about to be run again: put that back."""


class Block:
    """Units that pass while a statement runs, and the window that is open for some of them.

    Args:
        warm: units before the window; ``units`` within it. Without a window the block is complete after the warm ones.

    Attributes:
        passed: units so far; ``complete`` once all have passed and the window is closed.
        items: samples that went through while it was open; ``unit_s`` seconds of a unit in it, 0.0 before.
        last_s: when a unit passed last.
    """

    def __init__(
        self, counter: Counter, clock: Callable[[], float], warm: int, units: int = 0, window: Window | None = None
    ) -> None:
        self._counter = counter
        self._clock = clock
        self._warm = warm
        self._units = units
        self._window = window
        self._open = ExitStack()
        self.passed = 0
        self.complete = False
        self.items = self.unit_s = 0.0
        self.last_s = self._began_s = clock()

    def unit(self) -> None:
        """One has passed."""
        self.passed += 1
        if self._window is None:
            self._without_window()
        elif self.passed == self._warm:
            wait_for_devices()
            self.items = self._counter.items
            self._open.enter_context(self._window())
            self.unit_s = self._clock()
        elif self.passed == self._warm + self._units:
            wait_for_devices()
            self.unit_s = (self._clock() - self.unit_s) / self._units
            self._open.close()
            self.items = self._counter.items - self.items
            self.complete = True
        self.last_s = self._clock()

    def _without_window(self) -> None:
        if self.passed > 1:
            self.unit_s = self._clock() - self.last_s
        long = self.passed > 1 and self._clock() - self._began_s > LONG_S
        self.complete = long or self.passed >= self._warm

    def __enter__(self) -> Block:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._open.__exit__(*raised)  # still open where the work failed or was stopped


class Replay:
    """One way of a cell.

    Args:
        scene: the cell and its namespace.
        code: the source to replay, as it is or as changed.
        label: "A" or "B".
        counter: of its own, not shared with another way.

    Attributes:
        prefix_s: seconds that what stands before the work took.
        unit_s: seconds of a unit, as far as known.
        shadow: its copies, None before and after.
        stage: random numbers and flags that it goes on with.
        counts_items: whether blocks tell samples, as seen by the counter, and not units.
    """

    def __init__(
        self, scene: Scene, code: str, label: str, counter: Counter, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.label = label
        self.prefix_s = 0.0
        self.unit_s = 0.0
        self.counts_items = True
        self.counter = counter
        self._scene = scene
        self._clock = clock
        self._script = Script(code, label)
        self.shadow: Shadow | None = None
        self.stage = Stage(scene)
        self._split: Split | None = None
        self._block = Block(counter, clock, 0)
        self._leaving = Leaving()
        self._users: dict[str, Any] = {}
        self._start: dict[str, Any] = {}
        self._plain: dict[str, Any] = {}
        self._whole = False

    def prepare(self) -> None:
        """Make the copies, run what stands before the work, and the work's first units.

        Raises:
            RefusedError: it can't be copied or replayed, has effects outside, or takes too long.
            Stopped: somebody stopped the trial.
        """
        self.shadow = Shadow.of(self._scene.namespace, self._script.source)
        self._start = dict(self.shadow.names)
        with self._on_stage() as names:
            began_s = self._clock()

            def run(statement: Statement) -> int:
                self.prefix_s = self._clock() - began_s
                self._affordable()
                self._mark(names, statement)
                self._block = Block(self.counter, self._clock, ENOUGH)
                if failed := self._execute(statement, names):
                    raise RefusedError(f"Run again on copies{self._changed}, the cell raised {failed}.")
                return ENOUGH if self._block.complete else self._block.passed

            self._split = split(self._script, run, self.counter.unit)
            self.unit_s = self._block.unit_s

    def run(self, units: int, window: Window) -> float:
        """See :meth:`greennb.advisor.trial.base.Way.run`; items are samples, where the counter sees those."""
        if self._split is None:
            self.prepare()
        with self._on_stage() as names:
            self._block = Block(self.counter, self._clock, self._warm(), units, window)
            with self._block as block:
                while not block.complete:
                    self._again(names)
        self.unit_s = block.unit_s
        return block.items if self.counts_items and block.items else float(units)

    @property
    def line(self) -> int:
        """The first line of the work; 0 while that is not known."""
        return 0 if self._split is None else self._split.work.line

    def close(self) -> None:
        """Give the copies back; may be called twice."""
        self._script.close()
        shadow, self.shadow, self._split = self.shadow, None, None
        self._start = {}
        self._plain = {}
        if shadow is not None:
            shadow.close()

    @property
    def _changed(self) -> str:
        return " with the change" if self.label == "B" else ""

    def _warm(self) -> int:
        """Units before the window."""
        if self.unit_s >= SLOW_S:
            return 1
        return min(MOST_WARM, max(2, math.ceil(WARM_S / self.unit_s))) if self.unit_s > 0 else 2

    def _affordable(self) -> None:
        if self.prefix_s > self._scene.budget_s / (CHANGED_SHARE if self.label == "B" else PREFIX_SHARE):
            raise RefusedError(
                f"What stands before the work in this cell takes {self.prefix_s:.1f} s, and a trial of "
                f"{self._scene.budget_s:g} s does so several times: move it to a cell of its own, or give more seconds."
            )

    @contextmanager
    def _on_stage(self) -> Iterator[dict[str, Any]]:
        """The copies under the user's names, while units are counted."""
        if self.shadow is None:
            raise RefusedError("This way of the trial was closed.")
        self._users = dict(self._scene.namespace)
        try:
            with self.stage.set(), self.shadow.in_place() as names, self.counter.on(self._passed, self._busy):
                yield names
        finally:
            self._users = {}

    def _mark(self, names: dict[str, Any], statement: Statement) -> None:
        """What the first run of a statement finds; the last one marked is the work."""
        self._plain = {name: names[name] for name in statement.binds if type(names.get(name, self)) in _PLAIN}
        self.counter.mark({name: it for name, it in names.items() if it is not self._users.get(name)})

    def _again(self, names: dict[str, Any]) -> None:
        """Run the work once more, until it ends or is left.

        Where a run of it comes to nothing (an iterator is used up, a limit was reached), what stands before it is run
        again too from then on, as running the cell again would.

        Raises:
            RefusedError: that comes to nothing either.
        """
        split, before = self._split, self._block.passed
        assert split is not None
        statements = (*split.prefix, split.work) if self._whole else (split.work,)
        names.update(self._start if self._whole else self._plain)
        self.counter.rewind()
        failed = ""
        for statement in statements:
            if not failed and not self._block.complete:
                failed = self._execute(statement, names)
        if self._block.complete or (self._block.passed > before and not failed):
            return
        if self._whole:
            raise RefusedError(self._once_only(failed))
        self._whole = True

    def _once_only(self, failed: str) -> str:
        why = f"raised {failed}" if failed else f"made no {self.counter.unit}"
        return (
            f"Run again on copies{self._changed}, the cell {why} when its work was repeated, and a trial repeats it: "
            "make the iterator or counter that it uses up in this cell, in the same statement."
        )

    def _execute(self, statement: Statement, names: dict[str, Any]) -> str:
        """Run a statement until it ends or is left. What it raised, in words; "" for nothing.

        Raises:
            RefusedError: it can't go on at all: no memory, an effect outside, nothing to count, no way to leave.
            Stopped: somebody stopped the trial.
        """
        self.counter.look(lambda name: None if (it := names.get(name)) is self._users.get(name) else it)
        leaving = self._leaving = Leaving()
        error = leaving.run(statement.code, names)
        if error is None:
            if leaving.reason is not None and not isinstance(leaving.reason, Left):
                raise leaving.reason
            if leaving.forced:
                raise RefusedError(
                    "The cell catches every exception, also what ends a block of a trial: write `except Exception` "
                    "instead of a bare `except` (or BaseException), then try again."
                )
            return ""
        return failure(error, self._changed)

    def _passed(self) -> None:
        """A unit has passed, says the counter from within the user's code."""
        if self._leaving.reason is None:
            if self._scene.stop.wanted:
                self._leaving.leave(Stopped())
            self._block.unit()
            if not self._block.complete:
                return
        self._leaving.leave(Left())

    def _busy(self) -> None:
        """Something goes on, but no unit has passed."""
        if self._leaving.reason is not None or self._scene.stop.wanted:
            self._leaving.leave(Stopped())
        if self._clock() - self._block.last_s > PATIENCE * self._scene.budget_s:
            self._leaving.leave(
                RefusedError(
                    f"No {self.counter.unit} has come to its end in {PATIENCE * self._scene.budget_s:.0f} s: "
                    "give more seconds."
                )
            )
