"""Two measurements side by side: what differs, and whether the intervals allow saying so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from greennb.model.measurement import Measurement
from greennb.model.reading import Method
from greennb.views.format import joules, percent, plain
from greennb.views.words import measured_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two windows on whatever measured them. One run of each proves no saving: only a trial does."""

    a: Measurement
    b: Measurement
    name_a: str = ""
    name_b: str = ""

    @property
    def difference_j(self) -> float | None:
        """Joules of ``b`` less those of ``a``; None where one is missing."""
        if self.a.total_j is None or self.b.total_j is None:
            return None
        return self.b.total_j - self.a.total_j

    @property
    def ratio(self) -> float | None:
        """Joules of ``b`` over those of ``a``; None where one is missing or ``a`` is 0."""
        if self.a.total_j is None or self.b.total_j is None or self.a.total_j == 0:
            return None
        return self.b.total_j / self.a.total_j

    @property
    def same_ground(self) -> bool:
        """Whether both were measured on the same kinds of domain by the same methods."""
        return _ground(self.a) == _ground(self.b)

    @property
    def overlap(self) -> bool | None:
        """Whether the 95 % intervals have a point in common; None where one is missing."""
        ends = (self.a.low_j, self.a.high_j, self.b.low_j, self.b.high_j)
        if any(end is None for end in ends):
            return None
        a_low, a_high, b_low, b_high = (end or 0.0 for end in ends)
        return a_low <= b_high and b_low <= a_high

    @property
    def names(self) -> tuple[str, str]:
        """What the two are called: the names given, else their labels, else A and B."""
        a = plain(self.name_a or self.a.window.label, 40) or "A"
        b = plain(self.name_b or self.b.window.label, 40) or "B"
        return (a, b) if a != b else (f"{a} (A)", f"{b} (B)")

    @property
    def method(self) -> Method | None:
        """The worse of the two methods."""
        return Method.worst(part.method for part in (self.a, self.b) if part.method is not None)

    @property
    def verdict(self) -> str:
        """One sentence on the difference."""
        a, b = self.names
        for name, part in ((a, self.a), (b, self.b)):
            if part.total_j is None:
                return f"cannot compare: {name} was not measured"
        if not self.same_ground:
            return f"not comparable: {a} is {measured_by(self.a.roots)}, {b} is {measured_by(self.b.roots)}"
        partial = [name for name, part in ((a, self.a), (b, self.b)) if part.partial]
        caveat = f"; something is missing from {' and from '.join(partial)}" if partial else ""
        if self.overlap:
            return f"no difference beyond the intervals{caveat}"
        difference = self.difference_j or 0.0
        share = "" if self.ratio is None else f" ({percent(self.ratio - 1, signed=True)})"
        word = "more" if difference > 0 else "less"
        return f"{b} used {joules(abs(difference), self.method)} {word} than {a}{share}, one run each{caveat}"


def _ground(measurement: Measurement) -> Counter[tuple[str, str]]:
    return Counter((energy.domain.kind.value, energy.method.value) for energy in measurement.roots)
