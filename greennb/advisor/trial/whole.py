"""A way that runs a whole cell as one unit: for two cells that are compared, or where nothing in it can be counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from greennb.advisor.trial import effects
from greennb.advisor.trial.base import Pair, Quality, RefusedError, Scene
from greennb.advisor.trial.digest import Digests
from greennb.advisor.trial.leave import Leaving
from greennb.advisor.trial.reach import Reach
from greennb.advisor.trial.replay import Window
from greennb.advisor.trial.shadow import Shadow
from greennb.advisor.trial.split import Script
from greennb.advisor.trial.stage import Stage, failure
from greennb.meter.sync import wait_for_devices

MOST_COPIES = 200
"""Runs in one block of a cell that changes what it reads: each needs copies of its own, made before the window."""


class WholeCell:
    """One way that is a cell from its first statement to its last.

    A cell that leaves what it reads as it was is run on the same copies again and again; one that changes it begins
    each run with fresh ones.

    Args:
        code: the source to run.
        label: "A" or "B"; ``called`` what a message calls the cell.

    Attributes:
        unit_s: seconds of the last run.
    """

    def __init__(
        self, scene: Scene, code: str, label: str, called: str = "the cell", *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:  # fmt: skip
        self.label = label
        self.unit_s = 0.0
        self.stage = Stage(scene)
        self._scene = scene
        self._called = called
        self._clock = clock
        self._script = Script(code, label)
        self._kept: Shadow | None = None
        self._changes: bool | None = None

    def prepare(self) -> None:
        """Run it once, and see whether it changes what it reads.

        Raises:
            RefusedError: it can't be copied, raises, or has effects outside.
            Stopped: somebody stopped the trial.
        """
        shadow = self._copy()
        try:
            before = self._content(shadow)
            with self.stage.set(), shadow.in_place() as names:
                began_s = self._clock()
                self._once(names)
                self.unit_s = self._clock() - began_s
            after = self._content(shadow)
            self._changes = any(after.get(what) != digest for what, digest in before.items())
        except BaseException:
            shadow.close()
            raise
        if self._changes:
            shadow.close()
        else:
            self._kept = shadow

    def run(self, units: int, window: Window) -> float:
        """See :meth:`greennb.advisor.trial.base.Way.run`."""
        if self._changes is None:
            self.prepare()
        if self._kept is not None:
            with self.stage.set(), self._kept.in_place() as names, _settled(window):
                for _ in range(units):
                    self._once(names)
            return float(units)
        if units > MOST_COPIES:
            raise RefusedError(
                f"One run of {self._called} is too short to be measured, and needs fresh copies each time because it "
                "changes what it reads: let it do its work several times."
            )
        shadows: list[Shadow] = []
        try:
            shadows += [self._copy() for _ in range(units)]
            with self.stage.set(), _settled(window):
                for shadow in shadows:
                    with shadow.in_place() as names:
                        self._once(names)
        finally:
            for shadow in shadows:
                shadow.close()
        return float(units)

    def _content(self, shadow: Shadow) -> Mapping[str, bytes]:
        """Digests of what the cell reads."""
        return Digests.of(Reach.of({**self._scene.namespace, **shadow.names}, self._script.source)).values

    def close(self) -> None:
        """Give the copies back; may be called twice."""
        self._script.close()
        kept, self._kept, self._changes = self._kept, None, None
        if kept is not None:
            kept.close()

    def _copy(self) -> Shadow:
        return Shadow.of(self._scene.namespace, self._script.source)

    def _once(self, names: dict[str, Any]) -> None:
        for statement in self._script.statements:
            self._scene.stop.check()
            error = Leaving().run(statement.code, names)
            if error is not None:
                words = failure(error)
                raise RefusedError(f"Run on copies, {self._called} raised {words}.")


@contextmanager
def _settled(window: Window) -> Iterator[None]:
    """The window, with nothing left to do on a device at its edges."""
    wait_for_devices()
    with window():
        yield
        wait_for_devices()


def pair(baseline: Scene, candidate: Scene) -> Pair:
    """Two cells of one notebook as they are, the first statement to the last of each; nobody looks at quality.

    Raises:
        RefusedError: one can't be copied, raises, or has effects outside.
    """
    ways: list[WholeCell] = []
    try:
        for scene, label, called in ((baseline, "A", "the first cell"), (candidate, "B", "the second cell")):
            effects.refuse(scene.code, scene.namespace)
            way = WholeCell(scene, scene.code, label, called)
            ways.append(way)
            way.prepare()
    except BaseException:
        for way in ways:
            way.close()
        raise
    words = "not looked at: compare what both cells give yourself"
    return Pair(baseline=ways[0], candidate=ways[1], unit="run", guard=lambda: Quality(good=None, words=words))
