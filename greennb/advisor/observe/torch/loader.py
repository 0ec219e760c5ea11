"""DataLoaders: how long a batch is waited for.

Wrapped are ``DataLoader.__iter__`` and its iterators' ``__next__``.

Both belong to PyTorch's classes; nothing is put on the user's loaders, which stay as they are for pickling.
"""

from __future__ import annotations

import functools
import statistics
import sys
import weakref
from array import array
from collections.abc import Callable
from typing import Any

from greennb.advisor.base import Failed
from greennb.advisor.observe.torch.cell import Cell, Stage, no_modes
from greennb.advisor.observe.torch.ring import LENGTH, Ring
from greennb.advisor.observe.torch.steps import Clock

MOST_EPOCHS = 1000
"""Epochs whose first batch is looked at."""

KNOWN_LENGTHS = ("torch.", "torchvision.", "torchaudio.", "torchtext.", "datasets.")
"""Packages whose data sets are asked for their length: counting costs nothing there. The user's own are not called."""


class LoaderFacts:
    """A loader's settings, read where its iteration begins: it may be gone at the cell's end."""

    __slots__ = ("batch_size", "dataset", "in_memory", "length", "num_workers", "persistent_workers", "pin_memory")

    def __init__(self, loader: Any) -> None:
        its = _attributes(loader)
        dataset = its.get("dataset", its.get("_dataset"))
        self.dataset = type(dataset).__name__
        self.in_memory = _in_memory(dataset)
        self.length = _length(dataset)
        self.num_workers = int(its.get("num_workers", its.get("_num_workers", 0)) or 0)
        self.persistent_workers = bool(its.get("persistent_workers", its.get("_persistent_workers", False)))
        self.pin_memory = bool(its.get("pin_memory", its.get("_pin_memory", False)))
        size = its.get("batch_size")
        self.batch_size = size if isinstance(size, int) else None


def _attributes(thing: Any) -> dict[str, Any]:
    """The instance's own, without asking the user's ``__getattr__``."""
    return object.__getattribute__(thing, "__dict__")  # type: ignore[no-any-return]


def _in_memory(dataset: Any) -> bool:
    for _ in range(5):  # a Subset of a Subset ...
        if not _of_torch(type(dataset), "Subset"):
            break
        dataset = _attributes(dataset).get("dataset")
    return _of_torch(type(dataset), "TensorDataset")


def _of_torch(kind: type, name: str) -> bool:
    return any(it.__name__ == name and str(it.__module__).startswith("torch.") for it in kind.__mro__)


def _length(dataset: Any) -> int | None:
    """The data set's length where its own package says; None where only the user's code could."""
    owner = next((it for it in type(dataset).__mro__ if "__len__" in vars(it)), None)
    if owner is None or not str(owner.__module__).startswith(KNOWN_LENGTHS):
        return len(dataset) if type(dataset) in (list, tuple, dict, range) else None
    if owner.__name__ in ("Subset", "TensorDataset") or not str(owner.__module__).startswith("torch."):
        try:
            return len(dataset)
        except Exception:  # noqa: BLE001  # a data set that is not ready, or wraps a user's
            return None
    return None  # a ConcatDataset and its like ask the user's parts


