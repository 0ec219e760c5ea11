"""Inference: without gradients being recorded, with 8-bit layers, with pruned rows cut out."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.torch.variants.scene import before_work, model_name, on_card, torch_of, work_of


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
