"""Fewer bits: autocast, TF32; and cuDNN's search for its best algorithm."""

from __future__ import annotations

from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.torch.variants.scene import (
    before_work,
    calls_of,
    free_name,
    model_name,
    need_card,
    on_card,
    optimizer_name,
    torch_of,
    training_body,
    work_of,
)


def autocast(scene: Scene, code: str, dtype: str) -> str:
    """``code`` with the model's call and the loss under autocast; the whole work where it is no loop of this cell's."""
    model = model_name(scene)
    device = "cuda" if on_card(scene) else "cpu"
    header = f'with torch.autocast("{device}", dtype=torch.{dtype}):'
    cell = Cell(code)
    found = training_body(cell)
    if found is not None:
        body, backward = found
        first = next((n for n, it in enumerate(body[:backward]) if calls_of(it, model)), None)
        if first is not None:
            return cell.wrapped(body[first], body[backward - 1], header)
        raise RefusedError(
            f"The loop does not call {model} in a line before backward(): where autocast goes is unclear."
        )
    work = work_of(cell, model)
    return cell.wrapped(work, work, header)


@dataclass(frozen=True, slots=True)
class Autocast:
    """Model and loss in bfloat16 where PyTorch thinks it safe."""

    name: str = "bf16 autocast"
    codes: tuple[str, ...] = ("GNB206", "GNB232")
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch = torch_of(scene)
        if "autocast" in scene.code:
            raise RefusedError("The cell uses autocast already.")
        if on_card(scene) and not torch.cuda.is_bf16_supported():
            raise RefusedError("This card has no bfloat16.")
        return with_import(scene, autocast(scene, scene.code, "bfloat16"), "import torch")


@dataclass(frozen=True, slots=True)
class Scaled:
    """Model and loss in float16, gradients scaled so that small ones survive."""

    name: str = "fp16 autocast"
    codes: tuple[str, ...] = ("GNB207", "GNB206")
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        need_card(scene, "float16")
        if "autocast" in scene.code:
            raise RefusedError("The cell uses autocast already.")
        optimizer = optimizer_name(scene)
        code = autocast(scene, scene.code, "float16")
        name = free_name(scene, "scaler", "grad_scaler", "amp_scaler")  # a scaler is often scikit-learn's
        code = _unscaled(code, f"{name}.unscale_({optimizer})")
        for method, scaled in (("backward", f"{name}.scale({{0}}).backward()"), ("step", f"{name}.step({{0}})")):
            code = _scaled(code, method, scaled, optimizer, f"{name}.update()")
        code = before_work(code, (model_name(scene), optimizer), f'{name} = torch.amp.GradScaler("cuda")')
        return with_import(scene, code, "import torch")


def _unscaled(code: str, line: str) -> str:
    """``code`` with gradients brought back to their size before they are clipped."""
    cell = Cell(code)
    clips = cell.calls("clip_grad_norm_", "clip_grad_value_")
    return cell.before(cell.statement_of(clips[0]), (line,)) if clips else code


def _scaled(code: str, method: str, scaled: str, optimizer: str, update: str) -> str:
    """``code`` with ``loss.backward()``, or the optimizer's step, handed to the scaler."""
    cell = Cell(code)
    calls = [(it, cell.source(it.func).rpartition(".")[0]) for it in cell.calls(method)]
    calls = [(it, of) for it, of in calls if method == "backward" or of == optimizer]
    if not calls:
        raise RefusedError(f"The cell calls no {method}() of its own, so that a GradScaler has no place.")
    call, of = calls[0]
    if len(calls) > 1 or call.args or call.keywords:
        raise RefusedError(
            f"{method}() is called more than once or given arguments, which is no simple place for a GradScaler: make "
            "the change by hand."
        )
    new = scaled.format(of)
    if method == "step":
        line = code.split("\n")[cell.statement_of(call).lineno - 1]
        new += "\n" + line[: len(line) - len(line.lstrip())] + update
    return cell.replaced((call, new))


@dataclass(frozen=True, slots=True)
class Tf32:
    """Products of matrices in TF32 on cards that have it."""

    name: str = "TF32"
    codes: tuple[str, ...] = ("GNB208",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch = torch_of(scene)
        need_card(scene, "TF32")
        if torch.get_float32_matmul_precision() != "highest":
            raise RefusedError("TF32 is on already.")
        code = before_work(scene.code, (model_name(scene),), 'torch.set_float32_matmul_precision("high")')
        return with_import(scene, code, "import torch")


@dataclass(frozen=True, slots=True)
class CudnnBenchmark:
    """cuDNN tries its algorithms on the first batch of each shape."""

    name: str = "cudnn.benchmark"
    codes: tuple[str, ...] = ("GNB209",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch = torch_of(scene)
        need_card(scene, "cuDNN")
        if torch.backends.cudnn.benchmark:
            raise RefusedError("cudnn.benchmark is on already.")
        code = before_work(scene.code, (model_name(scene),), "torch.backends.cudnn.benchmark = True")
        return with_import(scene, code, "import torch")
