"""Cool a GPU that is too hot for its clock, or cap its power

**Seen.** A GPU was hot and busy, its clock well below what it may reach, and its power below its cap: it is the heat
that holds it back, not the limit.

**Why it costs energy.** A hot chip leaks more current, so that each step takes more joules, and the slower clock keeps
the rest of the machine waiting for longer.

**Change.** Look for what blocks the air: dust, a fan that stands, neighbours of the card, the room. Until then a
power limit that the cooling can carry keeps the clock steady: `sudo nvidia-smi -i 0 -pl WATTS`.

**Not where**

- the clock was lowered on purpose (`nvidia-smi -lgc`, or an application clock);
- a shared node's cooling and limits are its operators'.

**Check.** `nvidia-smi -q -d PERFORMANCE,TEMPERATURE` names the reason for the clock and the card's own thresholds;
the same cell's joules once it is cool.

**Thresholds.** 82 C, and a mean clock a seventh and more below the highest: the catalogue's; the highest is a peak that
few loads hold, hence the other conditions, and a minute. NVIDIA names the reasons in [NVML's
documentation](https://docs.nvidia.com/deploy/nvml-api/group__nvmlClocksEventReasons.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import GpuSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB103",
    name="Cool a GPU that is too hot for its clock, or cap its power",
    framework="machine",
    severity=Severity.NOTE,
    since="0.2",
    source="NVIDIA NVML documentation, clocks event reasons",
    wrong_when=("the clock was lowered on purpose", "the node's cooling is its operators' affair"),
)

LEAST_S = 60.0
"""Seconds: a card warms up in about so long (ours)."""

HOT_C = 82.0
"""Degrees Celsius (the catalogue); boards slow down from about there on, each at a threshold of its own."""

SLOWED = 0.85
"""Part of the highest clock below which it is slow (the catalogue: 15 % down)."""

BELOW_CAP = 0.95
"""At more than this part of its cap it is the cap that holds the clock down (ours)."""

BUSY = 0.5
"""Share of time with a kernel: an idle board's clock is low because it has nothing to do (ours)."""

LEAST_SAMPLES = 30
"""Looks that the means are of, one a second."""


def check(cell: CellContext) -> Iterator[Found]:
    """Boards that were hot, busy, slow and below their cap."""
    if cell.machine is None or cell.duration_s < LEAST_S:
        return
    for gpu in cell.machine.gpus:
        if gpu.temp_c is None or not gpu.clock_mhz or not gpu.max_clock_mhz or gpu.samples < LEAST_SAMPLES:
            continue
        if gpu.temp_c < HOT_C or gpu.clock_mhz > SLOWED * gpu.max_clock_mhz or _held_by_something_else(gpu):
            continue
        yield Found(
            evidence=(
                evidence("highest temperature", gpu.temp_c, "C"),
                evidence("mean clock", gpu.clock_mhz, "MHz"),
                evidence("highest clock", gpu.max_clock_mhz, "MHz"),
                evidence("mean power", gpu.power_w or 0.0, "W"),
                evidence("limit", gpu.limit_w or 0.0, "W"),
            ),
            text=(
                f"{gpu.label} was at {gpu.temp_c:.0f} C and ran at {gpu.clock_mhz:.0f} of {gpu.max_clock_mhz:.0f} MHz, "
                f"below its power limit. See to its cooling, or set a limit that the cooling can carry."
            ),
            code="",
            share=1.0,
            subject=gpu.label,
        )


def _held_by_something_else(gpu: GpuSeen) -> bool:
    """Whether it has little to do, or is at its cap, or does not tell: then it need not be the heat."""
    if gpu.util is None or gpu.power_w is None or not gpu.limit_w:
        return True
    return gpu.util < BUSY or gpu.power_w > BELOW_CAP * gpu.limit_w
