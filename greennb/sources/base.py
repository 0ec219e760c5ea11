"""What a source of joules is, and what probing for one tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from greennb.model.reading import Domain, Fault, Method, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One domain as one source reads it, and what is known of the sensor behind it.

    Attributes:
        method: COUNTER where samples are cumulative energy from hardware, INTEGRATED where they are power,
            ESTIMATED where they are cumulative energy from a model.
        resolution_uj: the smallest step of the energy, in microjoules (0 where it does not apply).
        refresh_ns: how often the sensor updates; an upper figure where only a range is known.
        wrap_uj: the value at which the counter starts again from 0; None where it never does.
        max_power_w: more than this the domain cannot plausibly draw: tells a wrap from a reset.
        accuracy: how far off the sensor is at most, as a share of what it reads, where its maker states that; else 0.
        note: one sentence for the user on what this sensor means ("average over 1 s", "board, shared by MIG").
        idle_w: ESTIMATED only: watts that the model gives for idling, with their 95 % bounds (value, low, high).
        busy_w: ESTIMATED only: watts that the model adds for a CPU that is busy; None where it is not linear in them.
    """

    domain: Domain
    method: Method
    resolution_uj: float
    refresh_ns: int
    wrap_uj: int | None
    max_power_w: float
    note: str = ""
    accuracy: float = 0.0
    idle_w: tuple[float, float, float] | None = None
    busy_w: float | None = None


class Modelled(NamedTuple):
    """A cumulative energy from a model, in microjoules, with its cumulative 95 % bounds."""

    uj: int
    low_uj: int
    high_uj: int


Sample = int | Modelled | Fault
"""One channel's answer: cumulative microjoules (COUNTER), milliwatts (INTEGRATED), Modelled (ESTIMATED), or a Fault."""


@runtime_checkable
class Source(Protocol):
    """Something that can be asked for energy, as often as is wished.

    ``sample`` is the hot path: it never raises, never blocks for long, allocates little and answers one Sample
    for each of ``channels``, in their order. It may be called from any thread, also from two at once.
    After ``close`` nothing is held open. ``after_fork`` makes the source usable in a forked child.
    """

    name: str
    channels: tuple[Channel, ...]

    def sample(self) -> Sequence[Sample]:
        """One Sample a channel, in the order of ``channels``."""
        ...

    def after_fork(self) -> None:
        """Open again whatever a forked child must not share with its parent."""
        ...

    def close(self) -> None:
        """Release files and libraries."""
        ...


@runtime_checkable
class Shares(Protocol):
    """What a source may know beside energy: who works on its devices. Asked between windows and for results."""

    def at_work(self, position: int) -> bool | None:
        """Whether the device of the channel at ``position`` works now; None where that cannot be told."""
        ...

    def own_share(self, position: int, pids: frozenset[int], since_wall_ns: int) -> float | str:
        """The part (0 to 1) of the device's work since ``since_wall_ns`` (since 1970) that the processes ``pids`` did.

        A clause that says why, where it cannot be told. Never raises.
        """
        ...


class Gauge(NamedTuple):
    """What a device tells beside energy: utilisation (0 to 1), memory in bytes, degrees Celsius. None is not told."""

    util: float | None = None
    mem_b: int | None = None
    mem_total_b: int | None = None
    temp_c: float | None = None


@runtime_checkable
class Gauges(Protocol):
    """What a source may tell of its devices for people who look on; asked about once a second. Never raises."""

    def gauge(self, position: int) -> Gauge:
        """The device of the channel at ``position``, as far as it tells."""
        ...

    def held_b(self, position: int, pids: frozenset[int]) -> int | None:
        """Bytes of the device's memory that the processes ``pids`` hold; None where that cannot be told."""
        ...


class Board(NamedTuple):
    """A GPU's watts and clocks, with their limits; None is not told.

    ``limit_w`` is the cap in force, ``max_limit_w`` the highest that can be set. ``capability`` is CUDA's compute
    capability, (0, 0) where it has none.
    """

    power_w: float | None = None
    limit_w: float | None = None
    max_limit_w: float | None = None
    clock_mhz: float | None = None
    max_clock_mhz: float | None = None
    capability: tuple[int, int] = (0, 0)


@runtime_checkable
class Boards(Protocol):
    """What a source may tell of its boards for advice; asked about once a second while a cell runs. Never raises."""

    def board(self, position: int) -> Board:
        """The board of the channel at ``position``, as far as it tells."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What looking for one source gave: the source, or the reason why it is not used and what mends it.

    ``faults`` are devices that are there but cannot be read: each makes every total partial.
    """

    name: str
    source: Source | None
    reason: str
    hint: str = ""
    faults: tuple[Fault, ...] = ()


def reading(channel: Channel, t_ns: int, sample: Sample) -> Reading | Fault:
    """``sample`` of ``channel`` taken at ``t_ns`` (monotonic), as the model's type."""
    if isinstance(sample, Fault):
        return sample
    if isinstance(sample, Modelled):
        return Reading(
            domain=channel.domain, t_ns=t_ns, energy_uj=sample.uj, power_mw=None, method=channel.method,
            low_uj=sample.low_uj, high_uj=sample.high_uj,
        )  # fmt: skip
    counts = channel.method is not Method.INTEGRATED
    return Reading(
        domain=channel.domain, t_ns=t_ns, energy_uj=sample if counts else None,
        power_mw=None if counts else sample, method=channel.method,
    )  # fmt: skip
