"""One core works, the others wait

**Seen.** An estimator that can use several cores has `n_jobs=None`, a fit of it took more than 1 s (3 s for one that
starts processes, such as a search), and the CPU time shows that about one core was at work.

**Why.** A machine that is on draws most of its power whether one core works or all: memory, fans, the rest of the
package. The work done in less time leaves less of that to be paid. But parallel work takes a little more CPU time in
all, and on a small job much more.

**Change.** `n_jobs=-1`, in one place only: the outermost (a search rather than the forest inside).

**Not where**

- joules do not fall: wall time falls nearly always, CPU seconds rise nearly always, and which of them counts is up to
  the machine. Tried here on 2 cores: 0.905 of the wall time at 1.04 of the CPU time; with 300 rows 1.36 of the time;
- the machine is shared, or its other cores already have work;
- memory is short: processes have copies.

**Check.** This is one for a trial: compare joules, not seconds.

**Sources.** [scikit-learn on parallelism](https://scikit-learn.org/stable/computing/parallelism.html). The seconds
and the share of one core (below 1.2) are ours.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import Fits, cpus, fits, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB302",
    name="One core works, the others wait",
    framework="sklearn",
    severity=Severity.NOTE,
    since="0.2",
    source="scikit-learn documentation on parallelism; tried with scikit-learn 1.9 on 2 cores",
    wrong_when=("the other cores have other work", "a trial shows that joules do not fall", "memory is short"),
)

WITH_THREADS = (
    "RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor",
)  # fmt: skip
"""Estimators whose ``n_jobs`` are threads: nearly free to start."""

WITH_PROCESSES = (
    "GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV", "BaggingClassifier",
    "BaggingRegressor", "VotingClassifier", "VotingRegressor", "StackingClassifier", "StackingRegressor",
    "OneVsRestClassifier", "OneVsOneClassifier", "MultiOutputClassifier", "MultiOutputRegressor", "RFECV",
)  # fmt: skip
"""Estimators whose ``n_jobs`` are processes, which import scikit-learn and get copies of the data."""

THREADS_S, PROCESSES_S = 1.0, 3.0
"""Least seconds of one fit: starting a worker process with scikit-learn takes 1 to 2 s once. Ours."""

BUSY = 1.2
"""Mean CPUs at work from which the cores are taken to be in use already: BLAS or OpenMP threads. Ours."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each fit that could have used more cores; the outermost, for jobs within jobs cost more than they bring."""
    if cpus(cell) < 2:
        return
    for it in fits(cell, *WITH_THREADS, *WITH_PROCESSES):
        call = it.call
        if _is_outermost(it) and _took_long(it) and it.cpu_s < BUSY * it.seconds:
            yield Found(
                evidence=(
                    evidence("CPUs at work on average", it.cpu_s / it.seconds, "CPUs"),
                    evidence("CPUs there are", cpus(cell), "CPUs"),
                    evidence("seconds in fit", it.seconds, "s"),
                    evidence("CPU seconds in fit", it.cpu_s, "s"),
                ),
                text=f"{subject(call)} used one core of {cpus(cell):g}. With n_jobs=-1 wall time should fall while CPU "
                "seconds may rise: whether joules fall depends on this machine, so let a trial decide.",
                code=f"{variable(call, 'model')}.set_params(n_jobs=-1)",
                share=share(cell, it.seconds),
                subject=subject(call),
            )


def _is_outermost(it: Fits) -> bool:
    call = it.call
    alone = call.depth == 0 or (call.depth == 1 and call.inside == "Pipeline")
    return alone and call.parameters.get("n_jobs", 1) is None and call.inner_n_jobs is None


def _took_long(it: Fits) -> bool:
    least_s = THREADS_S if it.call.estimator in WITH_THREADS else PROCESSES_S
    return it.seconds / it.count >= least_s
