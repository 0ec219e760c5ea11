"""What a cell's source reaches of a notebook: its names, and what is behind functions, closures and classes.

Of the objects nothing is called: they are followed as the garbage collector follows them, so that a broken
``__getattr__``, ``__eq__``, ``__len__`` or ``__repr__`` does no harm.
"""

from __future__ import annotations

import collections
import functools
import gc
import logging
import re
import sys
import types
import weakref
from collections.abc import Iterable, Mapping
from enum import EnumMeta
from typing import Any

from greennb.advisor.trial.base import RefusedError
from greennb.advisor.trial.mentions import EVERYTHING, global_names, mentions

MOST_THINGS = 3_000_000
"""Objects that are followed at most: about a second; a copy of more would take a good part of a trial's budget."""

PLAIN: frozenset[type] = frozenset((
    int, float, complex, bool, str, bytes, range, type(None), type(...), type(NotImplemented), types.CodeType,
))  # fmt: skip
"""Types without parts that nobody can change."""

_OPAQUE = (
    types.ModuleType, types.FrameType, types.TracebackType, logging.Logger, weakref.ref, weakref.ProxyType,
    weakref.CallableProxyType, property, types.GetSetDescriptorType, types.MemberDescriptorType,
    types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType, types.GenericAlias,
)  # fmt: skip
"""Types that are not followed: they are shared, or lead out of the notebook."""

LEADS_OUT = ("IPython.", "ipykernel.", "tensorflow", "jaxlib", "greennb")
"""Modules whose objects lead out of the notebook, into the whole of a library; they are not followed."""

_HIDDEN = re.compile(r"_{1,3}|_i{1,3}|_[iod]h|_i?\d+|__\w+__|In|Out|get_ipython|exit|quit|open|_exit_code")


def hidden(name: object) -> bool:
    """Whether a name is IPython's or Python's own."""
    return not isinstance(name, str) or _HIDDEN.fullmatch(name) is not None


def is_a(thing: object, *wanted: type | None) -> bool:
    """``isinstance`` by the real type: no ``__class__`` and no metaclass of the user's is asked."""
    mro = type.__dict__["__mro__"].__get__(type(thing))
    return any(it is not None and it in mro for it in wanted)


def library(module: str, *path: str) -> Any:
    """Something of a library that the user has imported; None where it is not there."""
    found: Any = sys.modules.get(module)
    for name in path:
        found = getattr(found, name, None)
    return found


def own(thing: object, attribute: str = "__dict__") -> Any:
    """An attribute as Python itself keeps it, past any ``__getattribute__``; None where there is none."""
    try:
        return object.__getattribute__(thing, attribute)
    except (AttributeError, TypeError, ValueError):
        return None


def class_dict(cls: type) -> Mapping[str, Any]:
    """A class's own dictionary, past any metaclass."""
    found: Mapping[str, Any] = type.__dict__["__dict__"].__get__(cls)
    return found