class LoaderRecord:
    """One loader in one cell. Times are of the observer's clock, in seconds.

    Attributes:
        loader: itself; dead where only its iterator was seen.
        firsts: waits for epochs' first batches, with the making of the iterator.
        largest: most batches of one epoch that ended.
        watched: batches that came while the forward hook was on.
        trained: batches before which an optimizer had stepped since the one before.
        device, pinned: of what it gives, "" while nobody looked.
    """

    __slots__ = (
        "_batches", "_began", "_ended", "_iter_s", "batches", "device", "epochs", "facts", "firsts", "largest",
        "loader", "pinned", "seconds", "steps", "trained", "waits", "watched",
    )  # fmt: skip

    def __init__(self, loader: Any, facts: LoaderFacts, *, whole: bool) -> None:
        self.loader: weakref.ref[Any] | None = weakref.ref(loader) if whole else None
        self.facts = facts
        self.waits = Ring()
        self.firsts = array("d")
        self.epochs = self.batches = self.largest = self.watched = self.trained = 0
        self.seconds = 0.0
        self.steps = -1
        self.device = ""
        self.pinned = False
        self._batches = -1
        self._began = self._ended = self._iter_s = 0.0

    def begins(self, iter_s: float) -> None:
        """An iteration begins; making its iterator took ``iter_s``."""
        self._close()
        self.epochs += 1
        self._batches = 0
        self._iter_s = iter_s

    def gave(self, began: float, ended: float, steps: int) -> None:
        """A batch came; the optimizers of the cell have taken ``steps`` so far."""
        if self._batches <= 0:
            self._began = began
            if self._batches == 0 and len(self.firsts) < MOST_EPOCHS:
                self.firsts.append(ended - began + self._iter_s)
            self._batches = max(self._batches, 0)
        elif steps != self.steps:
            self.trained += 1
        self.steps = steps
        self._ended = ended
        self._batches += 1
        self.batches += 1
        ring, wait_s = self.waits, ended - began
        ring.values[ring.count % LENGTH] = wait_s
        ring.count += 1
        ring.total += wait_s

    def stops(self, ended: float, steps: int) -> None:
        """The iteration is over."""
        if self._batches > 0:
            self._ended = ended
            self.trained += steps != self.steps
        self.largest = max(self.largest, self._batches)
        self._close()

    def _close(self) -> None:
        if self._batches > 0:
            self.seconds += self._ended - self._began
        self._batches = -1

    def end(self) -> None:
        """The cell is over."""
        self._close()

    @property
    def length(self) -> int | None:
        """Items of the data set, from the batches of a whole epoch where it may not be asked."""
        facts = self.facts
        if facts.length is not None or not (self.largest and facts.batch_size):
            return facts.length
        return self.largest * facts.batch_size

    @property
    def first_wait_s(self) -> float:
        """Median over epochs, 0.0 of none."""
        return statistics.median(self.firsts) if self.firsts else 0.0


class Iteration:
    """An iterator that lives, maybe longer than a cell: its loader, and its record in the cell that runs."""

    __slots__ = ("cell", "facts", "iterator", "loader", "record")

    def __init__(self, iterator: weakref.ref[Any], loader: weakref.ref[Any] | None, facts: LoaderFacts) -> None:
        self.iterator = iterator
        self.loader = loader
        self.facts = facts
        self.cell: Cell | None = None
        self.record: LoaderRecord | None = None

    def in_cell(self, cell: Cell) -> LoaderRecord | None:
        """The record in ``cell``."""
        if self.cell is not cell:
            loader = None if self.loader is None else self.loader()
            thing = self.iterator() if loader is None else loader
            self.record = cell.loaders.get(thing) or cell.loaders.add(
                thing, lambda: LoaderRecord(thing, self.facts, whole=loader is not None)
            )
            self.cell = cell
        return self.record


