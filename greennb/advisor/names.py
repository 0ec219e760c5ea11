"""What the user calls an object: the notebook's names, by identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_NAMES = 5000
"""Names looked through at most, the latest last in a notebook's namespace; beyond that a name is not worth its time."""


class Names:
    """The names in a namespace, looked up by identity; read when first asked, for most cells have no question.

    Nothing of the objects is called: neither ``__eq__`` nor ``__hash__`` nor ``__getattr__``.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._known: dict[int, str] | None = None

    def of(self, thing: object) -> str | None:
        """The name of ``thing``, the one bound first; None where the notebook has none for it."""
        if thing is None or isinstance(thing, bool | int | str):
            return None  # shared by everybody: a name by identity would be chance
        if self._known is None:
            self._known = {}
            for name, value in self.items():
                self._known.setdefault(id(value), name)
        return self._known.get(id(thing))

    def items(self) -> list[tuple[str, Any]]:
        """Every public name with its object, in the order in which they were bound."""
        latest = list(self._namespace.items())[-MOST_NAMES:]
        return [(name, value) for name, value in latest if _public(name)]


def _public(name: str) -> bool:
    return not name.startswith("_") and name not in ("In", "Out")
