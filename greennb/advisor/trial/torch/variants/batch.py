"""Larger and smaller batches: joules a sample are compared, what is learned is not."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.torch.variants.loader import with_settings
from greennb.advisor.trial.torch.variants.scene import before_work, loader_name, torch_of

SIZES = ("batch_size", "BATCH_SIZE", "batchsize", "bs", "BATCH", "batch")
"""Names that people give to the size of a batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """So many times the samples in a step."""

    factor: float
    codes: tuple[str, ...]
    kind: Kind = Kind.LEARNING

    @property
    def name(self) -> str:
        """Such as "batch x2"."""
        return f"batch x{self.factor:g}"

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        for way in (self._elsewhere, self._named, self._loader, self._split):
            changed = way(scene)
            if changed is not None:
                return changed
        raise RefusedError("Where this cell has the size of its batches can't be seen: name it batch_size.")

    def _times(self, size: int) -> str:
        new = int(size * self.factor)
        if new < 1 or new == size:
            raise RefusedError(f"A batch of {size} can't be made {self.factor:g} times as large.")
        return str(new)

    def _elsewhere(self, scene: Scene) -> str | None:
        """A loader of another cell has its batches' size already: a name for it does nothing more."""
        try:
            name = loader_name(scene)
        except RefusedError:
            return None
        return None if Cell(scene.code).maker(name) is not None else self._loader(scene)

    def _named(self, scene: Scene) -> str | None:
        """By the user's own name for it, bound in this cell or in another."""
        cell = Cell(scene.code)
        for node in ast.walk(cell.tree):
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Name)
                and node.targets[0].id in SIZES
                and isinstance(node.value, ast.Constant)
                and type(node.value.value) is int
                and node.value.value > 0  # from 0 on something is counted
            ):
                return cell.replaced((node.value, self._times(node.value.value)))
        used = {it.id for it in ast.walk(cell.tree) if isinstance(it, ast.Name)}
        for name in SIZES:
            size = scene.namespace.get(name)
            if name in used and type(size) is int:
                return before_work(scene.code, (), f"{name} = {self._times(size)}")
        return None

    def _loader(self, scene: Scene) -> str | None:
        try:
            name = loader_name(scene)
        except RefusedError:
            return None
        seen = next((it for it in scene.cell.torch.loaders if it.name == name), None) if scene.cell.torch else None
        if seen is None or seen.batch_size is None:
            return None
        return with_settings(scene, batch_size=self._times(seen.batch_size))

    def _split(self, scene: Scene) -> str | None:
        """``for rows in x.split(64)``."""
        cell = Cell(scene.code)
        for call in cell.calls("split"):
            if call.args and isinstance(call.args[0], ast.Constant) and type(call.args[0].value) is int:
                return cell.replaced((call.args[0], self._times(call.args[0].value)))
        return None
