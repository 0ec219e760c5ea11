"""``-r``: run a piece of code many times, each in a window of its own, and keep the whole series."""

from __future__ import annotations

from collections.abc import Callable

from greennb.jupyter.options import AUTO
from greennb.model.measurement import Measurement
from greennb.model.series import Series

AUTO_WITHIN = 0.05
"""``-r auto`` stops once the scatter's 95 % interval is within this share of the mean."""

AUTO_SECONDS = 30.0
"""``-r auto`` stops after this time in any case."""

AUTO_LEAST = 3
"""Fewer runs have no scatter worth the name."""


def repeat(label: str, times: int | str, run_once: Callable[[], Measurement]) -> Series:
    """Call ``run_once`` as often as ``times`` says: a count, or "auto"."""
    measurements: list[Measurement] = []
    while True:
        measurements.append(run_once())
        if times != AUTO:
            if len(measurements) >= int(times):
                break
        elif _settled(label, measurements):
            break
    return Series(label=label, measurements=tuple(measurements))


def _settled(label: str, measurements: list[Measurement]) -> bool:
    if sum(measurement.duration_s for measurement in measurements) >= AUTO_SECONDS:
        return True
    if len(measurements) < AUTO_LEAST:
        return False
    width = Series(label=label, measurements=tuple(measurements)).relative_half_width
    return width is not None and width <= AUTO_WITHIN
