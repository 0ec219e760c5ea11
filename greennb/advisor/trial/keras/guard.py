"""Quality of Keras variants: losses over the first batches from the same state, or what a loop has left behind."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

from greennb.advisor.trial.base import Kind, Quality, RefusedError
from greennb.advisor.trial.keras.capture import KerasWay

STEPS = 20
"""Batches that are compared (as for PyTorch)."""

SEEDS = (0, 1, 2)
"""The first is that of both ways; the others are what else could have come out."""

TOLERANCE = {Kind.SAME: 1e-3, Kind.NUMERIC: 1e-2}
"""Of the mean loss. SAME is rounding of float32 (6e-8) as 20 steps multiply it; tried, bf16 is up to 3e-3 apart."""

UNLIKE = "cost shown, quality not: it changes what is learned, so compare that yourself"


def losses(baseline: KerasWay, candidate: KerasWay, kind: Kind) -> Quality:
    """The losses of both ways from the state in which the cell found the model, batch by batch, at the same seed."""
    if kind not in TOLERANCE:
        return Quality(good=None, words=UNLIKE)
    try:
        a, b = baseline.losses(STEPS, SEEDS[0]), candidate.losses(STEPS, SEEDS[0])
        if not _finite(a):
            return Quality(good=None, words="the loss of the work as it is is no number (NaN or infinite)")
        if not _finite(b):
            return Quality(good=False, words="with the change the loss is no number any more (NaN or infinite)")
        apart = _apart(a, b)
        words = f"over {min(len(a), len(b))} steps the loss differs by {_percent(apart)}"
        if apart <= TOLERANCE[kind]:
            return Quality(good=True, words=words)
        spread = max(_apart(a, baseline.losses(STEPS, seed)) for seed in SEEDS[1:])
        return Quality(good=apart <= spread, words=f"{words}; another seed changes it by {_percent(spread)}")
    except RefusedError as error:
        return Quality(good=None, words=f"quality was not compared: {error}")


def left_behind(run: Callable[[str, int | None], list[Any]], kind: Kind) -> Quality:
    """What a loop has left in its variables and names after the same number of turns.

    Args:
        run: for a way's label and a seed (None for the cell's own), arrays as they are after some turns.
    """
    try:
        a, b = run("A", None), run("B", None)
        if not a or [it.shape for it in a] != [it.shape for it in b]:
            return Quality(good=None, words="quality was not compared: the loop left nothing that could be")
        if not all(_is_finite(it) for it in a):
            return Quality(good=None, words="what the loop computes as it is is not all finite")
        if not all(_is_finite(it) for it in b):
            return Quality(good=False, words="with the change, what the loop computes is not finite any more")
        apart = _distance(a, b)
        words = f"what the loop computed and learned differs by {_percent(apart)}"
        if apart <= TOLERANCE[kind]:
            return Quality(good=True, words=words)
        other = run("A", SEEDS[1])
        spread = _distance(a, other) if [it.shape for it in a] == [it.shape for it in other] else 0.0
        return Quality(good=apart <= spread, words=f"{words}; another seed changes it by {_percent(spread)}")
    except RefusedError as error:
        return Quality(good=None, words=f"quality was not compared: {error}")


def _apart(a: Sequence[float], b: Sequence[float]) -> float:
    """Mean distance of two curves, of the first one's mean size."""
    size = math.fsum(map(abs, a)) / max(1, len(a)) or 1.0
    return math.fsum(abs(two - one) for one, two in zip(a, b, strict=False)) / max(1, len(a)) / size


def _distance(a: Sequence[Any], b: Sequence[Any]) -> float:
    """The largest root mean square of an array's difference, of that of the array."""
    return max(_of_one(one, two) for one, two in zip(a, b, strict=True))


def _of_one(one: Any, two: Any) -> float:
    size = float((one * one).sum())
    apart = float(((two - one) ** 2).sum())
    return math.sqrt(apart / size) if size else math.sqrt(apart)


def _is_finite(array: Any) -> bool:
    return bool(sys.modules["numpy"].isfinite(array).all())


def _finite(values: Sequence[float]) -> bool:
    return bool(values) and all(map(math.isfinite, values))


def _percent(part: float) -> str:
    return "less than 0.001 %" if part < 1e-5 else f"{100 * part:.2g} %"
