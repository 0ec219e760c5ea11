"""What the PyTorch observer costs a loop. ``python tests/bench/advisor_torch.py`` prints the table, ``--json`` numbers.

Both sides run in one process, in cells by turns (ABBA): the loop as it is, then with the observer installed and its
cell begun and ended. Loops have one thread, the collector is as the user has it, and each step is timed by itself; see
:func:`paired`. Numbers in percent are of a step without us. A loader's batches are timed as sums, since one alone is
too short.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from greennb.advisor.names import Names
from greennb.advisor.observe.torch.observer import TorchObserver


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    value: float
    unit: str
    target: float
    floor: str

    @property
    def met(self) -> bool:
        """Whether the target was met in this run."""
        return self.value <= self.target


def mlp() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Three small layers: a step of some 0.2 ms, the worst case for whoever adds microseconds."""
    net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    return net, torch.randn(64, 32), torch.randint(0, 10, (64,))


def convnet() -> tuple[nn.Module, torch.Tensor, torch.Tensor]:
    """Sixty layers: a step of some 6 ms, with as many calls for a hook."""
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1)]
    for _ in range(19):
        layers += [nn.Conv2d(16, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    return net, torch.randn(8, 3, 16, 16), torch.randint(0, 10, (8,))


def training(make: Callable[[], tuple[nn.Module, torch.Tensor, torch.Tensor]]) -> Callable[[], object]:
    """One training step on the same batch."""
    net, x, y = make()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        criterion(net(x), y).backward()
        optimizer.step()

    return step


def forward(make: Callable[[], tuple[nn.Module, torch.Tensor, torch.Tensor]]) -> Callable[[], object]:
    """One forward pass."""
    net, x, _ = make()
    net.eval()

    def call() -> None:
        with torch.no_grad():
            net(x)

    return call


def loading() -> Callable[[], object]:
    """One batch from a loader whose batches cost next to nothing."""
    loader = DataLoader(TensorDataset(torch.arange(1_000_000)), batch_size=None)
    batches = iter(loader)

    def take() -> None:
        nonlocal batches
        try:
            next(batches)
        except StopIteration:
            batches = iter(loader)

    return take


@dataclass
class Times:
    """Seconds of steps: the first of each cell, those in which the forward hook ran, all others; and the edges."""

    first: list[float] = field(default_factory=list)
    looked: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    edges: list[float] = field(default_factory=list)


def paired(step: Callable[[], object], steps: int, blocks: int) -> tuple[float, float]:
    """Microseconds of a step without us, and what we add to each step of a cell.

    Cells with and without us by turns (ABBA). Each step is timed by itself, and medians are taken of the first steps,
    of those in which models were looked at, and of all others: what other people's work adds to some steps of a shared
    machine falls out of a median, and would drown a percent of the sum of a cell.
    """
    observer = TorchObserver()
    alone, watched = Times(), Times()

    def cell_alone() -> None:
        spent = [_timed(step) for _ in range(steps)]
        alone.first.append(spent[0])
        alone.others.extend(spent[1:])

    def cell_watched() -> None:
        observer.install(_failed)
        began = time.perf_counter()
        observer.begin()
        edge = time.perf_counter() - began
        cell = observer._stage.cell
        assert cell is not None
        for number in range(steps):
            hooked = cell.hooked
            spent = _timed(step)
            which = watched.first if number == 0 else watched.others if cell.hooked == hooked else watched.looked
            which.append(spent)
        began = time.perf_counter()
        observer.end(Names({}))
        watched.edges.append(edge + time.perf_counter() - began)
        observer.remove()

    cell_alone(), cell_watched()
    alone, watched = Times(), Times()
    for _ in range(blocks):
        cell_alone(), cell_watched(), cell_watched(), cell_alone()
    floor = statistics.median(alone.others)
    cells = len(watched.first)
    added = statistics.median(watched.first) - statistics.median(alone.first) + statistics.median(watched.edges)
    for some in (watched.looked, watched.others):
        if some:
            added += (statistics.median(some) - floor) * len(some) / cells
    return floor * 1e6, added / steps * 1e6


def summed(step: Callable[[], object], steps: int, blocks: int) -> tuple[float, float]:
    """As :func:`paired`, from CPU seconds of whole cells: for steps that are too short to be timed one by one."""
    observer = TorchObserver()

    def alone() -> float:
        began = time.process_time()
        for _ in range(steps):
            step()
        return time.process_time() - began

    def observed() -> float:
        observer.install(_failed)
        began = time.process_time()
        observer.begin()
        for _ in range(steps):
            step()
        observer.end(Names({}))
        took = time.process_time() - began
        observer.remove()
        return took

    alone(), observed()
    floors, added = [], []
    for _ in range(blocks):
        a1, b1, b2, a2 = alone(), observed(), observed(), alone()
        floors.append((a1 + a2) / 2 / steps * 1e6)
        added.append((b1 + b2 - a1 - a2) / 2 / steps * 1e6)
    return statistics.median(floors), statistics.median(added)


def _timed(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def _failed(error: BaseException) -> None:
    raise error


def memory(steps: int) -> Row:
    """Bytes that the observer holds more after ``steps`` steps and batches than after a thousand."""
    observer = TorchObserver()
    observer.install(_failed)
    observer.begin()

    class Nothing(torch.optim.Optimizer):
        def step(self, closure: Any = None) -> None:
            """Takes no time: it is the observer's memory that is looked at."""

    nothing = Nothing([nn.Parameter(torch.zeros(1))], {})
    take = loading()
    for _ in range(1000):
        take()
        nothing.step()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(steps):
        take()
        nothing.step()
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    seen = observer.end(Names({}))
    observer.remove()
    assert seen is not None
    return Row(f"memory over {steps:,} steps", grown / 1024, "KiB", 16.0, f"{seen.optimizers[0].steps} steps were seen")


def empty_cell() -> Row:
    """A cell that doesn't use PyTorch."""
    observer = TorchObserver()
    observer.install(_failed)
    spent = []
    for _ in range(2000):
        began = time.perf_counter()
        observer.begin()
        observer.end(Names({}))
        spent.append(time.perf_counter() - began)
    observer.remove()
    return Row("a cell without PyTorch", statistics.median(spent) * 1e6, "us", 100.0, "begin and end, no names")


def rows(blocks: int, steps: int) -> Iterator[Row]:
    """The table, row by row."""
    for what, step, turns, target in (
        ("MLP, training step", training(mlp), 2000, 4.0),
        ("convnet, training step", training(convnet), 150, 1.0),
        ("MLP, forward", forward(mlp), 8000, 4.0),
        ("convnet, forward", forward(convnet), 300, 4.0),
    ):
        floor_us, added_us = paired(step, turns, blocks)
        yield Row(f"{what}, cell of {turns}", 100 * added_us / floor_us, "%", target,
                  f"{floor_us:.0f} us, {added_us:+.2f} us")  # fmt: skip
    floor_us, added_us = summed(loading(), 20_000, blocks)
    yield Row("a loader's batch", added_us, "us", 1.5, f"{floor_us:.1f} us")
    yield empty_cell()
    yield memory(steps)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--blocks", type=int, default=15)
    parser.add_argument("--steps", type=int, default=1_000_000, help="of the memory row")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if arguments.json:
        every = rows(arguments.blocks, arguments.steps)
        print(json.dumps([asdict(row) | {"met": row.met} for row in every], indent=1))
        return
    for row in rows(arguments.blocks, arguments.steps):
        print(f"{row.what:40} {row.value:9.2f} {row.unit:4} target {row.target:g} "
              f"{'met' if row.met else 'MISSED':7} ({row.floor})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
