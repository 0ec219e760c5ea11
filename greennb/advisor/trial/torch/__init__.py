"""The kit of PyTorch: a cell as it is and as changed, replayed on copies and stopped after so many steps or calls."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from greennb.advisor.observe.torch.model import its
from greennb.advisor.signals.torch import TorchSignals
from greennb.advisor.trial import effects
from greennb.advisor.trial.base import Kind, Pair, RefusedError, Scene, Variant
from greennb.advisor.trial.reach import Reach
from greennb.advisor.trial.replay import Replay
from greennb.advisor.trial.torch.guard import Guard
from greennb.advisor.trial.torch.others import left_out
from greennb.advisor.trial.torch.steps import INSTEAD, Calls, Steps
from greennb.advisor.trial.torch.variants import VARIANTS

__all__ = ["VARIANTS", "pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a cell does, as the advisor saw it.

    Attributes:
        trains: whether an optimizer steps.
        model: the user's name for the model at work; None where it has none.
        units: steps or calls in the whole cell; None where it was not watched.
    """

    trains: bool
    model: str | None = None
    units: float | None = None


def pair(scene: Scene, variant: Variant) -> Pair:
    """The two ways of a PyTorch cell; see :class:`greennb.advisor.trial.base.Kit`."""
    torch = sys.modules.get("torch")
    if torch is None:
        raise RefusedError("PyTorch is not loaded in this notebook.")
    changed = variant.change(scene)
    for code in (scene.code, changed):
        effects.refuse(code, scene.namespace)
    _refuse_compiled(torch, scene)
    work = work_of(scene)
    ways = [_way(torch, scene, code, label, work) for code, label in ((scene.code, "A"), (changed, "B"))]
    try:
        for way in ways:
            way.prepare()
        _count_alike(ways, variant.kind)
    except BaseException:
        for way in ways:
            way.close()
        raise
    a, b = ways
    guard = Guard(
        torch, scene, variant.kind, changed, work.model, work.trains,
        lambda: (max(a.unit_s, b.unit_s), max(a.prefix_s, b.prefix_s)),
    )  # fmt: skip
    notes = left_out(scene, a.line, work.model, work.trains)
    return Pair(baseline=a, candidate=b, unit=a.counter.unit, guard=guard, units=work.units, notes=notes)


def _refuse_compiled(torch: Any, scene: Scene) -> None:
    """PyTorch leaves out of a copy that a model was compiled in place, and nobody knows how it was."""
    for name, thing in Reach.of(scene.namespace, scene.code).names.items():
        if issubclass(type(thing), torch.nn.Module) and its(thing).get(INSTEAD) is not None:
            raise RefusedError(
                f"{name} was compiled by {name}.compile(), which no copy keeps: write "
                f"`{name} = torch.compile({name})` instead, or put that line into this cell."
            )


def work_of(scene: Scene) -> Work:
    """What the cell does: it trains if an optimizer took a step in it, else a model was called."""
    seen = scene.cell.torch
    if seen is None:
        return Work(trains=True)
    if seen.optimizers:
        leader = max(seen.optimizers, key=lambda it: it.steps)
        model = seen.model(leader.model)
        return Work(trains=True, model=None if model is None else model.name, units=float(leader.steps) or None)
    return _inference(scene, seen)


def _inference(scene: Scene, seen: TorchSignals) -> Work:
    if not seen.forwards:
        raise RefusedError("No optimizer took a step in this cell and no model was called: there is nothing to repeat.")
    subject = "" if scene.finding is None else scene.finding.subject
    named = [it for it in seen.forwards if (model := seen.model(it.model)) is not None and model.name == subject]
    most = max(named or seen.forwards, key=lambda it: it.calls_estimated)
    model = seen.model(most.model)
    return Work(trains=False, model=None if model is None else model.name, units=float(most.calls_estimated))


def _way(torch: Any, scene: Scene, code: str, label: str, work: Work) -> Replay:
    counter = Steps(torch, work.model) if work.trains else Calls(torch, work.model)
    return Replay(scene, code, label, counter)


def _count_alike(ways: list[Replay], kind: Kind) -> None:
    """Joules a sample, where both ways show their samples; else joules a unit, if a unit is the same in both."""
    if all(way.counter.items for way in ways):
        return
    if any(way.counter.items for way in ways) and kind is Kind.LEARNING:
        raise RefusedError(
            "How many samples go through the model in a step can't be seen, with this change in the cell."
        )
    for way in ways:
        way.counts_items = False
