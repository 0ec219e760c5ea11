"""A cache behind the fixed map."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.keras.seen import KerasVariant, assigned, calls, dearest, pipeline, user_of


@dataclass(frozen=True, slots=True)
class Cache(KerasVariant):
    """``.cache()`` after the first ``map`` where the cell makes the pipeline, else a line before it is used."""

    name = "cache"
    codes = ("GNB402",)
    kind = Kind.SAME
    whole_pass = True

    def change(self, scene: Scene) -> str:
        """Behind what is the same each time, before what is random."""
        seen, name = pipeline(scene)
        if seen.cached:
            raise RefusedError(f"{name} has a cache already.")
        if dearest(scene) is None:
            raise RefusedError(
                "A cache is full after a whole pass over the data, and a loop of your own is left before that in a "
                "trial: only pipelines that fit goes through can be tried. Compare an epoch of each instead."
            )
        cell = Cell(scene.code)
        mapped = [call for it in assigned(cell.tree, name) for call in calls(it, "map")]
        if mapped:
            first = _innermost(mapped)
            return cell.replaced((first, f"{cell.source(first)}.cache()"))
        where = user_of(cell.tree, name)
        if where is None or seen.shuffled or seen.random_map:
            raise RefusedError(
                f"The cache belongs behind the map and before anything random: into the cell that makes {name}. Put "
                "making and using it into one cell, then try again."
            )
        return cell.before(where, [f"{name} = {name}.cache()"])


def _innermost(mapped: list[ast.Call]) -> ast.Call:
    """Of a chain of calls the first one that runs: the one that ends first."""
    return min(mapped, key=lambda it: (it.end_lineno or 0, it.end_col_offset or 0))
