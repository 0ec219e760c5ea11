"""The loss by iteration that an estimator keeps after fitting: since when it has been flat."""

from __future__ import annotations

import math
from typing import Any

from greennb.advisor.observe.sklearn.params import module_of, state

FLAT = 0.001
"""Part of the whole improvement that may be left where a curve is called flat."""

RISING = ("auc", "aucpr", "auc_mu", "map", "ndcg", "pre", "average_precision")
"""XGBoost's and LightGBM's metrics that grow as a model gets better, without their "@5"."""

MOST_ITERATIONS = 100_000
"""Longer curves are not read."""


def curve(owner: Any) -> dict[str, object]:
    """``curve``, ``iterations`` and ``flat_from`` of :attr:`~greennb.advisor.signals.sklearn.EstimatorCall.fitted`."""
    kind, losses = _losses(state(owner))
    if len(losses) < 2 or len(losses) > MOST_ITERATIONS or not all(map(math.isfinite, losses)):
        return {}
    return {"curve": kind, "iterations": len(losses), "flat_from": flat_from(losses)}


def flat_from(losses: list[float]) -> int:
    """The iteration, from 1, by which all but :data:`FLAT` of the way from the first loss to the best was made."""
    best = min(losses)
    enough = best + FLAT * (losses[0] - best)
    return next(index for index, loss in enumerate(losses, 1) if loss <= enough)


def _losses(held: dict[str, Any]) -> tuple[str, list[float]]:
    """Which losses, and they by iteration; HistGradientBoosting keeps some only where it stops early by itself."""
    if "do_early_stopping_" in held:
        return "", []
    for name in ("evals_result_", "_evals_result"):  # XGBoost's and LightGBM's, where an eval_set was given
        if isinstance(held.get(name), dict):
            return "validation", _of_eval_sets(held[name])
    scores = held.get("validation_scores_")
    if type(scores) is list:
        return "validation", [-float(it) for it in scores]
    # Boosting's oob_improvement_ is no such evidence: the rows left out of one tree were in most of those before it.
    for name in ("loss_curve_", "train_score_"):
        if name in held:
            return "training", _numbers(held[name])
    return "", []


def _of_eval_sets(results: Any) -> list[float]:
    """The last metric on the last data set: the one that early stopping would go by."""
    for metrics in reversed(list(results.values())):
        for name, values in reversed(list(metrics.items())):
            sign = -1.0 if str(name).partition("@")[0] in RISING else 1.0
            return [sign * it for it in _numbers(values)]
    return []


def _numbers(values: Any) -> list[float]:
    if type(values) is list:
        return [float(it) for it in values if type(it) in (int, float)]
    listed = values.tolist() if module_of(type(values)) == "numpy" else []
    return [it for it in listed if type(it) is float]
