"""How wrong a joule may be: the 95 % interval of a window's energy on one channel.

What is counted, each as a 95 % half-width, added in quadrature (GUM, JCGM 100:2008, 5.1.2):

- update: a counter shows the energy of its last update, up to one refresh ago, at either edge of the window.
  Two independent uniform delays give a triangular error (GUM 4.3.9).
- resolution: the counter's smallest step, at either edge, likewise.
- bracket: an edge is known to lie between the clock before and the clock after the read.
- integration: power between two samples may have been anywhere between them.
- model: an estimate's own bounds.
"""

from __future__ import annotations

import math

from greennb.meter.integrate import Piece
from greennb.model.reading import Method
from greennb.model.units import uj_ns_to_w, w_ns_to_uj
from greennb.sources.base import Channel

TRIANGULAR_95 = 1 - math.sqrt(0.05)
"""Share of its half-width within which a triangular error lies with 95 % probability."""

NVML_POWER_ACCURACY = 0.05
"""NVIDIA's documentation of nvmlDeviceGetPowerUsage states +/- 5 % of the reading."""


def interval_uj(channel: Channel, piece: Piece, elapsed_ns: int, bracket_ns: int) -> tuple[float, float]:
    """95 % interval, in microjoules, of ``piece`` of ``channel`` in a window of ``elapsed_ns``.

    ``bracket_ns`` is the time that the two edge reads took together.
    """
    edge_w = _edge_power_w(channel, piece, elapsed_ns)
    half_uj = math.hypot(
        TRIANGULAR_95 * w_ns_to_uj(edge_w, channel.refresh_ns),
        TRIANGULAR_95 * channel.resolution_uj,
        w_ns_to_uj(edge_w, bracket_ns) / 2,
    )
    if channel.method is Method.INTEGRATED:
        half_uj = math.hypot(half_uj, NVML_POWER_ACCURACY * piece.uj)
    low_uj = piece.uj - math.hypot(half_uj, piece.uj - piece.low_uj)
    high_uj = piece.uj + math.hypot(half_uj, piece.high_uj - piece.uj)
    if channel.method is Method.ESTIMATED:
        return max(0.0, low_uj), high_uj
    # Neither less than nothing nor more than the hardware can draw, seen from its own reading.
    ceiling_uj = max(piece.uj, w_ns_to_uj(channel.max_power_w, elapsed_ns))
    return max(0.0, low_uj), min(high_uj, ceiling_uj)


def _edge_power_w(channel: Channel, piece: Piece, elapsed_ns: int) -> float:
    """Power at the window's edges: the mean where the window is long against the refresh, else the most there can be.

    A window shorter than two refreshes has seen at most one step of the counter, which says nothing of its power.
    """
    if elapsed_ns <= 2 * channel.refresh_ns or piece.covered_ns <= 0:
        return channel.max_power_w
    return uj_ns_to_w(piece.uj, piece.covered_ns)
