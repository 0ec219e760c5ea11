"""The largest arrays and frames among the notebook's names: type, shape and bytes, and nothing of what is in them."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.signals.machine import ArraySeen

LEAST_B = 64 * 2**20
MOST = 8
_MOST_COLUMNS = 1000


def large_arrays(names: Names) -> tuple[ArraySeen, ...]:
    """Arrays of at least 64 MiB, the largest first, each once. Only NumPy's and pandas' own classes are asked."""
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    frame = getattr(sys.modules.get("pandas"), "DataFrame", None)
    found: dict[int, ArraySeen] = {}
    for name, value in names.items() if array is not None else ():
        seen = None
        if type(value) is array:
            seen = _array(name, value)
        elif frame is not None and type(value) is frame:
            with suppress(Exception):  # a frame in a state of its own: it is no large one then
                seen = _frame(name, value)
        if seen is not None:
            found.setdefault(id(value), seen)
    return tuple(sorted(found.values(), key=lambda it: -it.bytes)[:MOST])


def _array(name: str, value: Any) -> ArraySeen | None:
    if value.nbytes < LEAST_B:
        return None
    return ArraySeen(name=name, kind="ndarray", dtype=value.dtype.name, shape=value.shape, bytes=int(value.nbytes))


def _frame(name: str, value: Any) -> ArraySeen | None:
    """A frame by what its columns take, texts counted as the references that they are."""
    rows, columns = value.shape
    if rows * columns * 8 < LEAST_B or columns > _MOST_COLUMNS:
        return None
    held_b = int(value.memory_usage(index=False, deep=False).sum())
    if held_b < LEAST_B:
        return None
    dtypes = {str(dtype) for dtype in value.dtypes}
    dtype = dtypes.pop() if len(dtypes) == 1 else "mixed"
    return ArraySeen(name=name, kind="DataFrame", dtype=dtype, shape=(rows, columns), bytes=held_b)
