"""The 95 % interval on the rig, in real time: it holds the truth, and is not wider than it had to be."""

from __future__ import annotations

import heapq
import os
import random
import statistics
import time

import pytest

from greennb.meter.meter import Meter, OpenWindow
from greennb.model.measurement import DomainEnergy
from greennb.model.reading import Method
from greennb.settings import Settings
from greennb.sources.detect import detect
from tests.rig.rig import Rig

WINDOWS = 540
LEAST_HELD = 0.95 - 3 * (0.95 * 0.05 / WINDOWS) ** 0.5
"""Share that must hold. Where 95 in 100 hold in the long run, half of all samples have fewer: a sample that is three
standard deviations short (92.2 % of 540) shows that the intervals are too narrow, and one of 94.4 % shows nothing."""

AT_ONCE = 6
DEVICES = {"cpu_package": "intel-rapl:0", "dram": "intel-rapl:0:0"}


@pytest.fixture(scope="module")
def windows() -> list[OpenWindow]:
    """Random lengths from 21 to 600 ms, off every refresh grid, some at the same time; all in one process."""
    meter = Meter(detect(Settings(), "rig").sources, host="rig")
    with meter.measure():
        time.sleep(1.0)  # the refresh is learnt
    draw = random.Random(20261124)
    ends: list[tuple[float, int, OpenWindow]] = []
    done: list[OpenWindow] = []
    while len(done) < WINDOWS:
        if ends and (len(ends) == AT_ONCE or len(done) + len(ends) == WINDOWS or draw.random() < 0.3):
            end_s, _number, window = heapq.heappop(ends)
            time.sleep(max(0.0, end_s - time.monotonic()))
            window.close()
            done.append(window)
        else:
            time.sleep(draw.uniform(0, 0.02))
            length_s = draw.uniform(0.021, 0.15) if draw.random() < 0.7 else draw.uniform(0.15, 0.6)
            heapq.heappush(ends, (time.monotonic() + length_s, len(done) + len(ends) * 10_000, meter.open()))
    time.sleep(0.2)
    return done


def truth_j(rig: Rig, window: OpenWindow, energy: DomainEnergy) -> float:
    """What the domain really drew in the window."""
    device = DEVICES.get(energy.domain.kind.value)
    if device is None:
        device = next(name for name, gpu in rig.gpus.items() if gpu.uuid == energy.domain.device)
    return rig.joules(device, window.t0_ns, window.t1_ns)


@pytest.mark.parametrize("kind", ["cpu_package", "dram", "gpu counter", "gpu integrated"])
def test_the_interval_holds_the_truth(rig: Rig, windows: list[OpenWindow], kind: str) -> None:
    held, errors, halves = 0, [], []
    for window in windows:
        result = window.result
        energy = next(e for e in result.energies if f"{e.domain.kind.value} {e.method.value}".startswith(kind))
        true_j = truth_j(rig, window, energy)
        held += energy.low_j <= true_j <= energy.high_j
        errors.append(abs(energy.gross_j - true_j))
        halves.append((energy.high_j - energy.low_j) / 2)
        assert energy.gross_j >= 0
    needed_j = sorted(errors)[int(0.95 * WINDOWS)]
    ratio = statistics.median(halves) / needed_j
    print(f"{kind}: {held / WINDOWS:.1%} of {WINDOWS} hold the truth; half a width is {ratio:.2f} of what was needed; "
          f"mean error {1e3 * statistics.mean(errors):.2f} mJ")  # fmt: skip
    assert held / WINDOWS >= LEAST_HELD
    # A mean over a second says nothing about a shorter window: its interval is what is possible, not what was needed.
    assert energy.method is Method.INTEGRATED or ratio <= 2


def test_the_total_s_interval_holds_the_sum(rig: Rig, windows: list[OpenWindow]) -> None:
    held = faulty = 0
    for window in windows:
        result = window.result
        true_j = sum(truth_j(rig, window, energy) for energy in result.roots)
        assert result.low_j is not None
        assert result.high_j is not None
        held += result.low_j <= true_j <= result.high_j
        faulty += bool(result.faults)
    assert held / WINDOWS >= LEAST_HELD
    # On a machine that has no time for the sampler a tick may be seen so late that the counter seems to have stopped.
    assert faulty <= WINDOWS / 100


def test_the_package_is_no_worse_than_two_bare_reads(rig: Rig) -> None:
    """The same instants, read by hand beside the meter: our error is theirs, or less."""
    meter = Meter(detect(Settings(), "rig").sources, host="rig")
    fd = os.open("/sys/class/powercap/intel-rapl:0/energy_uj", os.O_RDONLY)
    draw = random.Random(7)
    ours, bare = [], []
    for _ in range(120):
        time.sleep(draw.uniform(0, 0.003))
        first_uj = int(os.pread(fd, 32, 0))
        window = meter.open()
        time.sleep(draw.uniform(0.005, 0.08))
        window.close()
        last_uj = int(os.pread(fd, 32, 0))
        energy = next(e for e in window.result.energies if e.domain.kind.value == "cpu_package")
        true_j = truth_j(rig, window, energy)
        ours.append(abs(energy.gross_j - true_j))
        bare.append(abs((last_uj - first_uj) / 1e6 - true_j))
    os.close(fd)
    assert statistics.mean(ours) <= 1.1 * statistics.mean(bare)
