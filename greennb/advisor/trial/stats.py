"""From joules of interleaved blocks to a ratio, an interval and a verdict. Pure arithmetic, on logarithms of ratios.

A quad is four blocks, ABBA or BAAB: what drifts steadily while they run (a warming chip, a filling cache) cancels in

    d = (ln b1 + ln b2 - ln a1 - ln a2) / 2

The same contrast on the A blocks alone (and the B blocks alone) of two neighbouring quads is an A/A control that costs
no block of its own: its truth is 0, and its spread is that of ``d``. A trial may be looked at again and again and be
ended as soon as it is safe: each look of :data:`LOOKS` spends an equal part of the error (Bonferroni), so that however
often one looks, a variant that changes nothing is called a saving or a cost in at most 1 of 100 trials.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from greennb.model.finding import Verdict

LOOKS = (3, 4, 6, 9, 13, 19, 28, 42, 63, 95, 142)
"""Quads after which a trial may be ended; each look is half as far again, since one more quad alone tells little."""

VERDICT_ERROR = 0.01
"""Chance, over all looks, that a trial of two equal ways names a winner."""

INTERVAL_ERROR = 0.05
"""Chance, over all looks, that the interval shown does not hold the ratio."""

LEAST_DIFFERENCE = 0.01
"""A ratio nearer to 1 than this is no difference that anybody acts on, however sure it is."""

SAME = 0.03
"""Where the interval lies within this of 1, the two ways cost the same for every purpose: a trial may end."""

TELLING = 0.05
"""A half-width beyond this at the end of the budget is too wide to say that no difference was shown."""


@dataclass(frozen=True, slots=True)
class Quad:
    """Joules a run of four blocks: A's two and B's two, each in the order of time. All above 0."""

    a: tuple[float, float]
    b: tuple[float, float]

    @property
    def log_ratio(self) -> float:
        """ln(candidate / baseline), a steady drift taken out."""
        return math.log(self.b[0] * self.b[1] / (self.a[0] * self.a[1])) / 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the quads so far say, in logarithms.

    Attributes:
        mean: of ln(candidate / baseline). ``half``: half-width of its 95 % interval; ``sure`` of the one that a verdict
            needs. Infinite from fewer than two quads.
        control: mean of the A/A and B/B contrasts, whose truth is 0.
    """

    quads: int
    mean: float
    half: float
    sure: float
    control: float

    @property
    def ratio(self) -> float:
        """Candidate over baseline."""
        return math.exp(self.mean)

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval, right however often the trial was looked at."""
        return math.exp(self.mean - self.half), math.exp(self.mean + self.half)


def estimate(quads: Sequence[Quad]) -> Estimate:
    """What ``quads`` say, in the order in which they ran."""
    ratios = [quad.log_ratio for quad in quads]
    controls = _controls(quads)
    count = len(ratios)
    control = statistics.fmean(controls) if controls else 0.0
    if count < 2:
        return Estimate(count, ratios[0] if ratios else 0.0, math.inf, math.inf, control)
    # Few quads may lie together by chance; the controls' spread has the same truth and twice as many draws.
    spread = max(statistics.stdev(ratios), statistics.pstdev(controls, 0.0) if controls else 0.0)
    error = spread / math.sqrt(count)
    half, sure = (student(1 - part / (2 * len(LOOKS)), count - 1) * error for part in (INTERVAL_ERROR, VERDICT_ERROR))
    return Estimate(count, statistics.fmean(ratios), half, sure, control)


def verdict(known: Estimate) -> Verdict | None:
    """What can be said for sure already; None where more quads are needed."""
    least = max(math.log1p(LEAST_DIFFERENCE), abs(known.control))
    if known.mean + known.sure < -least:
        return Verdict.SAVES
    if known.mean - known.sure > least:
        return Verdict.COSTS_MORE
    if abs(known.mean) + known.half < math.log1p(SAME):
        return Verdict.NO_DIFFERENCE
    return None


def futile(known: Estimate, more: float) -> bool:
    """Whether no difference would be shown now, and ``more`` quads, all that can be had, would hardly show one.

    The interval that a verdict needs shrinks with the root of their number. Ending early for this names no winner, so
    it can't name a wrong one.
    """
    if known.quads < LOOKS[2] or at_the_end(known) is not Verdict.NO_DIFFERENCE:
        return False
    left = known.sure * math.sqrt(known.quads / (known.quads + more))
    return abs(known.mean) - left < max(math.log1p(LEAST_DIFFERENCE), abs(known.control))


def at_the_end(known: Estimate) -> Verdict:
    """What is to be said when nothing more can be spent."""
    early = verdict(known)
    if early is not None:
        return early
    low, high = known.mean - known.half, known.mean + known.half
    narrow = known.half < math.log1p(TELLING)
    return Verdict.NO_DIFFERENCE if narrow and low <= 0 <= high else Verdict.CANNOT_TELL


def _controls(quads: Sequence[Quad]) -> list[float]:
    """The contrasts whose truth is 0: of the A blocks alone and of the B blocks alone, over pairs of quads.

    Within a pair the order is the same: the four blocks of one way lie evenly about the middle, a steady drift cancels.
    """
    pairs = zip(quads[::2], quads[1::2], strict=False)
    return [_contrast(one, two) for q, r in pairs for one, two in ((q.a, r.a), (q.b, r.b))]


def _contrast(one: tuple[float, float], two: tuple[float, float]) -> float:
    return math.log(one[1] * two[0] / (one[0] * two[1])) / 2


@cache
def student(p: float, freedom: int) -> float:
    """The ``p`` quantile of Student's t with ``freedom`` degrees of freedom, 0.5 <= p < 1.

    By bisection of its distribution function, which for whole degrees of freedom is a finite sum (Abramowitz and Stegun
    1964, 26.7.3 and 26.7.4). Base Python has no t, and SciPy would be a dependency for this one number.
    """
    low, high = 0.0, 1.0
    while _student_cdf(high, freedom) < p:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _student_cdf(middle, freedom) < p else (low, middle)
    return (low + high) / 2


def _student_cdf(t: float, freedom: int) -> float:
    angle = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    if freedom % 2:
        term = total = cosine if freedom > 1 else 0.0
        for k in range(3, freedom - 1, 2):
            term *= cosine * cosine * (k - 1) / k
            total += term
        both = 2 / math.pi * (angle + sine * total)
    else:
        term = total = 1.0
        for k in range(2, freedom - 1, 2):
            term *= cosine * cosine * (k - 1) / k
            total += term
        both = sine * total
    return 0.5 + both / 2
