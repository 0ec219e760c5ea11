"""What ``greennb doctor`` finds out: sources, the watts that they show now, carbon, ledger, and our own cost."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greennb import __version__
from greennb.model.errors import GreennbError
from greennb.model.footprint import CarbonIntensity
from greennb.model.measurement import DomainEnergy, Measurement
from greennb.model.units import ns_to_s
from greennb.runtime import Runtime
from greennb.settings import Settings
from greennb.sources.base import Probe

if TYPE_CHECKING:
    from greennb.meter.meter import Meter

SCHEMA = 1
"""Version of what ``greennb doctor --json`` prints."""

LOOK_S = 0.5
"""Seconds between the two readings that give the watts: several updates of every sensor that we know."""

ROUNDS = 200
"""Windows that are opened and closed for the median of our own cost."""

_IMPORTS = 5  # processes that import greennb for the median
_IMPORT_TIMEOUT_S = 30.0
_PACKAGES = ("ipython", "ipykernel", "nbclient", "codecarbon", "nvidia-ml-py", "psutil", "jupyterlab")
_TIMED_IMPORT = "import time; t = time.perf_counter_ns(); import greennb; print(time.perf_counter_ns() - t)"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCost:
    """What greennb itself takes, as medians measured here: seconds; None where it could not be measured.

    ``reads_s`` is what the two reads inside a window take by themselves.
    """

    window_s: float
    reads_s: float
    rounds: int
    import_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerState:
    """Where the ledger is ("" if off), how many windows it keeps, and what is wrong with it ("" if nothing)."""

    path: str
    windows: int | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """Everything that the doctor says. ``intensity`` is None where carbon is off or ``carbon_problem`` says why."""

    host: str
    at: datetime
    probes: tuple[Probe, ...]
    look: Measurement
    settings: Settings
    intensity: CarbonIntensity | None
    carbon_problem: str
    ledger: LedgerState
    cost: OwnCost
    versions: dict[str, str]

    def now(self, device: str) -> DomainEnergy | None:
        """The energy of a device during the look, None where it gave none."""
        return next((energy for energy in self.look.energies if energy.domain.device == device), None)

    def to_dict(self) -> dict[str, Any]:
        """The checkup as plain JSON values."""
        return {
            "schema": SCHEMA,
            "host": self.host,
            "at": self.at.isoformat(),
            "sources": [self._source(probe) for probe in self.probes],
            "faults": [
                {"device": None if fault.domain is None else fault.domain.device, "reason": fault.reason,
                 "hint": fault.hint} for fault in self.look.faults
            ],
            "intensity": None if self.intensity is None else asdict(self.intensity),
            "carbon_problem": self.carbon_problem,
            "pue": self.settings.pue,
            "ledger": asdict(self.ledger),
            "own_cost": {**asdict(self.cost), "measured": "here, now"},
            "versions": self.versions,
        }  # fmt: skip

    def _source(self, probe: Probe) -> dict[str, Any]:
        channels = () if probe.source is None else probe.source.channels
        return {
            "name": probe.name,
            "used": probe.source is not None,
            "reason": probe.reason,
            "hint": probe.hint,
            "channels": [
                {
                    "kind": channel.domain.kind.value,
                    "device": channel.domain.device,
                    "label": channel.domain.label,
                    "inside": None if channel.domain.inside is None else channel.domain.inside.device,
                    "method": channel.method.value,
                    "resolution_uj": channel.resolution_uj,
                    "refresh_s": ns_to_s(channel.refresh_ns),
                    "note": channel.note,
                    **self._watts(self.now(channel.domain.device)),
                }
                for channel in channels
            ],
        }

    def _watts(self, energy: DomainEnergy | None) -> dict[str, float | None]:
        if energy is None:
            return {"now_w": None, "now_low_w": None, "now_high_w": None}
        span_s = self.look.duration_s
        low_w, high_w = energy.low_j / span_s, energy.high_j / span_s
        return {"now_w": energy.gross_j / span_s, "now_low_w": low_w, "now_high_w": high_w}


def checkup(runtime: Runtime, *, sleep: Callable[[float], None] = time.sleep) -> Checkup:
    """Look at everything once; takes about a second."""
    runtime.on_problem = lambda _text: None  # what is wrong has its place below
    with runtime.meter.measure("doctor") as window:
        sleep(LOOK_S)
    intensity, carbon_problem = _intensity(runtime.settings)
    return Checkup(
        host=runtime.host,
        at=datetime.now(UTC),
        probes=runtime.detection.probes,
        look=window.result,
        settings=runtime.settings,
        intensity=intensity,
        carbon_problem=carbon_problem,
        ledger=_ledger_state(runtime),
        cost=_own_cost(runtime.meter),
        versions=_versions(),
    )


def _intensity(settings: Settings) -> tuple[CarbonIntensity | None, str]:
    if not settings.carbon:
        return None, ""
    from greennb.carbon.intensity import resolve

    try:
        return resolve(settings, wait=True), ""
    except GreennbError as error:
        return None, str(error)


def _ledger_state(runtime: Runtime) -> LedgerState:
    ledger = runtime.ledger
    if ledger.path is None:
        return LedgerState(path="", windows=None, problem="")
    try:
        windows = sum(session.windows for session in ledger.sessions())
    except GreennbError as error:
        return LedgerState(path=str(ledger.path), windows=None, problem=str(error))
    return LedgerState(path=str(ledger.path), windows=windows, problem=_write_problem(ledger.path))


def _write_problem(path: Path) -> str:
    """Why the ledger cannot be written, "" where it can; nothing is created to find out."""
    place = path
    while not place.exists() and place != place.parent:
        place = place.parent
    return "" if os.access(place, os.W_OK) else f"{place} is read-only for you: set GREENNB_LEDGER to another path."


def _own_cost(meter: Meter) -> OwnCost:
    samplings = [source.sample for source in meter.sources]

    def reads() -> None:
        for sample in samplings + samplings:
            sample()

    windows_s, reads_s = _median_s(lambda: meter.open().close(), reads)
    return OwnCost(window_s=windows_s, reads_s=reads_s, rounds=ROUNDS, import_s=_import_s())


def _median_s(*acts: Callable[[], object]) -> list[float]:
    """The median time of each of ``acts``, done in turns: what slows one down slows down the others.

    The first tenth, on cold caches, does not count.
    """
    times_ns: list[list[int]] = [[] for _act in acts]
    for _round in range(ROUNDS + ROUNDS // 10):
        for act, times in zip(acts, times_ns, strict=True):
            began_ns = time.perf_counter_ns()
            act()
            times.append(time.perf_counter_ns() - began_ns)
    return [ns_to_s(statistics.median(times[ROUNDS // 10 :])) for times in times_ns]


def _import_s() -> float | None:
    """The median time that a fresh Python takes to import greennb; None where none can be started."""
    try:
        times_ns = [
            int(
                subprocess.run(
                    [sys.executable, "-c", _TIMED_IMPORT],
                    capture_output=True, check=True, text=True, timeout=_IMPORT_TIMEOUT_S,
                ).stdout
            )
            for _process in range(_IMPORTS)
        ]  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return ns_to_s(statistics.median(times_ns))


def _versions() -> dict[str, str]:
    found = {"greennb": __version__, "Python": platform.python_version(), "system": platform.platform()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