class Loaders:
    """The two wrappers.

    Args:
        torch: the module. ``epoch``: told when an iteration begins. ``looks``: shown a batch with its loader's record
            while the forward hook is on.
    """

    def __init__(
        self,
        torch: Any,
        stage: Stage,
        clock: Clock,
        failed: Failed,
        *,
        epoch: Callable[[Cell], None],
        looks: Callable[[LoaderRecord, Any], None],
    ) -> None:
        self._torch = torch
        self._stage = stage
        self._clock = clock
        self._failed = failed
        self._epoch = epoch
        self._looks = looks
        self._iterations: dict[int, Iteration] = {}
        self._taken: list[tuple[type, str, Any, Any]] = []
        self.next_code: Any = None

    def install(self) -> None:
        """Wrap both methods, where PyTorch has them."""
        module = sys.modules.get("torch.utils.data.dataloader")
        loader = getattr(module, "DataLoader", None)
        iterator = getattr(module, "_BaseDataLoaderIter", None)
        if loader is None or iterator is None or "__iter__" not in vars(loader) or "__next__" not in vars(iterator):
            return
        self._put(loader, "__iter__", self._iter(vars(loader)["__iter__"]))
        self._put(iterator, "__next__", self._next(vars(iterator)["__next__"]))

    def remove(self) -> None:
        """Put both back, unless somebody has put a wrapper of their own over ours: then it stays, and sees no cell."""
        for owner, name, ours, theirs in self._taken:
            if vars(owner).get(name) is ours:
                setattr(owner, name, theirs)
        self._taken = []
        self._iterations = {}

    def forget(self) -> None:
        """The cell is over."""
        for iteration in list(self._iterations.values()):
            iteration.cell = iteration.record = None

    def _put(self, owner: type, name: str, ours: Any) -> None:
        self._taken.append((owner, name, ours, vars(owner)[name]))
        setattr(owner, name, ours)

    def _iter(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        torch, stage, clock, failed = self._torch, self._stage, self._clock, self._failed

        @functools.wraps(original)
        def __iter__(self: Any) -> Any:  # noqa: N807
            if torch.compiler.is_compiling():
                return original(self)
            began = clock()
            iterator = original(self)
            try:
                cell = stage.cell
                if cell is not None:
                    begins(cell, self, iterator, clock() - began)
            except Exception as error:  # noqa: BLE001  # ours, not the user's
                failed(error)
            return iterator

        begins = self._begins
        return __iter__

    def _begins(self, cell: Cell, loader: Any, iterator: Any, iter_s: float) -> None:
        iteration = self._iteration(iterator, loader)
        record = iteration.in_cell(cell)
        lane = cell.lane
        lane.epoch += 1
        if record is not None:
            record.begins(iter_s)
        self._epoch(cell)

    def _next(self, original: Callable[[Any], Any]) -> Callable[[Any], Any]:
        torch, stage, clock, failed = self._torch, self._stage, self._clock, self._failed
        gives, stops = self._gives, self._stops

        def __next__(self: Any) -> Any:  # noqa: N807
            if torch.compiler.is_compiling():
                return original(self)
            began = clock()
            try:
                batch = original(self)
            except StopIteration:
                stops(self, clock())
                raise
            try:
                ended = clock()
                cell = stage.cell
                if cell is not None:
                    gives(cell, self, began, ended, batch)
            except Exception as error:  # noqa: BLE001  # ours, not the user's
                failed(error)
            return batch

        self.next_code = __next__.__code__
        return functools.wraps(original)(__next__)

    def _gives(self, cell: Cell, iterator: Any, began: float, ended: float, batch: Any) -> None:
        iteration = self._iterations.get(id(iterator))
        if iteration is None or iteration.iterator() is not iterator:
            iteration = self._iteration(iterator, None)
        record = iteration.record if iteration.cell is cell else iteration.in_cell(cell)
        if record is None:
            return
        lane = cell.lane
        lane.iteration = iteration
        lane.batches += 1
        record.gave(began, ended, cell.steps)
        if cell.armed:
            record.watched += 1
            if not record.device:
                self._looks(record, batch)

    def _stops(self, iterator: Any, ended: float) -> None:
        try:
            cell = self._stage.cell
            iteration = self._iterations.get(id(iterator))
            if cell is not None and iteration is not None and iteration.record is not None and iteration.cell is cell:
                iteration.record.stops(ended, cell.steps)
                if cell.lane.iteration is iteration:
                    cell.lane.iteration = None
        except Exception as error:  # noqa: BLE001  # ours, not the user's
            self._failed(error)

    def _iteration(self, iterator: Any, loader: Any) -> Iteration:
        """The entry of an iterator; goes when the iterator does."""
        key = id(iterator)
        known = self._iterations.get(key)
        if known is not None and known.iterator() is iterator:
            return known
        iterations = self._iterations

        def gone(ref: weakref.ref[Any]) -> None:
            entry = iterations.get(key)
            if entry is not None and entry.iterator is ref:
                del iterations[key]

        with no_modes(self._torch):
            facts = LoaderFacts(iterator if loader is None else loader)
        made = Iteration(weakref.ref(iterator, gone), None if loader is None else weakref.ref(loader), facts)
        iterations[key] = made
        return made
