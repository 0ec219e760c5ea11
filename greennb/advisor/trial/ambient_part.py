"""What a part of a cell's surroundings is, and ways to read and write one."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Part:
    """Something that surrounds a cell.

    Attributes:
        words: what it is, as in "it has changed ...".
        read: gives a value that later changes don't touch.
        write: makes it that value; None where nobody can.
        same: whether two values are the same.
    """

    words: str
    read: Callable[[], Any]
    write: Callable[[Any], object] | None
    same: Callable[[Any, Any], bool] = operator.eq


def items(target: Any) -> list[Any]:
    """A dictionary as a list, in its order."""
    return list(target.items())


def write_items(target: Any, value: list[Any]) -> None:
    """Make a dictionary hold these, in this order."""
    target.clear()
    target.update(value)


def attribute_writer(owner: Any, name: str) -> Callable[[Any], object]:
    """Writes an attribute."""
    return lambda value: setattr(owner, name, value)


def flag(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    """Reads and writes an attribute."""
    return (lambda: getattr(owner, name)), attribute_writer(owner, name)


def reader(read: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    """Reads by a function of these arguments."""
    return lambda: read(*arguments)


def writer(write: Callable[..., Any], *arguments: Any) -> Callable[[Any], object]:
    """Writes by a function whose last argument is the value."""
    return lambda value: write(*arguments, value)


def writer_last(write: Callable[..., Any], argument: Any) -> Callable[[Any], object]:
    """Writes by a function whose first argument is the value."""
    return lambda value: write(value, argument)
