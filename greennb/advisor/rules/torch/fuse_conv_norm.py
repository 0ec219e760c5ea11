"""In inference a batch norm after a convolution can be part of the convolution

**Seen.** Convolutions directly before a batch norm, in a model that was only called in eval mode in this cell, for at
least 1 s.

**Why.** In eval mode a batch norm is a fixed scale and shift of each channel. As a layer of its own it reads and
writes the whole activation once more; multiplied into the convolution's weights it costs nothing.

**Change.** Fuse a copy of the model once, and infer with that.

**Not where.** Never in training, where the statistics are still to be learned. A model whose `forward` branches on
its data can't be traced by `torch.fx`. The gain is a matter of percents where convolutions are heavy: tried here on
three convolutions of 32 to 64 channels (2-core Xeon, torch 2.13), the CPU time was 0.95 to 1.02 of what it was
before.

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
    source="PyTorch documentation of torch.nn.utils.fuse_conv_bn_eval",
    wrong_when=("the model is trained further", "the layers stand in another order than they are called in"),
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
        yield Found(
            evidence=(
                evidence("convolutions before a batch norm", len(pairs)),
                evidence("calls", forwards.calls_estimated, "calls"),
                evidence("median call with its loop", forwards.call_s * 1e3, "ms"),
            ),
            text=f"{subject(model)} only infers here: its {len(pairs)} batch norms after convolutions are fixed scales "
            "that the convolutions' weights can hold.",
            code=_code(variable(model, "model"), pairs),
            share=share(cell, loop_s(cell, forwards)),
            subject=subject(model),
        )


def definition(name: str = "fused") -> str:
    """A function of that name, as its user could write it."""
    return f'''def {name}(model, convolutions):
    """A copy for inference only, whose convolutions hold the batch norms that stand next to them."""
    model = copy.deepcopy(model).eval()
    layers = [(name, it) for name, it in model.named_modules() if not list(it.children())]
    for (name, convolution), (norm, after) in zip(layers, layers[1:]):
        if name in convolutions and isinstance(after, torch.nn.modules.batchnorm._BatchNorm):
            model.set_submodule(name, fuse_conv_bn_eval(convolution, after, convolution.transposed))
            model.set_submodule(norm, torch.nn.Identity())
    return model
'''


def _code(model: str, convolutions: tuple[str, ...]) -> str:
    return f"""import copy
from torch.nn.utils import fuse_conv_bn_eval


{definition()}

{model}_fused = fused({model}, {list(convolutions)!r})
# on a batch x of yours: torch.testing.assert_close({model}_fused(x), {model}(x))
"""
