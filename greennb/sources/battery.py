"""A laptop that runs on its battery: the whole machine's power, as the battery's gauge tells it, integrated.

Read from Linux's power_supply class (Documentation/ABI/testing/sysfs-class-power): microwatts in ``power_now``, or
microamperes in ``current_now`` times microvolts in ``voltage_now``. Discharging, some drivers give negative figures, as
the document says, and ACPI's positive ones: only their size counts, and ``status`` says the direction.

It counts only while every joule comes from the battery. With a charger on it the battery says nothing of what the
machine draws, and that is a Fault. It contains whatever other sources read, so it is used only where there is none.
``energy_now`` is in steps of 10 mWh (36 J) on many machines, too coarse for the cells of a notebook.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import mw_to_w, ua_uv_to_mw, uw_to_mw
from greennb.sources import sysfs
from greennb.sources.base import Channel, Probe, Sample

NAME = "battery"
ROOT = "/sys/class/power_supply"

REFRESH_NS = 10_000_000_000
"""An upper figure. Linux asks an ACPI battery at most once a second (drivers/acpi/battery.c, cache_time), and the
controller behind it updates when it likes, every few seconds on most; no file tells."""

MAX_POWER_W = 500.0
"""No laptop draws more from its battery: half as much again as the largest charger sold with one (330 W)."""

NOTE = (
    "The whole machine with its screen, so no other domain is added to it; the gauge behind it moves every few "
    "seconds, and short windows say little."
)
_CHARGERS = ("Mains", "USB", "Wireless")
"""Types of supplies that feed a machine from outside (the class's types, less batteries and UPSs)."""

_UNPLUG = "Unplug the charger and restart the kernel to measure by the battery."
_RESUME = "The battery tells the machine's power only while nothing else feeds it; unplug the charger."
_HINT = "The gauge has no figure now; many take some seconds after the charger is unplugged. greennb asks again."


class _NotAloneError(ValueError):
    """The battery is not all that feeds the machine, as a sentence's end."""


class _NoFigureError(ValueError):
    """The gauge says something that cannot be meant."""


class Supplies(NamedTuple):
    """The machine's batteries, and the files that tell whether something else feeds it ("1" while it does)."""

    batteries: tuple[Path, ...]
    chargers: tuple[Path, ...]

    def power_mw(self) -> int:
        """Milliwatts drawn from all batteries together.

        Raises:
            OSError: a file cannot be read.
            ValueError: a charger is on, no battery discharges, or a figure is none.
        """
        for charger in self.chargers:
            if sysfs.number(charger / "online"):
                raise _NotAloneError(f"{charger.name} feeds the machine, and the battery tells nothing of that")
        states = {battery: _status(battery) for battery in self.batteries}
        discharging = [battery for battery, state in states.items() if state == "Discharging"]
        if not discharging or "Charging" in states.values():
            told = ", ".join(f"{battery.name}: {state or 'no status'}" for battery, state in states.items())
            raise _NotAloneError(f"the battery is not what feeds the machine ({told})")
        power_mw = round(sum(_power_mw(battery) for battery in discharging))
        if not 0 < mw_to_w(power_mw) <= MAX_POWER_W:
            raise _NoFigureError(f"the battery's gauge says {mw_to_w(power_mw):.0f} W, which cannot be")
        return power_mw


def _status(battery: Path) -> str:
    """What the battery does: one of the class's words. Raises OSError where it does not say."""
    return (battery / "status").read_text(encoding="ascii", errors="replace").strip()


def _power_mw(battery: Path) -> float:
    """Milliwatts of one battery, whichever way they flow. Raises OSError or ValueError."""
    try:
        return uw_to_mw(abs(sysfs.number(battery / "power_now")))
    except FileNotFoundError:
        current_ua, voltage_uv = (sysfs.number(battery / name) for name in ("current_now", "voltage_now"))
        return abs(ua_uv_to_mw(current_ua, voltage_uv))


class BatterySource:
    """Reads ``supplies``' power through ``channel``. ``now_ns`` is the monotonic clock that dates Faults."""

    name = NAME

    def __init__(self, supplies: Supplies, channel: Channel, *, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.channels: tuple[Channel, ...] = (channel,)
        self._supplies = supplies
        self._now_ns = now_ns
        self._closed = False

    def sample(self) -> Sequence[Sample]:
        """The machine's milliwatts now, or a Fault while the battery does not tell them."""
        if self._closed:
            return (self._fault("the source is closed", ""),)
        try:
            return (self._supplies.power_mw(),)
        except (OSError, ValueError) as error:
            return (self._fault(*_in_words(error)),)

    def after_fork(self) -> None:
        """Nothing is held open."""

    def close(self) -> None:
        """Every later sample is a Fault."""
        self._closed = True

    def _fault(self, reason: str, hint: str) -> Fault:
        return Fault(domain=self.channels[0].domain, t_ns=self._now_ns(), reason=reason, hint=hint)


def _in_words(error: OSError | ValueError) -> tuple[str, str]:
    if isinstance(error, _NotAloneError):
        return str(error), _RESUME
    if isinstance(error, _NoFigureError):
        return str(error), _HINT
    return sysfs.in_words(error), _HINT


def probe(host: str, *, root: str = ROOT) -> Probe:
    """Look for a battery under ``root`` that feeds this machine now."""
    supplies = _supplies(Path(root))
    if not supplies.batteries:
        system = "" if sys.platform.startswith("linux") else "; batteries are read on Linux only"
        return Probe(name=NAME, source=None, reason=f"There is no battery of this machine under {root}{system}.")
    try:
        supplies.power_mw()
    except _NotAloneError as error:
        reason = f"On mains the battery says nothing of what the machine draws: {error}."
        return Probe(name=NAME, source=None, reason=reason, hint=_UNPLUG)
    except (OSError, ValueError) as error:
        names = " + ".join(battery.name for battery in supplies.batteries)
        reason, hint = _in_words(error)
        return Probe(name=NAME, source=None, reason=f"{names}: {reason}.", hint=hint)
    channel = _channel(supplies, host)
    reason = f"Reads {channel.domain.label}, which alone feeds this machine now (power, integrated)."
    return Probe(name=NAME, source=BatterySource(supplies, channel), reason=reason)


def _supplies(root: Path) -> Supplies:
    """This machine's batteries and what can charge them; the batteries of mice and headsets are not the machine's."""
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return Supplies(batteries=(), chargers=())  # not Linux, or no such class
    own = [(folder, sysfs.text(folder / "type")) for folder in folders if sysfs.text(folder / "scope") != "Device"]
    return Supplies(
        batteries=tuple(folder for folder, kind in own if kind == "Battery" and sysfs.text(folder / "present") != "0"),
        chargers=tuple(folder for folder, kind in own if kind in _CHARGERS and (folder / "online").exists()),
    )


def _channel(supplies: Supplies, host: str) -> Channel:
    names = " + ".join(battery.name for battery in supplies.batteries)
    domain = Domain(kind=DomainKind.BATTERY, host=host, device=f"power_supply:{names}", label=f"Battery {names}")
    return Channel(
        domain=domain, method=Method.INTEGRATED, resolution_uj=0.0, refresh_ns=REFRESH_NS, wrap_uj=None,
        max_power_w=MAX_POWER_W, note=NOTE,
    )  # fmt: skip
