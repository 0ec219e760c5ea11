"""In inference a batch norm after a convolution can be part of the convolution

**Seen.** Convolutions directly before a batch norm, in a model that was only called in eval mode in this
cell, for at least 1 s.

**Why.** In eval mode a batch norm is a fixed scale and shift of each channel. As a layer of its own it reads
and writes the whole activation once more; multiplied into the convolution's weights it costs nothing.

**Change.** Fuse a copy of the model once, and infer with that.

**Not where.** Never in training, where the statistics are still to be learned. A model whose `forward`
branches on its data can't be traced by `torch.fx`. The gain is a matter of percents where convolutions are
heavy: tried here on three convolutions of 32 to 64 channels (2-core Xeon, torch 2.13), the CPU time was 0.95
to 1.02 of what it was before.

**Check.** `torch.allclose` of both outputs (up to rounding), and the joules of a pass over the test set.

**Source.** [torch.fx tutorial on fusing convolution and batch
norm](https://docs.pytorch.org/tutorials/intermediate/fx_conv_bn_fuser.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import inferred, loop_s
from greennb.advisor.rules.torch._shared import share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB223",
    name="Inference runs batch norms that convolutions could hold",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch tutorial: building a convolution/batch norm fuser in FX",
    wrong_when=("the model is trained further", "torch.fx cannot trace its forward"),
)

SECONDS = 1.0
"""Seconds of inference below which nothing is said. Our choice."""

CALLS = 20
"""Calls below which nothing is said. Our choice: fusing is for what is called again and again."""

PAIRS = 2
"""Fewer such pairs are not worth a change. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """A model with such pairs that only inferred."""
    if cell.torch is None:
        return
    for forwards, model in inferred(cell, seconds=SECONDS):
        pairs = model.conv_then_norm
        if len(pairs) < PAIRS or forwards.calls_estimated < CALLS or model.compiled or model.quantized:
            continue
        name = variable(model, "model")
        yield Found(
            evidence=(
                evidence("convolutions before a batch norm", len(pairs)),
                evidence("calls", forwards.calls_estimated, "calls"),
                evidence("median call with its loop", forwards.call_s * 1e3, "ms"),
            ),
            text=f"{subject(model)} only infers here: its {len(pairs)} batch norms after convolutions are fixed scales "
            "that the convolutions' weights can hold.",
            code=f"from torch.fx.experimental.optimization import fuse\n\n{name}_fused = fuse({name}.eval())"
            f"  # a copy; call it instead of {name}\n",
            share=share(cell, loop_s(cell, forwards)),
            subject=subject(model),
        )
