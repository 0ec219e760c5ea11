"""From what was read at a window's edges and between them to the energy of each domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from greennb.meter.edges import Correction, at_edge, within_one_step
from greennb.meter.integrate import Piece
from greennb.meter.ticker import Edge, Ticker
from greennb.meter.ticks import Track, Wait
from greennb.meter.trail import Look, Trail
from greennb.meter.uncertainty import Edges, interval_uj
from greennb.model.measurement import DomainEnergy, standard_uncertainty
from greennb.model.reading import Domain
from greennb.model.units import uj_ns_to_w, uj_to_j
from greennb.sources.base import Channel


def energies(
    channels: Sequence[Channel],
    trail: Trail,
    opening: Look,
    closing: Look,
    *,
    edges: tuple[Edge | None, Edge | None],
    ticker: Ticker,
    idle_j: Callable[[Domain], float | None],
) -> tuple[DomainEnergy, ...]:
    """The energy of each channel that gave one, in the channels' order.

    ``edges`` are the window's opening and closing where ticks were looked for; ``idle_j`` gives the joules that a
    domain would have used idle.
    """
    found = []
    for index, channel in enumerate(channels):
        piece = trail.sums[index]
        elapsed_ns = closing.times_ns[index] - opening.times_ns[index]
        if piece.covered_ns <= 0 or elapsed_ns <= 0:
            continue
        track = ticker.tracks.get(index)
        brackets_ns = (opening.brackets_ns[index], closing.brackets_ns[index])
        aligned = None if track is None else _aligned(track, index, edges, piece, elapsed_ns, brackets_ns)
        uj, low_uj, high_uj = interval_uj(channel, piece, elapsed_ns, sum(brackets_ns), aligned)
        low_j, high_j = uj_to_j(low_uj), uj_to_j(high_uj)
        found.append(
            DomainEnergy(
                domain=channel.domain,
                gross_j=uj_to_j(uj),
                idle_j=idle_j(channel.domain),
                process_j=None,
                u_j=standard_uncertainty(low_j, high_j),
                low_j=low_j,
                high_j=high_j,
                method=channel.method,
                coverage=min(1.0, piece.covered_ns / elapsed_ns),
            )
        )
    return tuple(found)


def _aligned(
    track: Track,
    index: int,
    edges: tuple[Edge | None, Edge | None],
    piece: Piece,
    elapsed_ns: int,
    brackets_ns: tuple[int, int],
) -> Edges:
    """What the ticks tell of the window's two edges on one channel."""
    period = track.period
    refresh_ns = track.refresh_ns if period.mean_ns is None or not period.learnt else period.mean_ns
    first, last = (_wait(edge, index) for edge in edges)
    whole = None
    if first is not None and last is not None and first.found is not None and first.found is last.found:
        whole = within_one_step(first.found, last.t_ns - first.t_ns, period)
    mean_w = uj_ns_to_w(piece.uj, piece.covered_ns) if elapsed_ns > 2 * refresh_ns else None
    sides: list[Correction | None] = []
    for wait, bracket_ns, closing in ((first, brackets_ns[0], False), (last, brackets_ns[1], True)):
        if wait is None or wait.found is None or period.mean_ns is None:
            sides.append(None)
        else:
            sides.append(at_edge(wait.found, wait.t_ns, period, bracket_ns, closing=closing, mean_w=mean_w))
    return Edges(round(refresh_ns), sides[0], sides[1], whole)


def _wait(edge: Edge | None, index: int) -> Wait | None:
    return None if edge is None or edge.waits is None else edge.waits.get(index)
