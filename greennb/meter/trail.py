"""A window's running sums: energy by channel, folded from one look at the sources after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from greennb.meter.integrate import Piece, may_rest, span
from greennb.model.reading import Fault
from greennb.sources.base import Channel, Sample


class Look(NamedTuple):
    """One look at every source: each channel's sample, the middle of its bracket, and the bracket's length."""

    samples: Sequence[Sample]
    times_ns: Sequence[int]
    brackets_ns: Sequence[int]


class Trail:
    """The energy of each channel from a first look on.

    A failed read leaves the base where it is: a counter counts on meanwhile, and whether the difference that it
    shows afterwards can be believed is for :func:`span` to say. Power has no such memory: a gap stays a gap.
    """

    __slots__ = ("_bases", "_channels", "_faults", "sums")

    def __init__(self, channels: Sequence[Channel], first: Look) -> None:
        self._channels = channels
        self._bases: list[tuple[int, Sample] | None] = [None] * len(channels)
        self._faults: dict[tuple[str, str], Fault] = {}
        self.sums = [Piece()] * len(channels)
        self.fold(first)

    def copy(self) -> Trail:
        """These sums, to go on with apart from them."""
        other = Trail.__new__(Trail)
        other._channels = self._channels
        other._bases = list(self._bases)
        other._faults = dict(self._faults)
        other.sums = list(self.sums)
        return other

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What could not be read, each reason once a domain, as last seen."""
        return tuple(self._faults.values())

    def fold(self, look: Look, *, last: bool = False) -> None:
        """Add the energy since the last look; an older look than that says nothing new.

        A counter that shows the same as before is left as it is until it moves, until it should have, or until the
        ``last`` look: how long it has stood still is then known however often it was looked at.
        """
        for index, channel in enumerate(self._channels):
            sample, t_ns, base = look.samples[index], look.times_ns[index], self._bases[index]
            if isinstance(sample, Fault):
                self._note(sample)
            elif base is None:
                self._bases[index] = (t_ns, sample)
            elif t_ns > base[0] and (last or sample != base[1] or not may_rest(channel, t_ns - base[0])):
                self._bases[index] = (t_ns, sample)
                self._add(index, span(channel, base[0], base[1], t_ns, sample))

    def _add(self, index: int, piece: Piece) -> None:
        if piece.fault is not None:
            self._note(piece.fault)
        self.sums[index] += piece

    def _note(self, fault: Fault) -> None:
        device = "" if fault.domain is None else fault.domain.device
        self._faults[device, fault.reason] = fault
