"""The validation loss as a notebook keeps it: a list of numbers under a name that says so, one for each epoch.

Plain lists of plain numbers only, at the top of the notebook or in a plain dictionary there (``history["val_loss"]``):
nothing of the user's classes is called.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from greennb.advisor.names import Names
from greennb.advisor.signals.torch import CurveSeen

FEWEST = 8
"""Epochs below which a curve says nothing."""

MOST = 10_000
"""Epochs above which a list is no curve of epochs."""

DEEPEST = 50
"""Entries of a dictionary that are looked at: ``history["val_loss"]``."""

_SAYS_SO = re.compile(r"val.*loss|loss.*val|test_?loss|loss_?test|dev_?loss", re.IGNORECASE)


class Curves:
    """Which curves grew, from one cell to the next. Remembers a few numbers for each, and keeps no list alive."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int, float]] = {}

    def grown(self, names: Names) -> tuple[CurveSeen, ...]:
        """Those with more numbers than at the last call, or with a list of their own since; to be asked every cell."""
        now = {name: value for name, value in _named(names) if type(value) is list}
        seen = []
        for name, value in now.items():
            curve = _curve(value)
            new = 0 if curve is None else len(curve) - self._known(name, value)
            if curve is not None and new > 0:
                seen.append(CurveSeen(name=name, values=curve, new=new))
        self._before = {name: (id(it), len(it), it[-1]) for name, it in now.items() if it and type(it[-1]) is float}
        return tuple(seen)

    def _known(self, name: str, values: list[Any]) -> int:
        """How many of ``values`` were there at the last call."""
        ident, length, last = self._before.get(name, (0, 0, 0.0))
        old = values[length - 1] if 0 < length <= len(values) else None
        same = ident == id(values) and type(old) is float and old == last
        return length if same else 0


def _named(names: Names) -> Iterator[tuple[str, Any]]:
    for name, value in names.items():
        if type(value) is list and _SAYS_SO.search(name):
            yield name, value
        elif type(value) is dict and len(value) <= DEEPEST:
            for key, inner in tuple(value.items()):
                if type(key) is str and type(inner) is list and _SAYS_SO.search(key):
                    yield f"{name}[{key!r}]", inner


def _curve(values: list[Any]) -> tuple[float, ...] | None:
    if not FEWEST <= len(values) <= MOST:
        return None
    kept = tuple(values)
    return kept if all(type(it) is float and math.isfinite(it) for it in kept) else None
