"""A fit that was done already

**Seen.** An estimator fitted again with equal parameters on equal data (all of it, by fingerprint), with nothing left
to chance: within this cell or in another one; the repeated fits took at least 1 s.

**Why.** The result must be the same. All of the repeated work is for nothing.

**Change.** Keep the fitted estimator under a name of its own and use it again. Where folds are fitted again for
another metric, `cross_validate` takes several at once, and `GridSearchCV` too.

**Not where**

- the repetition is the point: timing, or a test that it is deterministic;
- the cell was run again as it is: that is another rule's (GNB104).

**Check.** Nothing to check: equal work gives equal results. This rule is silent where `random_state` is None and
plays a part, where a parameter can't be told from another (a function of your own), and where data are too large to
be read in a hundredth of the fit's own time.

**Sources.** Measured alone. The floor of 1 s is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, share, subject
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall, WorkSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB312",
    name="A fit that was done already",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="measured: equal data, equal parameters, no chance",
    wrong_when=("the repetition is the point: timing, or a test",),
)


def check(cell: CellContext) -> Iterator[Found]:
    """Each estimator with fits that had been done, of all its entries in the cell together."""
    before = {work.print for one in cell.past if one.source != cell.source for work in _work(one)}
    together: dict[str, list[tuple[EstimatorCall, int, float]]] = {}
    for call in cell.sklearn.calls if cell.sklearn is not None else ():
        for work in call.work if not call.failed else ():
            again = work.calls - (0 if work.print in before else 1)
            if again > 0:
                each_s = work.seconds / work.calls
                together.setdefault(subject(call), []).append((call, again, again * each_s))
    for name, found in together.items():
        calls, seconds = sum(again for _c, again, _s in found), sum(s for _c, _a, s in found)
        if seconds >= LEAST_S:
            yield _found(cell, name, found[0][0], calls, seconds)


def _work(cell: CellContext) -> Iterator[WorkSeen]:
    for call in cell.sklearn.calls if cell.sklearn is not None else ():
        yield from call.work


def _found(cell: CellContext, name: str, call: EstimatorCall, calls: int, seconds: float) -> Found:
    named = call.data is not None and call.data.name is not None
    advice = (
        "Keep the fitted estimator under a name and use it again."
        if named
        else "Where these are folds fitted again for another metric, cross_validate takes several metrics at once."
    )
    return Found(
        evidence=(evidence("fits done before", calls, "calls"), evidence("seconds in them", seconds, "s")),
        text=f"{calls} fit{'s' if calls > 1 else ''} of {name} had equal data and parameters as one before, and "
        f"nothing was left to chance: the result must be the same. {advice}",
        code="",
        share=share(cell, seconds),
        subject=name,
    )
