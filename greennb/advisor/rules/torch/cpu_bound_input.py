"""Preparing the data keeps the CPU busy

**Seen.** Training waits for its loader, and the cores of this machine are busy all the while: reading, decoding and
augmenting is itself what limits the training. More worker processes would only fight for the same cores.

**Change.** Do less of it. What is the same in each epoch (decoding, resizing, normalizing) is done once and kept, in
memory or as an array on disk; what is random is done on whole batches, on the GPU where there is one (for instance
[torchvision's transforms v2](https://docs.pytorch.org/vision/stable/transforms.html) on batched tensors, or Kornia).

**Not where**

- the random part of the augmentation would be kept too: each epoch would see the same pictures;
- the decoded data does not fit into memory: keep it in a memory-mapped array;
- each sample is seen only once.

**Check.** The joules of the second epoch beside the first.

**Thresholds.** 15 % of a step spent waiting and 90 % of the usable CPUs busy; ours, after the advice of PyTorch's
[performance tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html) and of [NVIDIA
DALI](https://docs.nvidia.com/deeplearning/dali/user-guide/docs/) on input that the CPU limits.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import Loop, busy, is_cuda, loops, rebuilt, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import LoaderSeen
from greennb.model.finding import Rule, Severity
from greennb.views import format as fmt

RULE = Rule(
    code="GNB204",
    name="Preparing the data keeps the CPU busy",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch performance tuning guide; NVIDIA DALI documentation",
    wrong_when=(
        "what is random in the augmentation would be kept",
        "the decoded data does not fit into memory",
    ),
)

WAITING = 0.15
"""Part of a step spent in the loader from which input limits the training (ours)."""

BUSY = 0.90
"""Part of the usable CPUs from which there is no room for worker processes (ours)."""

LEAST_S = 1.0
"""Seconds of waiting in a cell below which nothing is said (ours)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Loops that wait for a loader while the CPU is full."""
    used = busy(cell)
    if used is None or used < BUSY:
        return
    for loop in loops(cell):
        loader = loop.loader
        if loader is None or loader.in_memory or loop.wait_share < WAITING or loader.wait_total_s < LEAST_S:
            continue
        if is_cuda(loop.device) or loader.epochs > 1:
            yield Found(
                evidence=(
                    evidence("waiting for a batch", 1e3 * loader.wait_s, "ms"),
                    evidence("step", 1e3 * loop.step_s, "ms"),
                    evidence("waiting", 100 * loop.wait_share, "%"),
                    evidence("CPU busy", 100 * used, "%"),
                    evidence("worker processes", loader.num_workers),
                ),
                text=_text(loop, loader),
                code=_code(loop, loader),
                share=share(cell, loader.wait_total_s),
                subject=subject(loader),
            )


def _text(loop: Loop, loader: LoaderSeen) -> str:
    seen = (
        f"Of each step's {fmt.seconds(loop.step_s)}, {fmt.seconds(loader.wait_s)} is waiting for {subject(loader)}, "
        "with the CPU busy: more workers would not help."
    )
    if is_cuda(loop.device):
        return f"{seen} Decode once and keep the result, and augment whole batches on the GPU."
    return f"{seen} Decode each sample once and keep it: the data was read {loader.epochs} times in this cell."


def _code(loop: Loop, loader: LoaderSeen) -> str:
    if is_cuda(loop.device):
        return (
            "from torchvision.transforms import v2\n\n"
            "augment = v2.Compose([v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True)])\n"
            f"for inputs, targets in {variable(loader, 'loader')}:\n"
            f'    inputs = augment(inputs.to("{loop.device}", non_blocking=True))'
        )
    name = variable(loader, "loader")
    again = rebuilt(loader).replace(f"{name}.dataset", f"Kept({name}.dataset)", 1)
    return (
        "class Kept(torch.utils.data.Dataset):\n"
        '    """Each sample as it was when it was first asked for: for what is not random."""\n\n'
        "    def __init__(self, dataset):\n"
        "        self.dataset, self.samples = dataset, {}\n\n"
        "    def __len__(self):\n"
        "        return len(self.dataset)\n\n"
        "    def __getitem__(self, index):\n"
        "        if index not in self.samples:\n"
        "            self.samples[index] = self.dataset[index]\n"
        "        return self.samples[index]\n\n\n"
        f"{again}"
    )
