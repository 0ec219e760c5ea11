"""What a counter would have shown at a window's edge, worked out from the tick after it.

Between two ticks the energy is taken to grow evenly. How wrong that may be is told by the steps beside: where power
changed once within the step that holds the edge, the energy up to the edge is off by no more than the difference of
the step's power to that of its neighbour, times the part of the step that lies between the edge and that neighbour.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from greennb.meter.period import Period
from greennb.meter.ticks import Found
from greennb.model.units import uj_ns_to_w, w_ns_to_uj


class Correction(NamedTuple):
    """What to add to a counter's value at an edge, in microjoules, and how uncertain that is.

    Attributes:
        uj: energy drawn between the last tick before the edge and the edge.
        sigma_uj: standard uncertainty from the times of tick and period.
        bound_uj: how far off it is at most because power may have changed within the step.
    """

    uj: float
    sigma_uj: float
    bound_uj: float


def at_edge(
    found: Found, t_ns: int, period: Period, bracket_ns: float, *, closing: bool, mean_w: float | None
) -> Correction:
    """The correction at an edge at ``t_ns`` whose tick was ``found``.

    ``bracket_ns`` is the time that the edge's own read took. ``mean_w`` stands in for a neighbour that was not seen:
    the window's mean power, None where the window is too short to have one.
    """
    length_ns = period.mean_ns or math.inf
    step_uj = found.after_uj - found.before_uj
    # Outside the step where the tick came between the edge and its look: then the step's power goes on for a moment.
    left = (found.tick.t_ns - t_ns) / length_ns
    uj = step_uj * (1 - left)
    left = min(1.0, max(0.0, left))
    power_w = uj_ns_to_w(step_uj, length_ns)
    # The times of tick and read are known to within their brackets (uniform: variance a third of the half squared).
    time_ns = math.hypot(found.tick.half_ns, bracket_ns / 2) / math.sqrt(3)
    sigma_uj = math.hypot(w_ns_to_uj(power_w, time_ns), w_ns_to_uj(power_w * left, period.spread_ns))
    neighbour_w = found.earlier_w if closing else found.later_w
    if neighbour_w is None:
        neighbour_w = mean_w
    if neighbour_w is None:
        return Correction(uj, sigma_uj, max(uj, step_uj - uj))
    part = 1 - left if closing else left
    return Correction(uj, sigma_uj, w_ns_to_uj(abs(power_w - neighbour_w), part * length_ns))


def unseen(mean_w: float, edge_w: float, refresh_ns: float, later_ns: int) -> Correction:
    """The correction at an edge whose tick was not seen: anywhere in its refresh, half of it on average (uniform).

    ``later_ns`` is how much later the edge is than its look (negative: earlier). ``edge_w`` is what may be drawn there.
    """
    uj = w_ns_to_uj(mean_w, refresh_ns / 2 + later_ns)
    return Correction(uj, w_ns_to_uj(edge_w, refresh_ns + abs(later_ns)) / math.sqrt(12), 0.0)


def within_one_step(found: Found, elapsed_ns: int, period: Period) -> Correction:
    """Energy of a window that lies between two neighbouring ticks: its share of the step.

    Where both neighbours were seen, power was between theirs; else all that is certain is that no more than the
    step was drawn, and no less than nothing.
    """
    length_ns = period.mean_ns or math.inf
    step_uj = found.after_uj - found.before_uj
    share = min(1.0, elapsed_ns / length_ns)
    uj = step_uj * share
    sigma_uj = uj * period.spread_ns / length_ns
    if found.earlier_w is None or found.later_w is None:
        return Correction(uj, sigma_uj, max(uj, step_uj - uj))
    power_w = uj_ns_to_w(step_uj, length_ns)
    off_w = max(abs(power_w - found.earlier_w), abs(power_w - found.later_w))
    return Correction(uj, sigma_uj, min(max(uj, step_uj - uj), w_ns_to_uj(off_w, elapsed_ns)))
