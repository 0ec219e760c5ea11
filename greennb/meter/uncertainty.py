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

NVML_POWER_ACCURACY = 0.05
"""NVIDIA's documentation of nvmlDeviceGetPowerUsage states +/- 5 % of the reading."""


EDGE_LOAD = 1.5
"""Power at a window's edges, as a multiple of its mean: where a load changes, an edge falls as likely as not on its
heavier side. With 1.5 the interval of two bare reads covers a load that switches between one and four parts of power
(mean 2.5, so up to 1.6 times the mean) in 98 % of windows, and is 1.5 times too wide for a steady one."""


class Edges(NamedTuple):
    """What is known of a window's two edges on one channel whose ticks were looked for.

    ``refresh_ns`` is the refresh that was learnt (until then the vendor's upper figure). A side is None where its tick
    was not found. ``whole`` stands for both where the window lies between two neighbouring ticks.
    """

    refresh_ns: int
    opening: Correction | None = None
    closing: Correction | None = None
    whole: Correction | None = None


def interval_uj(
    channel: Channel, piece: Piece, elapsed_ns: int, bracket_ns: int, edges: Edges | None = None
) -> tuple[float, float, float]:
    """Energy and its 95 % interval, in microjoules, of ``piece`` of ``channel`` in a window of ``elapsed_ns``.

    ``bracket_ns`` is the time that the two edge reads took together.
    """
    refresh_ns = channel.refresh_ns if edges is None else edges.refresh_ns
    edge_w = _edge_power_w(channel, piece, elapsed_ns, refresh_ns)
    uj, half_uj = _aligned(piece, edges, edge_w, elapsed_ns) or (
        piece.uj,
        math.hypot(TRIANGULAR_95 * w_ns_to_uj(edge_w, refresh_ns), w_ns_to_uj(edge_w, bracket_ns) / 2),
    )
    half_uj = math.hypot(half_uj, TRIANGULAR_95 * channel.resolution_uj)
    if channel.method is Method.INTEGRATED:
        half_uj = math.hypot(half_uj, NVML_POWER_ACCURACY * piece.uj)
    low_uj = uj - math.hypot(half_uj, piece.uj - piece.low_uj)
    high_uj = uj + math.hypot(half_uj, piece.high_uj - piece.uj)
    if channel.method is Method.ESTIMATED:
        return uj, max(0.0, low_uj), high_uj
    # Neither less than nothing nor more than the hardware can draw, seen from its own reading.
    ceiling_uj = max(uj, w_ns_to_uj(channel.max_power_w, elapsed_ns))
    return uj, max(0.0, low_uj), min(high_uj, ceiling_uj)


def _aligned(piece: Piece, edges: Edges | None, edge_w: float, elapsed_ns: int) -> tuple[float, float] | None:
    """Energy and half-width where at least one edge's tick was found; None where two bare reads say more."""
    if edges is None:
        return None
    if edges.whole is not None:
        return edges.whole.uj, math.hypot(_TWO_SIGMA * edges.whole.sigma_uj, edges.whole.bound_uj)
    if edges.opening is None or edges.closing is None:
        if elapsed_ns <= 2 * edges.refresh_ns or edges.opening is edges.closing:
            return None
        # Anywhere in its refresh: half of one on average, uniform.
        mean_w = uj_ns_to_w(piece.uj, elapsed_ns)
        spread_uj = w_ns_to_uj(edge_w, edges.refresh_ns) / math.sqrt(12)
        unknown = Correction(w_ns_to_uj(mean_w, edges.refresh_ns) / 2, spread_uj, 0.0)
    else:
        unknown = edges.opening
    opening, closing = edges.opening or unknown, edges.closing or unknown
    uj = max(0.0, piece.uj + closing.uj - opening.uj)
    sigma_uj = math.hypot(opening.sigma_uj, closing.sigma_uj)
    return uj, math.hypot(_TWO_SIGMA * sigma_uj, opening.bound_uj, closing.bound_uj)


def _edge_power_w(channel: Channel, piece: Piece, elapsed_ns: int, refresh_ns: int) -> float:
    """Power at the window's edges: from the mean where the window is long against the refresh, else the most there is.

    A window shorter than two refreshes has seen at most one step of the counter, which says nothing of its power.
    """
    if elapsed_ns <= 2 * refresh_ns or piece.covered_ns <= 0:
        return channel.max_power_w
    mean_w = uj_ns_to_w(piece.uj, piece.covered_ns)
    return mean_w if channel.method is Method.ESTIMATED else min(channel.max_power_w, EDGE_LOAD * mean_w)
