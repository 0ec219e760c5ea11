"""Facts of PyTorch and of the machine below it, as it tells of them; nothing here wakes a device."""

from __future__ import annotations

import sys
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.observe.torch.model import classes, its
from greennb.advisor.signals.torch import CudaSeen

TRAINERS = ("lightning.pytorch.trainer", "pytorch_lightning.trainer")
"""Modules in which Lightning's Trainer lives."""


def settings(torch: Any) -> dict[str, Any]:
    """The fields of :class:`~greennb.advisor.signals.torch.TorchSignals` that are process-wide settings."""
    return {
        "version": str(torch.__version__),
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn_benchmark": bool(torch.backends.cudnn.benchmark),
        "bf16_cpu": bf16_cpu(torch),
        "lightning": any(name in sys.modules for name in TRAINERS),
        "transformers": "transformers.trainer" in sys.modules,
    }


def bf16_cpu(torch: Any) -> bool:
    """Whether this CPU multiplies bf16 in hardware."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    if ask is not None:
        able = ask()
        return bool(able.get("amx_bf16") or able.get("avx512_bf16"))
    older = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in older)


def trainer(names: Names) -> dict[str, Any]:
    """A Hugging Face Trainer in the notebook: its name, and whether it computes in 16 bits."""
    if "transformers.trainer" not in sys.modules:
        return {}
    for name, thing in names.items():
        if any(
            it.__name__ == "Trainer" and str(it.__module__).startswith("transformers") for it in type(thing).__mro__
        ):
            arguments = its(thing).get("args")
            flags = {} if arguments is None else its(arguments)
            return {"trainer_name": name, "trainer_bf16": bool(flags.get("bf16") or flags.get("fp16"))}
    return {}


def plateaus(names: Names) -> list[tuple[Any, int]]:
    """Each optimizer under a ReduceLROnPlateau in the notebook, with the bad epochs that it counts."""
    found = []
    for _, thing in names.items():  # noqa: PERF102  # no dict
        if "ReduceLROnPlateau" in classes(thing):
            own = its(thing)
            bad = own.get("num_bad_epochs")
            if isinstance(bad, int):
                found.append((own.get("optimizer"), bad))
    return found


class Cuda:
    """CUDA's allocator at a cell's begin, to tell what has happened within it."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._before = {index: self._failures(index) for index in self._devices()}

    def _devices(self) -> list[int]:
        cuda = self._torch.cuda
        return list(range(cuda.device_count())) if cuda.is_initialized() else []

    def _failures(self, index: int) -> tuple[int, int]:
        stats = self._torch.cuda.memory_stats(index)
        return int(stats.get("num_alloc_retries", 0)), int(stats.get("num_ooms", 0))

    def seen(self) -> tuple[CudaSeen, ...]:
        """The devices that this process has memory on."""
        return tuple(it for it in map(self._one, self._devices()) if it.peak_b)

    def _one(self, index: int) -> CudaSeen:
        about = self._torch.cuda.get_device_properties(index)
        stats = self._torch.cuda.memory_stats(index)
        retries, ooms = self._before.get(index, (0, 0))
        return CudaSeen(
            index=index,
            name=str(about.name),
            capability=(int(about.major), int(about.minor)),
            allocated_b=int(stats.get("allocated_bytes.all.current", 0)),
            peak_b=int(stats.get("reserved_bytes.all.peak", 0)),
            total_b=int(about.total_memory),
            retries=int(stats.get("num_alloc_retries", 0)) - retries,
            oom=int(stats.get("num_ooms", 0)) > ooms,
        )
