"""What is being seen of PyTorch in the cell that runs: records by object, and where each thread is in its loop."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from greennb.advisor.observe.torch.calls import RootRecord
    from greennb.advisor.observe.torch.loader import Iteration, LoaderRecord
    from greennb.advisor.observe.torch.profile import Profiling
    from greennb.advisor.observe.torch.steps import StepRecord

MOST_RECORDS = 64
"""Models, loaders and optimizers each that a cell keeps apart: a search over settings makes a new one each turn."""

MOST_CALLS = 20_000
"""Calls of the forward hook in a cell, some 1 to 2 us each: 40 ms at the very most, and only in cells of that many."""

R = TypeVar("R")


class Lane(threading.local):
    """One thread's place in its loop.

    Attributes:
        iteration: the one that gave the last batch. ``epoch`` counts iterations begun, ``batches`` the batches.
        tracing: the model whose order of layers is being seen.
    """

    iteration: Iteration | None = None
    epoch: int = 0
    batches: int = 0
    tracing: RootRecord | None = None

    @property
    def loader(self) -> LoaderRecord | None:
        """The loader of the loop that goes on; None where it was left, for then its iterator is gone."""
        iteration = self.iteration
        return None if iteration is None or iteration.iterator() is None else iteration.record


class Records(Generic[R]):
    """One record for each of the user's objects, which are neither kept alive nor asked for their hash.

    Attributes:
        by_id: records by ``id``, each with a weak reference to its object: another may have that ``id`` by now.
    """

    def __init__(self) -> None:
        self._records: list[R] = []
        self.by_id: dict[int, tuple[weakref.ref[Any], R]] = {}

    def get(self, thing: object) -> R | None:
        """The record of ``thing``, None where it has none yet."""
        known = self.by_id.get(id(thing))
        return known[1] if known is not None and known[0]() is thing else None

    def add(self, thing: object, make: Callable[[], R]) -> R | None:
        """A record for ``thing``, made unless it would be one too many."""
        if len(self._records) >= MOST_RECORDS:
            return None
        record = make()
        self._records.append(record)
        self.by_id[id(thing)] = (weakref.ref(thing), record)
        return record

    def __iter__(self) -> Iterator[R]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


class Cell:
    """The cell that runs.

    Attributes:
        lane: of the thread that asks.
        window: counts the stretches in which the forward hook was on; ``armed`` whether it is now.
        left: calls of models until it goes off; ``looked`` those since it is on. ``hooked``: calls of the hook so far,
            ``before`` those before it went on.
        stepping: the record of the optimizer that has begun a step last, for the hook after it.
        steps: that all optimizers have taken. ``own_s``: seconds spent in the forward hook.
        profiling: told of every step where a profile is wanted.
    """

    def __init__(self) -> None:
        self.lane = Lane()
        self.loaders: Records[LoaderRecord] = Records()
        self.optimizers: Records[StepRecord] = Records()
        self.roots: Records[RootRecord] = Records()
        self.window = 0
        self.armed = False
        self.left = 0
        self.hooked = self.before = self.looked = 0
        self.stepping: StepRecord | None = None
        self.steps = 0
        self.own_s = 0.0
        self.profiling: Profiling | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing at all was seen."""
        return not (len(self.loaders) or len(self.optimizers) or len(self.roots))


def no_modes(torch: Any) -> Any:
    """A context in which neither the user's ``TorchFunctionMode`` nor a tensor class of theirs sees that we look."""
    return torch._C.DisableTorchFunction()


class Stage:
    """Where hooks find the cell that runs: None between cells."""

    __slots__ = ("cell",)

    def __init__(self) -> None:
        self.cell: Cell | None = None
