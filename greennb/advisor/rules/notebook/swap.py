"""Keep within memory: the machine read back from swap

**Seen.** While the cell ran, the machine read data back from its swap device, and this process had to wait for pages
from a disk.

**Why it costs energy.** Each page that does not fit is written out and read again, thousands of times slower than
memory, and the rest of the machine stays awake for it.

**Change.** Hold less at once: delete arrays and frames that are done with, read only the columns that are needed
(`usecols`), smaller types (`float32`, `category`), or work in pieces (`chunksize`, `numpy.memmap`). The largest of the
notebook's own arrays are named in the evidence.

**Not where**

- another program swapped, and this process only paged in its own files: the count is the machine's.

**Check.** `%energy_compare` with the cell once it fits; the panel shows memory live.

**Thresholds.** 256 MiB read back and 1,000 major faults of this process in one cell of at least 2 s: ours. What they
count: [proc(5)](https://man7.org/linux/man-pages/man5/proc_vmstat.5.html), `pswpin`, and
[getrusage(2)](https://man7.org/linux/man-pages/man2/getrusage.2.html), `ru_majflt`.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.notebook._shared import gib
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB106",
    name="Keep within memory: the machine read back from swap",
    framework="machine",
    severity=Severity.ACT,
    since="0.2",
    source="Linux: pswpin of /proc/vmstat, ru_majflt of getrusage(2)",
    wrong_when=("another program swapped, and this one only read its own files",),
)

LEAST_S = 2.0
"""Seconds of the cell below which nothing is said (ours)."""

LEAST_B = 256 * 2**20
"""Bytes read back below which it is the system's housekeeping (ours)."""

LEAST_FAULTS = 1000
"""Major faults of this process: 256 MiB are 8,192 of them with the kernel's usual eight pages at once (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Swapping in which this process took part."""
    machine = cell.machine
    if machine is None or machine.swapped_b is None or cell.duration_s < LEAST_S:
        return
    if machine.swapped_b < LEAST_B or machine.major_faults < LEAST_FAULTS:
        return
    largest = machine.arrays[:3]
    told = "".join(f" {it.name} takes {gib(it.bytes)}." for it in largest)
    yield Found(
        evidence=(
            evidence("read back from swap", machine.swapped_b, "B"),
            evidence("major faults", machine.major_faults),
            *([] if machine.memory_b is None else [evidence("memory", machine.memory_b, "B")]),
            *(evidence(it.name, it.bytes, "B") for it in largest),
        ),
        text=f"The machine read {gib(machine.swapped_b)} back from swap during this cell. Hold less at once.{told}",
        code="",
        share=1.0,
        subject="memory",
    )
