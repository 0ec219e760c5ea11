"""What a loop has left behind: variables of models and optimizers, and numbers bound to the names of the cell."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.keras.loops import Turns
from greennb.advisor.trial.reach import is_a, library
from greennb.advisor.trial.replay import Replay

MOST = 100_000
"""Items of a list that are looked at."""


def arrays(way: Replay, bound: frozenset[str]) -> list[Any]:
    """Arrays of float64, by name: of models as far as they are trained, and of what the cell bound."""
    shadow = way.shadow
    assert shadow is not None
    found: list[Any] = []
    for name in sorted(shadow.names):
        thing = shadow.names[name]
        if is_a(thing, library("keras", "Model"), library("keras", "Layer")):
            found.extend(_values(thing.trainable_variables))
        elif name in bound:
            found.extend(_values([thing]))
    if isinstance(way.counter, Turns):
        found.extend(_gathered(way.counter.seen))
    return found


def _values(things: Iterable[Any]) -> Iterator[Any]:
    numpy = sys.modules["numpy"]
    found = (library("tensorflow", "Tensor"), library("tensorflow", "Variable"), library("keras", "Variable"))
    kinds = tuple(it for it in found if isinstance(it, type))
    for thing in things:
        if isinstance(thing, list | tuple):
            yield from _gathered(thing)
        elif isinstance(thing, (float, numpy.ndarray, numpy.generic, *kinds)):
            yield from _floats(numpy.asarray(thing))


def _gathered(items: Any) -> Iterator[Any]:
    """A list of numbers or arrays of one shape, as one array."""
    numpy = sys.modules["numpy"]
    parts = list(_values(items[:MOST])) if len(items) <= MOST else []
    if parts and all(it.shape == parts[0].shape for it in parts):
        yield numpy.stack(parts)


def _floats(array: Any) -> Iterator[Any]:
    if array.dtype.kind == "f" and array.size:
        yield array.astype("float64")


def seeded(seed: int) -> Ambient:
    """What there would be if random numbers began at that seed; they don't."""
    outside = Ambient.now()
    try:
        sys.modules["keras"].utils.set_random_seed(seed)
        return Ambient.now()
    finally:
        outside.restore()
