"""What the variants ask of a scene: the user's names for model, optimizer and loader, and where the work is."""

from __future__ import annotations

import ast
import sys
from typing import Any

from greennb.advisor.trial.base import RefusedError, Scene
from greennb.advisor.trial.edit import Cell

Body = list[ast.stmt]

_PREPARES = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_LOOKS = ("print", "display", "summary", "type", "len", "isinstance", "save")
"""Calls that are given a model and don't let it work."""


def torch_of(scene: Scene) -> Any:
    """The user's PyTorch.

    Raises:
        RefusedError: there is none.
    """
    torch = sys.modules.get("torch")
    if torch is None or scene.cell.torch is None:
        raise RefusedError("PyTorch was not at work in this cell.")
    return torch


def on_card(scene: Scene) -> bool:
    """Whether the cell's model was on a CUDA card."""
    seen = scene.cell.torch
    return seen is not None and any(model.device.startswith("cuda") for model in seen.models)


def need_card(scene: Scene, what: str) -> None:
    """Refuse where the model is on no card."""
    if not on_card(scene):
        raise RefusedError(f"{what} is for NVIDIA cards, and the model of this cell is on none.")


def model_name(scene: Scene) -> str:
    """The user's name for the model: the finding's subject, else the largest with a name.

    Raises:
        RefusedError: no model of the cell has a name.
    """
    seen = torch_of(scene) and scene.cell.torch
    named = [] if seen is None else [it for it in seen.models if it.name and it.name.isidentifier()]
    subject = "" if scene.finding is None else scene.finding.subject
    chosen = next((it for it in named if it.name == subject), max(named, key=lambda it: it.parameters, default=None))
    if chosen is None or chosen.name is None:
        raise RefusedError("No model of this cell has a name in the notebook: bind it to one at the top level.")
    return chosen.name


def optimizer_name(scene: Scene) -> str:
    """The user's name for the optimizer.

    Raises:
        RefusedError: none has one.
    """
    torch = torch_of(scene)
    seen = scene.cell.torch
    named = [it.name for it in seen.optimizers if it.name] if seen is not None else []
    if not named:
        kind = torch.optim.Optimizer
        named = [name for name, value in list(scene.namespace.items()) if isinstance(value, kind)]
        named = [name for name in named if not name.startswith("_") and name in scene.code]
    if not named or not named[0].isidentifier():
        raise RefusedError("No optimizer of this cell has a name in the notebook: bind it to one at the top level.")
    return named[0]


def loader_name(scene: Scene) -> str:
    """The user's name for the data loader.

    Raises:
        RefusedError: none has one.
    """
    seen = torch_of(scene) and scene.cell.torch
    named = [it.name for it in seen.loaders if it.name] if seen is not None else []
    subject = "" if scene.finding is None else scene.finding.subject
    chosen = subject if subject in named else next(iter(named), None)
    if not chosen or not chosen.isidentifier():
        raise RefusedError("No data loader of this cell has a name in the notebook: bind it to one at the top level.")
    return chosen


def training_body(cell: Cell) -> tuple[Body, int] | None:
    """The statements of the loop that calls ``backward``, and which of them does; None where it is not in this cell."""
    for node in ast.walk(cell.tree):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if not isinstance(body, list):
                continue
            for number, statement in enumerate(body):
                if _calls_backward(statement):
                    return body, number
    return None


def input_of(cell: Cell, model: str) -> str | None:
    """The name that the model is called with, where it is called with a name."""
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == model and node.args:
            first = node.args[0]
            return first.id if isinstance(first, ast.Name) else None
    return None


def calls_of(statement: ast.stmt, name: str) -> bool:
    """Whether the object of that name is called in a statement."""
    return any(
        isinstance(it, ast.Call) and isinstance(it.func, ast.Name) and it.func.id == name for it in ast.walk(statement)
    )


def loop_that_binds(cell: Cell, name: str) -> ast.For | None:
    """The loop whose target is or holds ``name``."""
    for node in ast.walk(cell.tree):
        if isinstance(node, ast.For) and any(
            isinstance(it, ast.Name) and it.id == name for it in ast.walk(node.target)
        ):
            return node
    return None


def before_work(code: str, names: tuple[str, ...], *lines: str) -> str:
    """``code`` with lines put before the statement in which the work is.

    Where that can't be told (a call of a function that works by itself), before the first statement that does anything.
    """
    cell = Cell(code)
    try:
        return cell.before(cell.work(names), lines)
    except RefusedError:
        first = next((it for it in cell.tree.body if not isinstance(it, _PREPARES)), None)
        if first is None or any(isinstance(it, ast.Name) and it.id in names for it in ast.walk(cell.tree)):
            raise
        return cell.before(first, lines)


def work_of(cell: Cell, model: str) -> ast.stmt:
    """The top-level statement in which the model works: that calls it, or hands it on, or as :meth:`Cell.work` finds.

    Raises:
        RefusedError: there is none.
    """
    rest = [it for it in cell.tree.body if not isinstance(it, _PREPARES)]
    for statement in rest:
        if calls_of(statement, model):
            return statement
    for statement in rest:
        if _hands_on(cell, statement, model):
            return statement
    return cell.work((model,))


def free_name(scene: Scene, *wanted: str) -> str:
    """The first of these that nothing in the notebook or the cell is called."""
    used = set(scene.namespace) | {it.id for it in ast.walk(Cell(scene.code).tree) if isinstance(it, ast.Name)}
    return next((it for it in wanted if it not in used), wanted[-1])


def _hands_on(cell: Cell, statement: ast.stmt, model: str) -> bool:
    return any(
        isinstance(it, ast.Call)
        and cell.name_of(it) not in _LOOKS
        and any(isinstance(arg, ast.Name) and arg.id == model for arg in (*it.args, *(k.value for k in it.keywords)))
        for it in ast.walk(statement)
    )


def _calls_backward(statement: ast.stmt) -> bool:
    """Whether this very statement does, not one within it."""
    if not isinstance(statement, ast.Expr):
        return False
    return any(
        isinstance(it, ast.Call) and isinstance(it.func, ast.Attribute) and it.func.attr == "backward"
        for it in ast.walk(statement)
    )
