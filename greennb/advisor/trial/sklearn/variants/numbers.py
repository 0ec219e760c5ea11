"""Fewer digits."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.signals.sklearn import FITS
from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.sklearn.variants.scene import wanted_fit


@dataclass(frozen=True, slots=True)
class Float32:
    """What is fitted, in single precision."""

    name: str = "float32"
    codes: tuple[str, ...] = ("GNB305", "GNB109")
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        seen = wanted_fit(scene)
        if seen.data is not None and seen.data.dtype == "float32":
            raise RefusedError("The data are in float32 already.")
        cell = Cell(scene.code)
        for call in cell.calls(*FITS):
            if call.args:
                source = cell.source(call.args[0])
                plain = source.replace("_", "").replace(".", "").isalnum()
                return cell.replaced((call.args[0], f'{source if plain else f"({source})"}.astype("float32")'))
        raise RefusedError("The fit is not called in this cell with its data: change their type where they are made.")
