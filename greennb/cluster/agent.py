"""What runs beside a worker: meters its host if nobody else of that host does, and answers what a window cost there."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace

from greennb import __version__
from greennb.cluster.clocks import Ahead, Question
from greennb.cluster.host import HostLock, boot_id
from greennb.meter.meter import Meter
from greennb.meter.past import Past, Stretch
from greennb.model.reading import Domain, Fault
from greennb.model.units import ns_to_s
from greennb.settings import Settings
from greennb.sources.detect import detect

STANDBY_S = 1.0
"""How often a process that does not meter looks whether the one that does is gone."""

TASKS = 20_000
"""Tasks remembered, about 2 MB; of a window with more, the latest are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a worker is: its host by name and by boot, the devices that it can read, and whether it meters them."""

    host: str
    boot_id: str
    devices: frozenset[str]
    version: str
    metering: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one host took between two instants."""

    identity: Identity
    stretch: Stretch


class Agent:
    """One worker's part. ``name`` is what its host is called in what is shown."""

    def __init__(self, name: str, settings: Settings | None = None) -> None:
        detection = detect(Settings.from_environment() if settings is None else settings, name)
        self.meter = Meter(detection.sources, host=name, faults=detection.faults)
        self.past = Past(self.meter)
        self.devices = frozenset(channel.domain.device for channel in self.meter.channels)
        self.tasks: deque[tuple[str, int, int]] = deque(maxlen=TASKS)
        self._boot_id = boot_id()
        self._lock = HostLock(self.devices)
        self._over = threading.Event()
        self._running: dict[str, tuple[str, int]] = {}
        self._ahead: dict[str, Ahead] = {}
        if self._lock.take():
            self.past.begin()
        else:
            threading.Thread(target=self._stand_by, name="greennb-standby", daemon=True).start()

    def identity(self) -> Identity:
        """Who this is, now."""
        return Identity(
            host=self.meter.host, boot_id=self._boot_id, devices=self.devices, version=__version__,
            metering=self._lock.held,
        )  # fmt: skip

    def hear(self, asker: str, sent_ns: int) -> None:
        """Somebody asks something, and says when it was sent."""
        self._ahead.setdefault(asker, Ahead()).hear(sent_ns, time.monotonic_ns())

    def answer(self, asker: str, asked: Question) -> Answer:
        """What this host took between two instants of the asker's clock."""
        t0_ns, t1_ns, unsure_ns = self._instants(asker, asked)
        if self._lock.held:
            stretch = self.past.between(t0_ns, t1_ns, unsure_ns)
        else:
            reason = "another process of this host meters it, and did not answer"
            fault = Fault(domain=None, t_ns=t1_ns, reason=reason)
            stretch = Stretch(t0_ns=t0_ns, t1_ns=t1_ns, energies=(), faults=(fault,))
        return Answer(identity=self.identity(), stretch=stretch)

    def _instants(self, asker: str, asked: Question) -> tuple[int, int, int]:
        self.hear(asker, asked.sent_ns)
        return self._ahead[asker].here(asked, time.monotonic_ns())

    def moved(self, key: object, start: str, finish: str, prefix: str) -> None:
        """A task went from one state to another; on the worker's event loop, so it must be quick."""
        if finish == "executing":
            self._running[str(key)] = (prefix, time.monotonic_ns())
        elif start == "executing":
            known = self._running.pop(str(key), None)
            if known is not None:
                self.tasks.append((*known, time.monotonic_ns()))

    def task_seconds(self, asker: str, asked: Question) -> Mapping[str, float]:
        """Seconds that tasks ran between two instants, by prefix; of tasks that still run, up to now."""
        t0_ns, t1_ns, _unsure_ns = self._instants(asker, asked)
        now_ns = time.monotonic_ns()
        found: dict[str, float] = {}
        for prefix, began_ns, ended_ns in [*self.tasks, *((p, b, now_ns) for p, b in self._running.values())]:
            inside_ns = min(ended_ns, t1_ns) - max(began_ns, t0_ns)
            if inside_ns > 0:
                found[prefix] = found.get(prefix, 0.0) + ns_to_s(inside_ns)
        return found

    def close(self) -> None:
        """Meter no more, and let another process of this host do so."""
        self._over.set()
        self.past.end()
        self._lock.give()
        self.meter.close_sources()

    def _stand_by(self) -> None:
        while not self._over.wait(STANDBY_S):
            if self._lock.take():
                self.past.begin()
                return


def named(stretch: Stretch, host: str) -> Stretch:
    """``stretch`` with its domains on a host of that name, which their labels say: several hosts are shown together."""
    energies = tuple(replace(it, domain=_on(it.domain, host)) for it in stretch.energies)
    return replace(stretch, energies=energies)


def _on(domain: Domain, host: str) -> Domain:
    inside = None if domain.inside is None else _on(domain.inside, host)
    return replace(domain, host=host, label=f"{domain.label} on {host}", inside=inside)
