"""Attention is written out by hand, so that the whole matrix of weights is made

**Seen.** A softmax between two matrix products in the source of a module that the model uses, and calls of
that model for at least 1 s, with sequences of at least 128 items; or a profile in which softmax and batched
products take more than a tenth of the time.

**Why.** The matrix has (sequence length) squared entries for each head. By hand it is written to memory and
read again several times, and kept for backward. `scaled_dot_product_attention` works through it in tiles that
stay in the cache.

**Change.** One call instead of the two products and the softmax.

**Not where.** The weights themselves are wanted (to look at, or for a loss), or something happens between the
products that the function has no argument for.

**Check.** `torch.allclose` of both on one batch (without dropout), then the joules of some hundred steps.
Tried here (2-core Xeon, torch 2.13, 8 x 4 heads of 32): CPU time of forward and backward, by hand and by the
function, differed little at 64 items and more the longer the sequence.

**Sources.**
[scaled_dot_product_attention](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html);
Dao et al., FlashAttention, [arXiv 2205.14135](https://arxiv.org/abs/2205.14135).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import longest, loop_s
from greennb.advisor.rules.torch._shared import share, subject
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.source import SourceFact
from greennb.advisor.signals.torch import Forwards, ModelSeen, Profiled
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB224",
    name="Attention by hand instead of the fused function",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch documentation of scaled_dot_product_attention; arXiv 2205.14135",
    wrong_when=("the attention weights themselves are wanted", "something else happens between the products"),
)

SECONDS = 1.0
"""Seconds of the model's calls below which nothing is said. Our choice."""

LENGTH = 128
"""Shortest sequence: by hand against the function, CPU time of forward and backward was 0.83 at 64 items, 0.85 at 128,
0.39 at 256 and 0.29 at 512 (2-core Xeon, one thread, torch 2.13, 8 x 4 heads of 32)."""

HOT = 0.1
"""Part of a profile in softmax and batched products from which they are worth a change. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """A model that ran for a while, whose class has attention by hand; one finding for a model, of its longest loop."""
    if cell.torch is None:
        return
    fact = next(iter(cell.code.of("softmax_matmul")), None) if cell.code is not None else None
    for model in cell.torch.models if fact is not None else ():
        loop = longest(cell, model)
        long_enough = loop is not None and loop_s(cell, loop) >= SECONDS and not model.compiled
        if fact is not None and loop is not None and long_enough and worth(loop, cell.torch.profiled):
            yield _found(cell, model, loop, fact)


def worth(loop: Forwards, profiled: Profiled | None) -> bool:
    """Whether attention can be where the time goes: by the profile, else by the sequence's length."""
    if profiled is not None and profiled.total_s > 0:
        return profiled.softmax_bmm_s > HOT * profiled.total_s
    shape = loop.batch.shape if loop.batch is not None else ()
    return len(shape) in (2, 3) and shape[1] >= LENGTH  # (batch, items) or (batch, items, width)


def _found(cell: CellContext, model: ModelSeen, loop: Forwards, fact: SourceFact) -> Found:
    shape = loop.batch.shape if loop.batch is not None else ()
    profiled = cell.torch.profiled if cell.torch is not None else None
    hot = profiled.softmax_bmm_s / profiled.total_s if profiled is not None and profiled.total_s > 0 else None
    length = (evidence("items in a sequence", shape[1]),) if len(shape) > 1 else ()
    return Found(
        evidence=(
            *length,
            *(() if hot is None else (evidence("softmax and batched products in the profile", hot * 100, "%"),)),
            evidence("calls", loop.calls_estimated, "calls"),
            evidence("seconds of the loop", loop_s(cell, loop), "s"),
        ),
        text=f"{subject(model)} computes attention by hand (`{fact.text}`): the whole matrix of weights goes through "
        "memory. The fused function works through it in tiles.",
        code="""import torch.nn.functional as F

# q, k, v: (batch, heads, items, width); instead of softmax(q @ k.transpose(-2, -1) / sqrt(width)) @ v
out = F.scaled_dot_product_attention(q, k, v)  # is_causal=True for a causal mask, dropout_p=... in training
""",
        share=share(cell, (hot or 1.0) * loop_s(cell, loop)),
        subject=subject(model),
    )
