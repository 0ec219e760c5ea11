"""Pruning masks leave the model as large as it was

**Seen.** Parameters under masks of `torch.nn.utils.prune`, more than a tenth of their weights kept, in a model that
was only called in eval mode, for at least 1 s in this cell.

**Why.** A mask writes zeros. The matrices keep their shapes, and the hardware multiplies by zero as fast as by
anything else; on top of that each call multiplies weight and mask anew until `prune.remove`. Pruning that the
hardware notices takes whole rows: output channels and the inputs that they feed.

**Change.** Prune rows instead of single weights (`prune.ln_structured`), and then cut them out, so that the layers
become narrower. Widths that are multiples of 8 suit vector units and tensor cores. The code keeps the rows with the
largest weights, about as many as the mask keeps weights; where the mask keeps whole rows already, exactly these.

**Not where.**

- few weights are left, 10 % or less: a sparse format may then pay (at 10 % and 5 % the product in CSR was still
  slower than the dense one when tried here, at 2 % it was faster);
- the masks are the experiment: lottery tickets, pruning still going on;
- rows feed more than one layer (skip connections): the code, which is for chains, refuses those whose sizes don't
  meet.

**Check.** Cutting rows out costs accuracy: fine-tune for an epoch, then compare the metric on held-out data, and the
joules of a pass. Measure after cutting, not after masking. A masked row still passed its bias on; a row that is cut
out does not. Tried on the two cases of this rule's tests (one thread of an AVX-512 server, torch 2.13): CPU time of a
call went from 0.77 to 0.11 ms and from 6.4 to 2.0 ms.

**Sources.** [arXiv 2409.12878](https://arxiv.org/abs/2409.12878): pruning single weights alone brought no saving;
[torch.nn.utils.prune](https://docs.pytorch.org/tutorials/intermediate/pruning_tutorial.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.torch._loops import inferred, loop_s
from greennb.advisor.rules.torch._shared import FEW_STEPS, share, subject, variable
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.torch import ModelSeen, PrunedLayer
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB228",
    name="Pruning masks save nothing: cut whole rows out",
    framework="torch",
    severity=Severity.ACT,
    since="0.2",
    source="arXiv 2409.12878 (local pruning alone brings nothing); torch.nn.utils.prune",
    wrong_when=(
        "few weights are left: a sparse format may then pay",
        "the masks are the experiment, or pruning is still going on",
        "the rows feed more than one layer",
    ),
)

DENSITY = 0.1
"""Kept share of the weights above which a dense product is the faster one (the advisor's catalogue; tried above)."""

SECONDS = 1.0
"""Seconds of inference below which nothing is said. Our choice."""

KINDS = ("Linear", "Conv2d", "Conv1d")
"""Layers that the code can make narrower."""


def check(cell: CellContext) -> Iterator[Found]:
    """A masked model that only inferred, with enough weights left to be dense."""
    for forwards, model in inferred(cell, seconds=SECONDS):
        layers = [layer for layer in model.pruned if layer.kind in KINDS and layer.density < 1]
        if not layers or forwards.calls_estimated < FEW_STEPS or density(layers) <= DENSITY:
            continue
        yield Found(
            evidence=(
                evidence("masked layers", len(layers)),
                evidence("weights kept", density(layers) * 100, "%"),
                evidence("rows with a weight left", sum(layer.rows_kept for layer in layers), "rows"),
                evidence("rows that are computed", sum(layer.rows for layer in layers), "rows"),
                evidence("calls", forwards.calls_estimated, "calls"),
                evidence("median call with its loop", forwards.call_s * 1e3, "ms"),
            ),
            text=_text(model, layers),
            code=_code(variable(model, "model"), layers),
            share=share(cell, loop_s(cell, forwards)),
            subject=subject(model),
        )


def density(layers: list[PrunedLayer]) -> float:
    """Mean share of the weights that is kept, by rows, for sizes of rows aren't known."""
    rows = sum(layer.rows for layer in layers)
    return sum(layer.density * layer.rows for layer in layers) / rows if rows else 1.0


def _text(model: ModelSeen, layers: list[PrunedLayer]) -> str:
    if all(layer.structured for layer in layers):
        return f"In {subject(model)} whole rows are masked, but still computed: the shapes are as before. Cut them out."
    return (
        f"The masks of {subject(model)} are spread over single weights: its layers compute all rows as before. Only "
        "whole rows that are cut out make them narrower."
    )


def _code(model: str, layers: list[PrunedLayer]) -> str:
    names = list(dict.fromkeys(layer.name for layer in layers))  # a bias may have a mask of its own
    return f'''from torch import nn
from torch.nn.utils import prune


def narrower(first, second, kept):
    """Cut all but the rows ``kept`` out of ``first``, and the inputs that they feed out of ``second``."""
    rows = len(first.weight)
    width = second.weight.shape[1] // rows  # after nn.Flatten a channel feeds several inputs
    if second.weight.shape[1] % rows or getattr(second, "groups", 1) > 1 or getattr(first, "groups", 1) > 1:
        raise ValueError("these two are no chain")
    first.weight = nn.Parameter(first.weight.detach()[kept])
    first.bias = None if first.bias is None else nn.Parameter(first.bias.detach()[kept])
    inputs = (kept[:, None] * width + torch.arange(width, device=kept.device)).flatten()
    second.weight = nn.Parameter(second.weight.detach()[:, inputs])
    for layer, side in ((first, "out"), (second, "in")):
        for name in (side + "_features", side + "_channels"):
            if hasattr(layer, name):
                setattr(layer, name, layer.weight.shape[0 if side == "out" else 1])


def cut(model, masked):
    """Replace the masks of the layers named ``masked`` by narrower layers, in a chain."""
    density = {{}}
    for name in masked:
        layer = model.get_submodule(name)
        for key in ("weight", "bias"):
            if hasattr(layer, key + "_mask"):
                density.setdefault(name, float(getattr(layer, key + "_mask").mean()))
                prune.remove(layer, key)
    layers = [(name, it) for name, it in model.named_modules() if isinstance(it, (nn.Linear, nn.Conv2d, nn.Conv1d))]
    for (name, first), (_, second) in zip(layers, layers[1:]):
        if name in density:
            norms = first.weight.detach().flatten(1).norm(dim=1)
            filled = int((norms > 0).sum())
            wanted = filled if filled < len(norms) else density[name] * len(norms)
            rows = min(len(norms), max(8, -(-int(wanted) // 8) * 8))  # up to a multiple of 8
            narrower(first, second, norms.topk(rows).indices.sort().values)


cut({model}, {names!r})  # a batch norm between two of them has to be cut likewise; fine-tune, then measure
'''
