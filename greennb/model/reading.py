"""Where energy is read (Domain), how (Method), what was read (Reading) and what could not be (Fault)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class DomainKind(StrEnum):
    """What kind of hardware a domain is."""

    GPU = "gpu"
    CPU_PACKAGE = "cpu_package"
    CPU_CORE = "cpu_core"
    CPU_UNCORE = "cpu_uncore"
    DRAM = "dram"
    PSYS = "psys"
    BATTERY = "battery"
    SOC = "soc"


class Method(StrEnum):
    """How joules were obtained, best first: a hardware energy counter, power integrated over time, a model."""

    COUNTER = "counter"
    INTEGRATED = "integrated"
    ESTIMATED = "estimated"

    @property
    def rank(self) -> int:
        """0 for the best method; larger is worse."""
        return list(Method).index(self)

    @staticmethod
    def worst(methods: Iterable[Method]) -> Method | None:
        """The worst of ``methods``, which is the method of their sum; None where there is none."""
        return max(methods, key=lambda method: method.rank, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A piece of hardware whose energy can be told apart from the rest.

    ``device`` is a UUID or a zone path, never a bare index: indices change with ``CUDA_VISIBLE_DEVICES``
    and from boot to boot. ``inside`` is the domain whose energy already contains this one's.
    """

    kind: DomainKind
    host: str
    device: str
    label: str
    inside: Domain | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One successful look at one domain.

    ``t_ns`` is the monotonic clock in the middle of the read. ``energy_uj`` counts up from an arbitrary
    origin; ``power_mw`` is what the sensor calls power now. ``low_uj`` and ``high_uj`` bound the energy
    (95 %) where it comes from a model.
    """

    domain: Domain
    t_ns: int
    energy_uj: int | None
    power_mw: int | None
    method: Method
    low_uj: int | None = None
    high_uj: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A look at a domain that gave no number: why, and what mends it. Never a zero in its stead.

    ``domain`` is None where the fault concerns no single domain.
    """

    domain: Domain | None
    t_ns: int
    reason: str
    hint: str = ""
