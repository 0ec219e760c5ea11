"""Flags of PyTorch and its random numbers on cards, as parts of what surrounds a cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from greennb.advisor.trial.ambient_part import Part, flag, items, reader, write_items, writer, writer_last
from greennb.advisor.trial.reach import library


def torch_flags() -> Iterator[Part]:
    """Flags of PyTorch; those of the thread are those of the thread that asks."""
    torch = library("torch")
    if torch is None or not hasattr(torch, "set_grad_enabled"):
        return
    yield Part("torch's gradients (on or off)", torch.is_grad_enabled, torch.set_grad_enabled)
    yield Part("torch's inference mode", torch.is_inference_mode_enabled, None)
    yield Part(
        "torch's anomaly detection", lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda value: torch.set_anomaly_enabled(*value),
    )  # fmt: skip
    for device in ("cpu", "cuda"):
        yield Part(
            f"torch's autocast for {device}", reader(_autocast, torch, device), _write_autocast(torch, device)
        )  # fmt: skip
    yield Part("torch's cache of autocast", torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled)
    yield Part("torch's number of threads", torch.get_num_threads, torch.set_num_threads)
    yield Part("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype)
    if hasattr(torch, "get_default_device"):
        yield Part("torch's default device", torch.get_default_device, writer(_write_device, torch))
    yield Part(
        "torch's deterministic algorithms",
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
    )
    yield from _precision(torch)
    for name in ("enabled", "benchmark", "deterministic"):
        yield Part(f"torch.backends.cudnn.{name}", *flag(torch.backends.cudnn, name))
    for name in ("flash", "mem_efficient", "math", "cudnn"):
        read, write = (getattr(torch.backends.cuda, it, None) for it in (f"{name}_sdp_enabled", f"enable_{name}_sdp"))
        if read is not None and write is not None:
            yield Part(f"torch's attention kernels ({name})", read, write)
    for where in ("forward_hooks", "forward_pre_hooks", "backward_hooks", "backward_pre_hooks"):
        hooks = library("torch.nn.modules.module", f"_global_{where}")
        if hooks is not None:
            yield Part(f"torch's hooks of all modules ({where})", reader(items, hooks), writer(write_items, hooks))
    for where in ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks"):
        hooks = library("torch.optim.optimizer", where)
        if hooks is not None:
            yield Part(f"torch's hooks of all optimizers ({where})", reader(items, hooks), writer(write_items, hooks))


def cuda_randomness(torch: Any) -> Iterator[Part]:
    """Of every card, once CUDA is in use."""
    if not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return
    for index in range(torch.cuda.device_count()):
        yield Part(
            f"the RNG of torch on cuda:{index}", reader(torch.cuda.get_rng_state, index),
            writer_last(torch.cuda.set_rng_state, index), torch.equal,
        )  # fmt: skip


def _write_device(torch: Any, device: Any) -> None:
    torch.set_default_device(None)  # no device at all is said as the CPU, and costs less than naming it
    if torch.get_default_device() != device:
        torch.set_default_device(device)


def _precision(torch: Any) -> Iterator[Part]:
    """The precision of float32 products: PyTorch's old way to say it, then the new one, from the whole to the part."""
    yield Part("torch's precision of float32 products", _quietly(torch.get_float32_matmul_precision), _if_known(
        torch.set_float32_matmul_precision
    ))  # fmt: skip
    read, write = (library("torch", "_C", f"_{it}_fp32_precision_{it}ter") for it in ("get", "set"))
    if read is None or write is None:
        yield Part("torch.backends.cuda.matmul.allow_tf32", *flag(torch.backends.cuda.matmul, "allow_tf32"))
        yield Part("torch.backends.cudnn.allow_tf32", *flag(torch.backends.cudnn, "allow_tf32"))
        return
    for backend, operations in (
        ("generic", ("all",)), ("cuda", ("all", "matmul", "conv", "rnn")), ("mkldnn", ("all", "matmul", "conv", "rnn")),
    ):  # fmt: skip
        for operation in operations:
            yield Part(
                f"torch's float32 precision ({backend}, {operation})", reader(read, backend, operation),
                writer(write, backend, operation),
            )  # fmt: skip


def _quietly(read: Callable[[], Any]) -> Callable[[], Any]:
    """Reads; None where PyTorch says that old and new ways to set it were mixed."""

    def quiet() -> Any:
        try:
            return read()
        except RuntimeError:
            return None

    return quiet


def _if_known(write: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda value: None if value is None else write(value)


def _autocast(torch: Any, device: str) -> Any:
    return torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)


def _write_autocast(torch: Any, device: str) -> Callable[[Any], object]:
    def write(value: Any) -> None:
        torch.set_autocast_enabled(device, value[0])
        torch.set_autocast_dtype(device, value[1])

    return write
