"""Products in 16 bits."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.keras.seen import KerasVariant, alias, dearest, model_name, statement, user_of

TENSOR_CORES, BFLOAT16 = (7, 0), (8, 0)
"""Compute capabilities from which there are tensor cores, and from which they take bfloat16 (NVIDIA)."""

_MAKERS = ("Sequential", "Model", "Input", "clone_model")


@dataclass(frozen=True, slots=True)
class MixedPrecision(KerasVariant):
    """The policy, before the model is built; on a model that is, layer by layer."""

    name = "mixed precision"
    codes = ("GNB404",)
    kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """One line where the cell builds the model, else a few before it is trained."""
        name, call = model_name(scene), dearest(scene)
        if call is not None and call.policy.startswith("mixed"):
            raise RefusedError(f"{name} computes in {call.policy} already.")
        policy = _policy(scene)
        cell = Cell(scene.code)
        keras, imports = alias(scene, "keras")
        built = statement(cell.tree, _builds)
        if built is not None:
            code = cell.before(built, [f'{keras}.mixed_precision.set_global_policy("{policy}")'])
            return with_import(scene, code, imports)
        where = user_of(cell.tree, name)
        if where is None:
            raise RefusedError(f"{name} is not used in this cell.")
        if policy == "mixed_float16":
            raise RefusedError(
                "float16 needs a scaled loss, which compile sets up: put building and compiling the model into this "
                "cell, then try again."
            )
        return cell.before(
            where,
            [
                f"for layer in {name}.layers[:-1]:",
                f'    layer.dtype_policy = "{policy}"  # computes in 16 bits, weights stay float32',
                f"{name}.make_train_function(force=True)  # traced anew",
            ],
        )

    def loops(self, scene: Scene) -> bool:
        """Never: models of the user's own loops are not looked at by this rule."""
        return False


def _policy(scene: Scene) -> str:
    seen = scene.cell.keras
    if seen is None or not seen.gpus or seen.capability >= BFLOAT16:
        return "mixed_bfloat16"
    if seen.capability >= TENSOR_CORES:
        return "mixed_float16"
    raise RefusedError("This card has no tensor cores: 16 bits are not quicker there.")


def _builds(node: ast.AST) -> bool:
    """Whether a node makes a layer or a model."""
    if not isinstance(node, ast.Call):
        return False
    written = ast.unparse(node.func)
    return written.split(".")[-1] in _MAKERS or ".layers." in f".{written}" or ".applications." in f".{written}"
