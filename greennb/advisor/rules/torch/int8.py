"""Inference on the CPU multiplies float32 where int8 would do

**Seen.** A model whose parameters are mostly in `nn.Linear` was only called in eval mode on the CPU, for at
least 1 s and 1 ms or more a call, in float32.

**Why.** Large linear layers at small batches are bound by reading their weights: int8 weights are a quarter
of the bytes, and processors with VNNI or AMX multiply int8 in hardware.

**Change.** Dynamic quantization of the linear layers: the weights become int8 once, the activations are
quantized call by call. No training, no calibration data.

**Not where.**

- you have not checked the metric: on held-out data, before and after;
- the layers are small: quantizing activations then costs more than it saves. Tried here (2-core Xeon, torch
  2.13): layers of 256 were slower, of 512 slower at batch 1 and faster at 16, of 1024 and more faster; hence
  the floors;
- `nn.TransformerEncoderLayer` and `nn.MultiheadAttention`: their fast path can't read quantized weights and
  raises, so that the rule is silent on them;
- bf16 autocast (GNB206) helps on the same processors and changes less: try it first where it is offered.

**Check.** The held-out metric, then the joules of a pass over the same inputs.

**Sources.** [Dynamic
quantization](https://docs.pytorch.org/tutorials/recipes/recipes/dynamic_quantization.html); energy of
compressed models: [arXiv 2409.12878](https://arxiv.org/abs/2409.12878). `torch.ao.quantization` works up to
torch 2.13, where the suggestion was run, and is announced to go; its successor is
[torchao](https://github.com/pytorch/ao), a package of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import inferred, loop_s
from greennb.advisor.rules.torch._shared import FEW_STEPS, count, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import Forwards, ModelSeen
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB227",
    name="CPU inference of large linear layers in float32",
    framework="torch",
    severity=Severity.NOTE,
    since="0.2",
    source="PyTorch recipe on dynamic quantization; arXiv 2409.12878; crossover measured",
    wrong_when=(
        "the metric on held-out data has not been checked",
        "the linear layers are small: quantizing activations costs more than it saves",
        "the model is trained further",
    ),
)

LINEAR = 0.7
"""Part of the parameters in ``nn.Linear`` from which they dominate (the advisor's catalogue)."""

PARAMETERS = 1_000_000
"""Fewer fit into a core's caches, where reading them is no burden: 2 layers of 256 were slower in int8 (tried here)."""

CALL_S = 0.001
"""Shortest median call: below, the product does not dominate (tried here: 0.1 ms slower, 0.36 ms and more faster)."""

SECONDS = 1.0
"""Seconds of inference below which nothing is said. Our choice."""

UNREADABLE = ("TransformerEncoderLayer", "MultiheadAttention")
"""Layers that read their linear layers' weights themselves: a quantized one raises there (torch 2.13, tried here)."""


def check(cell: CellContext) -> Iterator[Found]:
    """A large model of linear layers that only inferred, on the CPU, for a while."""
    for forwards, model in inferred(cell, seconds=SECONDS):
        if suits(model) and _plain(forwards) and forwards.call_s >= CALL_S and forwards.calls_estimated >= FEW_STEPS:
            name = variable(model, "model")
            yield Found(
                evidence=(
                    evidence("parameters in linear layers", model.linear_share * 100, "%"),
                    evidence("parameters", model.parameters),
                    evidence("calls", forwards.calls_estimated, "calls"),
                    evidence("median call with its loop", forwards.call_s * 1e3, "ms"),
                ),
                text=f"{subject(model)} infers on the CPU in float32, and most of it is linear layers. int8 weights "
                "are a quarter of the bytes; check the metric on held-out data.",
                code=f"""import torch.ao.quantization as quantization

{name}_int8 = quantization.quantize_dynamic({name}, {{torch.nn.Linear}}, dtype=torch.qint8)  # a copy
""",
                share=share(cell, loop_s(cell, forwards)),
                subject=subject(model),
            )


def suits(model: ModelSeen) -> bool:
    """Whether dynamic quantization can be told to help: large float32 linear layers, on the CPU, not quantized yet."""
    return (
        model.device == "cpu"
        and model.dtypes[:1] == ("float32",)
        and model.linear_share > LINEAR
        and model.parameters >= PARAMETERS
        and not (model.quantized or model.compiled or model.pruned or count(model, *UNREADABLE))
    )


def _plain(forwards: Forwards) -> bool:
    return not forwards.autocast and not (forwards.batch is not None and forwards.batch.requires_grad)
