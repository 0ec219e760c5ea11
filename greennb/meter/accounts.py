"""Idle, net and own share of each window: what a meter keeps for them beside the looks.

On the way in and out of a window this costs a mark at most every 10 ms and a few assignments; the rest is worked out
with the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from greennb.meter.attribution import Share, attributed, own_pids
from greennb.meter.idle import Baseline, chosen
from greennb.meter.passive import SHORTEST_NS, Gap, PassiveBaseline, quiet
from greennb.meter.trail import Look
from greennb.meter.work import Mark, Work
from greennb.model.measurement import DomainEnergy
from greennb.model.units import ns_to_s, s_to_ns
from greennb.sources.base import Channel, Shares, Source

LATE_NS = s_to_ns(10.0)
"""So long after a window's close NVML no longer remembers who worked in it (its buffer holds some seconds; ours)."""

TOO_LATE = "asked too long after the window: NVML has forgotten who worked in it"
NOT_TOLD = "this source does not tell the processes apart"


class _Quiet(NamedTuple):
    """The beginning of a quiet gap, how busy the machine was since, and the channels whose devices work."""

    closing: Any
    busy: float
    working: frozenset[int]


class Accounts:
    """Follows a meter's windows. ``work`` gives marks of CPU time; without it nothing is learnt or shared out."""

    def __init__(self, sources: Sequence[Source], work: Work | None) -> None:
        self.work = work
        self.passive = PassiveBaseline([channel for source in sources for channel in source.channels])
        self._owners: list[tuple[Shares | None, int]] = [
            (source if isinstance(source, Shares) else None, position)
            for source in sources
            for position in range(len(source.channels))
        ]
        self._open: dict[int, None] = {}
        self._closed: tuple[Mark, Any] | None = None

    def mark(self) -> Mark | None:
        """CPU times now; None where there are none."""
        return None if self.work is None else self.work.mark()

    def opened(self, number: int) -> tuple[Mark | None, _Quiet | None]:
        """Window ``number`` is about to take its first look: its mark, and the quiet gap that ends with that look."""
        mark = None if self.work is None else self.work.mark()
        closed, self._closed = self._closed, None
        self._open[number] = None
        if closed is None or mark is None or mark.t_ns - closed[0].t_ns < SHORTEST_NS or len(self._open) > 1:
            return mark, None
        return mark, self._quiet(closed, mark)

    def closed(self, number: int, closing: Any) -> Mark | None:
        """Window ``number`` has taken its last look, ``closing``: its mark."""
        mark = None if self.work is None else self.work.mark()
        self._open.pop(number, None)
        self._closed = None if self._open or mark is None else (mark, closing)
        return mark

    def _quiet(self, closed: tuple[Mark, Any], mark: Mark) -> _Quiet | None:
        before, closing = closed
        busy = None if self.work is None else quiet(before, mark, self.work.cpus)
        if busy is None:
            return None
        working = (
            index
            for index, (source, position) in enumerate(self._owners)
            if source is not None and source.at_work(position)
        )
        return _Quiet(closing, busy, frozenset(working))

    def learn(self, gap: _Quiet, timed: Callable[[Any], Look], opening: Any, wall_ns: int) -> None:
        """Keep a quiet gap that ended with the look ``opening``."""
        ended_at = datetime.fromtimestamp(ns_to_s(wall_ns), UTC)
        self.passive.give(Gap(timed(gap.closing), timed(opening), ended_at, gap.busy, gap.working))

    def settled(
        self,
        channels: Sequence[Channel],
        energies: Iterable[DomainEnergy],
        *,
        began_at: datetime,
        duration_s: float,
        late_ns: int,
        marks: tuple[Mark | None, Mark | None],
        baseline: Baseline | None,
        wall_ns: int,
    ) -> tuple[DomainEnergy, ...]:
        """``energies`` of a window with idle and own share, as far as they are known.

        ``late_ns`` is how long ago the window was closed, ``wall_ns`` when it was opened, since 1970.
        """
        places = {channel.domain: index for index, channel in enumerate(channels)}
        found = []
        for energy in energies:
            index = places[energy.domain]
            asked = None if baseline is None else baseline.power(energy.domain)
            idle = chosen(channels[index], began_at, asked, self.passive.power(index))
            gpu_share = partial(self._gpu_share, index, marks, wall_ns, late_ns)
            found.append(attributed(channels[index], energy, duration_s, idle=idle, marks=marks, gpu_share=gpu_share))
        return tuple(found)

    def _gpu_share(self, index: int, marks: tuple[Mark | None, Mark | None], wall_ns: int, late_ns: int) -> Share:
        source, position = self._owners[index]
        if source is None:
            return Share(None, NOT_TOLD)
        if late_ns > LATE_NS:
            return Share(None, TOO_LATE)
        told = source.own_share(position, own_pids(*marks, self.mark()), wall_ns)
        return Share(None, told) if isinstance(told, str) else Share(told, "by NVML's utilisation of each process")

    def after_fork(self) -> None:
        """Begin afresh in a forked child, which has windows of its own."""
        self._open = {}
        self._closed = None
        self.passive.after_fork()
        if self.work is not None:
            self.work.after_fork()

    def close(self) -> None:
        """Release files."""
        if self.work is not None:
            self.work.close()
