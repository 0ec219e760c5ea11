"""What can be told of a card by watching it: its counter's rhythm, counter against power, cost per read, intervals."""

from __future__ import annotations

import math
import random
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from greennb.meter.meter import Meter
from greennb.model.measurement import Measurement
from greennb.sources.nvml import probe
from tests.gpu.card import Card, Work, keep_doing

LOOK_S = 0.0002
"""Between two reads while ticks are looked for: a tick is then known to a hundredth of the shortest refresh."""

POWER_S = 0.02
"""Between two reads of power; no card updates it faster."""

SETTLE_S = 1.5
"""Power may be the mean of the last second (NVML API reference): so long a load runs before it is compared."""


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """How often the energy counter moves, in milliseconds; ``spread_ms`` is the standard deviation of one interval."""

    period_ms: float
    spread_ms: float
    shortest_ms: float
    longest_ms: float
    ticks: int


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Mean power of the same seconds, by the counter and by the integral of power."""

    seconds: float
    counter_w: float
    power_w: float

    @property
    def difference(self) -> float:
        """How much more the integral of power shows, as a share of the counter's."""
        return self.power_w / self.counter_w - 1


@dataclass(frozen=True, kw_only=True)
class Width:
    """The 95 % interval of windows of one length: joules, and its median half-width as a share of them."""

    seconds: float
    joules: float
    half: float
    windows: int


@dataclass(frozen=True, kw_only=True)
class Repeats:
    """The same work again and again: the joules of each run, and the half-width of each run's interval."""

    rounds: int
    seconds: float
    joules: tuple[float, ...]
    halves_j: tuple[float, ...]

    @property
    def median_j(self) -> float:
        """The middle run."""
        return statistics.median(self.joules)

    @property
    def spread(self) -> float:
        """Standard deviation of a run, as a share of the median."""
        return statistics.stdev(self.joules) / self.median_j

    @property
    def inside(self) -> int:
        """Runs whose interval holds the median of all."""
        held = zip(self.joules, self.halves_j, strict=True)
        return sum(abs(joules - self.median_j) <= half_j for joules, half_j in held)


def rhythm(card: Card, ticks: int, limit_s: float = 60.0) -> Rhythm:
    """The intervals between ``ticks`` updates of the counter, looked for closely; fewer where ``limit_s`` is over."""
    seen_ns: list[float] = []
    end_s = time.monotonic() + limit_s
    last_mj, last_ns = card.energy_mj(), time.monotonic_ns()
    while len(seen_ns) <= ticks and time.monotonic() < end_s:
        time.sleep(LOOK_S)
        mj, now_ns = card.energy_mj(), time.monotonic_ns()
        # A tick between two looks that are far apart (this thread was not run) has no time worth knowing.
        if mj != last_mj:
            seen_ns.append((last_ns + now_ns) / 2 if now_ns - last_ns < 3e6 else math.nan)
        last_mj, last_ns = mj, now_ns
    pairs = pairwise(seen_ns)
    gaps_ms = [(after - before) / 1e6 for before, after in pairs if not math.isnan(after - before)]
    return Rhythm(
        period_ms=statistics.median(gaps_ms), spread_ms=statistics.stdev(gaps_ms), shortest_ms=min(gaps_ms),
        longest_ms=max(gaps_ms), ticks=len(gaps_ms),
    )  # fmt: skip


def compared(card: Card, seconds: float, work: Work | None) -> Compared:
    """Counter against integrated power while ``work`` is done (None: while nothing is), after it has settled."""
    stop = threading.Event()
    looks: list[tuple[float, int, int]] = []

    def look() -> None:
        while not stop.wait(POWER_S):
            looks.append((time.monotonic(), card.energy_mj(), card.power_mw()))

    if work is None:
        time.sleep(SETTLE_S)
    else:
        keep_doing(work, SETTLE_S)
    thread = threading.Thread(target=look)
    thread.start()
    if work is None:
        time.sleep(seconds)
    else:
        keep_doing(work, seconds)
    stop.set()
    thread.join()
    elapsed_s = looks[-1][0] - looks[0][0]
    power_j = sum((t1 - t0) * (p0 + p1) / 2e3 for (t0, _, p0), (t1, _, p1) in pairwise(looks))
    counter_j = (looks[-1][1] - looks[0][1]) / 1e3
    return Compared(seconds=elapsed_s, counter_w=counter_j / elapsed_s, power_w=power_j / elapsed_s)


