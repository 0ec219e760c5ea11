"""How far another machine's monotonic clock is from ours, from questions and their answers (Cristian 1989).

The other clock was read at some time between our sending and our receiving: the middle is off by half of that at most.
The quickest exchange is the best one, and ages: quartz drifts by up to some ten microseconds a second. Wall clocks
are not used, so that one that is wrong by seconds does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass

DRIFT = 100e-6
"""Seconds by which two clocks may drift apart in a second: quartz of computers is within 50 ppm, either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """Theirs less ours, in nanoseconds, known to ``unsure_ns`` either way when it was ``taken_ns`` on our clock."""

    offset_ns: int
    unsure_ns: int
    taken_ns: int

    @staticmethod
    def of(sent_ns: int, theirs_ns: int, received_ns: int) -> Offset:
        """From one exchange."""
        middle_ns = (sent_ns + received_ns) // 2
        return Offset(
            offset_ns=theirs_ns - middle_ns, unsure_ns=max(1, (received_ns - sent_ns) // 2), taken_ns=received_ns
        )

    def unsure_at(self, now_ns: int) -> int:
        """By how much it may be wrong at ``now_ns`` of our clock."""
        return self.unsure_ns + int(DRIFT * abs(now_ns - self.taken_ns))

    def better(self, other: Offset) -> Offset:
        """The one of the two that is surer now, when the later one was taken."""
        now_ns = max(self.taken_ns, other.taken_ns)
        return min(self, other, key=lambda it: it.unsure_at(now_ns))
