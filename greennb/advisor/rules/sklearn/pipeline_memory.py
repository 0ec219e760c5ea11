"""The same preprocessing for every candidate

**Seen.** A search over a `Pipeline` without `memory`, in which the steps before the last take more than a fifth of a
fit (and at least 0.1 s), and the same preprocessing is done for several candidates, because what varies comes after
it.

**Why.** Each candidate fits the whole pipeline in each fold. Where only the last step's parameters vary, the steps
before it compute the same thing again for each of them.

**Change.** `memory=`: each step's result is kept on disk and read again where step, parameters and data are equal.

**Not where**

- preprocessing is cheaper than writing and reading its result: wide dense matrices on a slow disk;
- steps are random without a `random_state`: the first result would be used for all.

**Check.** `mean_fit_time` in `cv_results_` of both, then joules. Delete the folder afterwards.

**Sources.** [scikit-learn on caching
transformers](https://scikit-learn.org/stable/modules/compose.html#caching-transformers-avoid-repeated-computation).
The fifth, 0.1 s and 2 s in all are ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import searches, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import SearchSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB309",
    name="The same preprocessing for every candidate of a search",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="scikit-learn documentation on caching transformers",
    wrong_when=(
        "preprocessing is cheaper than writing and reading its result",
        "a step is random without a random_state",
    ),
)

PART = 0.2
"""Least part of a fit that is preprocessing. Ours."""

PREPROCESS_S = 0.1
"""Least seconds of preprocessing in one fit: hashing data, writing and reading a file cost some of it back. Ours."""

SECONDS = 2.0
"""Least seconds of the search. Ours."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each search that repeats its preprocessing."""
    for search, call in searches(cell):
        pre_s = search.preprocess_s
        if search.memory or pre_s is None or call.seconds < SECONDS or search.fit_s <= 0:
            continue
        times = repeats(search)
        if pre_s < max(PREPROCESS_S, PART * search.fit_s) or times < 2:
            continue
        part, name = pre_s / search.fit_s, variable(call, "search")
        yield Found(
            evidence=(
                evidence("part of a fit that is preprocessing", part * 100, "%"),
                evidence("seconds of preprocessing in a fit", pre_s, "s"),
                evidence("candidates with the same preprocessing", times, "candidates"),
                evidence("seconds of the search", call.seconds, "s"),
            ),
            text=f"The steps before {search.steps[-1]} took {part:.0%} of each fit of {subject(call)}, and were "
            f"repeated for {times} candidates that do not differ in them.",
            code=f"""from tempfile import mkdtemp

{name}.estimator.set_params(memory=mkdtemp())  # before {name}.fit; delete the folder afterwards""",
            share=share(cell, call.seconds * part * (1 - 1 / times)),
            subject=subject(call),
        )


def repeats(search: SearchSeen) -> int:
    """How many candidates share what comes before the pipeline's last step, on average and rounded down."""
    if len(search.steps) < 2:
        return 1
    last = search.steps[-1]
    before = [count for name, count in search.parameters.items() if name != last and not name.startswith(f"{last}__")]
    return search.candidates // max(1, math.prod(before))
