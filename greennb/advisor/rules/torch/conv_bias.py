"""A convolution's bias is taken away again by the batch norm after it

**Seen.** Convolutions with a bias directly before a batch norm, in a model that was trained on a CUDA device
for at least 10 s in this cell.

**Why.** Batch norm subtracts the mean of each channel, and a bias is a part of that mean: it has no effect.
It is added, its gradient is summed up over the whole batch, and the optimizer updates it, all for nothing.

**Change.** `bias=False` in these convolutions.

**Not where.** Weights of a published checkpoint are to be loaded: it may have the biases. The gain is small.
On a CPU none could be measured here (2-core Xeon, torch 2.13, 3 convolutions of 32 to 64 channels: CPU time
with and without was the same within 1 %), so that this rule is silent there.

**Check.** Same seed, an epoch either way: the loss curves agree up to rounding; compare the joules.

**Sources.** [PyTorch's tuning guide](https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html),
"disable bias for convolutions directly followed by a batch norm"; Ioffe and Szegedy, [arXiv
1502.03167](https://arxiv.org/abs/1502.03167), section 3.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import trained
from greennb.advisor.rules.torch._shared import is_cuda, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB222",
    name="Convolutions before a batch norm have a bias",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch tuning guide; arXiv 1502.03167, section 3.2",
    wrong_when=("weights of a checkpoint that has these biases are to be loaded",),
)

SECONDS = 10.0
"""Seconds of training below which nothing is said: the gain is small, it takes a while to matter. Our choice."""

STEPS = 100
"""Steps below which nothing is said. Our choice."""


def check(cell: CellContext) -> Iterator[Found]:
    """A model with such convolutions, trained on a card for a while."""
    for optimizer, model in trained(cell, steps=STEPS, seconds=SECONDS):
        if model is None or not model.conv_bias_before_norm or not is_cuda(optimizer.device) or model.pretrained:
            continue
        names = model.conv_bias_before_norm
        yield Found(
            evidence=(
                evidence("convolutions with a bias before a batch norm", len(names)),
                evidence("steps", optimizer.steps, "steps"),
                evidence("median step", optimizer.step_s * 1e3, "ms"),
            ),
            text=f"In {subject(model)} the bias of {_listed(names)} has no effect: the batch norm after it subtracts "
            "it again. The gain of bias=False is small.",
            code=_code(variable(model, "model"), names),
            share=share(cell, optimizer.seconds),
            subject=subject(model),
        )


def _listed(names: tuple[str, ...], most: int = 4) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _code(model: str, names: tuple[str, ...]) -> str:
    return f"""for name in {list(names)!r}:  # before the optimizer is made; better still: bias=False in the class
    {model}.get_submodule(name).register_parameter("bias", None)
"""
