"""A prefetch at the end of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.keras.seen import KerasVariant, alias, pipeline, user_of


@dataclass(frozen=True, slots=True)
class Prefetch(KerasVariant):
    """``dataset = dataset.prefetch(tf.data.AUTOTUNE)`` before it is used."""

    name = "prefetch"
    codes = ("GNB401",)
    kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """A line before the statement that goes through the pipeline."""
        seen, name = pipeline(scene)
        if seen.prefetched:
            raise RefusedError(f"{name} has a prefetch at its end already.")
        cell = Cell(scene.code)
        where = user_of(cell.tree, name)
        if where is None:
            raise RefusedError(f"{name} is not used in this cell.")
        tf, imports = alias(scene, "tensorflow")
        return with_import(scene, cell.before(where, [f"{name} = {name}.prefetch({tf}.data.AUTOTUNE)"]), imports)
