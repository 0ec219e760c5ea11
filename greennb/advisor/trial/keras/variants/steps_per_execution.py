"""Several steps in one call of the compiled function."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.keras.seen import KerasVariant, calls, dearest, model_name, user_of

STEPS = 16
"""Steps in one call, as the advice says: more compiles longer, and a step's start is a sixteenth by then."""


@dataclass(frozen=True, slots=True)
class StepsPerExecution(KerasVariant):
    """``compile(..., steps_per_execution=16)`` where the cell compiles, else as an attribute, traced anew."""

    name = f"steps_per_execution={STEPS}"
    codes = ("GNB403",)
    kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """In ``compile``, else two lines before ``fit``."""
        name, call = model_name(scene), dearest(scene)
        if call is not None and call.steps_per_execution > 1:
            raise RefusedError(f"{name} takes {call.steps_per_execution} steps in a call already.")
        if call is not None and call.batch_callbacks:
            raise RefusedError("A callback wants to see every batch, and would see every sixteenth.")
        return set_in_compile(Cell(scene.code), name, "steps_per_execution", str(STEPS))

    def loops(self, scene: Scene) -> bool:
        """Never: it is Keras' own loop that changes."""
        return False


def set_in_compile(cell: Cell, name: str, setting: str, value: str) -> str:
    """A setting of ``compile``, in the cell's own call of it, else as an attribute before the model is used.

    Raises:
        RefusedError: the cell does not use the model.
    """
    compiled = list(calls(cell.tree, "compile", name))
    if compiled:
        return cell.with_keyword(compiled[-1], **{setting: value})
    where = user_of(cell.tree, name)
    if where is None:
        raise RefusedError(f"{name} is not used in this cell.")
    return cell.before(where, [f"{name}.{setting} = {value}", f"{name}.make_train_function(force=True)  # traced anew"])
