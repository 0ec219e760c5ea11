"""Finding a counter's ticks, so that a window's edges need not wait for them.

A counter shows the energy of its last update. Between two updates 20 to 100 ms may pass on a GPU, and the difference
of two bare reads is off by as much. Whoever knows when the tick after an edge came, and what it added, knows how much
of that was drawn before the edge. A :class:`Track` watches one counter for that: closely around a tick that an edge
waits for, once a tick while a short window is open (its neighbours tell whether the power was steady), else not at all.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from greennb.meter.period import Due, Period, Tick
from greennb.model.units import uj_ns_to_w

GAP_NS = 500_000
"""Between two reads while looking for a tick: its time is then known to a quarter of a millisecond, which is 0.25 %
of a window of 100 ms, for some 40 reads a refresh at most."""

READ_SHARE = 8
"""Reads take at most one part in so many of the time while looking: a slow driver call is repeated less often."""

SHORT = 50
"""A window is followed from tick to tick for so many refreshes: in a longer one a change of power in a single step
matters less than a percent."""

_PATIENCE = 3
"""A tick that has not come after so many refreshes is not waited for any longer."""

_TRIES = 20
"""Refreshes (of the longest length that the vendor states) within which a rhythm must have been learnt."""

_RETRY_NS = 60_000_000_000
"""A counter without a rhythm is given another chance after a minute."""

_MISSES, _JUDGED = 4, 8
"""So many of the last ticks did not come when they were due: the pace has changed, and is learnt anew."""


@dataclass(eq=False, slots=True)
class Found:
    """The tick after an edge: when it came, what it added, and the power of the steps beside it where seen.

    Attributes:
        tick: when the counter showed ``after_uj``.
        before_uj: what it showed at the edge.
        after_uj: what it showed from the tick on.
        earlier_w: power of the step before this one, in watts; None where that was not seen.
        later_w: power of the step after this one; filled in when it has been seen.
    """

    tick: Tick
    before_uj: int
    after_uj: int
    earlier_w: float | None
    later_w: float | None = None


@dataclass(eq=False, slots=True)
class Wait:
    """A window's edge on one counter, waiting for the tick after it: then ``found``, or ``over`` without."""

    t_ns: int
    uj: int
    half_ns: int = 0
    """The reading was taken within this of ``t_ns``: a thread may be put aside in the middle of it."""

    found: Found | None = None
    over: bool = False
    still_ns: float | None = None
    """Since when the counter was seen to stand still although ticks were due; None where it went on."""

    @property
    def open(self) -> bool:
        """Whether it is worth waiting for."""
        return self.found is None and not self.over


@dataclass(slots=True)
class _Seen:
    """The last reading."""

    t_ns: int
    uj: int
    read_ns: int = 0


