"""Trials of a cell without a schedule: the real ways on a notebook of PyTorch's, and what they leave behind."""

from __future__ import annotations

import hashlib
import random
import signal
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch_kernel import Kernel

from greennb.advisor.signals.cell import CellContext
from greennb.advisor.trial.base import Kind, Pair, Scene, Stop
from greennb.advisor.trial.fingerprint import Fingerprint
from greennb.advisor.trial.replay import Replay
from greennb.advisor.trial.torch import pair
from greennb.advisor.trial.torch.steps import Steps


@dataclass(frozen=True, kw_only=True)
class Given:
    """A variant whose change is given."""

    after: str
    kind: Kind = Kind.NUMERIC
    name: str = "given"
    codes: tuple[str, ...] = ("GNB206",)

    def change(self, scene: Scene) -> str:
        return self.after


open_now: list[object] = []
"""Windows that are open; a module's, so that a cell that imports it sees the real ones."""


class Windows:
    """Stands for the meter: how often a window was opened, and whether one is open."""

    def __init__(self) -> None:
        self.opened = 0

    @property
    def open(self) -> bool:
        return self in open_now

    @contextmanager
    def __call__(self) -> Iterator[None]:
        assert not self.open
        self.opened += 1
        open_now.append(self)
        try:
            yield
        finally:
            open_now.remove(self)


class Notebook:
    """Runs cells for real; ``scene`` is of the last one."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.namespace: dict[str, Any] = self.kernel.namespace
        self.scene: Scene | None = None
        self.stop = Stop()

    def run(self, source: str) -> Scene:
        source = textwrap.dedent(source)
        seen = self.kernel.run(source)
        cell = CellContext(number=0, cell_id="c", execution_count=1, source=source, duration_s=0.1, torch=seen)
        self.scene = Scene(cell=cell, code=source, namespace=self.namespace, stop=self.stop)
        return self.scene

    def pair(self, after: str, kind: Kind = Kind.NUMERIC) -> Pair:
        assert self.scene is not None
        self.kernel.observer.remove()  # as the advisor is paused while a trial runs
        return pair(self.scene, Given(after=textwrap.dedent(after), kind=kind))

    def replay(self) -> Replay:
        assert self.scene is not None
        self.kernel.observer.remove()
        return Replay(self.scene, self.scene.code, "A", Steps(torch))

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever happens in the block, afterwards everything is as it was, bit for bit."""
        assert self.scene is not None
        self.kernel.observer.remove()
        code = self.scene.code
        before, bits, hooks = Fingerprint.of(self.namespace, code), _bits(self.namespace), _hooks()
        names, signal_ = dict(self.namespace), _methods()
        try:
            yield
        finally:
            assert _bits(self.namespace) == bits
            assert list(self.namespace) == list(names)
            assert all(self.namespace[name] is value for name, value in names.items())
            assert before.differences(Fingerprint.of(self.namespace, code)) == []
            assert _hooks() == hooks
            assert _methods() == signal_


def _hooks() -> list[int]:
    """How many hooks there are on all modules and optimizers."""
    module, optimizer = torch.nn.modules.module, sys.modules["torch.optim.optimizer"]
    found = (
        module._global_forward_pre_hooks, module._global_forward_hooks,
        optimizer._global_optimizer_pre_hooks, optimizer._global_optimizer_post_hooks,
    )  # fmt: skip
    return [len(it) for it in found]


def _methods() -> list[object]:

    return [torch.Tensor.backward, torch.amp.GradScaler.scale, signal.getsignal(signal.SIGINT), sys.gettrace()]


def _bits(namespace: dict[str, Any]) -> str:
    """SHA-256 of every model, optimizer and RNG: told apart from the fingerprint's own way to look."""
    digest = hashlib.sha256()

    def add(thing: Any) -> None:
        if isinstance(thing, torch.Tensor):
            digest.update(repr((thing.dtype, thing.shape, thing.stride(), thing._version)).encode())
            digest.update(thing.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
            add(thing.grad if thing.is_leaf else None)
        elif isinstance(thing, dict):
            for key, value in thing.items():
                digest.update(repr(key).encode())
                add(value)
        elif isinstance(thing, list | tuple):
            for it in thing:
                add(it)
        else:
            digest.update(repr(thing).encode())

    for name, thing in namespace.items():
        digest.update(name.encode())
        if isinstance(thing, torch.nn.Module):
            add(list(thing.parameters()) + list(thing.buffers()))
            digest.update(repr(sorted(vars(thing))).encode())
        elif isinstance(thing, torch.optim.Optimizer):
            add(thing.state_dict())
        elif isinstance(thing, torch.Tensor):
            add(thing)
    add(torch.get_rng_state())
    digest.update(repr(random.getstate()).encode())
    digest.update(repr(np.random.get_state()).encode())
    return digest.hexdigest()
