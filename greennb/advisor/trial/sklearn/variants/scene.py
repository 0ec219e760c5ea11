"""What the variants ask of a scene: which fit is meant, and where its estimator is made."""

from __future__ import annotations

import ast
import inspect
from typing import Any

from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.advisor.trial.base import RefusedError, Scene
from greennb.advisor.trial.edit import Cell


def wanted_fit(scene: Scene) -> EstimatorCall:
    """The notebook's own fit that took most time, of the finding's subject where it is known.

    Raises:
        RefusedError: nothing was fitted.
    """
    seen = scene.cell.sklearn
    fits = [it for it in (seen.calls if seen is not None else ()) if it.fits and it.depth == 0 and not it.failed]
    if not fits:
        raise RefusedError("Nothing was fitted in this cell.")
    subject = "" if scene.finding is None else scene.finding.subject
    named = [it for it in fits if subject and subject in (it.name, it.estimator)]
    return max(named or fits, key=lambda it: it.seconds)


def maker(cell: Cell, *classes: str) -> ast.Call | None:
    """The call in this cell that makes an estimator of one of these classes; None where it is made elsewhere."""
    return next(iter(cell.calls(*classes)), None)


def rebuilt(scene: Scene, code: str, classes: tuple[str, ...], new: str, change: dict[str, str | None]) -> str:
    """``code`` with a line before the work that makes the estimator anew, where another cell has made it.

    Args:
        change: source of parameters that are set, None for those that are left out.

    Raises:
        RefusedError: it has no name, or was made with objects that can't be written down.
    """
    seen = wanted_fit(scene)
    estimator = scene.namespace.get(seen.name or "")
    if seen.name is None or type(estimator).__name__ not in classes:
        raise RefusedError(f"Where {' or '.join(classes)} is made can't be seen: make it in this cell.")
    given = {name: it for name, it in written(estimator).items() if name not in change}
    given |= {name: it for name, it in change.items() if it is not None}
    line = f"{seen.name} = {new}({', '.join(f'{name}={it}' for name, it in given.items())})"
    cell = Cell(code)
    return cell.before(cell.work((seen.name,)), (line,))


def written(estimator: Any) -> dict[str, str]:
    """Source of the parameters that are not the defaults.

    Raises:
        RefusedError: one can't be written down.
    """
    defaults = {name: it.default for name, it in inspect.signature(type(estimator).__init__).parameters.items()}
    told: dict[str, str] = {}
    for name, value in estimator.get_params(deep=False).items():
        if value is defaults.get(name, inspect.Parameter.empty) or _same(value, defaults.get(name)):
            continue
        if not _plain(value):
            raise RefusedError(f"Its {name} is a {type(value).__name__}, which can't be written down: make it here.")
        told[name] = repr(value)
    return told


def _plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_plain, value))
    return value is None or type(value) in (bool, int, float, str)


def _same(value: Any, default: Any) -> bool:
    return type(value) is type(default) and _plain(value) and bool(value == default)
