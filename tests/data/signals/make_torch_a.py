"""Makes the recorded signals of PyTorch rules 201 to 217: ``python -m tests.data.signals.make_torch_a [CODE ...]``.

Each is a case of ``tests/gpu/cases``, run for real on one thread of a CPU, into which the facts of a card, or of a
longer run, are put by hand; "made" in each file says which. None of it was seen on a card.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from greennb.advisor.catalogue import catalogue
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import GpuSeen
from greennb.advisor.signals.record import from_dict, to_dict
from greennb.advisor.signals.torch import BatchSeen, CudaSeen
from tests.advisor.harness import ran

HERE = Path(__file__).parent
GPU = HERE.parents[1] / "gpu" / "cases"
GIB = 2**30

Change = Callable[[CellContext], CellContext]


def on_card(capability: tuple[int, int], name: str, util: float) -> Change:
    """Put a card under a run: the devices' names, PyTorch's facts of it and the driver's."""

    def change(cell: CellContext) -> CellContext:
        assert cell.torch is not None
        assert cell.machine is not None
        torch = dataclasses.replace(
            cell.torch,
            models=_each(cell.torch.models, device="cuda:0"),
            optimizers=_each(cell.torch.optimizers, device="cuda:0"),
            forwards=tuple(
                dataclasses.replace(it, batch=it.batch and dataclasses.replace(it.batch, device="cuda:0"))
                for it in cell.torch.forwards
            ),
            cuda=(CudaSeen(index=0, name=name, capability=capability, peak_b=2 * GIB, total_b=16 * GIB),),
        )
        gpu = GpuSeen(domain="gpu:0", label=name, util=util, held_b=2 * GIB, capability=capability, samples=50)
        machine = dataclasses.replace(cell.machine, gpus=(gpu,))
        return dataclasses.replace(cell, torch=torch, machine=machine)

    return change


def longer(times: int) -> Change:
    """The same run as if it had gone on: steps, calls and seconds multiplied, medians as they were."""

    def change(cell: CellContext) -> CellContext:
        assert cell.torch is not None
        torch = dataclasses.replace(
            cell.torch,
            forwards=_times(cell.torch.forwards, times, "calls_estimated", "seconds"),
            optimizers=_times(cell.torch.optimizers, times, "steps", "seconds"),
            loaders=_times(cell.torch.loaders, times, "epochs", "batches", "wait_total_s", "seconds"),
        )
        return dataclasses.replace(cell, torch=torch, duration_s=cell.duration_s * times)

    return change


def pace(cell: CellContext) -> CellContext:
    """Steps of 4 ms, as launching some hundred kernels takes: a busy CPU's pace is its own."""
    assert cell.torch is not None
    optimizers = _each(cell.torch.optimizers, step_s=0.004)
    return dataclasses.replace(cell, torch=dataclasses.replace(cell.torch, optimizers=optimizers))


def from_cpu(cell: CellContext) -> CellContext:
    """Batches that the loader gave on the CPU, as they were here, for a model that is on a card."""
    assert cell.torch is not None
    forwards = tuple(dataclasses.replace(it, batch=_moved(it.batch)) for it in cell.torch.forwards)
    return dataclasses.replace(cell, torch=dataclasses.replace(cell.torch, forwards=forwards))


def pinned(cell: CellContext) -> CellContext:
    """The loader with ``pin_memory``, which PyTorch refuses where there is no card."""
    assert cell.torch is not None
    torch = dataclasses.replace(cell.torch, loaders=_each(cell.torch.loaders, pin_memory=True))
    return dataclasses.replace(cell, torch=torch)


def with_amx(cell: CellContext) -> CellContext:
    """A CPU with AMX."""
    assert cell.torch is not None
    assert cell.machine is not None
    machine = dataclasses.replace(cell.machine, amx=True, avx512_bf16=True)
    return dataclasses.replace(cell, torch=dataclasses.replace(cell.torch, bf16_cpu=True), machine=machine)


def without_amx(cell: CellContext) -> CellContext:
    """A CPU with bfloat16 in AVX-512 only."""
    cell = with_amx(cell)
    assert cell.machine is not None
    return dataclasses.replace(cell, machine=dataclasses.replace(cell.machine, amx=False))


AMPERE = on_card((8, 0), "NVIDIA A100-SXM4-40GB", 0.93)
VOLTA = on_card((7, 0), "Tesla V100-SXM2-16GB", 0.95)
IDLE = on_card((8, 0), "NVIDIA A100-SXM4-40GB", 0.31)
A100, V100 = "an A100 (compute capability 8.0, 93 % busy)", "a V100 (compute capability 7.0, 95 % busy)"
QUIET = "an A100 (compute capability 8.0, 31 % busy, 2 of 16 GiB used)"
TEN, MANY = "steps and seconds were multiplied by 10", "steps and seconds were multiplied by 300"
PACE = "the step was written as 4 ms"
MOVED = "the batch was written as copied from the CPU"

