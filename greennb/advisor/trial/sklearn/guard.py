"""Whether another estimator, or the same with fewer digits, is as good: cross-validated at two sizes, or compared."""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from greennb.advisor.trial.base import Kind, Quality, Scene
from greennb.advisor.trial.sklearn.ways import LEAST_ROWS, FitWay

FOLDS = 3
"""Folds of the cross-validation: fewer say nothing of spread, more cost fits."""

MARGIN = 0.01
"""A mean score lower by no more than this is as good (non-inferiority), or by one standard error of the baseline's
folds where that is more. Our choice; scores are the estimator's own: accuracy, R squared, or a search's scoring."""

SMALLER = 3
"""The other size has so many times fewer rows: what saves at one size may cost at another."""

SHARE = 0.5
"""Part of the budget that the guard may take."""

COMPARED = 1000
"""Rows on which predictions are compared."""


_VERDICTS = {
    True: "as good within the margin",
    False: "not as good",
    None: "the folds differ too much to tell whether it is as good",
}


class Guard:
    """Looks at quality once, after the ways have run."""

    def __init__(self, scene: Scene, a: FitWay, b: FitWay, kind: Kind, fit_s: float) -> None:
        self._scene = scene
        self._a, self._b = a, b
        self._kind = kind
        self._fit_s = fit_s

    def __call__(self) -> Quality:
        """What it saw, with how many rows that was."""
        seen = self._seen()
        words = [seen.words]
        if self._a.used < self._a.rows:
            words.append(f"Tried on {self._a.used:,} of {self._a.rows:,} rows, drawn at random.")
        if self._kind is not Kind.SAME or self._a.used >= SMALLER * LEAST_ROWS:
            words.append(self._at_another_size())
        return Quality(good=seen.good, words=" ".join(filter(None, words)))

    def _seen(self) -> Quality:
        if self._a.fit.y is None:
            return self._scores()
        return self._predictions() if self._kind is Kind.SAME else self._cross_validated()

    def _cross_validated(self) -> Quality:
        """Mean scores of the same folds, at both sizes."""
        needed_s = 2 * FOLDS * self._fit_s * (1 + 1 / SMALLER)
        if needed_s > SHARE * self._scene.budget_s:
            return Quality(good=None, words="Scores were not compared, which would take too long: give more seconds.")
        sizes = [self._a.used]
        if self._a.used >= SMALLER * LEAST_ROWS:
            sizes.insert(0, self._a.used // SMALLER)
        told: list[str] = []
        good: bool | None = True
        for rows in sizes:
            a, b = (self._folds(way, rows) for way in (self._a, self._b))
            told.append(f"{statistics.fmean(a):.3f} and {statistics.fmean(b):.3f} with {rows:,} rows")
            at_this_size = _as_good(a, b)
            good = at_this_size if at_this_size is False or good is True else good
        return Quality(good=good, words=f"Cross-validated scores: {', '.join(told)}: {_VERDICTS[good]}.")

    def _folds(self, way: FitWay, rows: int) -> list[float]:
        selection = sys.modules.get("sklearn.model_selection")
        if selection is None:
            import importlib

            selection = importlib.import_module("sklearn.model_selection")  # of a framework that the user has imported
        x, y = way.some(rows)
        classifies = sys.modules["sklearn.base"].is_classifier(way.fit.estimator)
        folds = (selection.StratifiedKFold if classifies else selection.KFold)(FOLDS, shuffle=True, random_state=0)
        with way.on_stage():
            scores = selection.cross_val_score(way.clone(), x, y, cv=folds, n_jobs=1)
        return [float(it) for it in scores]

    def _predictions(self) -> Quality:
        """The same rows, the same seed: equal predictions."""
        both = [self._predicted(way) for way in (self._a, self._b)]
        if any(it is None for it in both):
            return Quality(good=None, words="Not compared: it does not predict.")
        same = bool((both[0] == both[1]).all())
        return Quality(good=same, words="Predictions are the same." if same else "Predictions differ.")

    def _predicted(self, way: FitWay) -> Any:
        x, y = way.some(way.used)
        with way.on_stage():
            estimator = way.clone()
            if "random_state" in estimator.get_params(deep=False):
                estimator.set_params(random_state=0)
            getattr(estimator, way.fit.method)(x, y)
            head = x[:COMPARED] if not hasattr(x, "iloc") else x.iloc[:COMPARED]
            return sys.modules["numpy"].asarray(estimator.predict(head)) if hasattr(estimator, "predict") else None

    def _scores(self) -> Quality:
        """Of a clusterer: its own score, a row."""
        scores = []
        for way in (self._a, self._b):
            x, _y = way.some(way.used)
            with way.on_stage():
                estimator = way.fitted(x, None)
                if not hasattr(estimator, "score"):
                    return Quality(good=None, words="Not looked at: it has no score.")
                scores.append(float(estimator.score(x)) / way.used)
        a, b = scores
        good = b >= a - MARGIN * abs(a)
        told = f"Scores a row (higher is better): {a:.4g} and {b:.4g}"
        return Quality(good=good, words=f"{told}: {'as good within 1 %' if good else 'not as good'}.")

    def _at_another_size(self) -> str:
        """Whether the seconds go the other way with fewer rows; one fit of each, so only a plain answer is told."""
        rows = self._a.used // SMALLER
        if rows < LEAST_ROWS // SMALLER:
            return ""
        small, large = (self._quicker(rows), self._quicker(self._a.used))
        if small == large or None in (small, large):
            return ""
        return f"With {rows:,} rows it is the other way round in seconds: what holds depends on the size."

    def _quicker(self, rows: int) -> bool | None:
        """Whether the candidate took less time; None within a fifth, which says nothing."""
        taken = []
        for way in (self._a, self._b):
            x, y = way.some(rows)
            with way.on_stage():
                began_s = time.perf_counter()
                way.fitted(x, y)
                taken.append(time.perf_counter() - began_s)
        ratio = taken[1] / taken[0]
        return None if 0.8 < ratio < 1.25 else ratio < 1


def _as_good(a: list[float], b: list[float]) -> bool | None:
    """Whether scores ``b`` are no worse than ``a`` by more than the margin, fold by fold; None where folds disagree.

    "Not as good" needs a mean difference beyond the margin by two of its own standard errors: few rows have few
    digits of a score, and a difference that two of three folds do not show is none.
    """
    margin = max(MARGIN, statistics.stdev(a) / FOLDS**0.5)
    lower = [one - other for one, other in zip(a, b, strict=True)]
    if statistics.fmean(lower) <= margin:
        return True
    return False if statistics.fmean(lower) - 2 * statistics.stdev(lower) / FOLDS**0.5 > margin else None
