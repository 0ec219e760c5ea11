"""What was seen of JAX in one cell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A function that JAX compiled: its ``name``, how often in this cell, and the seconds that it took."""

    name: str
    times: int
    seconds: float
    shapes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JaxSignals:
    """Everything that was seen of JAX in one cell.

    Attributes:
        platform: of the default device: "cpu", "gpu", "tpu". ``x64``: whether 64-bit numbers are on.
        float64_b: bytes of live float64 arrays in the notebook's names, with ``float64_names``.
        compiled: what was compiled, the most often first. ``compile_s`` all of it.
    """

    version: str
    platform: str = "cpu"
    x64: bool = False
    float64_b: int = 0
    float64_names: tuple[str, ...] = ()
    compiled: tuple[Compiled, ...] = ()
    compile_s: float = 0.0
