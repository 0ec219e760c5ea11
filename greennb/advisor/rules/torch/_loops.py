"""What cells did for how long: models that were trained, that only inferred, cards that waited. Beside ``_shared``."""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.rules.torch._shared import board
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import Forwards, LoaderSeen, ModelSeen, OptimizerSeen

BUSY = 0.9
"""Share of time with a kernel on the card from which waiting for it holds nothing up: it has work queued anyway.
Our choice; PyTorch's profiler plug-in (kineto) calls below 0.5 "low utilization"."""


def loop_s(cell: CellContext, forwards: Forwards) -> float:
    """Seconds of the loop around ``forwards``: as seen, or a call's time times the calls where that is more.

    Not every call is looked at, so that the last one seen may not be the last one.
    """
    return min(cell.duration_s, max(forwards.seconds, forwards.call_s * forwards.calls_estimated))


def longest(cell: CellContext, model: ModelSeen) -> Forwards | None:
    """The calls of ``model`` that took longest in this cell, trained or not."""
    every = [] if cell.torch is None else [each for each in cell.torch.forwards if each.model == model.id]
    return max(every, key=lambda each: loop_s(cell, each), default=None)


def trained(cell: CellContext, *, steps: int, seconds: float) -> Iterator[tuple[OptimizerSeen, ModelSeen | None]]:
    """The optimizers with at least so many steps over at least so many seconds, each with its model."""
    for optimizer in () if cell.torch is None else cell.torch.optimizers:
        if cell.torch is not None and optimizer.steps >= steps and optimizer.seconds >= seconds:
            yield optimizer, cell.torch.model(optimizer.model)


def loader_of(cell: CellContext, optimizer: OptimizerSeen) -> LoaderSeen | None:
    """The loader that feeds it, None without one."""
    return None if cell.torch is None else cell.torch.loader(optimizer.loader)


def inferred(cell: CellContext, *, seconds: float) -> Iterator[tuple[Forwards, ModelSeen]]:
    """The models that were called in eval mode for at least so many seconds and not trained in this cell, once each."""
    if cell.torch is None:
        return
    learning = {optimizer.model for optimizer in cell.torch.optimizers if optimizer.steps}
    learning |= {each.model for each in cell.torch.forwards if each.stepped or each.training}
    for model in cell.torch.models:
        forwards = longest(cell, model)
        if forwards is not None and model.id not in learning and loop_s(cell, forwards) >= seconds:
            yield forwards, model


def unused(cell: CellContext, device: str) -> float | None:
    """Share of the cell in which no kernel ran on that device, 0 to 1; None where no driver told for certain."""
    gpu = board(cell, device)
    return None if gpu is None or gpu.util is None else 1.0 - gpu.util
