"""Steps that are traced again: run_eagerly off."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.keras.seen import KerasVariant, alias, calls, dearest, model_name
from greennb.advisor.trial.keras.variants.steps_per_execution import set_in_compile


@dataclass(frozen=True, slots=True)
class EagerOff(KerasVariant):
    """``run_eagerly=False`` in ``compile`` or on the model; ``tf.config.run_functions_eagerly(False)`` before it."""

    name = "run_eagerly off"
    codes = ("GNB407",)
    kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """Wherever it was turned on."""
        name, call = model_name(scene), dearest(scene)
        everywhere = scene.cell.keras is not None and scene.cell.keras.functions_eagerly
        if call is not None and not call.eager and not everywhere:
            raise RefusedError(f"{name} does not run eagerly.")
        code = _everywhere(scene) if everywhere else scene.code
        if call is not None and call.eager and not (everywhere and not _own(scene, name)):
            return set_in_compile(Cell(code), name, "run_eagerly", "False")
        return code

    def loops(self, scene: Scene) -> bool:
        """Never: a loop of the user's own is another rule's."""
        return False


def _everywhere(scene: Scene) -> str:
    """TensorFlow's switch for all functions turned back, where the cell turns it or at its top."""
    cell = Cell(scene.code)
    asked = [it for it in calls(cell.tree, "run_functions_eagerly") if it.args]
    if asked:
        return cell.replaced(*((it.args[0], "False") for it in asked))
    tf, imports = alias(scene, "tensorflow")
    return with_import(scene, cell.at_top([f"{tf}.config.run_functions_eagerly(False)"]), imports)


def _own(scene: Scene, name: str) -> bool:
    """Whether the model itself was told to."""
    return bool(getattr(scene.namespace.get(name), "_run_eagerly", False))