def cost_per_read(card: Card, times: int = 200) -> dict[str, float]:
    """The median time of each NVML call that a meter makes, in microseconds, but for those that the card refuses."""
    nvml, handle = card.nvml, card.handle
    calls: dict[str, Callable[[], object]] = {
        "nvmlDeviceGetTotalEnergyConsumption": card.energy_mj,
        "nvmlDeviceGetPowerUsage": card.power_mw,
        "nvmlDeviceGetHandleByUUID": lambda: nvml.nvmlDeviceGetHandleByUUID(card.uuid),
        "nvmlDeviceGetComputeRunningProcesses": lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle),
        "nvmlDeviceGetProcessUtilization": lambda: nvml.nvmlDeviceGetProcessUtilization(handle, 0),
        "nvmlDeviceGetUtilizationRates": lambda: nvml.nvmlDeviceGetUtilizationRates(handle),
        "nvmlDeviceGetPowerManagementLimit": lambda: nvml.nvmlDeviceGetPowerManagementLimit(handle),
    }
    found = {}
    for name, call in calls.items():
        try:
            found[name] = statistics.median(_took_us(call) for _ in range(times))
        except nvml.NVMLError:
            continue  # a card need not answer this one
    return found


def _took_us(call: Callable[[], object]) -> float:
    began_ns = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - began_ns) / 1e3


def meter() -> Meter:
    """greennb's own meter on the boards of this machine."""
    found = probe("gpu suite", {})
    assert found.source is not None, found.reason
    return Meter([found.source], faults=found.faults)


def widths(measuring: Meter, card: Card, lengths_s: tuple[float, ...], windows: int) -> list[Width]:
    """How wide greennb's interval is for windows of each length, none of them on the counter's grid."""
    chance = random.Random(3)
    found = []
    for length_s in lengths_s:
        joules, halves = [], []
        for _ in range(windows):
            window = measuring.open()
            time.sleep(length_s * chance.uniform(0.95, 1.05))
            window.close()
            joules_of, half_j = on_card(window.result, card)
            joules.append(joules_of)
            halves.append(half_j / joules_of if joules_of else math.inf)
        found.append(
            Width(seconds=length_s, joules=statistics.median(joules), half=statistics.median(halves), windows=windows)
        )
    return found


def repeats(measuring: Meter, card: Card, work: Work, runs: int, seconds: float) -> Repeats:
    """The joules of ``runs`` equal loops of about ``seconds`` each, on a card that is warm."""
    rounds = max(1, keep_doing(work, seconds))
    keep_doing(work, SETTLE_S)
    joules, halves_j, lengths_s = [], [], []
    for _ in range(runs):
        with measuring.measure("loop") as window:
            for _ in range(rounds):
                work.once()
        joules_of, half_j = on_card(window.result, card)
        joules.append(joules_of)
        halves_j.append(half_j)
        lengths_s.append(window.result.window.duration_s)
    return Repeats(
        rounds=rounds, seconds=statistics.median(lengths_s), joules=tuple(joules), halves_j=tuple(halves_j)
    )  # fmt: skip


def on_card(measurement: Measurement, card: Card) -> tuple[float, float]:
    """Joules of the card in a measurement, and half of its interval; a Fault there is an error here."""
    assert not measurement.faults, measurement.faults
    (energy,) = (energy for energy in measurement.energies if energy.domain.device == card.uuid)
    return energy.gross_j, (energy.high_j - energy.low_j) / 2
