"""Inference: without gradients being recorded, with 8-bit layers, without batch norms, pruned rows cut out."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.rules.torch.fuse_conv_norm import definition
from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.torch.variants.scene import (
    before_work,
    free_name,
    model_name,
    on_card,
    torch_of,
    work_of,
)


def refuse_training(scene: Scene, what: str) -> None:
    """Refuse where an optimizer took steps."""
    torch_of(scene)
    if scene.cell.torch is not None and any(it.steps for it in scene.cell.torch.optimizers):
        raise RefusedError(f"{what} is for inference, and this cell trains.")


@dataclass(frozen=True, slots=True)
class InferenceMode:
    """No gradient is recorded, and no version counted."""

    name: str = "inference_mode"
    codes: tuple[str, ...] = ("GNB205",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        refuse_training(scene, "inference_mode")
        if "inference_mode" in scene.code:
            raise RefusedError("The cell uses inference_mode already.")
        cell = Cell(scene.code)
        found = [it.func for it in cell.calls("no_grad") if isinstance(it.func, ast.Attribute)]
        if found:
            return cell.replaced(*((it, f"{cell.source(it.value)}.inference_mode") for it in found))
        work = work_of(cell, model_name(scene))
        return with_import(scene, cell.wrapped(work, work, "with torch.inference_mode():"), "import torch")


@dataclass(frozen=True, slots=True)
class Int8:
    """Linear layers with 8-bit weights, quantized as they are called."""

    name: str = "int8 linear layers"
    codes: tuple[str, ...] = ("GNB227",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        refuse_training(scene, "int8")
        if on_card(scene):
            raise RefusedError("PyTorch's dynamic quantization is for models on the CPU.")
        model = model_name(scene)
        line = f"{model} = quantize_dynamic({model}, {{torch.nn.Linear}}, dtype=torch.qint8)"
        code = before_work(scene.code, (model,), line)
        return with_import(scene, code, "import torch", "from torch.ao.quantization import quantize_dynamic")


@dataclass(frozen=True, slots=True)
class FuseConvNorm:
    """Batch norms are multiplied into the convolutions before them, in a copy that takes the model's name."""

    name: str = "batch norms in convolutions"
    codes: tuple[str, ...] = ("GNB223",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch = torch_of(scene)
        refuse_training(scene, "Fusing batch norms")
        if not hasattr(torch.nn.Module, "set_submodule"):
            raise RefusedError("Fusing needs Module.set_submodule: PyTorch 2.5 or newer.")
        model = model_name(scene)
        seen = next((it for it in scene.cell.torch.models if it.name == model), None) if scene.cell.torch else None
        pairs = () if seen is None else seen.conv_then_norm
        if not pairs:
            raise RefusedError(f"No batch norm of {model} stands directly after a convolution.")
        function = free_name(scene, "fused", "fused_for_inference")
        lines = [
            *definition(function).rstrip("\n").split("\n"),
            "",
            "",
            f"{model} = {function}({model}, {list(pairs)!r})",
        ]
        code = before_work(scene.code, (model,), *lines)
        return with_import(scene, code, "import copy", "import torch", "from torch.nn.utils import fuse_conv_bn_eval")


@dataclass(frozen=True, slots=True)
class Prune:
    """Rows that masks have emptied are cut out, as the finding's own code does it."""

    name: str = "pruned rows cut out"
    codes: tuple[str, ...] = ("GNB228",)
    kind: Kind = Kind.LEARNING

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        refuse_training(scene, "Cutting rows out")
        if scene.finding is None or scene.finding.rule.code not in self.codes:
            raise RefusedError("No model with masks of torch.nn.utils.prune was found in this cell.")
        lines = scene.finding.suggestion.code.rstrip("\n").split("\n")
        code = before_work(scene.code, (model_name(scene),), *lines)
        return with_import(scene, code, "import torch")
