"""What several PyTorch rules ask of a cell: its training loops, forward passes, card, and names to write code with."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from dataclasses import dataclass

from greennb.advisor.base import evidence
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import GpuSeen
from greennb.advisor.signals.torch import BatchSeen, CudaSeen, Forwards, LoaderSeen, ModelSeen, OptimizerSeen
from greennb.model.finding import Evidence
from greennb.views import format as fmt

FEW_STEPS = 20
"""A median over fewer steps than this is chance: first steps allocate, tune and page in. Rules wait for this many."""

CONVOLUTIONS = ("Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")
"""Layers whose time is in convolution kernels."""

MULTIPLIERS = (*CONVOLUTIONS, "Linear", "Bilinear", "MultiheadAttention", "LSTM", "GRU", "Conv1D")
"""Layers whose time is in matrix products: what tensor cores and AMX do. ``Conv1D`` is GPT-2's own linear layer."""

_BYTES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int16": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A training loop: an optimizer with the model that it trains, the loader that feeds it and the model's passes."""

    optimizer: OptimizerSeen
    model: ModelSeen | None
    loader: LoaderSeen | None
    forwards: Forwards | None

    @property
    def device(self) -> str:
        """Where it trains: "cpu", "cuda:0"."""
        return self.optimizer.device

    @property
    def step_s(self) -> float:
        """Median seconds from the end of one step to the end of the next (S)."""
        return self.optimizer.step_s

    @property
    def wait_share(self) -> float:
        """Part of a step that is spent inside the loader (W/S), 0 to 1; 0 without a loader."""
        return 0.0 if self.loader is None else part(self.loader.wait_s, self.step_s)

    @property
    def batch(self) -> int | None:
        """Samples in a step: what the loader says, else the first dimension of the model's input; None if unknown."""
        if self.loader is not None and self.loader.batch_size is not None:
            return self.loader.batch_size
        seen = None if self.forwards is None else self.forwards.batch
        return seen.shape[0] if seen is not None and seen.shape else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Calls of one model in one state, with the loop that trains it where there is one in this cell."""

    model: ModelSeen
    forwards: Forwards
    loop: Loop | None

    @property
    def step_s(self) -> float:
        """Seconds of one turn: the whole training step where it trains, else from one call to the next."""
        return self.forwards.call_s if self.loop is None else self.loop.step_s

    @property
    def turns(self) -> int:
        """How many steps it took, or calls where it does not train."""
        return self.forwards.calls_estimated if self.loop is None else self.loop.optimizer.steps

    @property
    def seconds(self) -> float:
        """From its first turn to its last one."""
        return self.forwards.seconds if self.loop is None else self.loop.optimizer.seconds


def loops(cell: CellContext, *, steps: int = FEW_STEPS) -> Iterator[Loop]:
    """The training loops of at least ``steps`` steps whose step time is known, in the order in which they were seen."""
    seen = cell.torch
    if seen is None:
        return
    for optimizer in seen.optimizers:
        if optimizer.steps >= steps and optimizer.step_s > 0:
            yield Loop(
                optimizer=optimizer,
                model=seen.model(optimizer.model),
                loader=seen.loader(optimizer.loader),
                forwards=_training(seen.forwards, optimizer.model),
            )


def passes(cell: CellContext, *, turns: int = FEW_STEPS) -> Iterator[Pass]:
    """Each model's work: its training passes as one with their loop, and its passes without training."""
    seen = cell.torch
    if seen is None:
        return
    training = {loop.model.id: loop for loop in loops(cell) if loop.model is not None}
    for forwards in seen.forwards:
        model = seen.model(forwards.model)
        if model is None or not model.parameters:
            continue
        loop = training.get(model.id) if forwards.training else None
        if loop is not None and loop.forwards is not forwards:
            continue  # fewer calls of the same model in another state: what the loop's own say is enough
        it = Pass(model=model, forwards=forwards, loop=loop)
        if it.turns >= turns and it.step_s > 0:
            yield it


def _training(forwards: tuple[Forwards, ...], model: int | None) -> Forwards | None:
    mine = [it for it in forwards if it.model == model and it.training and it.grad]
    return max(mine, key=lambda it: it.calls_estimated, default=None)


def part(seconds: float, whole: float) -> float:
    """``seconds`` as a part of ``whole``, 0 to 1; 0 where there is no whole."""
    return min(1.0, max(0.0, seconds / whole)) if whole > 0 else 0.0


def share(cell: CellContext, seconds: float) -> float:
    """The part of the cell's time that ``seconds`` are: what :attr:`Found.share` wants."""
    return part(seconds, cell.duration_s)


def subject(thing: ModelSeen | LoaderSeen | OptimizerSeen | None, otherwise: str = "model") -> str:
    """What the user calls it, else its class; ``otherwise`` for nothing."""
    if thing is None:
        return otherwise
    if isinstance(thing, LoaderSeen):
        return thing.name or f"DataLoader({thing.dataset})"
    return thing.name or thing.kind


def variable(thing: ModelSeen | LoaderSeen | OptimizerSeen | BatchSeen | None, otherwise: str) -> str:
    """A name to write code with: the user's, where it is one that code can use, else ``otherwise``."""
    name = None if thing is None else thing.name
    return name if name is not None and name.isidentifier() and not keyword.iskeyword(name) else otherwise


def count(model: ModelSeen | None, *kinds: str) -> int:
    """How many submodules of a model are of these classes."""
    return 0 if model is None else sum(model.layers.get(kind, 0) for kind in kinds)