class Reach:
    """Follows names, and keeps what it has found.

    Attributes:
        names: every name of the notebook that was reached, in the order in which they were.
        things: by identity, every object that can have parts or be changed, with the name by which it was first found.
        functions: those among them; ``classes`` are the notebook's own.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.names: dict[str, Any] = {}
        self.things: dict[int, tuple[Any, str]] = {}
        self.functions: list[types.FunctionType] = []
        self.classes: list[type] = []
        self._todo: list[str] = []
        self._module = namespace.get("__name__", "__main__")
        self._outside = {id(namespace)} | {
            id(types.ModuleType.__dict__["__dict__"].__get__(it))
            for it in list(sys.modules.values())
            if is_a(it, types.ModuleType)
        }

    @classmethod
    def of(cls, namespace: dict[str, Any], code: str, *, fresh: bool = False) -> Reach:
        """Everything that a cell's source reaches; with ``fresh`` also what it binds before it reads it.

        Raises:
            RefusedError: the source is no Python, or there is too much.
        """
        found = mentions(code)
        self = cls(namespace)
        if found.everything:
            self.add(namespace)
        self.add(found.read)
        if fresh:
            self.add(found.fresh)
        return self

    def add(self, names: Iterable[str]) -> None:
        """Follow names, and the names behind them.

        Raises:
            RefusedError: there is too much.
        """
        self._todo.extend(names)
        while self._todo:
            name = self._todo.pop()
            if name in self.namespace and name not in self.names and not hidden(name):
                self.names[name] = self.namespace[name]
                self._follow(self.namespace[name], name)

    def _follow(self, thing: object, name: str) -> None:
        things = self.things
        todo = [thing]
        while todo:
            it = todo.pop()
            if type(it) in PLAIN or id(it) in things or id(it) in self._outside:
                continue
            things[id(it)] = (it, name)
            if len(things) > MOST_THINGS:
                raise RefusedError(
                    f"{name} leads to more than {MOST_THINGS:,} objects, too many to copy: try the cell with less data."
                )
            todo.extend(self._parts(it))

    def _parts(self, thing: Any) -> Iterable[Any]:
        """What an object leads to."""
        kind = type(thing)
        if kind is types.FunctionType:
            return self._of_function(thing)
        if is_a(thing, type):
            return self._of_class(thing)
        if kind is types.BuiltinFunctionType:
            return (thing.__self__,)
        if is_a(thing, *_OPAQUE):
            return ()
        behind = self._behind_library(thing)
        if behind is not None:
            return behind
        parts = [it for it in gc.get_referents(thing) if type(it) not in PLAIN]
        if not self.is_own(kind):
            parts = [it for it in parts if it is not kind]
        return parts

    def _behind_library(self, thing: Any) -> Iterable[Any] | None:
        """What is behind objects that the garbage collector can't look into, or should not."""
        tensor = library("torch", "Tensor")
        if is_a(thing, tensor):
            return (*gc.get_referents(thing), tensor.grad.__get__(thing) if thing.is_leaf else None)
        array = library("numpy", "ndarray")
        if is_a(thing, array):
            kind = array.dtype.__get__(thing)
            return array.tolist(thing) if kind.kind == "O" else ()
        module = type(thing).__module__
        if isinstance(module, str) and module.startswith("tensorflow."):
            return (own(thing, "_python_function"),)
        if isinstance(module, str) and module.startswith(LEADS_OUT):
            return ()
        return None

    def _of_function(self, function: types.FunctionType) -> Iterable[Any]:
        self.functions.append(function)
        if function.__globals__ is self.namespace:
            names = global_names(function.__code__)
            self._todo.extend(self.namespace if not EVERYTHING.isdisjoint(names) else names)
        return (
            *(contents(cell) for cell in function.__closure__ or ()),
            *(function.__defaults__ or ()),
            *(function.__kwdefaults__ or {}).values(),
            *function.__dict__.values(),
        )

    def is_own(self, cls: type) -> bool:
        """Whether a class is the notebook's own."""
        attributes = class_dict(cls)
        return attributes.get("__module__") == self._module or any(
            type(it) is types.FunctionType and it.__globals__ is self.namespace for it in list(attributes.values())
        )

    def _of_class(self, cls: type) -> Iterable[Any]:
        if not self.is_own(cls):
            return ()
        self.classes.append(cls)
        parts: list[Any] = list(type.__dict__["__bases__"].__get__(cls))
        for value in list(class_dict(cls).values()):
            parts.extend(_unwrapped(value))
        return parts


def _unwrapped(value: Any) -> Iterable[Any]:
    """A class's attribute, or the functions in it."""
    if is_a(value, staticmethod, classmethod):
        return (value.__func__,)
    if is_a(value, property):
        return (value.fget, value.fset, value.fdel)
    if is_a(value, functools.cached_property):
        return (value.func,)
    return (value,)


def contents(cell: types.CellType) -> Any:
    """What a closure's cell holds; None for one that is still empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def data_attributes(cls: type) -> dict[str, Any]:
    """The attributes of a class that hold data: neither methods and other descriptors nor Python's own."""
    if is_a(cls, EnumMeta):
        return {}
    return {
        name: value
        for name, value in class_dict(cls).items()
        if not (name.startswith("__") and name.endswith("__"))
        and not name.startswith("_abc_")
        and not any("__get__" in class_dict(it) for it in type.__dict__["__mro__"].__get__(type(value)))
    }


ONE_SHOT: tuple[type, ...] = (
    types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, map, zip, filter, enumerate, reversed,
    type(iter([])), type(iter(())), type(iter({})), type(iter({}.values())), type(iter({}.items())), type(iter(set())),
    type(iter("")), type(iter("é")), type(iter(b"")), type(iter(range(0))), type(iter(collections.deque())),
)  # fmt: skip
"""What can be gone through once: the cell has used it up, or would."""
