"""Try a lower power limit on a GPU that runs at its cap

**Seen.** For ten minutes and more a GPU has drawn nearly all that its power limit allows, and the limit is the highest
that it has.

**Why it costs energy.** Near its cap a chip raises voltage for the last steps of its clock, and power grows faster
than speed. Zeus (You, Chung and Chowdhury, NSDI 2023) found for a number of training jobs that the highest limit is
seldom the one with the fewest joules, and that the best one differs from job to job and card to card: so it is
searched for, not looked up.

**Change.** `nvidia-smi -i 0 -q -d POWER` shows the range; `sudo nvidia-smi -i 0 -pl WATTS` sets a limit for all
processes on the card, until the next reboot or the driver's unloading. Measure a few hundred steps at each of some
limits and keep the one with the fewest joules a step; note the old limit first, and put it back.

**Not where**

- the card is shared: a limit is everybody's;
- the time to the result matters more than the joules;
- you have no right to set it: it needs root, and clusters seldom give that away.

**Check.** `%%energy -n 300W` on the same steps at each limit, then `%energy_compare`. A warm card draws more than a
cold one: go up and down again.

**Thresholds.** A mean of more than nine tenths of the cap for 10 minutes: the catalogue's. [Zeus,
NSDI 2023](https://www.usenix.org/conference/nsdi23/presentation/you).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB102",
    name="Try a lower power limit on a GPU that runs at its cap",
    framework="machine",
    severity=Severity.NOTE,
    since="0.2",
    source="Zeus: You, Chung and Chowdhury, NSDI 2023",
    wrong_when=(
        "the card is shared with others",
        "time matters more than joules",
        "you have no right to set the limit",
    ),
)

LEAST_S = 600.0
"""Seconds: a search for the best limit takes minutes itself (the catalogue)."""

NEAR = 0.90
"""Part of the cap in force that the mean power must exceed (the catalogue)."""

UNTOUCHED = 0.98
"""A limit below this part of the highest was set by somebody: it is lower already."""

LEAST_SAMPLES = 60
"""Looks that the mean is of, one a second."""


def check(cell: CellContext) -> Iterator[Found]:
    """Boards that were at their cap for long."""
    if cell.machine is None or cell.duration_s < LEAST_S:
        return
    for gpu in cell.machine.gpus:
        if gpu.power_w is None or not gpu.limit_w or gpu.samples < LEAST_SAMPLES:
            continue
        lowered = gpu.max_limit_w is not None and gpu.limit_w < UNTOUCHED * gpu.max_limit_w
        if gpu.power_w <= NEAR * gpu.limit_w or lowered:
            continue
        yield Found(
            evidence=(
                evidence("mean power", gpu.power_w, "W"),
                evidence("limit", gpu.limit_w, "W"),
                evidence("duration", cell.duration_s, "s"),
            ),
            text=(
                f"{gpu.label} drew {gpu.power_w:.0f} W of the {gpu.limit_w:.0f} W that its limit allows, for "
                f"{cell.duration_s / 60:.0f} minutes. Measure some hundred steps at lower limits (sudo nvidia-smi -pl "
                f"WATTS) and keep the one with the fewest joules a step."
            ),
            code="",
            share=1.0,
            subject=gpu.label,
        )
