"""What the advisor saw of Keras in a cell, and where it stands in its source, as its trials ask for it."""

from __future__ import annotations

import ast
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from greennb.advisor.signals.keras import InputSeen, KerasCall
from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.keras.capture import Target
from greennb.advisor.trial.keras.loops import Works, opens_tape
from greennb.advisor.trial.reach import is_a

METHODS = ("fit", "evaluate")
"""Whose steps are tried; ``predict`` has no loss that could be compared."""


@dataclass(frozen=True, slots=True)
class KerasVariant(ABC):
    """A change that can be tried with Keras; see :class:`greennb.advisor.trial.base.Variant`."""

    name: ClassVar[str]
    codes: ClassVar[tuple[str, ...]]
    kind: ClassVar[Kind]
    whole_pass: ClassVar[bool] = False

    @abstractmethod
    def change(self, scene: Scene) -> str:
        """The cell's source with the change in it."""

    def loops(self, scene: Scene) -> bool:
        """Whether the work is a loop of the user's own, and not a method of Keras."""
        return not dearest(scene)

    def works(self, scene: Scene) -> Works:
        """What such a loop repeats."""
        return opens_tape(scene.namespace)

    def units(self, scene: Scene) -> float | None:
        """How many turns such a loop had in the whole cell."""
        return turns(scene)


def dearest(scene: Scene) -> KerasCall | None:
    """The call that is tried: of the finding's model where it names one, else the longest."""
    seen = [] if scene.cell.keras is None else [it for it in scene.cell.keras.calls if it.method in METHODS]
    subject = "" if scene.finding is None else scene.finding.subject
    named = [it for it in seen if subject and subject in (it.name, it.model, it.input and it.input.name)]
    return max(named or seen, key=lambda it: it.seconds, default=None)


def target(scene: Scene) -> Target:
    """The same, as what is to be captured; ``fit`` where nothing was watched."""
    call = dearest(scene)
    return Target(method="fit") if call is None else Target(method=call.method, model=_variable(call.name))


def turns(scene: Scene) -> float | None:
    """How many gradients or batches the cell's loops had."""
    seen = scene.cell.keras
    if seen is None:
        return None
    return float((seen.tape.gradients if seen.tape else 0) or sum(it.batches for it in seen.loops)) or None


def pipeline(scene: Scene) -> tuple[InputSeen, str]:
    """The tf.data pipeline that is tried, and the user's name for it.

    Raises:
        RefusedError: there is none, or it has no name.
    """
    seen = scene.cell.keras
    subject = "" if scene.finding is None else scene.finding.subject
    call = dearest(scene)
    inputs = [call.input] if call is not None and call.input is not None else list(seen.loops if seen else ())
    inputs = [it for it in inputs if it.kind == "tf.data"]
    found = next((it for it in inputs if it.name == subject), inputs[0] if inputs else None)
    if found is None:
        raise RefusedError("No tf.data pipeline was gone through in this cell.")
    name = _variable(found.name)
    if name is None or not found.whole:
        raise RefusedError(
            "The pipeline has no name of its own: give it one (dataset = ...) and use that, then try again."
        )
    return found, name


def model_name(scene: Scene) -> str:
    """The user's name for the model whose call is tried.

    Raises:
        RefusedError: it has none, or nothing was called.
    """
    call = dearest(scene)
    if call is None:
        raise RefusedError("No model was trained with fit in this cell.")
    name = _variable(call.name)
    if name is None:
        raise RefusedError(f"The {call.model} has no name of its own: give it one (model = ...), then try again.")
    return name


def _variable(name: str | None) -> str | None:
    return name if name is not None and name.isidentifier() else None


def alias(scene: Scene, module: str) -> tuple[str, str]:
    """A name for a module in the notebook, and the line that imports it as that where there is none yet."""
    for name, thing in list(scene.namespace.items()):
        if is_a(thing, types.ModuleType) and thing.__name__ == module and name.isidentifier() and name[0] != "_":
            return name, f"import {module} as {name}"
    return {"tensorflow": "tf"}.get(module, module), {"tensorflow": "import tensorflow as tf"}.get(
        module, f"import {module}"
    )


def calls(tree: ast.AST, method: str, on: str | None = None) -> Iterator[ast.Call]:
    """Calls of a method, on a variable where that is named, in the source's order."""
    found = [
        it for it in ast.walk(tree)
        if isinstance(it, ast.Call) and isinstance(it.func, ast.Attribute) and it.func.attr == method
        and (on is None or (isinstance(it.func.value, ast.Name) and it.func.value.id == on))
    ]  # fmt: skip
    yield from sorted(found, key=lambda it: (it.lineno, it.col_offset))


def statement(tree: ast.Module, has: Callable[[ast.AST], bool]) -> ast.stmt | None:
    """The first statement at the top level that has such a node in it."""
    return next((it for it in tree.body if any(has(inner) for inner in ast.walk(it))), None)


def uses(name: str) -> Callable[[ast.AST], bool]:
    """Whether a node reads that name."""
    return lambda node: isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def assigned(tree: ast.Module, name: str) -> list[ast.stmt]:
    """Statements at the top level that bind a name."""
    return [
        it for it in tree.body
        if isinstance(it, ast.Assign | ast.AnnAssign)
        and any(isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Store)
                for inner in ast.walk(it))
    ]  # fmt: skip


def user_of(tree: ast.Module, name: str) -> ast.stmt | None:
    """The first statement at the top level that reads a name, and does not bind it anew."""
    made = assigned(tree, name)
    return next((it for it in tree.body if it not in made and any(map(uses(name), ast.walk(it)))), None)
