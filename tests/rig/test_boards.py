"""What the advisor's observer tells of NVIDIA boards, through pynvml and the stub library."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rig import nvml
from tests.rig.boards import seen
from tests.rig.nvml import GIB, Gpu, NvmlRig


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not nvml.can_build():
        pytest.skip("no gcc: the NVML stub cannot be built, and boards are not observed")
    return nvml.build(tmp_path_factory.mktemp("nvml"))


def test_two_boards_while_a_cell_runs(library: Path, tmp_path: Path) -> None:
    """Each by itself: watts, clock, heat, memory; and what the first drew in the pause before, at its end."""
    busy = Gpu(
        trace="constant 292", limit_mw=300_000, max_limit_mw=400_000, sm_util=90, temperature_c=83, sm_mhz=1100,
        max_sm_mhz=1410, capability=80, processes=((0, 9 * GIB, 80, 0),),
    )  # fmt: skip
    silent = Gpu(uuid="GPU-b", trace="constant 50", limit_mw=0, max_limit_mw=0, sm_mhz=0, max_sm_mhz=0, capability=0)
    machine = seen(NvmlRig(tmp_path, library, [busy, silent]), seconds=1.0, idle_s=0.3).machine
    assert machine is not None
    first, second = machine.gpus
    assert first.power_w == pytest.approx(292, abs=1)
    assert first.idle_w == pytest.approx(292, abs=1)
    assert (first.limit_w, first.max_limit_w, first.temp_c) == (300.0, 400.0, 83.0)
    assert (first.clock_mhz, first.max_clock_mhz, first.capability) == (1100.0, 1410.0, (8, 0))
    assert (first.util, first.held_b) == (pytest.approx(0.9), 9 * GIB)
    assert first.samples >= 3
    assert (second.limit_w, second.clock_mhz, second.held_b, second.capability) == (None, None, None, (0, 0))
