"""The model itself: its memory format, its number format, and compiling it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.torch.variants.scene import (
    before_work,
    calls_of,
    input_of,
    loop_that_binds,
    model_name,
    optimizer_name,
    torch_of,
)


def with_inputs(scene: Scene, code: str, model: str, change: str) -> str:
    """``code`` with what the model is called with changed likewise: at the loop's head, or once before the work."""
    name = input_of(Cell(code), model)
    if name is None:
        return code
    cell = Cell(code)
    loop = loop_that_binds(cell, name)
    line = f"{name} = {name}.{change}"
    if loop is not None:
        return cell.before(_use(cell, loop, model), (line,))
    if name in scene.namespace:
        return before_work(code, (model, name), line)
    return code


def _use(cell: Cell, loop: ast.For, model: str) -> ast.stmt:
    """The statement of the loop's own body in which the model is called: what it is called with is ready by then."""
    return next((it for it in loop.body if calls_of(it, model)), loop.body[0])


@dataclass(frozen=True, slots=True)
class ChannelsLast:
    """Pictures and convolutions with the channels innermost."""

    name: str = "channels_last"
    codes: tuple[str, ...] = ("GNB210",)
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch_of(scene)
        if "channels_last" in scene.code:
            raise RefusedError("The cell uses channels_last already.")
        model = model_name(scene)
        seen = scene.cell.torch
        if seen is not None and not any(it.name == model and "Conv2d" in it.layers for it in seen.models):
            raise RefusedError(f"{model} has no 2-D convolution, for which alone channels_last is.")
        change = "to(memory_format=torch.channels_last)"
        code = before_work(scene.code, (model,), f"{model}.{change}")
        return with_import(scene, with_inputs(scene, code, model, change), "import torch")


@dataclass(frozen=True, slots=True)
class Float32:
    """Single precision instead of double, for the model and what it is called with."""

    name: str = "float32"
    codes: tuple[str, ...] = ("GNB219", "GNB109")
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch = torch_of(scene)
        model = model_name(scene)
        seen = scene.cell.torch
        if seen is not None and not any(it.name == model and "float64" in it.dtypes for it in seen.models):
            raise RefusedError(f"{model} is not in float64.")
        double = {
            name
            for name, value in list(scene.namespace.items())
            if isinstance(value, torch.Tensor) and value.dtype is torch.float64
        }
        cell = Cell(scene.code)
        loop = loop_that_binds(cell, input_of(cell, model) or "")
        given = [] if loop is None else [it.id for it in ast.walk(loop.target) if isinstance(it, ast.Name)]
        code = scene.code
        if loop is not None:  # what the loop leaves tells what it is given, the targets too
            lines = [f"{name} = {name}.float()" for name in given if name in double]
            code = cell.before(loop.body[0], lines)
        names = [name for name in scene.namespace if name in double and name not in given and _used(scene, cell, name)]
        lines = [f"{model}.float()", *(f"{name} = {name}.float()" for name in names)]
        return before_work(code, (model, *names), *lines, *_state(scene, cell))


def _state(scene: Scene, cell: Cell) -> list[str]:
    """An optimizer of another cell has kept double numbers of each parameter; loading its own state casts them."""
    try:
        name = optimizer_name(scene)
    except RefusedError:
        return []
    return [] if cell.maker(name) is not None else [f"{name}.load_state_dict({name}.state_dict())"]


def _used(scene: Scene, cell: Cell, name: str) -> bool:
    """Whether the cell reads it, itself or in a function of another cell."""
    if scene.cell.code is not None and name in scene.cell.code.reads:
        return True
    found = [it.ctx for it in ast.walk(cell.tree) if isinstance(it, ast.Name) and it.id == name]
    return bool(found) and all(isinstance(it, ast.Load) for it in found)  # what it binds itself is none of before


@dataclass(frozen=True, slots=True)
class Compile:
    """The model compiled, in place: its name stays that of a module, saved and loaded as before."""

    name: str = "compile"
    codes: tuple[str, ...] = ("GNB211", "GNB212")
    kind: Kind = Kind.NUMERIC

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        torch = torch_of(scene)
        model = model_name(scene)
        seen = scene.cell.torch
        if seen is not None and any(it.name == model and it.compiled for it in seen.models):
            raise RefusedError(f"{model} is compiled already.")
        if not hasattr(torch.nn.Module, "compile"):
            raise RefusedError("This PyTorch is older than 2.2 and can't compile a module in place.")
        return before_work(scene.code, (model,), f"{model}.compile()")
