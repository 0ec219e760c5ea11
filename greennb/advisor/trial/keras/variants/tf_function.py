"""A training step that is traced: tf.function."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass
from typing import Any

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.keras.loops import has_tape, opens_tape
from greennb.advisor.trial.keras.seen import KerasVariant, alias, calls, statement, uses

STEP = "train_step"
"""The function's name, where the step has none yet."""

_Loop = ast.For | ast.While


@dataclass(frozen=True, slots=True)
class TfFunction(KerasVariant):
    """``@tf.function`` on the function with the tape; a loop's own step is put into one first."""

    name = "tf.function"
    codes = ("GNB405",)
    kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """A decorator, or a line that wraps the function of another cell, or the step as a function."""
        cell = Cell(scene.code)
        tf, imports = alias(scene, "tensorflow")
        return with_import(scene, self._traced(cell, scene, tf), imports)

    def _traced(self, cell: Cell, scene: Scene, tf: str) -> str:
        tapes = opens_tape({})
        for it in ast.walk(cell.tree):
            if isinstance(it, ast.FunctionDef) and any(map(tapes, ast.walk(it))):
                return _decorated(cell, it, tf)
        loop = next((it for it in ast.walk(cell.tree) if isinstance(it, _Loop) and _own_tape(it)), None)
        if loop is not None:
            return _extracted(cell, loop, scene, tf)
        return _wrapped(cell, scene, tf)

    def loops(self, scene: Scene) -> bool:
        """Always."""
        return True


def _decorated(cell: Cell, function: ast.FunctionDef, tf: str) -> str:
    if any("function" in ast.unparse(it) for it in function.decorator_list):
        raise RefusedError(f"{function.name} is traced already.")
    if any(isinstance(it, ast.For | ast.While) for it in ast.walk(function)):
        raise RefusedError(
            f"{function.name} has the loop in it: put one step into a function of its own, then try again."
        )
    return cell.before(function, [f"@{tf}.function"])


def _wrapped(cell: Cell, scene: Scene, tf: str) -> str:
    """The step is a function of another cell."""
    called = [
        it.func.id for it in ast.walk(cell.tree) if isinstance(it, ast.Call) and isinstance(it.func, ast.Name)
    ]  # fmt: skip
    for name in called:
        thing = scene.namespace.get(name)
        if has_tape(thing):
            if not isinstance(thing, types.FunctionType):
                raise RefusedError(f"{name} is traced already.")
            where = statement(cell.tree, uses(name))
            assert where is not None
            return cell.before(where, [f"{name} = {tf}.function({name})"])
    raise RefusedError("No gradient tape stands in this cell or in a function that it calls by its name.")


def _own_tape(loop: Any) -> bool:
    return any(isinstance(it, ast.With) and any(opens_tape({})(part.context_expr) for part in it.items)
               for it in loop.body)  # fmt: skip


