"""JAX, by the listeners that ``jax.monitoring`` has for this: they hear of what JAX compiles, and of no step."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from greennb.advisor.base import Failed
from greennb.advisor.names import Names
from greennb.advisor.signals.jax import Compiled, JaxSignals

TRACED = "/jax/core/compile/jaxpr_trace_duration"
LOWERED = "/jax/core/compile/jaxpr_to_mlir_module_duration"
COMPILED = "/jax/core/compile/backend_compile_duration"
"""The events of one compilation, in their order; the last counts it."""

MOST_FUNCTIONS = 500
"""Functions that are told apart in one cell."""

MOST_LEAVES = 5000
"""Arrays that are looked at among the notebook's names."""


@dataclass(slots=True)
class _Count:
    times: int = 0
    seconds: float = 0.0


class JaxObserver:
    """Watches JAX."""

    name = "jax"
    modules = ("jax",)

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()
        self._give_up: Callable[..., None] | None = None
        self._failed: Failed = _ignore

    def install(self, failed: Failed) -> None:
        """Listen; only where listening can be given up again."""
        self._failed = failed
        monitoring: Any = getattr(sys.modules.get("jax"), "monitoring", None)
        give_up = getattr(monitoring, "unregister_event_duration_listener", None)
        if self._give_up is None and give_up is not None:
            monitoring.register_event_duration_secs_listener(self._heard)
            self._give_up = give_up

    def remove(self) -> None:
        """Listen no more. The user may have cleared all listeners, ours with them."""
        give_up, self._give_up = self._give_up, None
        if give_up is not None:
            with contextlib.suppress(AssertionError, ValueError):
                give_up(self._heard)
        self._counts = {}

    def begin(self) -> None:
        """A cell begins."""
        with self._lock:
            self._counts = {}

    def end(self, names: Names) -> JaxSignals | None:
        """What was seen in the cell; None where JAX compiled nothing and no array of its is float64."""
        with self._lock:
            counts, self._counts = self._counts, {}
        jax: Any = sys.modules.get("jax")
        x64 = bool(getattr(jax.config, "jax_enable_x64", False))
        if not counts and not x64:
            return None
        doubles, singles = _floats(names)
        if not counts and not doubles:
            return None
        return JaxSignals(
            version=str(getattr(jax, "__version__", "")),
            platform=_platform(jax),
            asked=str(getattr(jax.config, "jax_platforms", None) or os.environ.get("JAX_PLATFORMS", "")),
            x64=x64,
            float64_b=sum(doubles.values()),
            float64_names=tuple(sorted(doubles, key=lambda it: doubles[it], reverse=True)[:8]),
            float32_b=sum(singles.values()),
            compiled=_compiled(counts, names),
            compile_s=sum(it.seconds for it in counts.values()),
            compiles=sum(it.times for it in counts.values()),
        )

    def _heard(self, event: str, duration: float, **facts: Any) -> None:
        """JAX has done something; on whatever thread compiles."""
        try:
            if event not in (TRACED, LOWERED, COMPILED):
                return
            name = _plain(str(facts.get("fun_name", "")))
            with self._lock:
                if name not in self._counts and len(self._counts) >= MOST_FUNCTIONS:
                    name = ""
                count = self._counts.setdefault(name, _Count())
                count.times += event == COMPILED
                count.seconds += duration
        except Exception as error:  # noqa: BLE001  # an observer's failure is not the user's
            self._failed(error)


def _plain(name: str) -> str:
    """``step`` for ``jit(step)``, as tracing has it."""
    inner = name.removesuffix(")").partition("(")[2]
    return inner if name.endswith(")") and inner else name


def _compiled(counts: dict[str, _Count], names: Names) -> tuple[Compiled, ...]:
    ordered = sorted(counts.items(), key=lambda it: it[1].seconds, reverse=True)[:50]
    own = {getattr(thing, "__name__", "") for _name, thing in names.items() if _function(thing)}
    return tuple(
        Compiled(name=name, times=it.times, seconds=it.seconds, own=name in own) for name, it in ordered if it.times
    )


def _function(thing: Any) -> bool:
    """Whether it is a function or a jitted one: by its type alone, for nothing of the user's is asked anything."""
    return type(thing).__name__ in ("function", "PjitFunction")


def _platform(jax: Any) -> str:
    """Of the default device, where JAX has set itself up: asking would make it, and take a card's memory."""
    bridge: Any = sys.modules.get("jax._src.xla_bridge")
    begun = getattr(bridge, "backends_are_initialized", None)
    return str(jax.default_backend()) if begun is not None and begun() else ""


def _floats(names: Names) -> tuple[dict[str, int], dict[str, int]]:
    """Bytes of float64 and of float32 arrays by the notebook's names."""
    found: dict[str, dict[str, int]] = {"float64": {}, "float32": {}}
    left = MOST_LEAVES
    seen: set[int] = set()
    for name, thing in names.items():
        for leaf in _leaves(thing, 4):
            left -= 1
            if left < 0:
                return found["float64"], found["float32"]
            if id(leaf) in seen or leaf.is_deleted():
                continue
            seen.add(id(leaf))
            sizes = found.get(leaf.dtype.name)
            if sizes is not None:
                sizes[name] = sizes.get(name, 0) + int(leaf.nbytes)
    return found["float64"], found["float32"]


def _leaves(thing: Any, depth: int) -> Iterator[Any]:
    """JAX arrays in it, plain containers looked into."""
    kind = type(thing)
    if kind.__name__ == "ArrayImpl" and kind.__module__.startswith("jax"):
        yield thing
    elif depth and kind in (dict, list, tuple):
        for inner in list(thing.values() if kind is dict else thing)[:1000]:
            yield from _leaves(inner, depth - 1)


def _ignore(error: BaseException) -> None:
    """Before it is installed there is nobody to tell."""
