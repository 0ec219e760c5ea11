"""Multiply in float16 where only that is quick

**Seen.** A model in float32 without autocast on a GPU with compute capability 7.x (V100, T4, RTX 20), whose time goes
into matrix products and convolutions. These cards have tensor cores for float16 and none for bfloat16 or TF32. Where
steps were profiled, tensor cores were found unused.

**Change.** `torch.autocast("cuda", dtype=torch.float16)` with a `torch.amp.GradScaler`, which keeps small gradients
from vanishing in float16's narrow range and skips a step that overflows.

**Not where**

- losses become NaN or the scale collapses: activations beyond 65,504 need float32;
- the gradients are clipped: call `scaler.unscale_(optimizer)` before;
- the card is a GTX 16: it has no tensor cores.

**Check.** The loss beside that of float32 over some hundred steps, the scaler's `get_scale()`, and `%energy_compare`.

**Thresholds.** As GNB206. Sources: [PyTorch's mixed precision
examples](https://docs.pytorch.org/docs/stable/notes/amp_examples.html), [Micikevicius et al.
2017](https://arxiv.org/abs/1710.03740).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._shared import (
    Pass,
    card,
    is_float32,
    is_multiplying,
    multiplying_evidence,
    passes,
    share,
    steps_of,
    subject,
    variable,
)
from greennb.advisor.rules.torch.autocast_bf16 import LEAST_S
from greennb.advisor.rules.torch.autocast_bf16 import code as autocast
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB207",
    name="Multiply in float16 where only that is quick",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="PyTorch's mixed precision examples; Micikevicius et al., arXiv 1710.03740",
    wrong_when=("losses become NaN or the scale collapses", "the card is a GTX 16, which has no tensor cores"),
)

MAJOR = 7
"""Compute capability 7.x: Volta and Turing, whose tensor cores take float16 only (CUDA C++ programming guide)."""


def check(cell: CellContext) -> Iterator[Found]:
    """Passes in float32 that float16 tensor cores could do."""
    if cell.torch is None or cell.torch.trainer_bf16 is not None:  # a Trainer has a setting of its own: GNB232
        return
    for it in passes(cell):
        if it.seconds >= LEAST_S and is_float32(it) and _has_idle_tensor_cores(cell, it) and is_multiplying(cell, it):
            profiled = cell.torch.profiled
            used = None if profiled is None else profiled.tensor_core_s
            unused = () if used is None else (evidence("tensor cores", used, "s"),)
            yield Found(
                evidence=(*multiplying_evidence(cell, it), *unused),
                text=f"{subject(it.model)} made {steps_of(it)} in float32 on a card whose tensor cores take float16. "
                "Try autocast with a gradient scaler: a trial shows whether it saves here.",
                code=_code(cell, it),
                share=share(cell, it.seconds),
                subject=subject(it.model),
            )


def _has_idle_tensor_cores(cell: CellContext, it: Pass) -> bool:
    device = card(cell, it.model.device)
    if device is None or device.capability[0] != MAJOR or "GTX 16" in device.name:
        return False
    profiled = None if cell.torch is None else cell.torch.profiled
    return profiled is None or not profiled.tensor_core_s


def _code(cell: CellContext, it: Pass) -> str:
    if it.model.wrapper == "LightningModule":
        return 'trainer = Trainer(precision="16-mixed")'
    if it.loop is None:
        return autocast(cell, it, "float16")
    optimizer = variable(it.loop.optimizer, "optimizer")
    scaled = f"scaler.scale(loss).backward()\nscaler.step({optimizer})\nscaler.update()"
    return f'scaler = torch.amp.GradScaler("cuda")\n{autocast(cell, it, "float16")}'.replace("loss.backward()", scaled)
