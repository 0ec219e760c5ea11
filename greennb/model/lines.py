"""To which source lines of the notebook a window's joules went: a model, of a total that was measured or estimated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

FEW = 5
"""A line seen in fewer samples than this has no figure of its own: 5 samples are off by 45 % (1 / sqrt 5) and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEnergy:
    """What is put down to one line.

    Attributes:
        where: the cell it stands in, as the notebook names it ("In[3]").
        lineno: its number in that cell, from 1.
        source: its text.
        seconds: how long the cell's thread was in it, or in what it called outside the notebook.
        samples: how often it was seen there.
        joules: its part of the window's total.
    """

    where: str
    lineno: int
    source: str
    seconds: float
    samples: int
    joules: float

    @property
    def few(self) -> bool:
        """Whether it was seen too seldom for its figure to mean anything but "little"."""
        return self.samples < FEW


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A window's joules by line, most first; they and ``elsewhere_j`` add up to its total.

    Attributes:
        elsewhere_j: joules of the time in which no line of the notebook ran in the cell's thread (awaiting).
        elsewhere_s: that time.
        samples: how often the running frames were looked at, and ``period_s`` how often that was meant to be.
        longest_s: the longest time between two looks: a C function that keeps the interpreter to itself delays them.
        threads: other threads that were seen in lines of the notebook; ``thread_lines`` names these lines, most first.
        gpu: whether a GPU is in the total: its work runs on by itself and counts where the code waits for it.
        cost_s: CPU seconds that looking took.
    """

    lines: tuple[LineEnergy, ...]
    elsewhere_j: float
    elsewhere_s: float
    samples: int
    period_s: float
    longest_s: float
    threads: int
    thread_lines: tuple[str, ...]
    gpu: bool
    cost_s: float

    def u_j(self, line: LineEnergy) -> float:
        """Standard uncertainty of a line's joules from the number of samples alone (binomial)."""
        if not self.samples:
            return math.inf
        total_j = math.fsum(each.joules for each in self.lines) + self.elsewhere_j
        part = min(1.0, line.samples / self.samples)
        return total_j * math.sqrt(max(part * (1 - part), 1 / self.samples / 4) / self.samples)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "lines": [asdict(line) for line in self.lines], "thread_lines": [*self.thread_lines]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Lines:
        """What :meth:`to_dict` wrote."""
        rest = {key: data[key] for key in cls.__slots__ if key not in ("lines", "thread_lines")}
        return cls(
            lines=tuple(LineEnergy(**{key: line[key] for key in LineEnergy.__slots__}) for line in data["lines"]),
            thread_lines=tuple(data["thread_lines"]),
            **rest,
        )
