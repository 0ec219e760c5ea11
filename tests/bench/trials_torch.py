"""Trials of PyTorch variants on real cells, beside a long independent A/B of the same change written by hand.

    python tests/bench/trials_torch.py [--budget S] [--pairs N] [--only NAME]

Each row: the change, what the trial says (ratio, interval, verdict, seconds), what the A/B says, and whether they
contradict each other. The A/B knows nothing of trials: see ``independent.py``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from independent import Answer, Work, a_b
from torch import nn
from trial_table import table, told, tried

CONVNET = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.ReLU(),
    nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 16 * 16, 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(32, 3, 32, 32), torch.randint(0, 10, (32,))
"""
MLP = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x, y = torch.randn(32, 64), torch.randint(0, 10, (32,))
"""
WIDE = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(64, 1400), nn.ReLU(), nn.Linear(1400, 1400), nn.ReLU(), nn.Linear(1400, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
x, y = torch.randn(24, 64), torch.randint(0, 10, (24,))
"""
LOOP = """
for step in range({steps}):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
"""
CALLS = """
model.eval()
for step in range({steps}):
    scores = model(x)
"""

Change = Callable[[dict[str, Any]], Work]
"""Given a notebook's objects of its own, one unit of work done the changed way."""


@dataclass(frozen=True)
class Case:
    """One change on one piece of work."""

    name: str
    code: str
    variant: str | None
    setup: str
    loop: str
    steps: int
    changed: Change


def step(model: Any, optimizer: Any, x: Any, y: Any, *, bf16: bool = False) -> Work:
    """A training step by hand."""

    def run() -> None:
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    return run


def plain(own: dict[str, Any]) -> Work:
    """The step as it is."""
    return step(own["model"], own["optimizer"], own["x"], own["y"])


def call(own: dict[str, Any], *, inference: bool) -> Work:
    """A call of the model, with or without gradients being recorded."""
    model, x = own["model"].eval(), own["x"]

    def run() -> None:
        with torch.inference_mode(inference):
            model(x)

    return run


def channels_last(own: dict[str, Any]) -> Work:
    """Model and pictures in that memory format."""
    model = own["model"].to(memory_format=torch.channels_last)
    return step(model, own["optimizer"], own["x"].contiguous(memory_format=torch.channels_last), own["y"])


def fused(own: dict[str, Any]) -> Work:
    """Adam as one kernel."""
    optimizer = torch.optim.Adam(own["model"].parameters(), lr=1e-4, fused=True)
    return step(own["model"], optimizer, own["x"], own["y"])


CASES = (
    Case("bf16, convnet", "GNB206", "bf16 autocast", CONVNET, LOOP, 60,
         lambda own: step(own["model"], own["optimizer"], own["x"], own["y"], bf16=True)),
    Case("bf16, tiny MLP", "GNB206", "bf16 autocast", MLP, LOOP, 4000,
         lambda own: step(own["model"], own["optimizer"], own["x"], own["y"], bf16=True)),
    Case("channels_last, convnet", "GNB210", None, CONVNET, LOOP, 60, channels_last),
    Case("fused Adam, wide MLP", "GNB216", None, WIDE, LOOP, 100, fused),
    Case("inference_mode, tiny MLP", "GNB205", None, MLP, CALLS, 20000, lambda own: call(own, inference=True)),
)  # fmt: skip


def row(case: Case, *, budget_s: float, pairs: int) -> str:
    """The trial of a case and its A/B."""
    trial, seconds = tried(
        [case.setup, case.loop.format(steps=case.steps)], case.code, variant=case.variant, budget_s=budget_s
    )
    return told(case.name, trial, seconds, by_hand(case, pairs) if pairs else None)


def by_hand(case: Case, pairs: int) -> Answer:
    """The same change in a long A/B, on objects of its own."""
    own: dict[str, Any] = {}
    exec(case.setup, own)
    model, optimizer = copy.deepcopy((own["model"], own["optimizer"]))
    base = call(own, inference=False) if case.loop is CALLS else plain(own)
    return a_b(base, case.changed({**own, "model": model, "optimizer": optimizer}), pairs=pairs)


if __name__ == "__main__":
    table(__doc__, CASES, row)
