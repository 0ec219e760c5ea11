"""Who holds memory or CPUs in this process, by what the user has imported: asked of ``sys.modules``, never imported.

All of it may run on another thread than the user's code, so it reads and calls nothing of the user's own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from greennb.model.reading import Domain

MOST_VARIABLES = 5000
MOST_NAMES = 8
"""Variables looked at, and those named: the largest."""

LOKY_CODE = """\
from joblib.externals.loky import get_reusable_executor
get_reusable_executor().shutdown(wait=False, kill_workers=True)"""

CHILDREN_CODE = """\
import multiprocessing
for process in multiprocessing.active_children():
    process.terminate()"""

_LEAST_B = 2**20
"""A tensor smaller than a mebibyte is not why memory is held."""


def torch_reserved(gpus: Sequence[Domain]) -> dict[Domain, int]:
    """Bytes that PyTorch's allocator holds on each of ``gpus``; nothing where CUDA was never used."""
    torch = sys.modules.get("torch")
    found: dict[Domain, int] = {}
    with suppress(Exception):  # a torch that is half imported, or without CUDA
        if torch is None or not torch.cuda.is_initialized():
            return {}
        count = torch.cuda.device_count()
        for device in range(count):
            domain = _gpu(torch, device, count, gpus)
            if domain is not None:
                found[domain] = int(torch.cuda.memory_reserved(device))
    return found


def _gpu(torch: Any, device: int, count: int, gpus: Sequence[Domain]) -> Domain | None:
    """The domain of PyTorch's ``device``: by its UUID, which PyTorch tells since 2.5, else by its place."""
    uuid = getattr(torch.cuda.get_device_properties(device), "uuid", None)
    if uuid is not None:
        wanted = str(uuid).lower().removeprefix("gpu-")
        return next((gpu for gpu in gpus if gpu.device.lower().removeprefix("gpu-") == wanted), None)
    return gpus[device] if count == len(gpus) else None


def torch_names(namespace: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The user's variables that hold most of PyTorch's memory on GPUs, with their bytes, the largest first."""
    torch = sys.modules.get("torch")
    if torch is None:
        return []
    sizes: dict[str, int] = {}
    for name, value in islice(list(namespace.items()), MOST_VARIABLES):
        if not name.startswith("_") and name.isidentifier():
            with suppress(Exception):  # a tensor of a kind that has no size
                size_b = sum(_bytes(tensor) for tensor in _tensors(torch, value))
                if size_b >= _LEAST_B:
                    sizes[name] = size_b
    return sorted(sizes.items(), key=lambda item: -item[1])[:MOST_NAMES]


def _tensors(torch: Any, value: Any) -> Iterable[Any]:
    """The tensors of a variable that is a tensor, a module, an optimizer, or a plain container of tensors."""
    kind = type(value)  # not isinstance: that may run the user's own __class__
    if issubclass(kind, torch.Tensor):
        return [value]
    if issubclass(kind, torch.nn.Module):
        return [*value.parameters(), *value.buffers()]
    if issubclass(kind, torch.optim.Optimizer):
        return [tensor for state in value.state.values() for tensor in state.values() if _is_tensor(torch, tensor)]
    items = value.values() if kind is dict else value if kind in (list, tuple, set) else ()
    return [item for item in islice(items, MOST_VARIABLES) if _is_tensor(torch, item)]


def _is_tensor(torch: Any, value: Any) -> bool:
    return issubclass(type(value), torch.Tensor)


def _bytes(tensor: Any) -> int:
    return int(tensor.numel() * tensor.element_size()) if tensor.is_cuda else 0


def workers() -> tuple[str, str]:
    """Code that ends the child processes of the user's libraries ("" where we know none), and whose they are."""
    loky = sys.modules.get("joblib.externals.loky.reusable_executor")
    if getattr(loky, "_executor", None) is not None:
        return LOKY_CODE, "Workers of joblib keep"
    multiprocessing = sys.modules.get("multiprocessing")
    with suppress(Exception):
        if multiprocessing is not None and multiprocessing.active_children():
            return CHILDREN_CODE, "Child processes of this kernel keep"
    return "", "Child processes of this kernel keep"
