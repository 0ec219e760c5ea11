"""How far another machine's monotonic clock is from ours, from questions that say when they were sent (Cristian 1989).

A question that we sent at ``s`` on our clock is read there at ``r`` on theirs: theirs is ahead of ours by ``r - s`` at
most, and by that less the way that the question took. The quickest question of several is the best one, and ages:
quartz drifts by up to some ten microseconds a second. Each machine keeps its own bound, so that a question to ten
thousand of them is no longer than one to ten. Wall clocks are not used: one that is wrong by seconds does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

DRIFT = 100e-6
"""Seconds by which two clocks may drift apart in a second: quartz of computers is within 50 ppm, either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Two instants of the asker's clock, and what helps to find them on another.

    Attributes:
        sent_ns: when this was sent, on the asker's clock.
        trip_ns: the quickest way there and back that was seen, of the slowest of those asked.
    """

    t0_ns: int
    t1_ns: int
    sent_ns: int
    trip_ns: int


class Ahead:
    """How far this machine's clock is ahead of one asker's, as far as its questions tell."""

    def __init__(self) -> None:
        self._most_ns: int | None = None
        self._heard_ns = 0

    def hear(self, sent_ns: int, now_ns: int) -> None:
        """A question that was sent at ``sent_ns`` of theirs is read at ``now_ns`` of ours."""
        aged_ns = None if self._most_ns is None else self._most_ns + int(DRIFT * (now_ns - self._heard_ns))
        if aged_ns is None or now_ns - sent_ns <= aged_ns:
            self._most_ns, self._heard_ns = now_ns - sent_ns, now_ns

    def here(self, asked: Question, now_ns: int) -> tuple[int, int, int]:
        """The two instants on this clock, and by how much they may be wrong, either way.

        The quickest question took between nothing and the quickest trip: half of that is taken off.
        """
        assert self._most_ns is not None, "a question is heard before it is answered"
        ahead_ns = self._most_ns - asked.trip_ns // 2
        unsure_ns = asked.trip_ns // 2 + int(DRIFT * (now_ns - self._heard_ns))
        return asked.t0_ns + ahead_ns, asked.t1_ns + ahead_ns, unsure_ns
