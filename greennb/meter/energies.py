"""From what was read at a window's edges and between them to the energy of each domain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from greennb.meter.edges import Correction, at_edge, unseen, within_one_step
from greennb.meter.integrate import Piece
from greennb.meter.peaks import Peaks
from greennb.meter.ticker import Edge, Ticker
from greennb.meter.ticks import Track, Wait
from greennb.meter.trail import Look, Trail
from greennb.meter.uncertainty import EDGE_LOAD, Edges, interval_uj
from greennb.model.measurement import DomainEnergy, standard_uncertainty
from greennb.model.reading import Method
from greennb.model.units import uj_ns_to_w, uj_to_j
from greennb.sources.base import Channel


def energies(
    channels: Sequence[Channel],
    trail: Trail,
    opening: Look,
    closing: Look,
    *,
    t0_ns: int,
    t1_ns: int,
    edges: tuple[Edge | None, Edge | None],
    ticker: Ticker,
    peaks: Peaks,
) -> tuple[DomainEnergy, ...]:
    """The energy of each channel that gave one, from ``t0_ns`` to ``t1_ns``, in the channels' order.

    The looks were taken a little before and after that; what was drawn meanwhile is ours, not the window's.
    ``edges`` are the window's opening and closing where ticks were looked for. Idle and own share are not in it yet
    (:mod:`greennb.meter.accounts`).
    """
    found = []
    for index, channel in enumerate(channels):
        piece = trail.sums[index]
        elapsed_ns = closing.times_ns[index] - opening.times_ns[index]
        if piece.covered_ns <= 0 or elapsed_ns <= 0:
            continue
        track = ticker.tracks.get(index)
        still_ns = None if track is None else _still_ns(track, index, edges)
        gaps = still_ns is not None or piece.covered_ns < elapsed_ns
        if gaps and piece.uj <= 0 and channel.method is Method.COUNTER:
            continue  # where it was not seen to move at all there is no number, and a fault says why
        brackets_ns = (opening.brackets_ns[index], closing.brackets_ns[index])
        inside_ns = min(elapsed_ns, t1_ns - t0_ns)
        sides = (Side(t0_ns, t0_ns - opening.times_ns[index], brackets_ns[0]),
                 Side(t1_ns, closing.times_ns[index] - t1_ns, brackets_ns[1]))  # fmt: skip
        aligned = None if track is None else _aligned(track, index, edges, piece, inside_ns, sides)
        unsure_ns = sum(brackets_ns) + elapsed_ns - inside_ns
        inside = _share(piece, inside_ns / elapsed_ns)
        refresh_ns = channel.refresh_ns if aligned is None else aligned.refresh_ns
        peaks.add(index, t1_ns, inside_ns, refresh_ns, uj_ns_to_w(inside.uj, max(1, inside.covered_ns)))
        heavy_w = peaks.power_w(index, t1_ns)
        uj, low_uj, high_uj = interval_uj(channel, inside, inside_ns, unsure_ns, aligned, heavy_w)
        low_j, high_j = uj_to_j(low_uj), uj_to_j(high_uj)
        found.append(
            DomainEnergy(
                domain=channel.domain,
                gross_j=uj_to_j(uj),
                idle_j=None,
                process_j=None,
                u_j=standard_uncertainty(low_j, high_j),
                low_j=low_j,
                high_j=high_j,
                method=channel.method,
                coverage=min(1.0, piece.covered_ns / elapsed_ns, _seen_share(still_ns, t0_ns, inside_ns)),
            )
        )
    return tuple(found)


class Side(NamedTuple):
    """One edge of a window: its time, how far outside the window its look was taken, and how long that look took."""

    t_ns: int
    outside_ns: int
    bracket_ns: int


def _still_ns(track: Track, index: int, edges: tuple[Edge | None, Edge | None]) -> float | None:
    """Since when the counter stood still at an edge of the window, at the closing one where at both."""
    waits = [wait for wait in (_wait(edge, index) for edge in edges) if wait is not None]
    return next((still for still in map(track.still_ns, reversed(waits)) if still is not None), None)


def _seen_share(still_ns: float | None, t0_ns: int, inside_ns: int) -> float:
    """The share of the window before the counter stood still."""
    return 1.0 if still_ns is None else max(0.0, min(1.0, (still_ns - t0_ns) / max(1, inside_ns)))


def _share(piece: Piece, share: float) -> Piece:
    return piece._replace(
        uj=piece.uj * share, low_uj=piece.low_uj * share, high_uj=piece.high_uj * share,
        covered_ns=round(piece.covered_ns * share),
    )  # fmt: skip


def _aligned(
    track: Track,
    index: int,
    edges: tuple[Edge | None, Edge | None],
    piece: Piece,
    inside_ns: int,
    sides: tuple[Side, Side],
) -> Edges:
    """What the ticks tell of the window's two edges on one channel."""
    period = track.period
    refresh_ns = track.refresh_ns if period.mean_ns is None or not period.learnt else period.mean_ns
    first, last = (_wait(edge, index) for edge in edges)
    whole = None
    if first is not None and last is not None and first.found is not None and first.found is last.found:
        # Before the first interval is known there is no share of a step to tell.
        whole = None if period.mean_ns is None else within_one_step(first.found, inside_ns, period)
    mean_w = uj_ns_to_w(piece.uj, piece.covered_ns)
    corrections: list[Correction | None] = []
    for wait, side, closing in ((first, sides[0], False), (last, sides[1], True)):
        if wait is not None and wait.found is not None and period.mean_ns is not None:
            known_w = mean_w if inside_ns > 2 * refresh_ns else None
            corrections.append(at_edge(wait.found, side.t_ns, period, side.bracket_ns, closing=closing, mean_w=known_w))
        else:
            corrections.append(None)
    opening, closing_ = corrections
    if inside_ns > 2 * refresh_ns and (opening is None) != (closing_ is None):
        # The side whose tick was not found; a load at that edge may be heavier than the mean.
        edge_w = EDGE_LOAD * mean_w
        opening = opening or unseen(mean_w, edge_w, refresh_ns, sides[0].outside_ns)
        closing_ = closing_ or unseen(mean_w, edge_w, refresh_ns, -sides[1].outside_ns)
    return Edges(round(refresh_ns), piece.uj, opening, closing_, whole)


def _wait(edge: Edge | None, index: int) -> Wait | None:
    return None if edge is None or edge.waits is None else edge.waits.get(index)