def _extracted(cell: Cell, loop: Any, scene: Scene, tf: str) -> str:
    """The loop's statements from the tape to the last that uses it or its gradients, as a function."""
    first = next(i for i, it in enumerate(loop.body) if isinstance(it, ast.With))
    last = _last(loop.body, first)
    body, rest = loop.body[first : last + 1], loop.body[last + 1 :]
    if any(isinstance(it, ast.Break | ast.Continue | ast.Return | ast.Yield | ast.Await)
           for statement in body for it in ast.walk(statement)):  # fmt: skip
        raise RefusedError("The step leaves the loop by itself, which can't be traced: put that after the step.")
    if any(it.lineno == body[0].lineno for it in loop.body[:first]) or loop.lineno == body[0].lineno:
        raise RefusedError("Several statements stand in one line: put each in a line of its own, then try again.")
    made = _names(body, ast.Store)
    outside = _names(_in_scope(cell.tree, loop), ast.Store)
    read = _names(body, ast.Load)
    given = [it for it in _order(_in_scope(cell.tree, loop), ast.Store)
             if it in outside and it in read and (it not in made or _read_first(body, it))]  # fmt: skip
    for it in given:
        if type(scene.namespace.get(it)) in (int, float, bool, str):
            raise RefusedError(
                f"The step uses {it}, a number of Python's: it would be traced again for each new one. Give it a "
                f"tensor (tf.constant({it})), then try again."
            )
    wanted = _names([*rest, *loop.body[:first]], ast.Load) | _used_after(cell.tree, loop) | _losses(body)
    back = [it for it in _order(body, ast.Store) if it in wanted]
    name = STEP
    while name in scene.namespace or name in _names([cell.tree], ast.Load):
        name += "_traced"
    first_line, last_line = body[0].lineno, body[-1].end_lineno or 0
    lines = cell.text.split("\n")
    step = lines[first_line - 1 : last_line]
    indent = step[0][: len(step[0]) - len(step[0].lstrip())]
    inner = [f"    {it.removeprefix(indent)}" if it.strip() else "" for it in step]
    returned = [f"    return {', '.join(back)}"] if back else []
    call = f"{', '.join(back)} = " if back else ""
    called = [*lines[: first_line - 1], f"{indent}{call}{name}({', '.join(given)})", *lines[last_line:]]
    top = next(n for n, it in enumerate(cell.tree.body) if any(inner is loop for inner in ast.walk(it)))
    changed = Cell("\n".join(called))
    function = [f"@{tf}.function", f"def {name}({', '.join(given)}):", *inner, *returned, "", ""]
    return changed.before(changed.tree.body[top], function)


def _last(body: list[ast.stmt], first: int) -> int:
    """The last statement of the step: it updates by the gradients, or else reads what the tape has made."""
    updates = [index for index, it in enumerate(body) if index >= first and any(map(_updates, ast.walk(it)))]
    if updates:
        return updates[-1]
    known: set[str] = set()
    tape = body[first]
    assert isinstance(tape, ast.With)
    known |= {it.optional_vars.id for it in tape.items if isinstance(it.optional_vars, ast.Name)}
    last = first
    for index, it in enumerate(body[first + 1 :], first + 1):
        if known & _names([it], ast.Load):
            last = index
            known |= _names([it], ast.Store)
    return last


def _updates(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("apply_gradients", "apply", "minimize")


def _names(nodes: Any, context: type) -> set[str]:
    return {
        it.id for node in nodes for it in ast.walk(node) if isinstance(it, ast.Name) and isinstance(it.ctx, context)
    }


def _order(nodes: Any, context: type) -> list[str]:
    found = [it for node in nodes for it in ast.walk(node) if isinstance(it, ast.Name) and isinstance(it.ctx, context)]
    return list(dict.fromkeys(it.id for it in sorted(found, key=lambda it: (it.lineno, it.col_offset))))


def _read_first(body: list[ast.stmt], name: str) -> bool:
    """Whether a step reads a name before it binds it: an assignment's right side comes before its left."""
    for it in body:
        if name in _names([it], ast.Load):
            return True
        if name in _names([it], ast.Store):
            return False
    return False


def _in_scope(tree: ast.Module, loop: Any) -> list[ast.AST]:
    """The loops around a loop, and itself."""
    return [it for it in ast.walk(tree) if isinstance(it, _Loop) and any(inner is loop for inner in ast.walk(it))]


def _losses(body: list[ast.stmt]) -> set[str]:
    """What gradients are taken of: later cells mostly look at it."""
    asked = [call for it in body for call in calls(it, "gradient") if call.args]
    return {it.args[0].id for it in asked if isinstance(it.args[0], ast.Name)}


def _used_after(tree: ast.Module, loop: Any) -> set[str]:
    """Names that are read anywhere outside of the loop, or in a later cell: all that it binds last may be."""
    inner = {id(it) for it in ast.walk(loop)}
    return {
        it.id for it in ast.walk(tree)
        if isinstance(it, ast.Name) and isinstance(it.ctx, ast.Load) and id(it) not in inner
    }  # fmt: skip
