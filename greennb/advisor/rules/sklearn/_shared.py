"""What several scikit-learn rules ask of a cell: its fits, by estimator, and names to write code with."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall, SearchSeen

LEAST_S = 1.0
"""Seconds in the fits that would change below which nothing is said: a change takes a person longer to check. Ours."""

OWN = ("sklearn.", "xgboost.", "lightgbm.")
"""Where classes live whose behaviour is known; a user's subclass may be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """Fits of one estimator in a cell, with whatever parameters; ``call`` is the dearest of them."""

    call: EstimatorCall
    seconds: float
    count: int
    cpu_s: float


def fits(cell: CellContext, *classes: str) -> Iterator[Fits]:
    """Fits of these classes, one for each subject and place (in a search, by itself); failed ones are left out."""
    together: dict[tuple[str, str, int], list[EstimatorCall]] = {}
    for call in cell.sklearn.calls if cell.sklearn is not None else ():
        if call.estimator in classes and call.module.startswith(OWN) and call.fits and not call.failed:
            together.setdefault((subject(call), call.inside, call.depth), []).append(call)
    for calls in together.values():
        yield Fits(
            call=max(calls, key=lambda it: it.seconds),
            seconds=sum(it.seconds for it in calls),
            count=sum(it.calls for it in calls),
            cpu_s=sum(it.cpu_s for it in calls),
        )


def searches(cell: CellContext) -> Iterator[tuple[SearchSeen, EstimatorCall]]:
    """Searches that came to their end, each with its fit."""
    if cell.sklearn is None:
        return
    for search in cell.sklearn.searches:
        call = cell.sklearn.calls[search.call]
        if not call.failed:
            yield search, call


def rows(call: EstimatorCall) -> int:
    """Rows of what it was given, 0 where that is not known."""
    return 0 if call.data is None else call.data.rows


def is_sparse(call: EstimatorCall) -> bool:
    """Whether it was given a sparse matrix."""
    return call.data is not None and call.data.kind == "sparse"


def cpus(cell: CellContext) -> float:
    """CPUs that this process may use."""
    if cell.machine is not None:
        return cell.machine.cpus
    return 1.0 if cell.sklearn is None else float(cell.sklearn.cpus)


def share(cell: CellContext, seconds: float) -> float:
    """Part of the cell that ``seconds`` are."""
    return min(1.0, seconds / cell.duration_s) if cell.duration_s > 0 else 0.0


def subject(call: EstimatorCall) -> str:
    """The user's name for it, else its class."""
    return call.name or call.estimator


def variable(call: EstimatorCall, default: str) -> str:
    """A name for code: the user's for the estimator, else ``default``."""
    return _identifier(call.name) or default


def x_name(call: EstimatorCall) -> str:
    """A name for X."""
    return (None if call.data is None else _identifier(call.data.name)) or "X"


def y_name(call: EstimatorCall) -> str:
    """A name for y."""
    return (None if call.data is None else _identifier(call.data.y_name)) or "y"


def _identifier(name: str | None) -> str | None:
    return name if name is not None and name.isidentifier() and not keyword.iskeyword(name) else None


def arguments(call: EstimatorCall, names: Mapping[str, str]) -> str:
    """Arguments with the values that ``call`` has, under new ``names``; None and what is no plain value is left out."""
    given = {new: call.parameters.get(old) for old, new in names.items()}
    plain = {new: value for new, value in given.items() if isinstance(value, bool | int | float)}
    return ", ".join(f"{new}={value!r}" for new, value in plain.items())


def n_jobs(call: EstimatorCall, cell: CellContext) -> int:
    """How many workers its ``n_jobs`` asks for; 1 where it has none, or None."""
    asked = call.parameters.get("n_jobs")
    return workers(asked if type(asked) is int else None, cell)


def workers(asked: int | None, cell: CellContext) -> int:
    """Workers that an ``n_jobs`` stands for, as joblib counts: -1 is every CPU, -2 all but one."""
    if asked is None or asked == 0:
        return 1
    return asked if asked > 0 else max(1, int(cpus(cell)) + 1 + asked)
