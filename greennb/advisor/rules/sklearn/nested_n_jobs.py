"""Jobs within jobs

**Seen.** Something with `n_jobs` above 1 (a search, a voting) holds an estimator that has `n_jobs` above 1 too, and
together they ask for more workers than there are CPUs.

**Why.** Each outer worker starts its own inner ones. They take turns on the same cores: switching, caches that are
filled again and again, and copies of the data.

**Change.** Parallel work outside only: `n_jobs=-1` for the search, `n_jobs=None` for what is inside.

**Not where**

- there are fewer outer pieces of work than cores (3 candidates on 64 cores), so that the inner jobs find idle ones;
- there is memory for one copy of the data only: then parallel inside, not outside.

**Check.** A trial of both. scikit-learn's guide says when which of the two levels is limited by itself (OpenMP and
BLAS are, joblib's threads are not).

**Sources.** [scikit-learn on
oversubscription](https://scikit-learn.org/stable/computing/parallelism.html#oversubscription-spawning-too-many-threads).
The floor of 1 s is ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, cpus, n_jobs, share, subject, variable, workers
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB303",
    name="Jobs within jobs ask for more workers than CPUs",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="scikit-learn documentation on oversubscription",
    wrong_when=(
        "the outer level has fewer pieces of work than there are cores",
        "memory holds one copy of the data only",
    ),
)


def check(cell: CellContext) -> Iterator[Found]:
    """Each estimator that runs in parallel around one that does; the outermost of a nest, once for a subject."""
    said: set[str] = set()
    for call in cell.sklearn.calls if cell.sklearn is not None else ():
        outer, inner = n_jobs(call, cell), workers(call.inner_n_jobs, cell)
        if not call.fits or call.seconds < LEAST_S or min(outer, inner) < 2 or outer * inner <= cpus(cell):
            continue
        if subject(call) not in said:
            said.add(subject(call))
            yield _found(cell, call, outer, inner)


def _found(cell: CellContext, call: EstimatorCall, outer: int, inner: int) -> Found:
    name = variable(call, "search")
    return Found(
        evidence=(
            evidence("outer jobs", outer, "jobs"),
            evidence("inner jobs of each", inner, "jobs"),
            evidence("CPUs there are", cpus(cell), "CPUs"),
            evidence("seconds in fit", call.seconds, "s"),
        ),
        text=f"{subject(call)} runs {outer} jobs of {inner} each on {cpus(cell):g} CPUs: {outer * inner} take turns. "
        "Keep the outer ones only.",
        code=f"""inner = {{key: None for key in {name}.get_params() if key.endswith("__n_jobs")}}
{name}.set_params(**inner)  # parallel outside only""",
        share=share(cell, call.seconds),
        subject=subject(call),
    )