@dataclass(slots=True)
class Track:
    """One counter and its ticks. ``refresh_ns`` is the longest time between ticks that its vendor states.

    It reads nothing by itself: it says when (:meth:`due_ns`) and takes in what was read (:meth:`see`).
    """

    refresh_ns: int
    period: Period = field(default_factory=Period)
    waits: deque[Wait] = field(default_factory=deque)
    _seen: _Seen | None = None
    _last: Found | None = None
    _unfinished: list[Found] = field(default_factory=list)
    _hunting: bool = False
    _missed: deque[bool] = field(default_factory=lambda: deque(maxlen=_JUDGED))
    _late: bool = False
    _sharp: bool = False
    _learn_until_ns: int = 0

    @property
    def short_ns(self) -> float:
        """Windows up to this length are worth finding ticks for."""
        return SHORT * (self.period.mean_ns or self.refresh_ns)

    def await_tick(self, wait: Wait) -> None:
        """Look for the tick after ``wait``; its own reading helps."""
        self.see(wait.t_ns - wait.half_ns, wait.t_ns + wait.half_ns, wait.uj)
        last = self._last
        if (
            last is not None
            and wait.uj == last.after_uj
            and self._overdue(last.tick.latest_ns, wait.t_ns - wait.half_ns)
        ):
            wait.still_ns = last.tick.t_ns
        if last is not None and wait.uj == last.before_uj != last.after_uj:
            wait.found = last  # it came between the edge and now
        elif self._seen is not None and wait.uj != self._seen.uj:
            wait.over = True  # it came unseen
        else:
            self.waits.append(wait)

    @property
    def even(self) -> bool:
        """Whether the counter moves with every reading: then there are no ticks to find, and no need to."""
        return self.period.learnt and (self.period.mean_ns or 0) < 4 * GAP_NS

    def due_ns(self, following: bool) -> int | None:
        """When to read next; None where there is no need. ``following``: a short window is open."""
        seen = self._seen
        if seen is None or self.even:
            return None
        soon_ns = seen.t_ns + max(GAP_NS, READ_SHARE * seen.read_ns)
        if self.waits or self._learning(seen.t_ns, following):
            if self._hunting:
                return soon_ns
            due = self._next(seen)
            if due is None:
                return soon_ns
            return max(soon_ns, int(due.t_ns - due.reach_ns) - GAP_NS)
        if following or self._unfinished:
            due = self._next(seen)
            mean_ns = self.period.mean_ns
            return soon_ns if due is None or mean_ns is None else max(soon_ns, int(due.t_ns + mean_ns / 2))
        return None

    def see(self, before_ns: int, after_ns: int, uj: int) -> None:
        """Take in a reading that was taken between two times; an older one than the last says nothing new.

        What has not moved was seen to stand at the earlier of the two, what has moved only by the later: a thread may
        be put aside in the middle of its reading, and the tick lies in between for certain.
        """
        seen = self._seen
        t_ns = before_ns if seen is None or uj == seen.uj else after_ns
        self._seen = _Seen(t_ns, uj, after_ns - before_ns)
        if seen is None:
            self._learn_until_ns = t_ns + _TRIES * self.refresh_ns
        elif t_ns <= seen.t_ns:
            self._seen = seen
        elif uj > seen.uj:
            self._tick(seen, t_ns, uj)
            self._hunting = False
        elif uj < seen.uj:
            self.lose()
        else:
            self._nothing_yet(seen, t_ns)

    def still_ns(self, wait: Wait) -> float | None:
        """Since when the counter has stood still at ``wait``; None where nothing says that it has."""
        seen = self._seen
        if wait.still_ns is None and wait.open and seen is not None and seen.uj == wait.uj:
            return float(wait.t_ns) if self._overdue(wait.t_ns + wait.half_ns, seen.t_ns) else None
        return wait.still_ns

    @property
    def patience_ns(self) -> float:
        """How long after an edge the next tick was seen, if it comes at all."""
        return (self._late_ns or 1.25 * self.refresh_ns) + 4 * GAP_NS

    @property
    def _late_ns(self) -> float | None:
        """When a tick is late for certain, from the last one on; None until the rhythm is learnt."""
        mean_ns = self.period.mean_ns
        if mean_ns is None or not self.period.learnt:
            return None
        return mean_ns + max(mean_ns, 4 * self.period.spread_ns + 2 * GAP_NS)

    def _overdue(self, since_ns: float, now_ns: float) -> bool:
        """Whether a tick must have come in between."""
        late_ns = self._late_ns
        return late_ns is not None and now_ns - since_ns > late_ns

    def fail(self) -> None:
        """The counter could not be read: it is left alone until a window's edge finds it well again."""
        self.lose()
        self._seen = None

    def lose(self) -> None:
        """A tick was missed, or the counter reset: nobody waits any longer, no step joins what was with what comes."""
        for wait in self.waits:
            wait.over = True
        self.waits.clear()
        self._unfinished.clear()
        self._last, self._hunting = None, False

    def _learning(self, now_ns: int, following: bool) -> bool:
        if self.period.learnt:
            return False
        if now_ns >= self._learn_until_ns + _RETRY_NS and following:
            self._learn_until_ns = now_ns + _TRIES * self.refresh_ns
        return now_ns < self._learn_until_ns

    def _next(self, seen: _Seen) -> Due | None:
        """The next tick that was not seen yet."""
        after_ns: float = seen.t_ns
        if self._last is not None and self.period.mean_ns is not None:
            # A tick that is a little late must not be taken for the one after it, nor an early one be expected twice.
            after_ns = max(self._last.tick.t_ns + self.period.mean_ns / 2, seen.t_ns - self.period.mean_ns / 4)
        return self.period.due(after_ns)

    def _tick(self, seen: _Seen, t_ns: int, uj: int) -> None:
        """The counter moved between two readings."""
        tick = Tick((seen.t_ns + t_ns) / 2, (t_ns - seen.t_ns) / 2)
        last, mean_ns = self._last, self.period.mean_ns
        if not self._single(seen.t_ns, t_ns):
            self.lose()  # The rhythm goes on; the step of more than one tick says nothing.
            return
        follows = last is not None and (mean_ns is None or tick.t_ns - last.tick.t_ns < 1.5 * mean_ns)
        narrowed = self._narrowed(tick)
        found = Found(narrowed, seen.uj, uj, self._power_w(last) if follows else None)
        for earlier in self._unfinished:
            earlier.later_w = self._power_w(found) if follows else None
        self._unfinished.clear()
        while self.waits:
            wait = self.waits.popleft()
            if wait.uj == found.before_uj:
                wait.found = found
            else:
                wait.over = True
            self._unfinished = [found]
        self._last = found
        if sharp := tick.half_ns <= max(2 * GAP_NS, (mean_ns or 0) / 10):
            self.period.add(tick, follows=follows and self._sharp)
        self._sharp = sharp

    def _single(self, seen_ns: int, t_ns: int) -> bool:
        """Whether just one tick lies between two readings that differ."""
        mean_ns = self.period.mean_ns
        if mean_ns is None or not self.period.learnt:
            return t_ns - seen_ns <= self.refresh_ns / 8
        if self._last is not None:
            # Before the next but one was due, as surely as the rhythm is known.
            return t_ns < self._last.tick.t_ns + 2 * mean_ns - max(mean_ns / 10, 4 * self.period.spread_ns)
        return t_ns - seen_ns <= mean_ns / 2 or self.period.between(seen_ns, t_ns) == 1

    def _narrowed(self, tick: Tick) -> Tick:
        """The tick, where it was seen and when it was due both say that it was."""
        due = self.period.due(tick.t_ns - (self.period.mean_ns or 0) / 2)
        if due is None:
            return tick
        low_ns = max(tick.t_ns - tick.half_ns, due.t_ns - due.reach_ns)
        high_ns = min(tick.t_ns + tick.half_ns, due.t_ns + due.reach_ns)
        if low_ns > high_ns:
            self._judge(tick.t_ns, missed=True)
            return tick
        self._judge(tick.t_ns, missed=False)
        return Tick((low_ns + high_ns) / 2, (high_ns - low_ns) / 2)

    def _judge(self, t_ns: float, *, missed: bool) -> None:
        """Whether ticks still come when they are expected."""
        self._missed.append(missed)
        self._late = False
        if sum(self._missed) >= _MISSES:
            self._missed.clear()
            self.period = Period()
            self._learn_until_ns = int(t_ns) + _TRIES * self.refresh_ns

    def _nothing_yet(self, seen: _Seen, t_ns: int) -> None:
        due = self._next(seen)
        # Once begun it goes on past the time at which the tick was due, until it comes or nobody waits any longer.
        self._hunting |= due is None or t_ns >= due.t_ns - due.reach_ns - GAP_NS
        last, mean_ns = self._last, self.period.mean_ns
        if last is not None and mean_ns is not None and not self._late and t_ns - last.tick.t_ns > 1.5 * mean_ns:
            self._judge(t_ns, missed=self.period.learnt)
            self._late = True
        patience_ns = _PATIENCE * max(self.refresh_ns, self.period.mean_ns or 0)
        while self.waits and t_ns - self.waits[0].t_ns > patience_ns:
            wait = self.waits.popleft()
            wait.over = True
            if self.period.learnt:
                wait.still_ns = wait.t_ns
        self._hunting &= bool(self.waits) or not self.period.learnt

    def _power_w(self, found: Found | None) -> float | None:
        mean_ns = self.period.mean_ns
        if found is None or mean_ns is None:
            return None
        return uj_ns_to_w(found.after_uj - found.before_uj, round(mean_ns))
