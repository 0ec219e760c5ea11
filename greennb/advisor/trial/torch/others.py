"""Where else in a cell work of the same kind is done: a trial repeats one statement, and says so where there are more.

Nothing is run for that: it goes by the source, and by the code of the functions that a statement calls.
"""

from __future__ import annotations

import ast
import types

from greennb.advisor.trial.base import Scene
from greennb.advisor.trial.mentions import parsed
from greennb.advisor.trial.torch.variants.scene import calls_of
from greennb.advisor.trial.tree import DEFINITIONS

_STEPS = frozenset(("step", "backward"))
"""Methods by which a statement trains."""

MOST = 5
"""Lines that are named."""


def left_out(scene: Scene, line: int, model: str | None, trains: bool) -> tuple[str, ...]:
    """A sentence where statements after the one that begins in ``line`` do such work too; none else."""
    body = [it for it in parsed(scene.code).body if not isinstance(it, DEFINITIONS) and it.lineno > line]
    lines = [str(it.lineno) for it in body if (_trains(scene, it) if trains else model and calls_of(it, model))]
    if not lines:
        return ()
    named = ", ".join(lines[:MOST]) + (" and further ones" if len(lines) > MOST else "")
    what = "takes steps" if trains else f"calls {model}"
    also = f"line {named} does so too, and is" if len(lines) == 1 else f"lines {named} do so too, and are"
    first = f"What was tried begins in line {line}, the first statement of the cell that {what}"
    return (f"{first}; {also} left out.",)


def _trains(scene: Scene, statement: ast.stmt) -> bool:
    """Whether it takes steps, itself or in a function of the notebook that it calls."""
    for it in ast.walk(statement):
        if not isinstance(it, ast.Call):
            continue
        if isinstance(it.func, ast.Attribute) and it.func.attr in _STEPS:
            return True
        called = scene.namespace.get(it.func.id) if isinstance(it.func, ast.Name) else None
        if isinstance(called, types.FunctionType) and not _STEPS.isdisjoint(called.__code__.co_names):
            return True
    return False
