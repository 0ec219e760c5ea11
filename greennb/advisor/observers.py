"""Who watches: the observers, each loaded when what it watches is there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from greennb.advisor.base import Failed, Observer
from greennb.advisor.names import Names

TORCH = ("torch", "torch._dynamo.callback", "torch._dynamo.convert_frame")
"""PyTorch, and its compiler, which is loaded later: the observer has to be out of its sight before it compiles."""


class Late:
    """An observer whose file is loaded with the framework that it watches: most kernels never need it."""

    def __init__(self, name: str, modules: tuple[str, ...], make: Callable[[], Observer]) -> None:
        self.name = name
        self.modules = modules
        self._make = make
        self._made: Observer | None = None

    @property
    def made(self) -> Observer:
        """The observer itself."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def install(self, failed: Failed) -> None:
        """As :class:`~greennb.advisor.base.Observer`."""
        self.made.install(failed)

    def remove(self) -> None:
        """As :class:`~greennb.advisor.base.Observer`."""
        if self._made is not None:
            self._made.remove()

    def begin(self) -> None:
        """As :class:`~greennb.advisor.base.Observer`."""
        self.made.begin()

    def end(self, names: Names) -> Any:
        """As :class:`~greennb.advisor.base.Observer`."""
        return self.made.end(names)


def observers(**machine: Any) -> list[Observer]:
    """All observers; ``machine`` goes to the machine's."""
    return [
        Late("torch", TORCH, lambda: _class("torch.observer", "TorchObserver")()),
        Late("sklearn", ("sklearn.base",), lambda: _class("sklearn.observer", "SklearnObserver")()),
        Late("keras", ("keras", "tensorflow"), lambda: _class("keras.observer", "KerasObserver")()),
        Late("jax", ("jax",), lambda: _class("jax", "JaxObserver")()),
        Late("machine", (), lambda: _class("machine.observer", "MachineObserver")(**machine)),
    ]


def _class(file: str, name: str) -> Any:
    return getattr(importlib.import_module(f"greennb.advisor.observe.{file}"), name)
