"""The optimizer's own work: one kernel for all parameters, several at once, no zeros written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.torch.variants.scene import before_work, free_name, on_card, optimizer_name, torch_of

FUSED = ("Adam", "AdamW", "SGD", "Adagrad")
"""Optimizers with a fused kernel on a CPU and on a card (torch.optim, since 2.4)."""


@dataclass(frozen=True, slots=True)
class Fused:
    """One kernel for all parameters."""

    name: str = "fused optimizer"
    codes: tuple[str, ...] = ("GNB216",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        name = optimizer_name(scene)
        cell = Cell(scene.code)
        maker = cell.maker(name, *FUSED)
        if maker is not None:
            if any(it.arg == "fused" for it in maker.keywords):
                raise RefusedError(f"{name} says already whether it is fused.")
            if _has(maker, "foreach"):
                cell = Cell(cell.without_keyword(maker, "foreach"))
                maker = cell.maker(name, *FUSED) or maker
            return cell.with_keyword(maker, fused="True")
        optimizer: Any = scene.namespace.get(name)
        if type(optimizer).__name__ not in FUSED:
            raise RefusedError(f"{type(optimizer).__name__} has no fused kernel: {', '.join(FUSED)} have one.")
        if all(group.get("fused") for group in optimizer.param_groups):
            raise RefusedError(f"{name} is fused already.")
        group = free_name(scene, "group", "param_group")
        lines = [f"for {group} in {name}.param_groups:", f"    {group}.update(fused=True, foreach=False)"]
        if on_card(scene):  # the fused kernel wants its count of steps on the card
            lines += [
                f"for parameter, state in {name}.state.items():",
                '    if "step" in state:',
                '        state["step"] = state["step"].to(parameter.device)',
            ]
        return before_work(scene.code, (name,), *lines)


@dataclass(frozen=True, slots=True)
class Foreach:
    """Several parameters at once, as is the default on a card."""

    name: str = "foreach optimizer"
    codes: tuple[str, ...] = ("GNB217",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        name = optimizer_name(scene)
        cell = Cell(scene.code)
        maker = cell.maker(name)
        if maker is not None:
            if not _has(maker, "foreach"):
                raise RefusedError(f"{name} is not told to do without foreach.")
            return cell.with_keyword(maker, foreach="True")
        optimizer = scene.namespace.get(name)
        if not any(group.get("foreach") is False for group in getattr(optimizer, "param_groups", ())):
            raise RefusedError(f"{name} is not told to do without foreach.")
        group = free_name(scene, "group", "param_group")
        lines = [f"for {group} in {name}.param_groups:", f"    {group}.update(foreach=True)"]
        return before_work(scene.code, (name,), *lines)


@dataclass(frozen=True, slots=True)
class ZeroGrad:
    """Gradients are dropped, not filled with zeros."""

    name: str = "zero_grad to None"
    codes: tuple[str, ...] = ("GNB218",)
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        cell = Cell(scene.code)
        for call in cell.calls("zero_grad"):
            if _has(call, "set_to_none"):
                return cell.without_keyword(call, "set_to_none")
        raise RefusedError("No zero_grad() of this cell is told to fill in zeros.")


def _has(call: object, keyword: str) -> bool:
    return any(it.arg == keyword for it in getattr(call, "keywords", ()))
