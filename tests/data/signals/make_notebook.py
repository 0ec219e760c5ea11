"""Writes the recorded signals of the rules on boards and swap: ``python -m tests.data.signals.make_notebook``.

Each is one cell that ran for real, beside the virtual NVIDIA boards of ``tests/rig``: what the observer says went
through pynvml and NVML's own functions, the boards' figures are the rig's. What a short run cannot have, minutes and
a second of swapping, is put in by hand, and "made" says so.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any

from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import ArraySeen
from greennb.advisor.signals.record import to_dict
from tests.rig import nvml
from tests.rig.boards import seen
from tests.rig.nvml import GIB, Gpu, NvmlRig

HERE = Path(__file__).parent
MINE = 0
"""The process that asks, in the rig's language."""

RUN = (
    "a cell of 1.2 s that ran on a CPU beside a virtual NVIDIA board (tests/rig): its figures are the rig's, told "
    "through pynvml, not a card's; "
)
BOARD: dict[str, Any] = {
    "sm_util": 97,
    "limit_mw": 300_000,
    "max_limit_mw": 300_000,
    "max_sm_mhz": 1410,
    "sm_mhz": 1380,
    "capability": 80,
}
HOLDS = ((MINE, 9 * GIB, 0, 0),)


def main() -> None:
    """Write every file."""
    with tempfile.TemporaryDirectory() as folder:
        library = nvml.build(Path(folder))

        def ran(**board: Any) -> CellContext:
            rig = NvmlRig(Path(folder), library, [Gpu(**{"name": "NVIDIA A100-SXM4-40GB", **BOARD, **board})])
            return seen(rig, idle_s=0.3)

        idle = ran(trace="constant 60", sm_util=0, processes=HOLDS)
        held = "the pause of 12 minutes before it was 0.3 s"
        write("GNB101_fires", dataclasses.replace(idle, idle_before_s=720.0), held)
        write("GNB101_silent", dataclasses.replace(idle, idle_before_s=120.0), "the pause of 2 minutes was 0.3 s")
        free = ran(trace="constant 60", sm_util=0)
        write("GNB101_silent_free", dataclasses.replace(free, idle_before_s=720.0), held + "; nothing is held")

        full = "its duration of 20 minutes and 1,200 looks were 1.2 s and ten"
        write("GNB102_fires", longer(ran(trace="constant 292")), full)
        write("GNB102_silent", longer(ran(trace="constant 240")), full)
        lowered = ran(trace="constant 196", limit_mw=200_000)
        write("GNB102_silent_lowered", longer(lowered), full + "; the limit is a lowered one")

        hot = {"trace": "constant 210", "temperature_c": 88, "sm_mhz": 1050}
        write("GNB103_fires", longer(ran(**hot)), full)
        write("GNB103_silent", longer(ran(**{**hot, "temperature_c": 71})), full)
        write("GNB103_silent_capped", longer(ran(**{**hot, "trace": "constant 297"})), full + "; it is at its cap")

        swap = "this machine has no swap: the bytes read back, the faults and the array were put in by hand"
        write("GNB106_fires", swapped(idle, 3 * GIB, 90_000), swap)
        write("GNB106_silent", swapped(idle, 3 * GIB, 12), swap + "; this process had none of it")


def longer(cell: CellContext) -> CellContext:
    """The same for 20 minutes."""
    assert cell.machine is not None
    gpus = tuple(dataclasses.replace(gpu, samples=1200) for gpu in cell.machine.gpus)
    return dataclasses.replace(cell, duration_s=1200.0, machine=dataclasses.replace(cell.machine, gpus=gpus))


def swapped(cell: CellContext, swapped_b: int, faults: int) -> CellContext:
    """The same, with swapping."""
    assert cell.machine is not None
    array = ArraySeen(name="X", kind="ndarray", dtype="float64", shape=(2**20, 768), bytes=6 * GIB)
    machine = dataclasses.replace(
        cell.machine, gpus=(), swapped_b=swapped_b, major_faults=faults, memory_b=8 * GIB, arrays=(array,)
    )
    return dataclasses.replace(cell, duration_s=60.0, machine=machine)


def write(name: str, cell: CellContext, by_hand: str) -> None:
    """One file."""
    data = {"made": RUN + by_hand, "cell": to_dict(dataclasses.replace(cell, measurement=None))}
    (HERE / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
