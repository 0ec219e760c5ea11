"""From samples to energy: the difference of counters, unwrapped, and power integrated by trapezoids."""

from __future__ import annotations

from typing import NamedTuple

from greennb.model.reading import DomainKind, Fault, Method
from greennb.model.units import mw_ns_to_uj, w_ns_to_uj
from greennb.sources.base import Channel, Modelled, Sample

STILL_HINT = "Measure again; if it stays so, the driver no longer updates the counter."
RESET_HINT = "The energy before the reset in this window is lost; measure again."

_PLAUSIBLE_MARGIN = 1.5
"""A domain may exceed its stated limit for moments (turbo, board tolerance); past 1.5 times we disbelieve it."""

_STILL_NS = 20_000_000
_STILL_REFRESHES = 5
"""A counter that has not moved for so long, and for so many of its refreshes, no longer counts: a package that idles at
1 W adds 20 mJ in that time, 300 of its steps."""

_ALWAYS_DRAWING = (DomainKind.GPU, DomainKind.CPU_PACKAGE, DomainKind.SOC, DomainKind.PSYS)
"""What draws power whenever it can be asked. Memory, cores and the graphics unit inside a package may rest at 0."""

_POWER_GAP_NS = 2_000_000_000
"""Power samples further apart than this say nothing of the time between them; the sampler's period is a tenth."""


class Piece(NamedTuple):
    """Energy between two samples of one channel, in microjoules, and how much of the time it stands for."""

    uj: float = 0.0
    low_uj: float = 0.0
    high_uj: float = 0.0
    covered_ns: int = 0
    fault: Fault | None = None

    def __add__(self, other: object) -> Piece:
        """Both pieces, one after the other; the first fault is kept."""
        if not isinstance(other, Piece):
            return NotImplemented
        return Piece(
            self.uj + other.uj,
            self.low_uj + other.low_uj,
            self.high_uj + other.high_uj,
            self.covered_ns + other.covered_ns,
            self.fault or other.fault,
        )


def span(channel: Channel, t0_ns: int, first: Sample, t1_ns: int, last: Sample) -> Piece:
    """Energy of ``channel`` from ``first`` to ``last``, taken at ``t0_ns`` and ``t1_ns``.

    A Fault at either end gives a piece that covers nothing and carries the fault.
    """
    if isinstance(first, Fault):
        return Piece(fault=first)
    if isinstance(last, Fault):
        return Piece(fault=last)
    elapsed_ns = t1_ns - t0_ns
    if isinstance(first, Modelled) or isinstance(last, Modelled):
        return _modelled(channel, t1_ns, first, last, elapsed_ns)
    if channel.method is Method.INTEGRATED:
        return _trapezoid(channel, t1_ns, first, last, elapsed_ns)
    return _counted(channel, t1_ns, first, last, elapsed_ns)


def _modelled(channel: Channel, t_ns: int, first: Sample, last: Sample, elapsed_ns: int) -> Piece:
    if not (isinstance(first, Modelled) and isinstance(last, Modelled)):
        return Piece(fault=Fault(domain=channel.domain, t_ns=t_ns, reason="the estimate changed its kind"))
    uj, low_uj, high_uj = last.uj - first.uj, last.low_uj - first.low_uj, last.high_uj - first.high_uj
    if uj < 0:
        return Piece(fault=_went_back(channel, t_ns))
    return Piece(uj, low_uj, high_uj, elapsed_ns)


def _trapezoid(channel: Channel, t_ns: int, first_mw: int, last_mw: int, elapsed_ns: int) -> Piece:
    """Mean of two powers times the time; power anywhere between the two keeps the energy inside the bounds."""
    if elapsed_ns > _POWER_GAP_NS:
        reason = f"no power was read for {elapsed_ns / 1e9:.1f} s"
        return Piece(fault=Fault(domain=channel.domain, t_ns=t_ns, reason=reason))
    low_mw, high_mw = sorted((first_mw, last_mw))
    return Piece(
        mw_ns_to_uj((low_mw + high_mw) / 2, elapsed_ns),
        mw_ns_to_uj(low_mw, elapsed_ns),
        mw_ns_to_uj(high_mw, elapsed_ns),
        elapsed_ns,
    )


def _counted(channel: Channel, t_ns: int, first_uj: int, last_uj: int, elapsed_ns: int) -> Piece:
    """Difference of a counter, with the wrap added where that is what happened.

    A counter that goes back has wrapped or was reset (suspend, driver reload). It has wrapped where the energy
    with the wrap added is one that the domain could have drawn; else the energy is unknown, and says so.
    """
    # One refresh more than the time that passed: the first value may be that much old.
    most_uj = w_ns_to_uj(channel.max_power_w * _PLAUSIBLE_MARGIN, elapsed_ns + channel.refresh_ns)
    most_uj += channel.resolution_uj
    uj = last_uj - first_uj
    if uj == 0 and _should_have_moved(channel, elapsed_ns):
        reason = f"the energy counter has not moved for {elapsed_ns / 1e9:.3g} s"
        return Piece(fault=Fault(domain=channel.domain, t_ns=t_ns, reason=reason, hint=STILL_HINT))
    if uj < 0:
        if channel.wrap_uj is None or uj + channel.wrap_uj > most_uj:
            return Piece(fault=_went_back(channel, t_ns))
        uj += channel.wrap_uj
    if uj > most_uj:
        reason = f"the counter jumped by {uj / 1e6:.0f} J in {elapsed_ns / 1e9:.3g} s, more than it can have drawn"
        return Piece(fault=Fault(domain=channel.domain, t_ns=t_ns, reason=reason, hint=RESET_HINT))
    if channel.wrap_uj is not None and most_uj - uj >= channel.wrap_uj:
        reason = f"the counter may have wrapped more than once in {elapsed_ns / 1e9:.0f} s without a reading"
        return Piece(fault=Fault(domain=channel.domain, t_ns=t_ns, reason=reason, hint=RESET_HINT))
    return Piece(uj, uj, uj, elapsed_ns)


def may_rest(channel: Channel, elapsed_ns: int) -> bool:
    """Whether ``channel`` is a counter that may well show the same after ``elapsed_ns``."""
    return (
        channel.method is Method.COUNTER
        and channel.domain.kind in _ALWAYS_DRAWING
        and not _should_have_moved(channel, elapsed_ns)
    )


def _should_have_moved(channel: Channel, elapsed_ns: int) -> bool:
    return channel.domain.kind in _ALWAYS_DRAWING and elapsed_ns >= max(
        _STILL_NS, _STILL_REFRESHES * channel.refresh_ns
    )


def _went_back(channel: Channel, t_ns: int) -> Fault:
    return Fault(domain=channel.domain, t_ns=t_ns, reason="the energy counter was reset", hint=RESET_HINT)


def longest_safe_ns(channel: Channel) -> int | None:
    """The longest time between two readings that leaves no doubt about wraps; None where there are none."""
    if channel.wrap_uj is None:
        return None
    at_most_uj_per_ns = w_ns_to_uj(channel.max_power_w * _PLAUSIBLE_MARGIN, 1)
    return int(channel.wrap_uj / at_most_uj_per_ns / 2)
