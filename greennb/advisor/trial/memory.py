"""Peak memory of a piece of a trial: of the card where PyTorch uses one, else of this process."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Any

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peak:
    """Around a piece of work, how much memory it took at most.

    On a card, the most that PyTorch had allocated there (``torch.cuda.max_memory_allocated``, all cards). Else the
    process's peak resident set above what it held when the piece began (proc(5): a 5 in ``clear_refs`` resets it).

    Attributes:
        value_b: bytes; None before the end, and where the machine does not tell.
    """

    def __init__(self) -> None:
        self.value_b: int | None = None
        self._cuda: Any = None
        self._held_b: int | None = None

    def __enter__(self) -> Peak:
        """Begin."""
        self._cuda = _cuda()
        if self._cuda is not None:
            for device in range(self._cuda.device_count()):
                self._cuda.reset_peak_memory_stats(device)
        else:
            self._held_b = _status("VmRSS") if _reset() else None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End."""
        if self._cuda is not None:
            devices = range(self._cuda.device_count())
            self.value_b = sum(int(self._cuda.max_memory_allocated(device)) for device in devices)
        elif self._held_b is not None and (peak_b := _status("VmHWM")) is not None:
            self.value_b = max(0, peak_b - self._held_b)


def _cuda() -> Any:
    """PyTorch's cards, where the user has used one."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_available() and cuda.is_initialized() else None


def _reset() -> bool:
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False  # not Linux, or not allowed
    return True


def _status(name: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None
