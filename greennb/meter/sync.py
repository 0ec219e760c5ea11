"""Wait until the devices have done what they were asked, so that a window's edge is where its work ends.

Only frameworks that the user has imported are asked, only devices that they already use, and never in a way
that would create a context on a device: ``sys.modules`` is looked at, nothing is imported.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def wait_for_devices() -> str | None:
    """Wait for all queued device work; None when done, else one sentence on what could not be waited for."""
    for name, wait in _WAITS.items():
        module = sys.modules.get(name)
        if module is None:
            continue
        try:
            wait(module)
        except Exception as error:  # noqa: BLE001  # a framework of any version may raise anything; the cell goes on
            return f"{name} could not be waited for ({type(error).__name__}: {error}); work may run past this window"
    return None


def _torch(torch: ModuleType) -> None:
    cuda: Any = getattr(torch, "cuda", None)
    if cuda is not None and cuda.is_initialized():
        for device in range(cuda.device_count()):
            # To synchronise a device that this process has not used would create a context on it.
            if cuda.memory_reserved(device) > 0:
                cuda.synchronize(device)
    mps: Any = getattr(torch, "mps", None)
    if mps is not None and sys.platform == "darwin" and mps.current_allocated_memory() > 0:
        mps.synchronize()


def _tensorflow(tensorflow: ModuleType) -> None:
    context = sys.modules.get("tensorflow.python.eager.context")
    if context is None or not getattr(context.context(), "_initialized", False):
        return
    if tensorflow.config.list_logical_devices("GPU"):
        tensorflow.test.experimental.sync_devices()


def _jax(jax: ModuleType) -> None:
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is None or not getattr(bridge, "_backends", None):
        return
    for device in jax.local_devices():
        if device.platform != "cpu":
            # A device runs its programs in order: when this transfer is there, what came before is done.
            jax.device_put(0, device).block_until_ready()


_WAITS = {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}
