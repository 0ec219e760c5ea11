"""What several Keras rules ask of a cell, and names to write code with."""

from __future__ import annotations

import keyword
from collections.abc import Iterator

from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.keras import InputSeen, KerasCall

FEW_STEPS = 20
"""A median over fewer steps than this is chance (ours)."""

NOTE_PART, ACT_PART = 0.05, 0.20
"""Parts of a step from which input is worth a note, and worth acting on (TensorFlow's profiler, xprof)."""


def calls(cell: CellContext, method: str, *, seconds: float) -> Iterator[KerasCall]:
    """The models whose ``method`` took at least ``seconds`` in the cell."""
    if cell.keras is not None:
        yield from (it for it in cell.keras.calls if it.method == method and it.seconds >= seconds)


def part(seconds: float, whole: float) -> float:
    """``seconds`` as a part of ``whole``, 0 to 1; 0 where there is no whole."""
    return min(1.0, max(0.0, seconds / whole)) if whole > 0 else 0.0


def share(cell: CellContext, seconds: float) -> float:
    """The part of the cell's time that ``seconds`` are."""
    return part(seconds, cell.duration_s)


def own_s(call: KerasCall) -> float:
    """Seconds of a call without its first step, which compiles, and without the evaluations within it."""
    return max(0.0, call.seconds - call.nested_s - call.compile_s)


def subject(thing: KerasCall | InputSeen) -> str:
    """What the user calls it, else its class."""
    if isinstance(thing, InputSeen):
        return thing.name or "a tf.data pipeline"
    return thing.name or thing.model


def variable(thing: KerasCall | InputSeen | None, otherwise: str) -> str:
    """A name to write code with: the user's, where it is one that code can use, else ``otherwise``."""
    name = None if thing is None else thing.name
    return name if name is not None and name.isidentifier() and not keyword.iskeyword(name) else otherwise


def told(thing: KerasCall | InputSeen) -> str:
    """As :func:`subject`, to stand in a sentence, a model's class with an article."""
    return thing.name or (f"the {thing.model}" if isinstance(thing, KerasCall) else "the tf.data pipeline")


def opens(thing: KerasCall | InputSeen) -> str:
    """As :func:`told`, at the beginning of a sentence."""
    return thing.name or f"T{told(thing)[1:]}"
