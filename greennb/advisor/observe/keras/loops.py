"""TensorFlow without Keras: loops over tf.data, eager gradient tapes, functions that are traced again and again."""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter, thread_time
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.observe.keras.input import Fed, account, pipeline, with_account
from greennb.advisor.observe.keras.rings import Ring
from greennb.advisor.observe.keras.wrap import Method, drop_frame
from greennb.advisor.signals.keras import InputSeen, TapeSeen

MOST_LOOPS = 32
"""Pipelines of loops that are told apart in one cell; more are counted nowhere."""

LOOKED_AT = 10
"""Batches after which a loop is worth a look at its pipeline: a ``next(iter(data))`` is not."""


class Loop:
    """All passes of a cell through one pipeline."""

    __slots__ = ("accounted", "batches", "dataset", "epochs", "fed", "left_s", "seconds", "steps", "waits")

    def __init__(self, dataset: Any) -> None:
        self.dataset = weakref.ref(dataset)
        self.waits, self.steps = Ring(), Ring()
        self.fed: Fed | None = None
        self.accounted: Any = None
        self.batches = self.epochs = 0
        self.seconds = self.left_s = 0.0

    def signal(self, names: Names) -> InputSeen | None:
        """What was seen; None for a loop too short to say anything."""
        if self.fed is None:
            return None
        seen = self.fed.named(names)
        if self.accounted is not None:
            seen = with_account(seen, self.accounted)
        return replace(
            seen,
            wait_s=self.waits.median(),
            step_s=self.steps.median(),
            seconds=self.seconds,
            batches=self.batches,
            epochs=self.epochs,
        )


class Loops:
    """The loops of a cell over tf.data pipelines, outside of Keras' methods."""

    def __init__(self) -> None:
        self._by_iterator: dict[int, tuple[weakref.ref[Any], Loop]] = {}
        self._by_dataset: dict[int, Loop] = {}

    def clear(self) -> None:
        """A cell begins, or has ended."""
        self._by_iterator.clear()
        self._by_dataset.clear()

    def loop(self, iterator: Any) -> Loop | None:
        """The one that ``iterator`` goes through."""
        known = self._by_iterator.get(id(iterator))
        if known is not None and known[0]() is iterator:
            return known[1]
        dataset = vars(iterator).get("_dataset")
        if dataset is None:
            return None
        loop = self._by_dataset.get(id(dataset))
        if loop is None or loop.dataset() is not dataset:
            if len(self._by_dataset) >= MOST_LOOPS:
                return None
            loop = self._by_dataset[id(dataset)] = Loop(dataset)
        if len(self._by_iterator) > 4 * MOST_LOOPS:  # passes that are over
            self._by_iterator.clear()
        self._by_iterator[id(iterator)] = (weakref.ref(iterator), loop)
        loop.left_s = 0.0
        loop.epochs += 1
        return loop

    def took(self, iterator: Any, asked_s: float, got_s: float) -> None:
        """A batch was asked for at ``asked_s`` and was there at ``got_s``."""
        loop = self.loop(iterator)
        if loop is None:
            return
        if loop.left_s:
            loop.steps.add(got_s - loop.left_s)
            loop.waits.add(got_s - asked_s)
            loop.seconds += got_s - loop.left_s
        loop.left_s = got_s
        loop.batches += 1
        if loop.fed is None and loop.batches == LOOKED_AT:
            loop.fed = pipeline(vars(iterator)["_dataset"])
        if loop.batches in (LOOKED_AT, 100):
            loop.accounted = account([iterator])

    def signals(self, names: Names) -> tuple[InputSeen, ...]:
        """Of every loop that was long enough, the longest first."""
        seen = [it for loop in self._by_dataset.values() if (it := loop.signal(names)) is not None]
        return tuple(sorted(seen, key=lambda it: it.seconds, reverse=True))


def timed_next(loops: Loops, skip: Callable[[], bool], failed: Callable[[BaseException], None]) -> Any:
    """A wrapper for ``OwnedIterator.__next__``: half a microsecond, where a batch takes fifty at least."""

    def around(original: Method) -> Method:
        def method(self: Any) -> Any:
            asked_s = perf_counter()
            try:
                batch = original(self)
            except BaseException as error:
                drop_frame(error)
                raise
            try:
                if not skip():
                    loops.took(self, asked_s, perf_counter())
            except Exception as error:  # noqa: BLE001  # an observer's failure is not the user's
                failed(error)
            return batch

        return method

    return around


class Tapes:
    """Calls of ``GradientTape.gradient`` in eager code."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """A cell begins, or has ended."""
        self._steps, self._host = Ring(), Ring()
        self._count = 0
        self._span = array("d", (0.0, 0.0, 0.0))  # first, latest, the thread's CPU time at the latest

    def gradient(self) -> None:
        """One is asked for."""
        now, cpu = perf_counter(), thread_time()
        if self._count:
            self._steps.add(now - self._span[1])
            self._host.add(cpu - self._span[2])
        else:
            self._span[0] = now
        self._span[1], self._span[2] = now, cpu
        self._count += 1

    def signal(self) -> TapeSeen | None:
        """What was seen; None for nothing."""
        if not self._count:
            return None
        return TapeSeen(
            gradients=self._count,
            step_s=self._steps.median(),
            seconds=self._span[1] - self._span[0],
            host_s=max(0.0, self._host.median()),
        )


class Traces:
    """How often the ``tf.function`` s among the notebook's names were traced."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], int]] = {}

    def since(self, names: Names) -> tuple[int, str]:
        """Traces since it was last asked beyond each function's first, and the name of the one with the most."""
        most, worst, total = 0, "", 0
        known: dict[int, tuple[weakref.ref[Any], int]] = {}
        for name, thing in names.items():
            if not type(thing).__module__.endswith("polymorphic_function"):
                continue
            count = int(thing.experimental_get_tracing_count())
            before = self._known.get(id(thing))
            seen = before[1] if before is not None and before[0]() is thing else min(count, 1)
            known[id(thing)] = (weakref.ref(thing), max(count, 1))
            total += count - seen
            if count - seen > most:
                most, worst = count - seen, name
        self._known = known
        return total, worst
