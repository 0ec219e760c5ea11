"""Joules between two instants that are over: looks are kept as they come, and asked for afterwards.

Whoever opens a window elsewhere need not tell this machine; asking once, after its close, is enough. Looks are kept
close together for a minute and ever further apart behind that, so that a day takes a few megabytes.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass

from greennb.meter.integrate import Piece, span
from greennb.meter.meter import Meter
from greennb.meter.trail import Look, Trail
from greennb.meter.uncertainty import interval_uj
from greennb.model.measurement import DomainEnergy, standard_uncertainty
from greennb.model.reading import Fault
from greennb.model.units import ns_to_s, s_to_ns, uj_ns_to_w, uj_to_j, w_ns_to_uj

PERIOD_S = 0.25
"""Between two looks: four a second cost a worker a quarter of what a live chart's ten do (docs/benchmarks.md)."""

LAYERS = ((PERIOD_S, 240), (1.0, 600), (10.0, 8640))
"""Seconds between looks, and how many are kept: a minute, then ten minutes, then a day."""

_EARLY = 0.9
"""A look that comes so much of the period after the last is taken: the sampler's thread wakes a little off the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What this machine's channels took between two instants of its monotonic clock, ``t0_ns`` and ``t1_ns``."""

    t0_ns: int
    t1_ns: int
    energies: tuple[DomainEnergy, ...]
    faults: tuple[Fault, ...]


class Past:
    """Keeps looks of ``meter`` from :meth:`begin` to :meth:`end`."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.period_s = PERIOD_S
        self._lock = threading.Lock()
        self._layers: list[deque[Look]] = [deque(maxlen=kept) for _period_s, kept in LAYERS]

    def begin(self) -> None:
        """Take looks from now on."""
        self.take(self.meter.look())
        self.meter.sampler.watch(self)

    def end(self) -> None:
        """Take none any more; what was seen can still be asked for."""
        self.meter.sampler.release(self)

    def take(self, look: Look) -> None:
        """Keep a look in each layer whose time has come."""
        if not look.times_ns:
            return
        with self._lock:
            for layer, (period_s, _kept) in zip(self._layers, LAYERS, strict=True):
                if not layer or look.times_ns[0] - layer[-1].times_ns[0] >= _EARLY * s_to_ns(period_s):
                    layer.append(look)

    def between(self, t0_ns: int, t1_ns: int, unsure_ns: int = 0) -> Stretch:
        """The energies from ``t0_ns`` to ``t1_ns``; what was before the first look is missing, and said to be.

        Args:
            unsure_ns: by how much the two instants may be wrong, either way; the intervals hold it.
        """
        looks = self._looks(t0_ns, t1_ns)
        if len(looks) < 2:
            fault = Fault(domain=None, t_ns=t1_ns, reason="nothing was read on this host in that time")
            return Stretch(t0_ns=t0_ns, t1_ns=t1_ns, energies=(), faults=(fault,))
        trail = Trail(self.meter.channels, looks[0])
        for look in looks[1:-1]:
            trail.fold(look)
        trail.fold(looks[-1], last=True)
        found = [self._energy(index, looks, piece, t0_ns, t1_ns, unsure_ns) for index, piece in enumerate(trail.sums)]
        return Stretch(
            t0_ns=t0_ns, t1_ns=t1_ns, energies=tuple(energy for energy in found if energy is not None),
            faults=self.meter.faults + trail.faults + self._late(looks[0], t0_ns),
        )  # fmt: skip

    def _looks(self, t0_ns: int, t1_ns: int) -> list[Look]:
        """From the last look before ``t0_ns`` to the first after ``t1_ns``, as far as there are such."""
        with self._lock:
            fresh, *older = self._layers
            looks = list(fresh)
            for layer in older:
                looks = [look for look in layer if not looks or look.times_ns[0] < looks[0].times_ns[0]] + looks
        if not looks or looks[-1].times_ns[0] < t1_ns:
            looks.append(self.meter.look())
        times = [look.times_ns[0] for look in looks]
        first = max(0, bisect_right(times, t0_ns) - 1)
        last = min(len(looks) - 1, bisect_left(times, t1_ns))
        return looks[first : last + 1]

    def _late(self, first: Look, t0_ns: int) -> tuple[Fault, ...]:
        late_s = ns_to_s(first.times_ns[0] - t0_ns)
        if late_s <= 0:
            return ()
        return (Fault(domain=None, t_ns=first.times_ns[0], reason=f"the first {late_s:.3g} s were not measured here"),)

    def _energy(
        self, index: int, looks: list[Look], whole: Piece, t0_ns: int, t1_ns: int, unsure_ns: int
    ) -> DomainEnergy | None:
        """One channel's energy: of the looks around the window, less what lies outside it."""
        channel = self.meter.channels[index]
        opening, closing = looks[0], looks[-1]
        seen_ns = closing.times_ns[index] - opening.times_ns[index]
        if whole.covered_ns <= 0 or seen_ns <= 0 or t1_ns <= t0_ns:
            return None
        mean_w = uj_ns_to_w(whole.uj, whole.covered_ns)
        edges = [self._edge(index, pair, mean_w) for pair in (looks[:2], looks[-2:])]
        outside_ns = (max(0, t0_ns - opening.times_ns[index]), max(0, closing.times_ns[index] - t1_ns))
        taken_uj = sum(w_ns_to_uj(w, out_ns) for (w, _length_ns), out_ns in zip(edges, outside_ns, strict=True))
        inside = _scaled(whole, max(0.0, whole.uj - taken_uj))
        inside_ns = min(seen_ns, t1_ns - t0_ns)
        # Where in the time between two looks the energy went is not known: an edge may be off by all of it.
        wrong_ns = opening.brackets_ns[index] + closing.brackets_ns[index] + 2 * unsure_ns
        wrong_ns += sum(length_ns for _w, length_ns in edges)
        heavy_w = max(mean_w, *(w for w, _length_ns in edges))
        uj, low_uj, high_uj = interval_uj(channel, inside, max(1, inside_ns), wrong_ns, None, heavy_w)
        low_j, high_j = uj_to_j(low_uj), uj_to_j(high_uj)
        return DomainEnergy(
            domain=channel.domain, gross_j=uj_to_j(uj), idle_j=None, process_j=None,
            u_j=standard_uncertainty(low_j, high_j), low_j=low_j, high_j=high_j, method=channel.method,
            coverage=min(1.0, whole.covered_ns / seen_ns * inside_ns / (t1_ns - t0_ns)),
        )  # fmt: skip

    def _edge(self, index: int, pair: list[Look], mean_w: float) -> tuple[float, int]:
        """Power between two looks at an edge, and how far apart they are; the mean where they say nothing."""
        first, second = pair
        length_ns = second.times_ns[index] - first.times_ns[index]
        piece = span(
            self.meter.channels[index], first.times_ns[index], first.samples[index],
            second.times_ns[index], second.samples[index],
        )  # fmt: skip
        return (uj_ns_to_w(piece.uj, piece.covered_ns) if piece.covered_ns > 0 else mean_w), max(0, length_ns)


def _scaled(piece: Piece, uj: float) -> Piece:
    share = uj / piece.uj if piece.uj > 0 else 0.0
    return piece._replace(
        uj=uj, low_uj=piece.low_uj * share, high_uj=piece.high_uj * share, covered_ns=round(piece.covered_ns * share)
    )
