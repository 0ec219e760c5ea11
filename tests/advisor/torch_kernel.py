"""A kernel with nothing but the PyTorch observer: cells are run for real, and its failures are the test's."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.observe.torch.observer import TorchObserver
from greennb.advisor.signals.torch import TorchSignals

SET_UP = """
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset
torch.manual_seed(0)
x, y = torch.randn(256, 8), torch.randint(0, 2, (256,))
train = DataLoader(TensorDataset(x, y), batch_size=32)
valid = DataLoader(TensorDataset(x, y), batch_size=64)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
criterion = nn.CrossEntropyLoss()
def step(bx, by):
    optimizer.zero_grad()
    loss = criterion(model(bx), by)
    loss.backward()
    optimizer.step()
    return loss
"""


class Kernel:
    """Runs cells under an observer."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}
        self.failures: list[BaseException] = []
        self.observer = TorchObserver(clock)
        exec(SET_UP, self.namespace)
        self.observer.install(self.failures.append)

    def run(self, source: str) -> TorchSignals | None:
        """What was seen of the cell; what the user's code raises comes through."""
        code = compile(textwrap.dedent(source), "<cell>", "exec")
        self.observer.begin()
        try:
            exec(code, self.namespace)
        finally:
            seen = self.observer.end(Names(self.namespace))
        assert self.failures == []
        return seen

    def seen(self, source: str) -> TorchSignals:
        """The same, of a cell that uses PyTorch."""
        signals = self.run(source)
        assert signals is not None
        return signals
