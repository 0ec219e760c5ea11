"""What the scikit-learn observer costs. ``python tests/bench/advisor_sklearn.py`` prints the table, ``--json`` numbers.

Both sides run in one process in blocks of ABBA order: the work as it is (A), and with the observer installed and a
cell begun and ended around it (B). Next to it an A/A control: the same blocks with nothing observed on either side.
Small work is done once untimed before, for what wrapping costs at once (CPython caches methods anew) is paid once a
kernel. The target is "below noise": the median difference is no larger than the control's 95 % interval reaches. CPU
seconds of this process, with one BLAS and OpenMP thread, for the machine may be shared.
"""

from __future__ import annotations

# ruff: noqa: E402  # pools are as large as they are told to be before NumPy is imported
import os

for pool in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[pool] = "1"

import argparse
import json
import math
import statistics
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from greennb.advisor.names import Names
from greennb.advisor.observe.sklearn.observer import SklearnObserver

X, Y = load_iris(return_X_y=True)
LARGE, LABELS = make_classification(6_000, 20, n_informative=10, random_state=0)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    value: float
    unit: str
    target: float
    floor: str

    @property
    def met(self) -> bool:
        """Whether the target was met in this run."""
        return self.value <= self.target


def small_fits() -> None:
    """Fits of a millisecond or two."""
    for _ in range(40):
        LogisticRegression(max_iter=200).fit(X, Y)


def tiny_transforms() -> None:
    """Calls of some tens of microseconds: the worst case for whoever adds microseconds."""
    scaler = StandardScaler().fit(X)
    for _ in range(400):
        scaler.transform(X)


def forest() -> None:
    """A fit of about a second."""
    RandomForestClassifier(n_estimators=25, random_state=0).fit(LARGE, LABELS)


def grid() -> None:
    """A search of many small fits, in this process."""
    grid = {"max_depth": [1, 2, 3, 4, 5, 6], "min_samples_leaf": [1, 2, 4, 8]}
    GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=5).fit(X, Y)


def once(work: Callable[[], None], *, observed: bool) -> float:
    """CPU seconds of ``work``; installing is not counted, a cell's begin and end are."""
    observer = SklearnObserver()
    if observed:
        observer.install(_raise)
    try:
        if work is not forest:
            work()
        began = time.process_time()
        if observed:
            observer.begin()
        work()
        if observed:
            observer.end(Names({}))
        return time.process_time() - began
    finally:
        observer.remove()


def _raise(error: BaseException) -> None:
    raise error


def pairs(work: Callable[[], None], blocks: int, *, observed: bool) -> list[float]:
    """Log ratios B / A of blocks in ABBA order."""
    found = []
    for _ in range(blocks):
        a1, b1 = once(work, observed=False), once(work, observed=observed)
        b2, a2 = once(work, observed=observed), once(work, observed=False)
        found.append(math.log((b1 + b2) / (a1 + a2)))
    return found


def overhead(what: str, work: Callable[[], None], blocks: int) -> Row:
    """The observer's part of ``work``, in percent, against the control of the same run."""
    once(work, observed=True)
    ours, control = [], []
    for _ in range(blocks):  # in turns, so that drift hits both
        ours += pairs(work, 1, observed=True)
        control += pairs(work, 1, observed=False)
    value = (math.exp(statistics.median(ours)) - 1) * 100
    reach = 1.96 * statistics.stdev(control) / math.sqrt(blocks) * 1.25  # a median is wider than a mean
    noise = (math.exp(abs(statistics.median(control)) + reach) - 1) * 100
    each_s = once(work, observed=False)
    return Row(
        what, value, "%", noise, f"A/A control within {noise:.2f} %, work {each_s * 1e3:.0f} ms, {blocks} blocks"
    )


def added_us() -> Row:
    """Microseconds that the observer adds to one small fit, from the difference of many."""
    differences = []
    for _ in range(15):
        plain, ours = once(small_fits, observed=False), once(small_fits, observed=True)
        differences.append((ours - plain) / 40 * 1e6)
    fit_us = once(small_fits, observed=False) / 40 * 1e6
    return Row("added to a fit of LogisticRegression on iris", statistics.median(differences), "us", 0.02 * fit_us,
               f"2 % of the fit's own {fit_us:.0f} us")  # fmt: skip


def per_transform() -> Row:
    """Microseconds that the observer adds to one call of ``transform``."""
    differences = []
    for _ in range(15):
        plain, ours = once(tiny_transforms, observed=False), once(tiny_transforms, observed=True)
        differences.append((ours - plain) / 400 * 1e6)
    return Row("added to a transform of StandardScaler on iris", statistics.median(differences), "us", 15.0,
               f"a transform takes {once(tiny_transforms, observed=False) / 400 * 1e6:.0f} us")  # fmt: skip


def install() -> Row:
    """Wrapping every method there is, and putting them back."""
    spent = []
    for _ in range(20):
        observer = SklearnObserver()
        began = time.perf_counter()
        observer.install(_raise)
        observer.remove()
        spent.append((time.perf_counter() - began) * 1e3)
    return Row("install and remove", statistics.median(spent), "ms", 25.0, "once a kernel")


def memory() -> Row:
    """Memory of a cell with 20,000 calls, each of other parameters."""
    observer = SklearnObserver()
    observer.install(_raise)
    observer.begin()
    tracemalloc.start()
    try:
        for at in range(20_000):
            StandardScaler(with_mean=bool(at % 2)).set_params(with_std=at % 3 > 0)
            DecisionTreeClassifier(max_depth=1 + at).set_params(min_samples_leaf=2).fit(X[:6], Y[:6])
            if at == 2_000:
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
        grown_kib = (tracemalloc.get_traced_memory()[0] - before) / 1024
    finally:
        tracemalloc.stop()
        observer.end(Names({}))
        observer.remove()
    return Row("memory from the 2,000th to the 20,000th fit of a cell", grown_kib, "KiB", 64.0, "bounded")


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'what':<58}{'value':>10} {'unit':<4}{'target':>9}  {'met':<7}floor"]
    for row in rows:
        met = "met" if row.met else "missed"
        lines.append(f"{row.what:<58}{row.value:>10.2f} {row.unit:<4}{row.target:>9.2f}  {met:<7}{row.floor}")
    return "\n".join(lines)


def main() -> int:
    """Measure and print; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = [
        overhead("40 fits of LogisticRegression on iris", small_fits, 20),
        overhead("a random forest of about a second", forest, 10),
        overhead("a grid search of 120 small fits", grid, 20),
        added_us(), per_transform(), install(), memory(),
    ]  # fmt: skip
    print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else table(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