def is_cuda(device: str) -> bool:
    """Whether a device is an NVIDIA or AMD card, as PyTorch names both."""
    return device.startswith("cuda")


def card(cell: CellContext, device: str) -> CudaSeen | None:
    """The card of that device ("cuda:1"), as PyTorch tells of it; None for any other device."""
    if cell.torch is None or not is_cuda(device):
        return None
    index = int(device.partition(":")[2] or 0)
    return next((it for it in cell.torch.cuda if it.index == index), None)


def board(cell: CellContext, device: str) -> GpuSeen | None:
    """What the driver tells of that device's card while the cell ran; None where it isn't sure which one it is.

    PyTorch counts the cards that it may see and the driver counts all of them: only one that is alone, or alone in
    being held by this process, is told for certain.
    """
    if cell.machine is None or card(cell, device) is None:
        return None
    gpus = cell.machine.gpus
    held = [gpu for gpu in gpus if gpu.held_b]
    if len(gpus) == 1:
        return gpus[0]
    return held[0] if len(held) == 1 else None


def elements_b(shape: tuple[int, ...], dtype: str) -> int:
    """Bytes of a tensor of that shape; 1 a number for a dtype that is not known."""
    numbers = 1
    for length in shape:
        numbers *= length
    return numbers * _BYTES.get(dtype.removeprefix("torch."), 1)


def rebuilt(loader: LoaderSeen, **settings: str) -> str:
    """Code that makes the user's loader again as it is, but with ``settings``, written as Python."""
    name = variable(loader, "loader")
    if loader.length is None:  # an iterable data set: it has no sampler
        kept = {"batch_size": f"{name}.batch_size"}
    elif loader.batch_size is None:
        kept = {"batch_sampler": f"{name}.batch_sampler"}
    else:
        kept = {it: f"{name}.{it}" for it in ("batch_size", "sampler", "drop_last")}
    kept |= {it: f"{name}.{it}" for it in ("collate_fn", "num_workers", "pin_memory")}
    lines = "".join(f"    {key}={value},\n" for key, value in (kept | settings).items())
    return f"{name} = torch.utils.data.DataLoader(\n    {name}.dataset,\n{lines})"


def busy(cell: CellContext) -> float | None:
    """How much of the CPUs that this process may use it kept busy, 0 to 1; None where that is not known.

    The larger of two measures: CPU seconds, which are fewer where other processes take their share, and the mean number
    of threads that ran or waited for a CPU.
    """
    machine = cell.machine
    if machine is None or machine.cpus <= 0 or (not machine.cpu_s and machine.runnable is None):
        return None
    by_time = part(machine.cpu_s, cell.duration_s * machine.cpus)
    return max(by_time, part(machine.runnable or 0.0, machine.cpus))


LEAST_NUMBERS = {True: 100_000, False: 1_000_000}
"""Parameters from which a model on a busy card is taken to multiply, with convolutions (True) and without (ours).

Convolutions use each of theirs many times in a pass.
"""

MULTIPLYING = 0.40
"""Part of the profiled time in matrix products and convolutions from which they are what the time goes to (ours)."""

BUSY_CARD = 0.70
"""Share of time with a kernel running from which a card, and not what feeds it, sets the pace (ours)."""


def is_multiplying(cell: CellContext, it: Pass) -> bool:
    """Whether a pass on a card spends its time in matrix products and convolutions.

    As profiled, where steps were profiled; else where the card is busy and the model has layers that multiply, with
    numbers enough in them. False where nobody knows how busy the card is.
    """
    model = it.model
    if not count(model, *MULTIPLIERS):
        return False
    profiled = None if cell.torch is None else cell.torch.profiled
    if profiled is not None:
        return part(profiled.matmul_s + profiled.conv_s, profiled.total_s) >= MULTIPLYING
    gpu = board(cell, model.device)
    if gpu is None or gpu.util is None or gpu.util < BUSY_CARD:
        return False
    return model.parameters >= LEAST_NUMBERS[bool(count(model, *CONVOLUTIONS))]


def is_float32(it: Pass) -> bool:
    """Whether a pass computes in 32-bit floating point: parameters of that dtype, and no autocast around it."""
    return it.model.dtypes[:1] == ("float32",) and not it.forwards.autocast


def multiplying_evidence(cell: CellContext, it: Pass) -> tuple[Evidence, ...]:
    """The numbers that :func:`is_multiplying` stands on, with the pass's own."""
    profiled, gpu = None if cell.torch is None else cell.torch.profiled, board(cell, it.model.device)
    seen = [evidence("step", 1e3 * it.step_s, "ms"), evidence("steps", it.turns)]
    if profiled is not None:
        multiplying = part(profiled.matmul_s + profiled.conv_s, profiled.total_s)
        seen.append(evidence("matrix products and convolutions", 100 * multiplying, "%"))
    elif gpu is not None and gpu.util is not None:
        seen.append(evidence("GPU busy", 100 * gpu.util, "%"))
    return (*seen, evidence("parameters", it.model.parameters))


def steps_of(it: Pass) -> str:
    """What a pass did, in words: "400 training steps of 12.1 ms", "90 calls of 3.0 ms"."""
    what = "calls" if it.loop is None else "training steps"
    about = "about " if it.loop is None and it.turns != it.forwards.calls else ""  # not every call was looked at
    return f"{about}{it.turns:,} {what} of {fmt.seconds(it.step_s)}"
