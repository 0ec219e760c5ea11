"""What was seen of JAX in one cell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A function that JAX compiled.

    Attributes:
        name: as JAX has it ("step", "broadcast_in_dim"); "" where this version does not tell.
        times: how often in this cell, ``seconds`` what that took: tracing, lowering, compiling.
        own: whether the notebook has a function of that name: JAX compiles its own operations one by one as well.
    """

    name: str
    times: int
    seconds: float
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class JaxSignals:
    """Everything that was seen of JAX in one cell.

    Attributes:
        platform: of the default device: "cpu", "gpu", "tpu". ``asked`` the platforms that the user asked for
            (``JAX_PLATFORMS``, ``jax_platforms``), "" for none.
        x64: whether 64-bit numbers are on.
        float64_b: bytes of live float64 arrays among the notebook's names, ``float64_names`` theirs, the largest first;
            nested dicts, lists and tuples are looked into.
        float32_b: likewise, of float32.
        compiled: what was compiled, what took longest first, at most 50. ``compile_s`` all of it,
            ``compiles`` how often.
    """

    version: str
    platform: str = "cpu"
    asked: str = ""
    x64: bool = False
    float64_b: int = 0
    float64_names: tuple[str, ...] = ()
    float32_b: int = 0
    compiled: tuple[Compiled, ...] = ()
    compile_s: float = 0.0
    compiles: int = 0
