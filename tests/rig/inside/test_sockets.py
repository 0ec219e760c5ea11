"""Eight sockets, MMIO zones that repeat one of them, and a board counter around it all: no joule counts twice."""

from __future__ import annotations

import time

import pytest

from greennb.meter.meter import Meter
from greennb.settings import Settings
from greennb.sources.detect import detect
from tests.rig.rig import Rig


def test_packages_and_their_memory_add_up(rig: Rig) -> None:
    meter = Meter(detect(Settings(sources="rapl"), "rig").sources, host="rig")
    with meter.measure() as window:
        time.sleep(0.5)
    measured = window.result
    true_j = sum(
        rig.joules(f"intel-rapl:{socket}{part}", measured.window.t0_ns, measured.window.t1_ns)
        for socket in range(8)
        for part in ("", ":0")
    )
    assert len(measured.roots) == 16
    assert measured.total_j == pytest.approx(true_j, rel=0.02)
    assert len({energy.domain for energy in measured.energies}) == len(measured.energies)
    assert not measured.partial
