"""Utilisation and memory of a meter's devices and of the machine, looked at once a second at most."""

from __future__ import annotations

from greennb.meter.meter import Meter
from greennb.model.reading import Domain, DomainKind
from greennb.model.units import ns_to_s
from greennb.sources.base import Board, Boards, Gauge, Gauges
from greennb.sources.machine import MachineGauge

PERIOD_S = 1.0
"""NVML's own utilisation is of the last sixth of a second to second; asking more often costs and tells nothing."""


class Panel:
    """The gauges of ``meter``; ``machine`` is None where the machine's own are not wanted."""

    def __init__(self, meter: Meter, machine: MachineGauge | None) -> None:
        self._now_ns = meter.clock.monotonic_ns
        self._machine = machine
        self._looked_s: float | None = None
        self._owners: list[tuple[Domain, Gauges, int]] = [
            (channel.domain, source, position)
            for source in meter.sources
            if isinstance(source, Gauges)
            for position, channel in enumerate(source.channels)
        ]

    def look(self) -> list[tuple[Domain | None, Gauge]]:
        """Each device's gauge and the machine's (None); nothing where the last look was less than a second ago."""
        now_s = ns_to_s(self._now_ns())
        if self._looked_s is not None and now_s - self._looked_s < 0.95 * PERIOD_S:
            return []
        self._looked_s = now_s
        found: list[tuple[Domain | None, Gauge]] = [
            (domain, source.gauge(position)) for domain, source, position in self._owners
        ]
        if self._machine is not None:
            found.append((None, self._machine.gauge()))
        return found

    def boards(self) -> list[tuple[Domain, Gauge, Board]]:
        """Each GPU's gauge, with its watts and clocks, now: a millisecond or so for each."""
        return [
            (domain, source.gauge(position), source.board(position) if isinstance(source, Boards) else Board())
            for domain, source, position in self._owners
            if domain.kind is DomainKind.GPU
        ]

    @property
    def has_boards(self) -> bool:
        """Whether there is any GPU."""
        return any(domain.kind is DomainKind.GPU for domain, _source, _position in self._owners)

    def held_b(self, pids: frozenset[int]) -> dict[Domain, int]:
        """Bytes of each device's memory that ``pids`` hold, where that can be told."""
        held = {domain: source.held_b(position, pids) for domain, source, position in self._owners}
        return {domain: b for domain, b in held.items() if b is not None}

    def close(self) -> None:
        """Release files."""
        if self._machine is not None:
            self._machine.close()
