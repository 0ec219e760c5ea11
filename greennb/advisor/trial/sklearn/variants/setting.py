"""One parameter of the estimator, set otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.sklearn.variants.scene import maker, rebuilt, wanted_fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """``setting`` is ``value`` (its source) in estimators of these classes."""

    name: str
    codes: tuple[str, ...]
    kind: Kind
    classes: tuple[str, ...]
    setting: str
    value: str

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        seen = wanted_fit(scene)
        if seen.estimator not in self.classes:
            raise RefusedError(f"{seen.estimator} has no {self.setting}.")
        if repr(seen.parameters.get(self.setting)) == self.value.replace('"', "'"):
            raise RefusedError(f"{self.setting} is {self.value} already.")
        cell = Cell(scene.code)
        call = maker(cell, seen.estimator)
        if call is not None:
            return cell.with_keyword(call, **{self.setting: self.value})
        return rebuilt(scene, scene.code, self.classes, seen.estimator, {self.setting: self.value})
