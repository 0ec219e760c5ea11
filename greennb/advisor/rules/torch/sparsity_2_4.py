"""Half of these weights could go in a pattern that the card's tensor cores skip

**Seen.** A large half-precision model, mostly `nn.Linear` with sizes that are multiples of 16, only called in
eval mode on a card of compute capability 8.0 or higher, for at least 10 s in this cell.

**Why.** With two of every four neighbouring weights at zero (2:4), such a card stores the other two and skips
half of the products. Other patterns of zeros are multiplied like any numbers (GNB228).

**Change.** Prune to 2:4 by magnitude, convert the weights, and fine-tune if the metric asks for it.

**Not where.**

- the metric has not been checked: half of the weights are gone, most models need fine-tuning;
- batches are so small that reading activations or launching kernels sets the pace;
- the layers' sizes don't suit the kernels: PyTorch then refuses the conversion.

**Check.** The held-out metric, then the joules of a pass. There is no promise in a dense product's halved
arithmetic.

**Sources.** [Semi-structured sparsity in
PyTorch](https://docs.pytorch.org/tutorials/advanced/semi_structured_sparse.html); Mishra et al., [arXiv
2104.08378](https://arxiv.org/abs/2104.08378). The code's pruning was run on a CPU; its conversion needs a
card.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import inferred, loop_s
from greennb.advisor.rules.torch._shared import FEW_STEPS, card, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import Forwards, ModelSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB229",
    name="Large linear layers could be 2:4 sparse on this card",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch tutorial on semi-structured sparsity; arXiv 2104.08378",
    wrong_when=("the metric on held-out data has not been checked", "the batches are small"),
)

CAPABILITY = (8, 0)
"""Ampere has the sparse tensor cores first (arXiv 2104.08378)."""

LINEAR = 0.7
"""Part of the parameters in ``nn.Linear`` from which they dominate. Our choice, as for int8."""

PARAMETERS = 20_000_000
"""Fewer parameters leave products too small to fill the card. Our choice."""

SECONDS = 10.0
"""Seconds of inference below which nothing is said: fine-tuning costs more than a short run. Our choice."""

HALF = ("float16", "bfloat16")
"""The floating-point formats that PyTorch's kernels take with 2:4 without rounding further."""


def check(cell: CellContext) -> Iterator[Found]:
    """A large model of linear layers in half precision that only inferred, on a card with sparse tensor cores."""
    for forwards, model in inferred(cell, seconds=SECONDS):
        seen = card(cell, model.device)
        if seen is None or seen.capability < CAPABILITY or forwards.calls_estimated < FEW_STEPS:
            continue
        if suits(model, forwards):
            yield Found(
                evidence=(
                    evidence("parameters", model.parameters),
                    evidence("parameters in linear layers", model.linear_share * 100, "%"),
                    evidence("calls", forwards.calls_estimated, "calls"),
                    evidence("seconds of the loop", loop_s(cell, forwards), "s"),
                ),
                text=f"{subject(model)} is mostly linear layers whose sizes suit 2:4 sparsity, which {seen.name} skips "
                "in hardware. Half of the weights go: check the metric.",
                code=_code(variable(model, "model")),
                share=share(cell, loop_s(cell, forwards)),
                subject=subject(model),
            )


def suits(model: ModelSeen, forwards: Forwards) -> bool:
    """Whether 2:4 can be applied: large linear layers of fit sizes in half precision, dense and not quantized."""
    half = model.dtypes[:1] and (model.dtypes[0] in HALF or forwards.autocast in HALF)
    large = model.linear_share > LINEAR and model.parameters >= PARAMETERS
    return bool(half and large and model.linear_features_by_16 and not (model.quantized or model.compiled))


def _code(model: str) -> str:
    return f'''from torch import nn
from torch.sparse import to_sparse_semi_structured


def two_of_four(weight):
    """The two largest of every four neighbours, zeros for the others."""
    groups = weight.reshape(-1, 4)
    mask = torch.zeros_like(groups).scatter_(1, groups.abs().topk(2, dim=1).indices, 1)
    return (groups * mask).reshape(weight.shape)


for layer in {model}.modules():
    if isinstance(layer, nn.Linear):
        layer.weight = nn.Parameter(to_sparse_semi_structured(two_of_four(layer.weight.detach())), requires_grad=False)
'''
