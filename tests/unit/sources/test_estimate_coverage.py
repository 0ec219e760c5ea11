"""The estimate's interval holds what a machine draws whose idle and full power lie within the model's documented range.

What that range is worth on real machines only a meter at the plug can tell; what is tried here is that nothing of it is
lost on the way to a window's interval, whatever the load does.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from greennb.meter.meter import Meter
from greennb.testing import FakeClock
from tests.rig.proc import MODEL, Tree, source_on

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="recorded Linux trees need os.pread")

TICKS_S = 100
WINDOWS = 500
LOADS: dict[str, Callable[[float], float]] = {
    "constant": lambda _t_s: 0.6,
    "square": lambda t_s: 0.1 if t_s % 1.0 < 0.5 else 0.9,
    "ramp": lambda t_s: (t_s % 3.0) / 3.0,
}


@pytest.mark.parametrize("load", LOADS)
def test_the_interval_holds_every_machine_within_the_range(tmp_path: Path, load: str) -> None:
    draw = random.Random(11)
    clock = FakeClock()
    tree = Tree(tmp_path, cpus=4)
    meter = Meter([source_on(tree, clock)], clock=clock)
    busy_ticks, t_s, held = 0.0, 0.0, 0
    for _ in range(WINDOWS):
        idle_w = draw.triangular(MODEL.idle_low_w, MODEL.idle_high_w, MODEL.idle_w)
        full_w = draw.triangular(MODEL.max_low_w, MODEL.max_high_w, MODEL.max_w)
        window, true_j = meter.open(), 0.0
        for _step in range(draw.randint(5, 40)):
            share = LOADS[load](t_s)
            t_s += 0.05
            clock.sleep(0.05)
            busy_ticks += share * 4 * 0.05 * TICKS_S
            true_j += (idle_w + (full_w - idle_w) * share) * 0.05
        tree.stat(*(round(busy_ticks / 4),) * 4)
        window.close()
        result = window.result
        assert result.low_j is not None
        assert result.high_j is not None
        held += result.low_j <= true_j <= result.high_j
    assert held / WINDOWS >= 0.95
