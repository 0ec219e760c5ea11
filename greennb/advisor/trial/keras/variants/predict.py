"""Rows that are asked for one at a time: the model itself called, or all rows predicted at once."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.keras.loops import Works, calls_method
from greennb.advisor.trial.keras.seen import KerasVariant, calls


@dataclass(frozen=True, slots=True)
class CallModel(KerasVariant):
    """``model(x, training=False).numpy()`` in the place of ``model.predict(x)`` in a loop."""

    name = "call the model"
    codes = ("GNB408",)
    kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """In the place of each predict in a loop."""
        cell = Cell(scene.code)
        inner = {id(it) for loop in ast.walk(cell.tree) if isinstance(loop, _REPEATS) for it in ast.walk(loop)}
        found = [it for it in calls(cell.tree, "predict", _subject(scene)) if id(it) in inner and it.args]
        if not found:
            raise RefusedError("No loop in this cell calls predict with its rows as the first argument.")
        return cell.replaced(*((it, _called(cell, it)) for it in found))

    def loops(self, scene: Scene) -> bool:
        """Always."""
        return True

    def works(self, scene: Scene) -> Works:
        """What the loop repeats: predict, or the model called in its place."""
        subject = _subject(scene)
        predicts = calls_method("predict", subject)

        def works(node: ast.AST) -> bool:
            return predicts(node) or (isinstance(node, ast.Call) and any(it.arg == "training" for it in node.keywords))

        return works

    def units(self, scene: Scene) -> float | None:
        """How often predict was called."""
        seen = scene.cell.keras
        return (
            float(max((it.calls for it in seen.calls if it.method == "predict"), default=0)) or None if seen else None
        )


def _called(cell: Cell, predict: ast.Call) -> str:
    assert isinstance(predict.func, ast.Attribute)
    return f"{cell.source(predict.func.value)}({cell.source(predict.args[0])}, training=False).numpy()"


_REPEATS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp)


def _subject(scene: Scene) -> str | None:
    seen = [] if scene.cell.keras is None else [it for it in scene.cell.keras.calls if it.method == "predict"]
    most = max(seen, key=lambda it: it.calls, default=None)
    return most.name if most is not None and most.name and most.name.isidentifier() else None
