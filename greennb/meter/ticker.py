"""Watches the counters that update slowly, for the windows whose edges fall between two updates.

The sampler's thread runs it. It reads one counter at a time, when that one's :class:`~greennb.meter.ticks.Track` says,
and nothing when no window needs it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from greennb.meter.integrate import STILL_HINT
from greennb.meter.ticks import Track, Wait
from greennb.meter.trail import Look
from greennb.model.reading import Fault, Method
from greennb.sources.base import Sample, Source

SLOW_NS = 5_000_000
"""Counters that are said to update at least this often need no ticks: the shortest cells are as long."""

MOST_TRACKS = 16
"""More counters than this are not watched: the reads would cost more than what they tell is worth."""


STILL = "the energy counter stood still at an edge of the window"


class Edge:
    """One edge of one window: the look taken there, and for each watched channel the wait for its next tick."""

    __slots__ = ("_done", "look", "waits")

    def __init__(self, look: Callable[[], Look]) -> None:
        self.look = look
        self.waits: dict[int, Wait] | None = None
        self._done: threading.Event | None = None

    @property
    def settled(self) -> bool:
        """Whether nothing more will become known."""
        return self.waits is not None and not any(wait.open for wait in self.waits.values())

    def settle(self, timeout_s: float) -> None:
        """Wait until it is settled, at most ``timeout_s``."""
        if timeout_s <= 0:
            return
        done = self._done = self._done or threading.Event()
        if not self.settled:
            done.wait(timeout_s)

    def announce(self) -> None:
        """Wake whoever waits for it."""
        if self._done is not None:
            self._done.set()


class Ticker:
    """The tracks of all slow counters of ``sources``."""

    def __init__(self, sources: Sequence[Source], now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        self._channels = tuple(channel for source in sources for channel in source.channels)
        self._reads = dict(_slow_counters(sources))
        if len(self._reads) > MOST_TRACKS:
            self._reads.clear()
        self._refresh_ns = {index: refresh_ns for index, (_read, refresh_ns) in self._reads.items()}
        self.after_fork()

    def after_fork(self) -> None:
        """Start afresh: a forked child has windows of its own."""
        self.tracks = {index: Track(refresh_ns) for index, refresh_ns in self._refresh_ns.items()}
        self._fresh: deque[Edge] = deque()
        self._unsettled: list[Edge] = []
        self._open: set[int] = set()
        self._newest_ns = 0

    @property
    def looking(self) -> bool:
        """Whether a tick is being waited for already, so that one more edge changes no plans."""
        return bool(self._unsettled)

    def opened(self, number: int, t_ns: int, look: Callable[[], Look]) -> Edge:
        """A window with this ``number`` was opened at ``t_ns``."""
        self._open.add(number)
        self._newest_ns = t_ns
        edge = Edge(look)
        self._fresh.append(edge)
        return edge

    def closed(self, number: int, look: Callable[[], Look]) -> Edge:
        """It was closed again. The tick after that tells where between two the edge lay, and that the counter lives."""
        self._open.discard(number)
        edge = Edge(look)
        self._fresh.append(edge)
        return edge

    def longest_wait_ns(self) -> float:
        """How long after an edge its tick may take: one refresh of the slowest counter, and a little to see it."""
        return max((track.patience_ns for track in self.tracks.values()), default=0.0)

    def faults(self, edges: Sequence[Edge | None]) -> tuple[Fault, ...]:
        """The counters that stood still at one of a window's ``edges`` although they should have moved."""
        still = {
            index: Fault(domain=self._channels[index].domain, t_ns=wait.t_ns, reason=STILL, hint=STILL_HINT)
            for edge in edges
            if edge is not None
            for index, wait in (edge.waits or {}).items()
            if self.tracks[index].still_ns(wait) is not None
        }
        return tuple(still.values())

    def next_ns(self) -> int | None:
        """When there is something to read; None where nothing needs it."""
        if self._fresh:
            return 0
        now_ns = self._now_ns()
        dues = (track.due_ns(self._following(track, now_ns)) for track in self.tracks.values())
        return min((due_ns for due_ns in dues if due_ns is not None), default=None)

    def poll(self) -> None:
        """Read what is due."""
        while self._fresh:
            self._take_in(self._fresh.popleft())
        now_ns = self._now_ns()
        for index, track in self.tracks.items():
            due_ns = track.due_ns(self._following(track, now_ns))
            if due_ns is not None and due_ns <= now_ns:
                self._read(track, self._reads[index][0])
        self._announce()

    def _following(self, track: Track, now_ns: int) -> bool:
        """Whether a window is open that may yet turn out to be short."""
        return bool(self._open) and now_ns - self._newest_ns < track.short_ns

    def _read(self, track: Track, read: Callable[[], Sample]) -> None:
        before_ns = self._now_ns()
        sample = read()
        after_ns = self._now_ns()
        if isinstance(sample, int):
            track.see(before_ns, after_ns, sample)
        else:
            track.fail()

    def _take_in(self, edge: Edge) -> None:
        look = edge.look()
        waits = {}
        for index, track in self.tracks.items():
            sample = look.samples[index]
            if isinstance(sample, int) and not track.even:
                waits[index] = wait = Wait(look.times_ns[index], sample, look.brackets_ns[index] // 2)
                track.await_tick(wait)
        edge.waits = waits
        self._unsettled.append(edge)

    def _announce(self) -> None:
        if not self._unsettled:
            return
        left = []
        for edge in self._unsettled:
            if edge.settled:
                edge.announce()
            else:
                left.append(edge)
        self._unsettled = left


def _slow_counters(sources: Sequence[Source]) -> Iterator[tuple[int, tuple[Callable[[], Sample], int]]]:
    """The index of each counter worth watching, how to read it alone, and its refresh as its vendor states it."""
    index = 0
    for source in sources:
        for position, channel in enumerate(source.channels):
            if channel.method is Method.COUNTER and channel.refresh_ns >= SLOW_NS:
                yield index + position, (_alone(source, position), channel.refresh_ns)
        index += len(source.channels)


def _alone(source: Source, position: int) -> Callable[[], Sample]:
    """Reads one channel, without the others where the source can do that."""
    sample_one: Callable[[int], Sample] | None = getattr(source, "sample_one", None)
    if sample_one is not None:
        return lambda: sample_one(position)
    return lambda: source.sample()[position]
