"""Worker processes are started anew in each epoch

**Seen.** A `DataLoader` with worker processes makes the first batch of each epoch late: its workers were ended with
the last epoch and are started again, each with its copy of the data set, its imports and its first reads. The model
waits.

**Change.** `persistent_workers=True` keeps them from one epoch to the next.

**Not where**

- the workers' memory is wanted between the epochs;
- the data set is changed between epochs: workers that live on do not see it.

**Check.** The time between the end of an epoch and its successor's first batch.

**Thresholds.** The first batch of an epoch takes 10 times as long as the median one and at least half a second is
lost in the cell that way; ours, from the time that workers take to start. Documentation:
[`persistent_workers`](https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import part, rebuilt, share, subject
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import LoaderSeen
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB202",
    name="Worker processes are started anew in each epoch",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch documentation on DataLoader; seconds until the first batch, measured",
    wrong_when=(
        "the workers' memory is wanted between the epochs",
        "the data set is changed between epochs",
    ),
)

SLOWER = 10.0
"""How many times the median wait an epoch's first batch takes at least (ours)."""

LEAST_LOST_S = 0.5
"""Seconds lost in a cell below which nothing is said (ours)."""

LEAST_PART = 0.05
"""Part of the loader's own time below which nothing is said: Kineto's threshold for input."""


def check(cell: CellContext) -> Iterator[Found]:
    """Loaders whose workers do not live from one epoch to the next."""
    for loader in () if cell.torch is None else cell.torch.loaders:
        lost_s = _lost_s(loader)
        if lost_s >= LEAST_LOST_S and part(lost_s, loader.seconds) >= LEAST_PART:
            yield Found(
                evidence=(
                    evidence("first batch of an epoch", 1e3 * loader.first_wait_s, "ms"),
                    evidence("median batch", 1e3 * loader.wait_s, "ms"),
                    evidence("epochs", loader.epochs),
                    evidence("worker processes", loader.num_workers),
                ),
                text=f"The {loader.num_workers} workers of {subject(loader)} were started in each of {loader.epochs} "
                f"epochs, and each time the first batch took {fmt.seconds(loader.first_wait_s)}. Keep them.",
                code=rebuilt(loader, persistent_workers="True"),
                share=share(cell, lost_s),
                subject=subject(loader),
            )


def _lost_s(loader: LoaderSeen) -> float:
    """Seconds that starting workers took after the first epoch; 0 where they live on, or start as quickly."""
    if not loader.num_workers or loader.persistent_workers or loader.epochs < 2:
        return 0.0
    if loader.first_wait_s < SLOWER * loader.wait_s:
        return 0.0
    return (loader.epochs - 1) * (loader.first_wait_s - loader.wait_s)
