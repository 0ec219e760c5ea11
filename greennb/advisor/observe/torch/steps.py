"""The optimizer's steps, through PyTorch's hooks around every optimizer's ``step``."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greennb.advisor.base import Failed
from greennb.advisor.observe.torch.cell import Cell, Lane, Stage, no_modes
from greennb.advisor.observe.torch.ring import LENGTH, Ring

if TYPE_CHECKING:
    from greennb.advisor.observe.torch.calls import RootRecord
    from greennb.advisor.observe.torch.loader import LoaderRecord

Clock = Callable[[], float]

LOOKED_AT = 3
"""First steps at which it is looked whether a GradScaler takes them."""

SCALER_FRAMES = 8
"""Frames from the hook up to the scaler's: itself, PyTorch's and a scheduler's wrapper of ``step``."""

MOST_PARAMETERS = 20_000
"""Parameters of an optimizer that are looked at."""


class OptimizerFacts:
    """What an optimizer is, read where it steps first: it may be gone at the cell's end."""

    __slots__ = ("builtin", "device", "dtype", "floating", "kind", "owned", "settings")

    def __init__(self, optimizer: Any) -> None:
        kind = type(optimizer)
        groups = optimizer.param_groups or [{"params": ()}]
        tensors = [it for group in groups for it in group["params"]][:MOST_PARAMETERS]
        self.kind = kind.__name__
        self.builtin = str(kind.__module__).startswith("torch.optim")
        self.settings = {name: groups[0].get(name) for name in ("fused", "foreach", "capturable")}
        self.owned = frozenset(map(id, tensors))
        self.floating = all(it.is_floating_point() for it in tensors)
        self.device = str(tensors[0].device) if tensors else "cpu"
        self.dtype = str(tensors[0].dtype).removeprefix("torch.") if tensors else "float32"


class StepRecord:
    """One optimizer in one cell. Times are of the observer's clock, in seconds.

    Attributes:
        fed: steps before which a loader gave a batch; ``loader`` the last such one.
        root: the model that holds its parameters.
    """

    __slots__ = (
        "began", "closure", "ended", "epoch", "facts", "fed", "first", "intervals", "loader", "optimizer", "root",
        "scaler", "served", "steps", "updates",
    )  # fmt: skip

    def __init__(self, optimizer: Any) -> None:
        self.optimizer: weakref.ref[Any] = weakref.ref(optimizer)
        self.facts = OptimizerFacts(optimizer)
        self.intervals = Ring()
        self.updates = Ring()
        self.began = self.ended = self.first = 0.0
        self.steps = 0
        self.epoch = self.served = -1
        self.fed = 0
        self.loader: LoaderRecord | None = None
        self.root: RootRecord | None = None
        self.closure = self.scaler = False

    def ends(self, now: float, lane: Lane) -> None:
        """A step is done. No calls in it: each costs a microsecond where the model's work has emptied the caches."""
        steps, epoch = self.steps, lane.epoch
        self.updates.values[steps % LENGTH] = now - self.began
        self.updates.count = steps + 1
        if steps == 0:
            self.first = now
        elif epoch == self.epoch:
            ring = self.intervals
            ring.values[ring.count % LENGTH] = now - self.ended
            ring.count += 1
        self.epoch = epoch
        if lane.batches != self.served:
            self.served = lane.batches
            loader = lane.loader
            if loader is not None:
                self.loader = loader
                self.fed += 1
        self.ended = now
        self.steps = steps + 1

    @property
    def step_s(self) -> float:
        """Median seconds of a step; the mean where a loader began anew before most steps."""
        if self.intervals.count * 2 >= self.steps - 1 and self.intervals.count:
            return self.intervals.median
        return (self.ended - self.first) / (self.steps - 1) if self.steps > 1 else 0.0

    @property
    def feeding(self) -> LoaderRecord | None:
        """Its loader: one that gave a batch for at least every tenth step."""
        return self.loader if self.fed * 10 >= self.steps else None


class Steps:
    """The two hooks.

    Args:
        torch: the module. ``joined``: told of a new record with its optimizer, to find its model.
    """

    def __init__(
        self, torch: Any, stage: Stage, clock: Clock, failed: Failed, joined: Callable[[Cell, StepRecord], None]
    ) -> None:
        self._torch = torch
        self._stage = stage
        self._clock = clock
        self._failed = failed
        self._joined = joined
        self._handles: list[Any] = []

    def install(self) -> None:
        """Register; PyTorch before 2.1 has no such hooks, and is not watched here."""
        optimizer = sys.modules.get("torch.optim.optimizer")
        before = getattr(optimizer, "register_optimizer_step_pre_hook", None)
        after = getattr(optimizer, "register_optimizer_step_post_hook", None)
        if before is None or after is None:
            return
        pre, post = self._hooks()
        self._handles = [before(pre), after(post)]

    def remove(self) -> None:
        """Take both back."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _hooks(self) -> tuple[Callable[..., None], Callable[..., None]]:
        """Functions, not methods: a compiled ``step`` is traced through them and must find nothing but the first line.

        They have a ``try`` of their own, :func:`~greennb.advisor.watch.guarded` would come before that line.
        """
        torch, stage, clock, failed = self._torch, self._stage, self._clock, self._failed
        made, begins = self._made, self._begins

        def before_step(optimizer: Any, args: Any, kwargs: Any) -> None:
            if torch.compiler.is_compiling():
                return
            try:
                cell = stage.cell
                if cell is not None:
                    known = cell.optimizers.by_id.get(id(optimizer))
                    same = known is not None and known[0]() is optimizer
                    record = known[1] if known is not None and same else made(cell, optimizer)
                    cell.stepping = record
                    if record is not None:
                        if record.steps < LOOKED_AT:
                            begins(cell, record, args, kwargs)
                        record.began = clock()
            except Exception as error:  # noqa: BLE001  # ours, not the user's
                failed(error)

        def after_step(optimizer: Any, args: Any, kwargs: Any) -> None:
            if torch.compiler.is_compiling():
                return
            try:
                now = clock()
                cell = stage.cell
                if cell is not None:
                    record = cell.stepping
                    if record is None or record.optimizer() is not optimizer:
                        record = cell.optimizers.get(optimizer)  # two threads, or a step within a step
                    if record is not None and record.began:
                        record.ends(now, cell.lane)
                        cell.steps += 1
                        if cell.profiling is not None:
                            cell.profiling.stepped(record)
            except Exception as error:  # noqa: BLE001  # ours, not the user's
                failed(error)

        return before_step, after_step

    def _made(self, cell: Cell, optimizer: Any) -> StepRecord | None:
        with no_modes(self._torch):
            return cell.optimizers.add(optimizer, lambda: StepRecord(optimizer))

    def _begins(self, cell: Cell, record: StepRecord, args: Any, kwargs: Any) -> None:
        """One of the first steps."""
        closure = args[1] if len(args) > 1 else kwargs.get("closure")
        record.closure = record.closure or closure is not None
        record.scaler = record.scaler or _by_scaler()
        if record.root is None:
            self._joined(cell, record)


def _by_scaler() -> bool:
    """Whether ``GradScaler.step`` is what takes this step."""
    frame = sys._getframe(1)
    for _ in range(SCALER_FRAMES):
        if frame.f_back is None:
            return False
        frame = frame.f_back
        if frame.f_code.co_filename.endswith("grad_scaler.py"):
            return True
    return False
