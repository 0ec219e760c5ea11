"""The truth about a virtual NVIDIA board: its energy and power at any time, in exact fractions.

Written from the words in ``nvml_rig.h`` and the rig's README, sharing no code with the library. Energies are in
picojoules (milliwatts times nanoseconds) from the monotonic clock's zero. A ``load`` has no truth in advance: what it
drew follows from the CPU time that its process used.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .nvml import Gpu

_MASK = 2**64 - 1


@dataclass(frozen=True)
class Trace:
    """Power in time: a shape and its numbers, in milliwatts and nanoseconds; ``text`` is how it was written.

    A square wave is low for the first half of each period (rounded down to a whole nanosecond) and high for the rest;
    its periods begin at the clock's zero, or ``PHASE_S`` later. A ramp goes from its first to its last power in each
    period. A load draws its first power, and its second for each core that the process keeps busy.
    """

    shape: str
    numbers: tuple[int, ...]
    text: str

    @classmethod
    def parse(cls, text: str) -> Trace:
        """The trace that a line of the trace language describes.

        Raises:
            ValueError: it does not describe one.
        """
        shape, *words = text.split()
        try:
            return cls(shape, _numbers(shape, words), text)
        except (ValueError, IndexError) as error:
            raise ValueError(f'"{text}" is no trace: {error}') from error

    def energy_pj(self, t_ns: int) -> Fraction:
        """Picojoules from the clock's zero to ``t_ns``."""
        if t_ns <= 0:
            return Fraction(0)
        match self.shape:
            case "constant":
                return Fraction(self.numbers[0] * t_ns)
            case "square":
                low, high, period, phase = self.numbers
                high_ns = _high_ns(t_ns - phase, period) - _high_ns(-phase, period)
                return Fraction(low * (t_ns - high_ns) + high * high_ns)
            case "ramp":
                first, last, period = self.numbers
                teeth, into = divmod(t_ns, period)
                mean_there = first + Fraction((last - first) * into, 2 * period)
                return Fraction(teeth * period * (first + last), 2) + mean_there * into
            case "steps":
                times, powers = self.numbers[::2], self.numbers[1::2]
                ends = (*times[1:], t_ns)
                return Fraction(
                    sum(
                        mw * max(0, min(end, t_ns) - begin)
                        for begin, mw, end in zip(times, powers, ends, strict=True)
                    )
                )  # fmt: skip
        raise ValueError(f"a {self.shape} has no energy in advance")


def _numbers(shape: str, words: list[str]) -> tuple[int, ...]:
    if shape == "steps":
        pairs = [word.split(":") for word in words]
        flat = [value for t_ns, w in pairs for value in (int(t_ns), round(float(w) * 1e3))]
        if not flat or flat[::2] != sorted(flat[::2]):
            raise ValueError("steps need times in order")
        return tuple(flat)
    values = [float(word) for word in words]
    watts = {"constant": 1, "square": 2, "ramp": 2, "load": 2}.get(shape)
    if watts is None:
        raise ValueError("a trace is constant, square, ramp, steps or load")
    most = {"constant": 1, "square": 4, "ramp": 3, "load": 3}[shape]
    if shape == "square" and len(values) == 3:
        values.append(0.0)
    if len(values) != most:
        raise ValueError(f"{shape} takes {most} numbers")
    rest = [round(value) if shape == "load" else round(value * 1e9) for value in values[watts:]]
    if shape in ("square", "ramp") and rest[0] <= 0:
        raise ValueError("a period is longer than nothing")
    return (*(round(value * 1e3) for value in values[:watts]), *rest)


def _high_ns(t_ns: int, period_ns: int) -> int:
    """How long a square wave that begins low at 0 was high from 0 to ``t_ns`` (negative before 0)."""
    low_ns = period_ns // 2
    whole, into_ns = divmod(t_ns, period_ns)
    return whole * (period_ns - low_ns) + max(0, into_ns - low_ns)


def trace(gpu: Gpu) -> Trace:
    """The board's power in time, however it was given."""
    if gpu.trace:
        return Trace.parse(gpu.trace)
    return Trace("steps", tuple(value for step in gpu.powers for value in step), "")


def energy_pj(gpu: Gpu, t_ns: int) -> Fraction:
    """What the board has drawn at ``t_ns``, with what its counter began with."""
    return trace(gpu).energy_pj(t_ns) + gpu.start_mj * 10**9


def tick_of(gpu: Gpu, k: int) -> int:
    """When the board's tick ``k`` comes, in monotonic nanoseconds."""
    if not gpu.jitter_ns:
        return k * gpu.refresh_ns
    x = (gpu.seed * 0x9E3779B97F4A7C15 + k) & _MASK
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = ((x ^ (x >> shift)) * factor) & _MASK
    x ^= x >> 31
    return k * gpu.refresh_ns + x % (2 * gpu.jitter_ns + 1) - gpu.jitter_ns


def last_tick_ns(gpu: Gpu, t_ns: int) -> int:
    """When the last tick at ``t_ns`` was."""
    if not gpu.refresh_ns:
        return t_ns
    around = round(t_ns / gpu.refresh_ns)
    return max(tick for tick in (tick_of(gpu, around + step) for step in (-2, -1, 0, 1)) if tick <= t_ns)


def counter_mj(gpu: Gpu, t_ns: int) -> int:
    """What the counter shows at ``t_ns``."""
    if gpu.frozen_ns:
        t_ns = min(t_ns, gpu.frozen_ns)
    return energy_pj(gpu, last_tick_ns(gpu, t_ns)) // 10**9


def power_mw(gpu: Gpu, t_ns: int) -> int:
    """What the board calls its power at ``t_ns``: the mean of ``average_ns``, or of a microsecond where that is 0."""
    end_ns = last_tick_ns(gpu, t_ns) - gpu.lag_ns
    average_ns = gpu.average_ns or 1000
    drawn = trace(gpu).energy_pj(end_ns) - trace(gpu).energy_pj(end_ns - average_ns)
    return int(drawn / average_ns)
