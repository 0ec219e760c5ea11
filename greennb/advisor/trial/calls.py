"""A trial of two callables, as ``greennb.compare`` has it."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from greennb.advisor.trial.base import Pair, Quality
from greennb.advisor.trial.schedule import compare
from greennb.meter.meter import Meter
from greennb.model.errors import BadInputError
from greennb.model.finding import Trial

Judge = Callable[[Any, Any], object]
"""Given what the baseline and what the candidate returned last: True (or None) where the candidate is as good, False or
a sentence that says why not where it isn't."""


class Calls:
    """A way that calls a function; what it changes, it changes.

    Attributes:
        returned: by its last call.
    """

    def __init__(self, label: str, call: Callable[[], Any]) -> None:
        self.label = label
        self._call = call
        self.returned: Any = None

    def run(self, units: int, window: Callable[[], AbstractContextManager[object]]) -> float:
        """Call it so many times."""
        with window():
            for _ in range(units):
                self.returned = self._call()
        return units

    def close(self) -> None:
        """Let go of what it returned."""
        self.returned = None


def run(
    meter: Meter,
    baseline: Callable[[], Any],
    candidate: Callable[[], Any],
    *,
    quality: Judge | None = None,
    budget_s: float = 30.0,
) -> Trial:
    """Run ``baseline`` and ``candidate`` by turns and compare the joules of one run.

    What either raises is the caller's, and ends the trial.

    Args:
        quality: whether the candidate's result is as good; where it is not, the verdict is never "saves".
        budget_s: seconds after which no new round of blocks is begun; one that runs is ended.

    Raises:
        BadInputError: one is not callable, or the budget is no number of seconds above 0.
    """
    for name, call in (("baseline", baseline), ("candidate", candidate)):
        if not callable(call):
            raise BadInputError(f"{name} is a {type(call).__name__}: give a function that does the work once.")
    if isinstance(budget_s, bool) or not isinstance(budget_s, int | float) or not 0 < budget_s < math.inf:
        raise BadInputError("budget_s must be a number of seconds above 0.")
    a, b = Calls("A", baseline), Calls("B", candidate)
    pair = Pair(baseline=a, candidate=b, unit="run", guard=lambda: _judged(quality, a.returned, b.returned))
    return compare(meter, pair, budget_s=float(budget_s), judge_always=True)


def _judged(quality: Judge | None, a: Any, b: Any) -> Quality:
    if quality is None:
        return Quality(good=None, words="not looked at")
    told = quality(a, b)
    if isinstance(told, str):
        return Quality(good=False, words=told)
    good = told is None or bool(told)
    return Quality(good=good, words="as good" if good else "not as good")
