"""Joules by source line: where the cell's thread was, looked at a hundred times a second, and what was drawn meanwhile.

A thread of its own looks while a window asks for it and ends with it. The time between two looks goes half to the line
seen before and half to the line seen after; the energy between two readings of the sensors is shared out by that time.
What is seen is the innermost frame of the notebook's own code: time in a library counts for the line that called it.
"""

from __future__ import annotations

import itertools
import linecache
import math
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from greennb.meter.integrate import span
from greennb.meter.trail import Look
from greennb.model.lines import LineEnergy, Lines
from greennb.model.measurement import Measurement
from greennb.model.reading import DomainKind
from greennb.model.units import ns_to_s
from greennb.sources.base import Channel

PERIOD_S = 0.01
"""How often the frames are looked at."""

LOOK_PERIOD_S = 0.1
"""How often the sensors are read meanwhile; counters of GPUs move no faster."""

_DEEPEST = 500
"""Frames walked at most: a deep recursion must not make looking dear."""

_MOST_THREAD_LINES = 5

Place = tuple[str, int]
"""A code's file name and a line number in it."""

Name = Callable[[str], str | None]
"""What the notebook calls the cell behind a file name ("In[3]"); None where it is no cell."""


class LineSampler:
    """Follows the thread that makes it, from :meth:`start` to :meth:`stop`."""

    period_s = LOOK_PERIOD_S

    def __init__(self, name: Name, channels: Sequence[Channel]) -> None:
        self._name = name
        self._channels = channels
        self._thread_id = threading.get_ident()
        self._names: dict[str, str | None] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="greennb lines", daemon=True)
        self._seen: list[tuple[int, Place | None]] = []
        self._looks: list[Look] = []
        self._others: Counter[Place] = Counter()
        self._other_threads: set[int] = set()
        self._cost_ns = 0

    def start(self, look: Look) -> None:
        """Begin; ``look`` is of the sensors, now."""
        self._looks.append(look)
        self._thread.start()

    def take(self, look: Look) -> None:
        """Take in a look that the meter's sampler took."""
        self._looks.append(look)

    def stop(self) -> None:
        """End, and with it the thread. A second stop changes nothing."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=10 * PERIOD_S)

    def lines(self, measurement: Measurement) -> Lines:
        """The joules of ``measurement``, whose window this followed, by line."""
        window = measurement.window
        seen = [(t_ns, place) for t_ns, place in tuple(self._seen) if window.t0_ns <= t_ns <= window.t1_ns]
        stretches = _stretches(seen, window.t0_ns, window.t1_ns)
        shares = self._shares(stretches, measurement.total_j or 0.0)
        seconds: dict[Place | None, float] = defaultdict(float)
        for begin_ns, end_ns, place in stretches:
            seconds[place] += ns_to_s(end_ns - begin_ns)
        counts = Counter(place for _t_ns, place in seen)
        lines = [self._line(place, seconds[place], counts[place], joules)
                 for place, joules in shares.items() if place is not None]  # fmt: skip
        times_ns = [window.t0_ns, *(t_ns for t_ns, _place in seen), window.t1_ns]
        return Lines(
            lines=tuple(sorted(lines, key=lambda line: -line.joules)),
            elsewhere_j=shares.get(None, 0.0),
            elsewhere_s=seconds.get(None, 0.0),
            samples=len(seen),
            period_s=PERIOD_S,
            longest_s=ns_to_s(max(b - a for a, b in itertools.pairwise(times_ns))),
            threads=len(self._other_threads),
            thread_lines=tuple(
                self._words(place) for place, _count in self._others.most_common(_MOST_THREAD_LINES)
            ),
            gpu=any(energy.domain.kind is DomainKind.GPU for energy in measurement.energies),
            cost_s=ns_to_s(self._cost_ns),
        )  # fmt: skip

    def _run(self) -> None:
        # The system's clock of this thread's CPU time: looking and waking up for it count, waiting does not.
        began_ns = time.thread_time_ns()
        own_id = threading.get_ident()
        while not self._stop.wait(PERIOD_S):
            frames = sys._current_frames()
            now_ns = time.monotonic_ns()
            for thread_id, frame in frames.items():
                if thread_id == self._thread_id:
                    self._seen.append((now_ns, self._place(frame)))
                elif thread_id != own_id and (place := self._place(frame)) is not None:
                    self._others[place] += 1
                    self._other_threads.add(thread_id)
            del frames  # they keep the user's objects alive
            self._cost_ns = time.thread_time_ns() - began_ns

    def _place(self, frame: FrameType | None) -> Place | None:
        """The innermost line of the notebook that the thread is in."""
        for _depth in range(_DEEPEST):
            if frame is None:
                return None
            file = frame.f_code.co_filename
            if file not in self._names:
                self._names[file] = self._name(file)
            if self._names[file] is not None:
                return file, frame.f_lineno or 0
            frame = frame.f_back
        return None

    def _shares(
        self, stretches: Sequence[tuple[int, int, Place | None]], total_j: float
    ) -> Mapping[Place | None, float]:
        """``total_j`` by place: each stretch weighs what was drawn in it, by the readings around it."""
        weights: dict[Place | None, float] = defaultdict(float)
        powers = self._powers()
        for begin_ns, end_ns, place in stretches:
            weights[place] += _drawn(powers, begin_ns, end_ns)
        whole = math.fsum(weights.values())
        if whole <= 0:
            weights = defaultdict(float)
            for begin_ns, end_ns, place in stretches:
                weights[place] += float(end_ns - begin_ns)
            whole = math.fsum(weights.values()) or 1.0
        return {place: total_j * weight / whole for place, weight in weights.items()}

    def _powers(self) -> list[tuple[int, int, float]]:
        """From each look to the next: when, and the power of all roots in microjoules a nanosecond."""
        looks = tuple(self._looks)
        domains = {channel.domain for channel in self._channels}
        powers = []
        for first, last in itertools.pairwise(looks):
            uj = 0.0
            for index, channel in enumerate(self._channels):
                if channel.domain.inside not in domains:
                    uj += span(
                        channel, first.times_ns[index], first.samples[index], last.times_ns[index], last.samples[index]
                    ).uj
            if first.times_ns and last.times_ns[0] > first.times_ns[0]:
                powers.append((first.times_ns[0], last.times_ns[0], uj / (last.times_ns[0] - first.times_ns[0])))
        return powers

    def _line(self, place: Place, seconds: float, samples: int, joules: float) -> LineEnergy:
        file, lineno = place
        source = linecache.getline(file, lineno).rstrip()
        return LineEnergy(
            where=self._names.get(file) or "", lineno=lineno, source=source, seconds=seconds, samples=samples,
            joules=joules,
        )  # fmt: skip

    def _words(self, place: Place) -> str:
        return f"{self._names.get(place[0]) or ''} line {place[1]}"


def _stretches(seen: Sequence[tuple[int, Place | None]], t0_ns: int, t1_ns: int) -> list[tuple[int, int, Place | None]]:
    """The window cut half-way between every two looks, so that each look stands for the time around it."""
    if not seen:
        return [(t0_ns, t1_ns, None)]
    cuts = [t0_ns, *((a + b) // 2 for (a, _), (b, _) in itertools.pairwise(seen)), t1_ns]
    return [(cuts[k], cuts[k + 1], place) for k, (_t_ns, place) in enumerate(seen)]


def _drawn(powers: Sequence[tuple[int, int, float]], begin_ns: int, end_ns: int) -> float:
    """Microjoules from ``begin_ns`` to ``end_ns``; the first and last powers go on beyond the readings."""
    if not powers:
        return float(end_ns - begin_ns)
    uj = 0.0
    for number, (first_ns, last_ns, power) in enumerate(powers):
        low = begin_ns if number == 0 else max(begin_ns, first_ns)
        high = end_ns if number == len(powers) - 1 else min(end_ns, last_ns)
        uj += max(0, high - low) * power
    return uj
