"""Student's t: how far the mean of a few repetitions may lie from the truth."""

from __future__ import annotations

import math
from functools import lru_cache

_Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile
_SERIES_FROM = 200  # degrees of freedom from which the asymptotic series is good to 1e-9


@lru_cache(maxsize=256)
def t95(degrees_of_freedom: int) -> float:
    """The t that bounds 95 % of Student's distribution on both sides (its 97.5 % quantile).

    Up to 200 degrees of freedom by bisection of the closed form for whole ones (Abramowitz and Stegun 26.7.3 and
    26.7.4), above by the asymptotic expansion (26.7.5).

    Raises:
        ValueError: fewer than 1 degree of freedom.
    """
    if degrees_of_freedom < 1:
        raise ValueError("Student's t needs at least 1 degree of freedom, that is two repetitions.")
    if degrees_of_freedom > _SERIES_FROM:
        return _asymptotic(degrees_of_freedom)
    low, high = 0.0, math.pi / 2
    while high - low > 1e-15:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if _inside(middle, degrees_of_freedom) < 0.95 else (low, middle)
    return math.tan((low + high) / 2) * math.sqrt(degrees_of_freedom)


def _inside(theta: float, degrees_of_freedom: int) -> float:
    """The probability of |t| below ``tan(theta) sqrt(degrees_of_freedom)``."""
    odd = degrees_of_freedom % 2
    cos, square = math.cos(theta), math.cos(theta) ** 2
    term = cos if odd else 1.0
    terms = [] if degrees_of_freedom == 1 else [term]
    for k in range(2 if odd else 1, degrees_of_freedom - 2, 2):
        term *= square * k / (k + 1)
        terms.append(term)
    total = math.sin(theta) * math.fsum(terms)
    return (theta + total) * 2 / math.pi if odd else total


def _asymptotic(n: int) -> float:
    z = _Z95
    return (
        z
        + (z**3 + z) / (4 * n)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * n**3)
    )
