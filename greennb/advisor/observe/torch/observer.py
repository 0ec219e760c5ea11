"""Watches PyTorch while cells run: optimizers' steps, loaders' batches, and some of the models' calls.

Two hooks around every optimizer's step and two wrapped methods of the DataLoader are always on; the forward hook only
for a cell's first calls and a few later ones. What it all costs is measured by ``tests/bench/advisor_torch.py``.
"""

from __future__ import annotations

import sys
import time
import weakref
from dataclasses import replace
from typing import Any

from greennb.advisor.base import Failed
from greennb.advisor.names import Names
from greennb.advisor.observe.torch.again import Again
from greennb.advisor.observe.torch.calls import FIRST_CALLS, LATER_CALLS, Forwarded, first_tensor
from greennb.advisor.observe.torch.cell import Cell, Stage, no_modes
from greennb.advisor.observe.torch.compiling import COMPILERS, Compiling
from greennb.advisor.observe.torch.curve import Curves
from greennb.advisor.observe.torch.facts import Cuda
from greennb.advisor.observe.torch.loader import LoaderRecord, Loaders
from greennb.advisor.observe.torch.model import ModelFacts
from greennb.advisor.observe.torch.profile import STEPS, Profiling, Say
from greennb.advisor.observe.torch.steps import Clock, StepRecord, Steps
from greennb.advisor.observe.torch.told import told
from greennb.advisor.signals.torch import TorchSignals


class Models:
    """The models of a kernel, none kept alive, each with a number that no other has."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._known: dict[int, tuple[weakref.ref[Any], ModelFacts]] = {}
        self._number = 0

    def facts(self, model: Any) -> ModelFacts:
        """What is known of ``model``; read where it is seen for the first time, or had nothing to compute with."""
        key = id(model)
        known = self._known.get(key)
        if known is not None and known[0]() is model:
            if known[1].idle:
                known[1].read(model)
            return known[1]
        self._number += 1
        facts = ModelFacts(self._torch, model, self._number)
        known_here = self._known

        def gone(ref: weakref.ref[Any]) -> None:
            if known_here.get(key, (None,))[0] is ref:
                del known_here[key]

        self._known[key] = (weakref.ref(model, gone), facts)
        return facts


class TorchObserver:
    """As :class:`greennb.advisor.base.Observer`.

    Attributes:
        profiling: a profile of some steps, where one is asked for.

    Args:
        clock: seconds, monotonic.
    """

    name = "torch"
    modules = ("torch", *COMPILERS)

    def __init__(self, clock: Clock = time.perf_counter) -> None:
        self._clock = clock
        self._torch: Any = None
        self._stage = Stage()
        self.profiling = Profiling()
        self._compiling: Compiling
        self._again: Again
        self._forwarded: Forwarded
        self._steps: Steps
        self._loaders: Loaders

    def install(self, failed: Failed) -> None:
        """Register hooks and wrap the loader; where that is done, the compiler has arrived, or torch once more."""
        torch = sys.modules.get("torch")
        if torch is not None and torch is self._torch:
            self._compiling.listen()
            return
        self.remove()
        if torch is None or not hasattr(torch, "compiler") or not hasattr(torch, "nn"):
            return  # half imported, or older than anything that is known here
        stage, clock = self._stage, self._clock
        self._models = Models(torch)
        self._curves = Curves()
        self._loaders = Loaders(torch, stage, clock, failed, epoch=self._epoch, looks=self._looks)
        self._forwarded = Forwarded(
            torch,
            stage,
            clock,
            failed,
            facts=self._models.facts,
            inside=lambda: self._loaders.next_code,
            closed=lambda cell: self._again.start(cell),
        )
        self._steps = Steps(torch, stage, clock, failed, self._joined)
        self._compiling = Compiling(torch, self._forwarded.hide, self._forwarded.show, self._forwarded.hold)
        self._again = Again(lambda cell: self._forwarded.arm(cell, LATER_CALLS), failed)
        self._torch = torch
        self._forwarded.install()
        self._loaders.install()
        self._steps.install()
        self._compiling.install()

    def remove(self) -> None:
        """Take everything back."""
        if self._torch is None:
            return
        self._torch = self._stage.cell = None
        self.profiling.end()
        self._again.stop()
        self._forwarded.hide()
        self._compiling.remove()
        self._steps.remove()
        self._loaders.remove()

    def begin(self) -> None:
        """A cell begins."""
        if self._torch is None:
            return
        self._compiling.listen()
        self._cuda = Cuda(self._torch)
        cell = Cell()
        cell.profiling = self.profiling.begin(self._torch)
        self._stage.cell = cell
        self._forwarded.arm(cell, FIRST_CALLS)

    def end(self, names: Names) -> TorchSignals | None:
        """What was seen of PyTorch in the cell; None where it wasn't used."""
        cell, torch = self._stage.cell, self._torch
        if cell is None or torch is None:
            return None
        profiled = self.profiling.end()
        self._again.stop()
        curves = self._curves.grown(names)
        self._forwarded.disarm(cell)
        self._stage.cell = None
        self._loaders.forget()
        if cell.empty:
            return None
        with no_modes(torch):
            seen = told(torch, cell, names, self._models.facts, self._cuda)
        if seen is None:
            return None
        return replace(seen, curves=curves if seen.optimizers else (), compiles=self._compiling.seen, profiled=profiled)

    def profile_next(self, steps: int = STEPS, say: Say = print) -> None:
        """Profile ``steps`` steps of the next cell that trains, from its third; ``say`` hears where that fails."""
        self.profiling.ask(steps, say)

    def _epoch(self, cell: Cell) -> None:
        """A loader begins: what comes may be another phase of the loop."""
        self._compiling.listen()
        self._forwarded.arm(cell, LATER_CALLS)

    def _looks(self, record: LoaderRecord, batch: Any) -> None:
        """Where a loader's batch lies."""
        torch = self._torch
        with no_modes(torch):
            tensor = first_tensor(torch, batch)
            record.device = "none" if tensor is None else str(tensor.device)
            pinned = tensor is not None and tensor.is_cpu and torch.cuda.is_initialized()
            record.pinned = bool(pinned and tensor.is_pinned())

    def _joined(self, cell: Cell, record: StepRecord) -> None:
        """Find the model of an optimizer, while both live."""
        owned = record.facts.owned
        for root in cell.roots:
            if root.model() is not None and not owned.isdisjoint(root.facts.owned):
                record.root = root
                return
