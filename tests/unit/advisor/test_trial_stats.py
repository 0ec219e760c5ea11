"""The arithmetic of trials: null trials name no winner, a real difference is found, the interval holds the ratio."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from scipy.stats import t as scipy_t

from greennb.advisor.trial.stats import LOOKS, Estimate, Quad, at_the_end, estimate, futile, student, verdict
from greennb.model.finding import Verdict

MOST = 30

MACHINES = {
    "quiet": {"noise": 0.01},
    "shared": {"noise": 0.03},
    "noisy": {"noise": 0.06},
    "slowly wandering": {"noise": 0.03, "memory": 0.9},
    "warming": {"noise": 0.03, "drift": 0.002},
    "with bursts": {"noise": 0.03, "bursts": 0.05},
}


class Machine:
    """Joules of a block on a machine that is not alone: noise with memory, drift, and bursts of other people's work."""

    def __init__(
        self, seed: int, *, noise: float, memory: float = 0.0, drift: float = 0.0, bursts: float = 0.0
    ) -> None:
        self._random = random.Random(seed)
        self._noise, self._memory, self._drift, self._bursts = noise, memory, drift, bursts
        self._error = 0.0
        self._blocks = 0

    def block(self, joules: float) -> float:
        fresh = self._random.gauss(0, self._noise) * math.sqrt(1 - self._memory**2)
        self._error = self._memory * self._error + fresh
        self._blocks += 1
        burst = 1 + 0.5 * self._random.random() if self._random.random() < self._bursts else 1.0
        return joules * burst * math.exp(self._error + self._drift * self._blocks)


def trial(machine: Machine, ratio: float) -> tuple[Verdict, tuple[float, float]]:
    quads: list[Quad] = []
    while True:
        blocks: dict[str, list[float]] = {"A": [], "B": []}
        for label in "ABBA" if len(quads) // 2 % 2 == 0 else "BAAB":
            blocks[label].append(machine.block(1.0 if label == "A" else ratio))
        quads.append(Quad((blocks["A"][0], blocks["A"][1]), (blocks["B"][0], blocks["B"][1])))
        known = estimate(quads)
        said = at_the_end(known) if len(quads) == MOST else verdict(known) if len(quads) in LOOKS else None
        if said is not None:
            return said, known.interval


def outcomes(kind: str, ratio: float, count: int) -> tuple[Counter[Verdict], float]:
    """Verdicts of ``count`` trials, and the share of intervals that hold the ratio."""
    known = [trial(Machine(seed, **MACHINES[kind]), ratio) for seed in range(count)]
    held = sum(low <= ratio <= high for _said, (low, high) in known)
    return Counter(said for said, _interval in known), held / count


@pytest.mark.parametrize("kind", MACHINES)
def test_of_200_trials_that_change_nothing_at_most_two_name_a_winner(kind: str) -> None:
    said, held = outcomes(kind, 1.0, 200)
    assert said[Verdict.SAVES] + said[Verdict.COSTS_MORE] <= 2
    assert held >= 0.95


@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize(("ratio", "right"), [(0.9, Verdict.SAVES), (1 / 0.9, Verdict.COSTS_MORE)])
def test_ten_percent_are_found_in_nine_of_ten(kind: str, ratio: float, right: Verdict) -> None:
    said, held = outcomes(kind, ratio, 50)
    assert said[right] >= 45
    assert held >= 0.95


def test_a_ratio_within_a_percent_is_no_difference_however_sure() -> None:
    quads = [Quad((1.0, 1.0 + 1e-6 * n), (0.995, 0.995)) for n in range(9)]
    assert verdict(estimate(quads)) is Verdict.NO_DIFFERENCE


def test_what_the_control_shows_without_a_cause_is_taken_from_the_verdict() -> None:
    """A machine whose A blocks differ by 8 % among themselves proves nothing by 6 %."""
    odd = Quad((1.0, 1.08), (0.94, 0.94 * 1.08))
    even = Quad((1.08, 1.0), (0.94 * 1.08, 0.94))
    known = estimate([odd, even] * 10)
    assert abs(known.control) > 0.07
    assert verdict(known) is not Verdict.SAVES


def test_from_one_quad_nothing_is_said() -> None:
    known = estimate([Quad((1.0, 1.0), (0.1, 0.1))])
    assert verdict(known) is None
    assert at_the_end(known) is Verdict.CANNOT_TELL
    assert at_the_end(estimate([])) is Verdict.CANNOT_TELL


def test_a_steady_drift_cancels() -> None:
    quad = Quad((1.00, 1.03**3), (1.03, 1.03**2))
    assert quad.log_ratio == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 8, 12, 27, 94, 141])
@pytest.mark.parametrize("p", [0.9, 0.975, 0.995, 0.99954, 0.99977])
def test_students_quantile_is_scipys(p: float, freedom: int) -> None:
    assert student(p, freedom) == pytest.approx(scipy_t.ppf(p, freedom), rel=1e-6)


def test_a_trial_that_shows_no_difference_ends_where_the_budget_would_hardly_show_one() -> None:
    """Nothing is called a winner by it, and where a tenth may still come out it goes on."""

    def seen(mean: float, sure: float, quads: int = 9) -> Estimate:
        return Estimate(quads=quads, mean=mean, half=0.7 * sure, sure=sure, control=0.0)

    assert futile(seen(0.005, 0.05), more=20)
    assert not futile(seen(0.035, 0.06), more=200), "with so many more, 3.5 % would come out"
    assert futile(seen(0.025, 0.06), more=3)
    assert not futile(seen(0.0, 0.2), more=3), "too wide to say that no difference was shown"
    assert not futile(seen(0.005, 0.05, quads=4), more=20), "too few to go by"
