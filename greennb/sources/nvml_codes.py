"""NVML's return codes, as far as greennb tells them apart: what they mean, and what mends them."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """The return codes that greennb tells apart (nvml.h, ``nvmlReturn_t``)."""

    UNINITIALIZED = 1
    INVALID_ARGUMENT = 2
    NOT_SUPPORTED = 3
    NO_PERMISSION = 4
    DRIVER_NOT_LOADED = 9
    TIMEOUT = 10
    LIBRARY_NOT_FOUND = 12
    FUNCTION_NOT_FOUND = 13
    GPU_IS_LOST = 15
    RESET_REQUIRED = 16
    VERSION_MISMATCH = 18


_DRIVER_HINT = (
    "Install NVIDIA's driver; in a container start it with the NVIDIA Container Toolkit "
    '("docker run --gpus all", NVIDIA_DRIVER_CAPABILITIES with "utility").'
)
_IN_WORDS: dict[int, tuple[str, str]] = {
    Code.UNINITIALIZED: ("the driver was unloaded", "Restart the kernel when the driver is back."),
    Code.NOT_SUPPORTED: ("it has neither an energy counter nor a power reading", "vGPUs and some boards have none."),
    Code.NO_PERMISSION: ("no permission to read it", "Ask for access to /dev/nvidia*, in a container for the device."),
    Code.DRIVER_NOT_LOADED: ("the NVIDIA driver is not loaded", 'Run "modprobe nvidia" as root, or reboot.'),
    Code.TIMEOUT: ("the driver did not answer in time", "greennb asks again with the next sample."),
    Code.LIBRARY_NOT_FOUND: ("there is no NVIDIA driver library (libnvidia-ml)", _DRIVER_HINT),
    Code.FUNCTION_NOT_FOUND: ("the NVIDIA driver is too old", "Upgrade the NVIDIA driver."),
    Code.GPU_IS_LOST: ("the GPU is lost: it fell off the bus", "See dmesg for Xid errors; a reboot brings it back."),
    Code.RESET_REQUIRED: ("the GPU wants a reset", 'Run "nvidia-smi --gpu-reset" as root when nothing uses it.'),
    Code.VERSION_MISMATCH: ("the NVIDIA driver and its library have different versions", "Reboot after an upgrade."),
}  # fmt: skip


def in_words(code: int) -> tuple[str, str]:
    """What an NVML return code means, and what mends it."""
    return _IN_WORDS.get(code, (f"NVML answered with error {code}", "See nvidia-smi for the same device."))
