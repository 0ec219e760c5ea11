"""An NVIDIA card as the measurements here see it, and something for it to do: a matrix product again and again.

The card is real, or the rig's stub where ``GREENNB_NVML_STUB`` is set: it is then called "stub" wherever it is named.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

STUB = "GREENNB_NVML_STUB"

SIZE = 4096
"""Rows of the square matrices: a product of 137 GFLOP keeps any card busy for more than a launch takes."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """The first board, with pynvml initialised."""

    name: str
    driver: str
    uuid: str
    nvml: Any = field(repr=False)
    handle: Any = field(repr=False)
    is_stub: bool

    @property
    def title(self) -> str:
        """Its name, and that it is a stub where it is one."""
        return f"stub ({self.name})" if self.is_stub else self.name

    def energy_mj(self) -> int:
        """The energy counter, in millijoules."""
        value: int = self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)
        return value

    def power_mw(self) -> int:
        """What the card calls its power, in milliwatts."""
        value: int = self.nvml.nvmlDeviceGetPowerUsage(self.handle)
        return value


def find() -> Card | str:
    """The first card, or why there is none."""
    try:
        import pynvml
    except ImportError:
        return "nvidia-ml-py is not installed"
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        return Card(
            name=pynvml.nvmlDeviceGetName(handle), driver=pynvml.nvmlSystemGetDriverVersion(),
            uuid=pynvml.nvmlDeviceGetUUID(handle), nvml=pynvml, handle=handle, is_stub=STUB in os.environ,
        )  # fmt: skip
    except pynvml.NVMLError as error:
        return f"NVML shows no card ({error})"


class Work(Protocol):
    """What keeps the card busy; ``name`` says what it is."""

    name: str

    def once(self) -> None:
        """One round, of some tens of milliseconds; the card has done it when this returns."""
        ...


class MatrixProducts:
    """Products of half-precision matrices on the card."""

    def __init__(self, torch: Any) -> None:
        self.name = f"torch {torch.__version__}, {SIZE} x {SIZE} products in half precision"
        self._torch = torch
        self._a = torch.randn(SIZE, SIZE, device="cuda", dtype=torch.float16)
        self._b = torch.randn(SIZE, SIZE, device="cuda", dtype=torch.float16)
        self._out = torch.empty_like(self._a)
        self.once()

    def once(self) -> None:
        """Sixty-four products."""
        for _ in range(64):
            self._torch.matmul(self._a, self._b, out=self._out)
        self._torch.cuda.synchronize()


class Pretended:
    """The stub draws its trace whatever is done: a round is one period of its square wave."""

    name = "stub: nothing is computed, the trace is a square wave of 100 and 400 W and 0.3 s"
    ROUND_S = 0.3

    def once(self) -> None:
        """Wait for one period."""
        end_s = time.perf_counter() + self.ROUND_S
        time.sleep(self.ROUND_S - 0.002)
        while time.perf_counter() < end_s:  # a sleep alone may take longer
            time.sleep(0)


def work_for(card: Card) -> Work | str:
    """What keeps this card busy, or why nothing can."""
    if card.is_stub:
        return Pretended()
    try:
        import torch
    except ImportError:
        return "PyTorch is not installed, so nothing can be computed on the card"
    if not torch.cuda.is_available():
        return "this PyTorch cannot use the card (torch.cuda.is_available() is False)"
    return MatrixProducts(torch)


def keep_doing(work: Work, seconds: float, meanwhile: Callable[[], None] = lambda: None) -> int:
    """Work for this long; the rounds that were done. ``meanwhile`` is called after each."""
    end_s, rounds = time.monotonic() + seconds, 0
    while time.monotonic() < end_s:
        work.once()
        rounds += 1
        meanwhile()
    return rounds
