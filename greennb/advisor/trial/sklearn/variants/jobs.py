"""How many cores a fit uses, and an estimator within it."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell
from greennb.advisor.trial.sklearn.variants.scene import maker, rebuilt, wanted_fit


@dataclass(frozen=True, slots=True)
class Jobs:
    """All cores for the outermost estimator."""

    name: str = "n_jobs=-1"
    codes: tuple[str, ...] = ("GNB302",)
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        seen = wanted_fit(scene)
        if "n_jobs" not in seen.parameters:
            raise RefusedError(f"{seen.estimator} has no n_jobs.")
        if seen.parameters["n_jobs"] not in (None, 1):
            raise RefusedError(f"{seen.estimator} is told already how many jobs to use.")
        cell = Cell(scene.code)
        call = maker(cell, seen.estimator)
        if call is not None:
            return cell.with_keyword(call, n_jobs="-1")
        return rebuilt(scene, scene.code, (seen.estimator,), seen.estimator, {"n_jobs": "-1"})


@dataclass(frozen=True, slots=True)
class InnerJobs:
    """One core for each estimator within, where what is around it uses all."""

    name: str = "no n_jobs within"
    codes: tuple[str, ...] = ("GNB303",)
    kind: Kind = Kind.SAME

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        seen = wanted_fit(scene)
        if seen.inner_n_jobs is None:
            raise RefusedError(f"No estimator within {seen.estimator} has jobs of its own.")
        cell = Cell(scene.code)
        outer = maker(cell, seen.estimator)
        for call in cell.calls(*{cell.name_of(it) for it in cell.every_call()}):
            if call is not outer and any(it.arg == "n_jobs" for it in call.keywords):
                return cell.without_keyword(call, "n_jobs")
        raise RefusedError("The estimator within is not made in this cell: take its n_jobs out where it is made.")
