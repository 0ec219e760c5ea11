"""A cache for the steps of a pipeline that is searched."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.sklearn.variants.scene import maker, wanted_fit

PIPELINES = ("Pipeline", "make_pipeline")

FOLDER = "mkdtemp()"
"""A new folder for temporary files at each run: what an earlier run has left is not read."""

_ALREADY = "The pipeline caches its steps already."


@dataclass(frozen=True, slots=True)
class Memory:
    """``memory=`` a folder for temporary files, as scikit-learn's user guide has it."""

    name: str = "memory=mkdtemp()"
    codes: tuple[str, ...] = ("GNB309",)
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        seen = wanted_fit(scene)
        if not seen.estimator.endswith("SearchCV"):
            raise RefusedError(f"Only a search does the same steps again, and {seen.estimator} is none.")
        return with_import(scene, self._cached(scene, seen), "from tempfile import mkdtemp")

    def _cached(self, scene: Scene, seen: EstimatorCall) -> str:
        """The cell with the cache where the pipeline is made, or set on it before the search.

        Raises:
            RefusedError: it is none, or caches already, or is made where nobody sees it.
        """
        cell = Cell(scene.code)
        search = maker(cell, seen.estimator)
        if search is None:
            found = scene.namespace.get(seen.name or "")
            if seen.name is None or type(found).__name__ != seen.estimator:
                raise RefusedError(f"Where {seen.estimator} is made can't be seen: make it in this cell.")
            return self._set(cell, seen.name, f"{seen.name}.estimator", getattr(found, "estimator", None))
        searched = _searched(search)
        made = cell.maker(searched.id, *PIPELINES) if isinstance(searched, ast.Name) else searched
        if isinstance(made, ast.Call) and cell.name_of(made) in PIPELINES:
            given = next((it.value for it in made.keywords if it.arg == "memory"), None)
            if given is not None and not (isinstance(given, ast.Constant) and given.value is None):
                raise RefusedError(_ALREADY)
            return cell.with_keyword(made, memory=FOLDER)
        if isinstance(searched, ast.Name) and searched.id in scene.namespace:
            return self._set(cell, searched.id, searched.id, scene.namespace[searched.id])
        raise RefusedError("Where the pipeline is made can't be seen: give it memory= there.")

    @staticmethod
    def _set(cell: Cell, name: str, source: str, pipeline: object) -> str:
        """A line before the work with ``name`` that sets it on the pipeline that ``source`` is."""
        if not hasattr(pipeline, "steps"):
            raise RefusedError("Only a pipeline has steps to cache, and what is searched is none.")
        if getattr(pipeline, "memory", None) is not None:
            raise RefusedError(_ALREADY)
        return cell.before(cell.work((name,)), (f"{source}.set_params(memory={FOLDER})",))


def _searched(search: ast.Call) -> ast.expr | None:
    """What a search is given to search."""
    named = next((it.value for it in search.keywords if it.arg == "estimator"), None)
    return named if named is not None or not search.args else search.args[0]
