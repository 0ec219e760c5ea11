"""How wrong a joule may be: the 95 % interval of a window's energy on one channel.

What is counted, each as a 95 % half-width, added in quadrature (GUM, JCGM 100:2008, 5.1.2):

- ticks: where the tick after an edge was found, what :mod:`greennb.meter.edges` says of it; else
- update: a counter shows the energy of its last update, up to one refresh ago, at either edge of the window.
  Two independent uniform delays give a triangular error (GUM 4.3.9).
- resolution: the counter's smallest step, at either edge, likewise.
- bracket: an edge is known to lie between the clock before and the clock after the read.
- integration: power between two samples may have been anywhere between them.
- model: an estimate's own bounds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from greennb.meter.edges import Correction
from greennb.meter.integrate import Piece
from greennb.model.reading import Method
from greennb.model.units import uj_ns_to_w, w_ns_to_uj
from greennb.sources.base import Channel

TRIANGULAR_95 = 1 - math.sqrt(0.05)
"""Share of its half-width within which a triangular error lies with 95 % probability."""

_TWO_SIGMA = 1.96
"""Half-width of a normal distribution's 95 %, in standard deviations."""


EDGE_LOAD = 1.5
"""Power at a window's edges, as a multiple of its mean: where a load changes, an edge falls as likely as not on its
heavier side. This stands in until enough was seen of the load: with 1.5 the interval of two bare reads holds a load
that switches between one and four parts of power (mean 2.5, so up to 1.6 times the mean) in 98 % of windows much longer
than its period, and is 1.5 times too wide for a steady one."""


BOUND_MARGIN = 1.1
"""A bound is reached where power changed at the worst moment, and comes from neighbours whose own power is known to a
few percent: their ticks' times are."""


class Edges(NamedTuple):
    """What is known of a window's two edges on one channel whose ticks were looked for.

    ``refresh_ns`` is the refresh that was learnt (until then the vendor's upper figure), ``counted_uj`` the difference
    of the looks. Both sides are None where neither tick was found. ``whole`` stands for both where the window lies
    between two neighbouring ticks.
    """

    refresh_ns: int
    counted_uj: float = 0.0
    opening: Correction | None = None
    closing: Correction | None = None
    whole: Correction | None = None


def interval_uj(
    channel: Channel,
    piece: Piece,
    elapsed_ns: int,
    bracket_ns: int,
    edges: Edges | None = None,
    heavy_w: float | None = None,
) -> tuple[float, float, float]:
    """Energy and its 95 % interval, in microjoules, of ``piece`` of ``channel`` in a window of ``elapsed_ns``.

    ``piece`` is the window's part of what was counted. ``bracket_ns`` is how long the two edge reads took together,
    and how far outside the window they were. ``heavy_w`` is the heaviest load lately, None where that is not known.
    """
    refresh_ns = channel.refresh_ns if edges is None else edges.refresh_ns
    edge_w = _edge_power_w(channel, piece, elapsed_ns, refresh_ns, heavy_w)
    uj, half_uj = _aligned(edges) or (
        piece.uj,
        math.hypot(TRIANGULAR_95 * w_ns_to_uj(edge_w, refresh_ns), w_ns_to_uj(edge_w, bracket_ns) / 2),
    )
    half_uj = math.hypot(half_uj, TRIANGULAR_95 * channel.resolution_uj)
    half_uj = math.hypot(half_uj, channel.accuracy * piece.uj)
    low_uj = uj - math.hypot(half_uj, piece.uj - piece.low_uj)
    high_uj = uj + math.hypot(half_uj, piece.high_uj - piece.uj)
    if channel.method is Method.ESTIMATED:
        return uj, max(0.0, low_uj), high_uj
    # Neither less than nothing nor more than the hardware can draw, seen from its own reading.
    ceiling_uj = max(uj, w_ns_to_uj(channel.max_power_w, elapsed_ns))
    return uj, max(0.0, low_uj), min(high_uj, ceiling_uj)


def _aligned(edges: Edges | None) -> tuple[float, float] | None:
    """Energy and half-width where an edge's tick was found; None where there are two bare reads."""
    if edges is None:
        return None
    if edges.whole is not None:
        return edges.whole.uj, math.hypot(_TWO_SIGMA * edges.whole.sigma_uj, BOUND_MARGIN * edges.whole.bound_uj)
    opening, closing = edges.opening, edges.closing
    if opening is None or closing is None:
        return None
    uj = max(0.0, edges.counted_uj + closing.uj - opening.uj)
    sigma_uj = math.hypot(opening.sigma_uj, closing.sigma_uj)
    bound_uj = BOUND_MARGIN * math.hypot(opening.bound_uj, closing.bound_uj)
    return uj, math.hypot(_TWO_SIGMA * sigma_uj, bound_uj)


def _edge_power_w(channel: Channel, piece: Piece, elapsed_ns: int, refresh_ns: int, heavy_w: float | None) -> float:
    """Power at the window's edges, as far as its energy can be wrong by it.

    A window shorter than two refreshes has seen at most one step of the counter, which says nothing of its power: the
    most that there can be. A longer one may have its edges where the load was as heavy as it was at any time lately.
    """
    if elapsed_ns <= 2 * refresh_ns or piece.covered_ns <= 0:
        return channel.max_power_w
    mean_w = uj_ns_to_w(piece.uj, piece.covered_ns)
    if channel.method is Method.ESTIMATED:
        return mean_w
    return min(channel.max_power_w, EDGE_LOAD * mean_w if heavy_w is None else max(mean_w, heavy_w))