MADE: list[tuple[str, Path, str, tuple[Change, ...]]] = [
    ("GNB203_fires", GPU / "GNB203_fires.py", f"{A100}; {MOVED}", (AMPERE, from_cpu)),
    ("GNB203_silent", GPU / "GNB203_silent.py", f"{A100}; {MOVED}, pinned by the loader", (AMPERE, from_cpu, pinned)),
    ("GNB206_fires", GPU / "GNB206_fires.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB206_fires_amx", GPU / "GNB206_fires.py", f"a CPU with AMX; {TEN}", (with_amx, longer(10))),
    ("GNB206_silent", GPU / "GNB206_silent.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB206_silent_avx512", GPU / "GNB206_fires.py", f"a CPU without AMX; {TEN}", (without_amx, longer(10))),
    ("GNB207_fires", GPU / "GNB206_fires.py", f"{V100}; {TEN}", (VOLTA, longer(10))),
    ("GNB207_silent", GPU / "GNB206_silent.py", f"{V100}; {TEN}", (VOLTA, longer(10))),
    ("GNB207_silent_ampere", GPU / "GNB206_fires.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB208_fires", GPU / "GNB208_fires.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB208_silent", GPU / "GNB208_silent.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB208_silent_volta", GPU / "GNB208_fires.py", f"{V100}; {TEN}", (VOLTA, longer(10))),
    ("GNB209_fires", GPU / "GNB209_fires.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB209_silent", GPU / "GNB209_silent.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB210_fires_card", GPU / "GNB209_fires.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB211_fires", GPU / "GNB209_fires.py", f"{A100}; {MANY}", (AMPERE, longer(300))),
    ("GNB211_silent", GPU / "GNB209_fires.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB212_fires", GPU / "GNB212_fires.py", f"{QUIET}; {TEN}; {PACE}", (IDLE, longer(10), pace)),
    ("GNB212_silent", GPU / "GNB212_silent.py", f"{A100}; {TEN}; {PACE}", (AMPERE, longer(10), pace)),
    ("GNB213_fires_card", GPU / "GNB213_fires.py", f"{QUIET}; {TEN}", (IDLE, longer(10))),
    ("GNB213_silent_card", GPU / "GNB213_silent.py", f"{A100}; {TEN}", (AMPERE, longer(10))),
    ("GNB217_fires", GPU / "GNB217_fires.py", f"{QUIET}; {TEN}; {PACE}", (IDLE, longer(10), pace)),
    ("GNB217_silent", GPU / "GNB217_silent.py", f"{QUIET}; {TEN}; {PACE}", (IDLE, longer(10), pace)),
]  # fmt: skip
"""File, the case that was run, what was put in by hand, and how."""


def main(wanted: Iterable[str]) -> None:
    """Make all of them, or those of the codes that are ``wanted``; a case is run once for all that are made of it."""
    import torch

    torch.set_num_threads(1)  # a busy machine disturbs one thread less than a team of them
    runs: dict[Path, CellContext] = {}
    codes = set(wanted)
    for name, path, by_hand, changes in MADE:
        if codes and name.split("_")[0] not in codes:
            continue
        if path not in runs:
            runs[path] = _longest(path)
        cell = runs[path]
        for change in changes:
            cell = change(cell)
        assert cell.torch is not None
        made = (
            f"tests/{path.relative_to(HERE.parents[1])}, run for real on one thread of a CPU with PyTorch "
            f"{cell.torch.version}; put in by hand: {by_hand}. Not seen on that hardware."
        )
        data = {"made": made, "cell": to_dict(cell)}
        (HERE / f"{name}.json").write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
        rule = catalogue().find(name.split("_")[0])
        print(name, "" if rule is None else [it.text for it in rule.check(from_dict(data["cell"]))])


def _longest(path: Path) -> CellContext:
    """The case's longest cell with its training, without what it cost here: that is this machine's."""
    cells = [cell for cell in ran(path).advisor.cells if cell.torch is not None and cell.torch.optimizers]
    return dataclasses.replace(max(cells, key=lambda cell: cell.duration_s), measurement=None, past=())


def _each(things: tuple[Any, ...], **facts: Any) -> tuple[Any, ...]:
    return tuple(dataclasses.replace(it, **facts) for it in things)


def _times(things: tuple[Any, ...], times: int, *names: str) -> tuple[Any, ...]:
    return tuple(dataclasses.replace(it, **{name: getattr(it, name) * times for name in names}) for it in things)


def _moved(batch: BatchSeen | None) -> BatchSeen | None:
    return None if batch is None else dataclasses.replace(batch, from_cpu=True)


if __name__ == "__main__":
    main(sys.argv[1:])
