"""PyTorch rules 201 to 213, 216, 217 and 226 on signals composed by hand: each fires, and each guard silences it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from greennb.advisor.base import Found
from greennb.advisor.rules.torch import (
    autocast_bf16,
    autocast_fp16,
    channels_last,
    cpu_bound_input,
    cudnn_benchmark,
    foreach_off,
    fused_optimizer,
    inference_mode,
    larger_batch,
    launch_bound,
    loader_workers,
    persistent_workers,
    pin_memory,
    tf32,
    threads,
)
from greennb.advisor.rules.torch import compile as compile_
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import GpuSeen, MachineSignals
from greennb.advisor.signals.torch import (
    BatchSeen,
    CudaSeen,
    Forwards,
    LoaderSeen,
    ModelSeen,
    OptimizerSeen,
    Profiled,
    TorchSignals,
)
from greennb.model.finding import Severity

GIB = 2**30


class World:
    """A cell that trains one model with one optimizer and one loader, every fact of it easily changed."""

    def __init__(self, device: str = "cpu", capability: tuple[int, int] = (8, 0)) -> None:
        self.cell: dict[str, Any] = {"duration_s": 40.0}
        self.model: dict[str, Any] = {
            "device": device, "parameters": 5_000_000, "trainable": 5_000_000, "dtypes": ("float32",),
            "layers": {"Conv2d": 8, "MaxPool2d": 5, "BatchNorm2d": 8, "Linear": 3}, "linear_share": 0.5,
        }  # fmt: skip
        self.forwards: dict[str, Any] = {"training": True, "grad": True, "stepped": True, "calls_estimated": 1000}
        self.batch: dict[str, Any] = {"shape": (64, 3, 64, 64), "dtype": "float32", "device": device}
        self.loader: dict[str, Any] = {
            "batches": 1000, "seconds": 30.0, "length": 64_000, "batch_size": 64, "in_training": True,
        }  # fmt: skip
        self.optimizer: dict[str, Any] = {
            "kind": "AdamW", "name": "optimizer", "device": device, "parameters": 40, "steps": 1000, "step_s": 0.03,
            "seconds": 30.0,
        }  # fmt: skip
        self.torch: dict[str, Any] = {}
        self.machine: dict[str, Any] = {"cores": 4, "cpus": 4.0, "cpu_s": 40.0}
        self.gpu: dict[str, Any] = {"util": 0.9, "held_b": GIB}
        self.card: dict[str, Any] = {"capability": capability, "peak_b": 2 * GIB, "total_b": 40 * GIB}
        self.past: tuple[CellContext, ...] = ()

    @property
    def context(self) -> CellContext:
        on_card = self.optimizer["device"].startswith("cuda")
        model = ModelSeen(**{"id": 1, "name": "net", "kind": "Net"} | self.model)
        batch = BatchSeen(**self.batch)
        seen = TorchSignals(**{
            "version": "2.13.0", "threads": 4, "models": (model,),
            "forwards": (Forwards(**{"model": 1, "batch": batch} | self.forwards),),
            "optimizers": (OptimizerSeen(**{"model": 1, "loader": 0} | self.optimizer),) if self.optimizer else (),
            "loaders": (LoaderSeen(**{"name": "loader", "dataset": "Pictures"} | self.loader),),
            "cuda": (CudaSeen(**{"index": 0, "name": "NVIDIA A100"} | self.card),) if on_card else (),
        } | self.torch)  # fmt: skip
        gpus = (GpuSeen(**{"domain": "gpu:0", "label": "NVIDIA A100"} | self.gpu),) if on_card else ()
        machine = MachineSignals(**{"pools": {}, "gpus": gpus} | self.machine)
        return CellContext(
            number=0, cell_id="a", execution_count=1, source="", torch=seen, machine=machine, past=self.past,
            **self.cell,
        )  # fmt: skip

    def infers(self) -> World:
        """Make it a cell that only infers."""
        self.forwards = {"training": False, "grad": True, "calls_estimated": 400, "call_s": 0.05, "seconds": 20.0}
        self.torch = {"optimizers": ()}
        return self


def waiting() -> World:
    world = World()
    world.loader |= {"wait_s": 0.012, "wait_total_s": 12.0}
    return world


def restarting() -> World:
    world = World()
    world.loader |= {"num_workers": 2, "epochs": 10, "wait_s": 0.001, "first_wait_s": 0.3, "wait_total_s": 4.0}
    return world


def unpinned() -> World:
    world = World("cuda:0")
    world.batch |= {"from_cpu": True, "shape": (64, 3, 224, 224)}
    return world


def cpu_bound() -> World:
    world = waiting()
    world.loader |= {"epochs": 3, "num_workers": 4}
    world.machine |= {"cpu_s": 155.0}
    return world


def recorded_for_nothing() -> World:
    return World().infers()


def amx() -> World:
    world = World()
    world.torch |= {"bf16_cpu": True}
    world.machine |= {"amx": True}
    return world


def profiled_volta() -> World:
    world = World("cuda:0", (7, 0))
    world.torch |= {"profiled": Profiled(steps=5, total_s=0.15, matmul_s=0.05, conv_s=0.05, tensor_core_s=0.0)}
    return world


def on_ampere() -> World:
    return World("cuda:0")


def pooling() -> World:
    return World()


def long_ago() -> World:
    world = World("cuda:0")
    world.cell["duration_s"], world.optimizer["seconds"], world.optimizer["steps"] = 700.0, 650.0, 21_000
    return world


def launching() -> World:
    world = World("cuda:0")
    world.gpu["util"] = 0.3
    world.optimizer |= {"step_s": 0.002, "steps": 10_000, "seconds": 20.0}
    return world


def roomy() -> World:
    world = launching()
    world.optimizer |= {"step_s": 0.030, "steps": 1000, "seconds": 30.0}
    return world


def small_steps() -> World:
    world = World()
    world.loader["batch_size"] = 8
    world.optimizer |= {"step_s": 0.0005, "steps": 8_000, "seconds": 4.0}
    return world


def updating() -> World:
    world = World()
    world.optimizer |= {"update_s": 0.008}
    return world


def one_by_one() -> World:
    world = World("cuda:0")
    world.optimizer |= {"update_s": 0.004, "foreach": False}
    return world


def crowded() -> World:
    world = World()
    world.torch["threads"] = 16
    world.machine |= {"cpu_s": 155.0}
    return world


def alone() -> World:
    world = World()
    world.torch["threads"] = 1
    world.optimizer["step_s"] = 0.06
    return world


FIRES: list[tuple[ModuleType, Callable[[], World]]] = [
    (loader_workers, waiting),
    (persistent_workers, restarting),
    (pin_memory, unpinned),
    (cpu_bound_input, cpu_bound),
    (inference_mode, recorded_for_nothing),
    (autocast_bf16, amx),
    (autocast_bf16, on_ampere),
    (autocast_fp16, profiled_volta),
    (tf32, on_ampere),
    (cudnn_benchmark, on_ampere),
    (channels_last, pooling),
    (channels_last, on_ampere),
    (compile_, long_ago),
    (launch_bound, launching),
    (larger_batch, roomy),
    (larger_batch, small_steps),
    (fused_optimizer, updating),
    (foreach_off, one_by_one),
    (threads, crowded),
    (threads, alone),
]

Change = dict[str, dict[str, Any]]

SILENT: list[tuple[ModuleType, Callable[[], World], Change]] = [
    (loader_workers, waiting, {"loader": {"num_workers": 2}}),
    (loader_workers, waiting, {"loader": {"batches": 19}}),
    (loader_workers, waiting, {"loader": {"wait_s": 0.0014}}),  # below a twentieth of the step
    (loader_workers, waiting, {"loader": {"wait_total_s": 0.9}}),
    (loader_workers, waiting, {"loader": {"wait_s": 0.003, "wait_total_s": 4.0}}),  # a note needs 5 s
    (loader_workers, waiting, {"loader": {"wait_s": 0.0009}, "optimizer": {"step_s": 0.002}}),
    (loader_workers, waiting, {"loader": {"in_memory": True, "wait_total_s": 9.0}}),
    (loader_workers, waiting, {"machine": {"cpu_s": 155.0}}),  # the CPU is full: GNB204
    (loader_workers, waiting, {"machine": {"cpus": 1.0, "cpu_s": 10.0}}),
    (persistent_workers, restarting, {"loader": {"num_workers": 0}}),
    (persistent_workers, restarting, {"loader": {"persistent_workers": True}}),
    (persistent_workers, restarting, {"loader": {"epochs": 1}}),
    (persistent_workers, restarting, {"loader": {"wait_s": 0.031}}),
    (persistent_workers, restarting, {"loader": {"first_wait_s": 0.05}}),
    (pin_memory, unpinned, {"loader": {"pin_memory": True}}),
    (pin_memory, unpinned, {"batch": {"from_cpu": False}}),
    (pin_memory, unpinned, {"batch": {"pinned": True}}),
    (pin_memory, unpinned, {"batch": {"shape": (64, 3, 32, 32)}}),
    (pin_memory, unpinned, {"optimizer": {"device": "cpu"}}),
    (pin_memory, unpinned, {"torch": {"profiled": Profiled(steps=5, total_s=1.0, copy_s=0.09)}}),
    (cpu_bound_input, cpu_bound, {"machine": {"cpu_s": 100.0}}),
    (cpu_bound_input, cpu_bound, {"loader": {"in_memory": True}}),
    (cpu_bound_input, cpu_bound, {"loader": {"epochs": 1}}),
    (cpu_bound_input, cpu_bound, {"loader": {"wait_s": 0.004}}),
    (inference_mode, recorded_for_nothing, {"forwards": {"training": True}}),
    (inference_mode, recorded_for_nothing, {"forwards": {"grad": False}}),
    (inference_mode, recorded_for_nothing, {"forwards": {"inference": True, "grad": False}}),
    (inference_mode, recorded_for_nothing, {"forwards": {"stepped": True}}),
    (inference_mode, recorded_for_nothing, {"forwards": {"calls_estimated": 49}}),
    (inference_mode, recorded_for_nothing, {"forwards": {"seconds": 0.9}}),
    (inference_mode, recorded_for_nothing, {"cell": {"duration_s": 300.0}}),
    (inference_mode, recorded_for_nothing, {"batch": {"requires_grad": True}}),
    (inference_mode, recorded_for_nothing, {"model": {"trainable": 0}}),
    (autocast_bf16, amx, {"machine": {"amx": False}}),  # AVX-512's bfloat16 alone was slower
    (autocast_bf16, amx, {"torch": {"bf16_cpu": False}}),
    (autocast_bf16, amx, {"forwards": {"autocast": "bfloat16"}}),
    (autocast_bf16, amx, {"optimizer": {"step_s": 0.009}}),
    (autocast_bf16, amx, {"optimizer": {"seconds": 9.0}}),
    (autocast_bf16, amx, {"model": {"layers": {"Linear": 4}, "parameters": 900_000}}),
    (autocast_bf16, amx, {"model": {"dtypes": ("float64",)}}),
    (autocast_bf16, amx, {"torch": {"trainer_bf16": False}}),
    (autocast_bf16, on_ampere, {"card": {"capability": (7, 5)}}),
    (autocast_bf16, on_ampere, {"gpu": {"util": 0.6}}),
    (autocast_bf16, on_ampere, {"gpu": {"util": None}}),
    (autocast_bf16, on_ampere, {"torch": {"profiled": Profiled(steps=5, total_s=1.0, matmul_s=0.3)}}),
    (autocast_fp16, profiled_volta, {"card": {"capability": (8, 0)}}),
    (autocast_fp16, profiled_volta, {"card": {"name": "NVIDIA GeForce GTX 1660"}}),
    (autocast_fp16, profiled_volta, {"forwards": {"autocast": "float16"}}),
    (autocast_fp16, profiled_volta, {
        "torch": {"profiled": Profiled(steps=5, total_s=0.15, matmul_s=0.1, tensor_core_s=0.05)},
    }),
    (tf32, on_ampere, {"torch": {"matmul_precision": "high"}}),
    (tf32, on_ampere, {"forwards": {"autocast": "bfloat16"}}),
    (tf32, on_ampere, {"card": {"capability": (7, 5)}}),
    (tf32, on_ampere, {"card": {"name": "AMD Instinct MI300X", "capability": (9, 4)}}),
    (tf32, on_ampere, {"model": {"linear_share": 0.1}}),
    (tf32, on_ampere, {"optimizer": {"steps": 99}}),
    (cudnn_benchmark, on_ampere, {"torch": {"cudnn_benchmark": True}}),
    (cudnn_benchmark, on_ampere, {"batch": {"shapes": 4}}),
    (cudnn_benchmark, on_ampere, {"optimizer": {"steps": 99}}),
    (cudnn_benchmark, on_ampere, {"model": {"layers": {"Linear": 4}}}),
    (cudnn_benchmark, on_ampere, {"torch": {"profiled": Profiled(steps=5, total_s=1.0, conv_s=0.1)}}),
    (channels_last, pooling, {"model": {"channels_last": True}}),
    (channels_last, pooling, {"model": {"conv2d_grouped": 1}}),
    (channels_last, pooling, {"model": {"layers": {"Conv2d": 8, "MaxPool2d": 3}}}),
    (channels_last, pooling, {"batch": {"shape": (64, 1, 8, 8)}}),
    (channels_last, pooling, {"batch": {"shape": (64, 3)}}),
    (channels_last, pooling, {"optimizer": {"step_s": 0.009}}),
    (channels_last, pooling, {"optimizer": {"seconds": 1.9}}),
    (channels_last, pooling, {"model": {"device": "mps:0"}, "optimizer": {"device": "mps:0"}}),
    (channels_last, on_ampere, {"card": {"capability": (7, 5)}}),
    (channels_last, on_ampere, {"optimizer": {"seconds": 9.0}}),
    (compile_, long_ago, {"optimizer": {"seconds": 600.0}}),
    (compile_, long_ago, {"model": {"compiled": True}}),
    (compile_, long_ago, {"model": {"wrapper": "DataParallel"}}),
    (compile_, long_ago, {"batch": {"shapes": 3}}),
    (compile_, long_ago, {"card": {"capability": (6, 1)}}),
    (launch_bound, launching, {"gpu": {"util": 0.5}}),
    (launch_bound, launching, {"gpu": {"util": None}}),
    (launch_bound, launching, {"loader": {"wait_s": 0.0001}}),
    (launch_bound, launching, {"optimizer": {"step_s": 0.0025}}),
    (launch_bound, launching, {"optimizer": {"seconds": 4.0}}),
    (launch_bound, launching, {"batch": {"shapes": 3}}),
    (launch_bound, launching, {"model": {"compiled": True}}),
    (larger_batch, roomy, {"gpu": {"util": 0.5}}),
    (larger_batch, roomy, {"card": {"peak_b": 20 * GIB}}),
    (larger_batch, roomy, {"loader": {"wait_s": 0.006}}),
    (larger_batch, roomy, {"loader": {"length": 999}}),
    (larger_batch, roomy, {"optimizer": {"closure": True}}),
    (larger_batch, small_steps, {"loader": {"batch_size": 17}}),
    (larger_batch, small_steps, {"optimizer": {"step_s": 0.002}}),
    (larger_batch, small_steps, {"optimizer": {"steps": 1999}}),
    (fused_optimizer, updating, {"optimizer": {"fused": True}}),
    (fused_optimizer, updating, {"optimizer": {"fused": False}}),
    (fused_optimizer, updating, {"optimizer": {"foreach": True}}),
    (fused_optimizer, updating, {"optimizer": {"builtin": False}}),
    (fused_optimizer, updating, {"optimizer": {"kind": "RMSprop"}}),
    (fused_optimizer, updating, {"optimizer": {"float_parameters": False}}),
    (fused_optimizer, updating, {"optimizer": {"closure": True}}),
    (fused_optimizer, updating, {"optimizer": {"update_s": 0.0059}}),
    (fused_optimizer, updating, {"optimizer": {"steps": 249}}),
    (fused_optimizer, updating, {"optimizer": {"device": "mps:0"}}),
    (foreach_off, one_by_one, {"optimizer": {"foreach": None}}),
    (foreach_off, one_by_one, {"optimizer": {"fused": True}}),
    (foreach_off, one_by_one, {"optimizer": {"update_s": 0.0014}}),
    (foreach_off, one_by_one, {"optimizer": {"device": "cpu"}}),
    (threads, crowded, {"torch": {"threads": 4}}),
    (threads, crowded, {"machine": {"cpu_s": 100.0}}),
    (threads, crowded, {"optimizer": {"seconds": 1.9}}),
    (threads, crowded, {"model": {"device": "cuda:0"}}),
    (threads, alone, {"torch": {"threads": 2}}),
    (threads, alone, {"machine": {"cores": 1}}),
    (threads, alone, {"optimizer": {"step_s": 0.049}}),
    (threads, alone, {"machine": {"cpu_s": 50.0}}),
    (threads, alone, {"loader": {"wait_s": 0.012}}),
]  # fmt: skip


def found(rule: ModuleType, world: World) -> list[Found]:
    return list(rule.check(world.context))


def changed(world: World, change: Change) -> World:
    for part, facts in change.items():
        setattr(world, part, getattr(world, part) | facts)
    return world


@pytest.mark.parametrize(("rule", "make"), FIRES, ids=lambda it: it.__name__.rpartition(".")[2])
def test_it_fires(rule: ModuleType, make: Callable[[], World]) -> None:
    """Once, with evidence, a share, code that is Python, and no saving promised."""
    [one] = found(rule, make())
    assert one.evidence
    assert 0 < one.share <= 1
    assert one.subject in ("net", "loader", "optimizer", "torch")
    compile(one.code, "<change>", "exec")
    assert one.text.endswith(".")
    assert not re.search(r"sav(es|ing) \d|faster|\d+ ?x |up to|times as fast", one.text)
    assert len(one.text) < 260


@pytest.mark.parametrize(
    ("rule", "make", "change"), SILENT, ids=lambda it: str(getattr(it, "__name__", it)).rpartition(".")[2][:60]
)
def test_one_other_fact_silences_it(rule: ModuleType, make: Callable[[], World], change: Change) -> None:
    assert found(rule, changed(make(), change)) == []


@pytest.mark.parametrize("rule", {rule for rule, _make in FIRES}, ids=lambda it: it.__name__.rpartition(".")[2])
def test_it_is_silent_where_nothing_was_seen(rule: ModuleType) -> None:
    context = World().context
    assert list(rule.check(dataclasses.replace(context, torch=None))) == []
    assert list(rule.check(dataclasses.replace(context, torch=TorchSignals(version="2.13.0"), machine=None))) == []


@pytest.mark.parametrize("rule", {rule for rule, _make in FIRES}, ids=lambda it: it.__name__.rpartition(".")[2])
def test_odd_names_leave_code_that_is_python(rule: ModuleType) -> None:
    """Names that are none in Python, or no names at all, are not written into code."""
    for make in [make for it, make in FIRES if it is rule]:
        for name in (None, "class", "a b"):
            named = {part: {"name": name} for part in ("model", "loader", "optimizer", "batch")}
            world = changed(make(), named)
            for one in found(rule, world):
                compile(one.code, "<change>", "exec")


@pytest.mark.parametrize("rule", {rule for rule, _make in FIRES}, ids=lambda it: it.__name__.rpartition(".")[2])
def test_its_page_says_what_a_page_says(rule: ModuleType) -> None:
    page = rule.__doc__ or ""
    title = page.splitlines()[0]
    assert title == rule.RULE.name
    assert len(title) <= 60
    for part in ("**Seen.**", "**Change.**", "**Not where**", "**Check.**", "https://"):
        assert part in page
    assert rule.RULE.source
    assert rule.RULE.wrong_when


def test_tensors_that_wait_to_be_stacked_are_indexed_by_the_batch() -> None:
    """A data set of tensors never gets worker processes; from 10 s of waiting on, whole batches of indices."""
    [one] = found(loader_workers, changed(waiting(), {"loader": {"in_memory": True}}))
    assert "num_workers" not in one.code
    assert "BatchSampler" in one.code


def test_a_wait_below_a_fifth_is_a_note() -> None:
    [loud] = found(loader_workers, waiting())
    [quiet] = found(loader_workers, changed(waiting(), {"loader": {"wait_s": 0.003, "wait_total_s": 5.0}}))
    assert loud.severity is None
    assert quiet.severity is Severity.NOTE


def test_workers_leave_a_core_to_the_model() -> None:
    for cpus, workers in ((2.0, 1), (4.0, 3), (64.0, 4)):
        [one] = found(loader_workers, changed(waiting(), {"machine": {"cpus": cpus}}))
        assert f"num_workers={workers}," in one.code


def test_loaders_are_made_again_as_they_are() -> None:
    [one] = found(loader_workers, changed(waiting(), {"loader": {"length": None}}))
    assert "sampler" not in one.code  # an iterable data set has none
    [one] = found(loader_workers, changed(waiting(), {"loader": {"batch_size": None}}))
    assert "batch_sampler=loader.batch_sampler" in one.code


def test_the_share_is_what_ran_through_it() -> None:
    [one] = found(loader_workers, waiting())
    assert one.share == pytest.approx(12 / 40)
    [one] = found(fused_optimizer, updating())
    assert one.share == pytest.approx(8 / 40)
    [one] = found(persistent_workers, restarting())
    assert one.share == pytest.approx(9 * 0.299 / 40)


def test_compiling_counts_the_cells_before() -> None:
    """A cell that runs for minutes, again and again, is worth compiling as one that runs for an hour."""
    world = changed(long_ago(), {"optimizer": {"seconds": 250.0}})
    assert found(compile_, world) == []
    world.past = (world.context, world.context)
    [one] = found(compile_, world)
    assert one.share == pytest.approx(250 / 700)


def test_an_idle_card_is_told_for_certain_or_not_at_all() -> None:
    """PyTorch's numbers and the driver's may differ: of two cards that this process holds, neither is taken."""
    world = roomy()
    assert found(larger_batch, world)
    gpu = GpuSeen(domain="gpu:1", label="NVIDIA A100", util=0.3, held_b=GIB)
    context = world.context
    assert context.machine is not None
    two = dataclasses.replace(context.machine, gpus=(*context.machine.gpus, gpu))
    assert list(larger_batch.check(dataclasses.replace(context, machine=two))) == []
    idle = dataclasses.replace(gpu, held_b=0)
    two = dataclasses.replace(context.machine, gpus=(idle, *context.machine.gpus))
    assert list(larger_batch.check(dataclasses.replace(context, machine=two)))


def test_threads_are_set_to_what_there_is() -> None:
    [many] = found(threads, crowded())
    assert many.code == "torch.set_num_threads(4)"
    [half] = found(threads, changed(crowded(), {"machine": {"cpus": 1.5, "cpu_s": 60.0}}))
    assert half.code == "torch.set_num_threads(2)"
    [one] = found(threads, alone())
    assert one.code == "torch.set_num_threads(4)"
