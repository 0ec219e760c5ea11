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
import sysconfig
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

_LIBRARIES = frozenset((
    "greennb", "torch", "torchvision", "torchaudio", "lightning", "transformers", "numpy", "scipy", "pandas", "sklearn",
    "tensorflow", "keras", "jax", "matplotlib", "IPython", "ipykernel", "pytest", "_pytest",
))  # fmt: skip
"""Never the user's own files, also where they are run from their sources."""

_INSTALLED = ("<", *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})

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


def module_of(cls: type) -> str:
    """The name of the module that a class says it is from, past any metaclass."""
    try:
        module = type.__dict__["__module__"].__get__(cls)
    except AttributeError:
        return ""
    return module if type(module) is str else ""


def is_installed(filename: str) -> bool:
    """Whether a source file belongs to Python or to an installed package, and not to the user."""
    return filename.startswith(_INSTALLED) or "site-packages" in filename or "dist-packages" in filename


class Reach:
    """Follows names, and keeps what it has found.

    Attributes:
        names: every name of the notebook that was reached, in the order in which they were.
        modules: likewise of modules that are the user's own files, by their dictionaries' identity: module, names.
        things: by identity, every object that can have parts or be changed, with the name by which it was first found.
        functions: those among them; ``classes`` are the notebook's own.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.names: dict[str, Any] = {}
        self.modules: dict[int, tuple[types.ModuleType, dict[str, Any]]] = {}
        self.things: dict[int, tuple[Any, str]] = {}
        self.functions: list[types.FunctionType] = []
        self.classes: list[type] = []
        self._todo: collections.deque[tuple[dict[str, Any], str]] = collections.deque()
        self._mentioned: set[str] = set()
        self._ways: dict[type, Any] = {}
        self._own: dict[str, bool] = {str(namespace.get("__name__", "__main__")): True}
        self._outside = {id(namespace)} | {
            id(own(it)) for it in list(sys.modules.values()) if is_a(it, types.ModuleType)
        }

    @classmethod
    def of(cls, namespace: dict[str, Any], code: str, *, fresh: bool = False) -> Reach:
        """Everything that a cell's source reaches; with ``fresh`` also what it binds before it reads it.

        Raises:
            RefusedError: the source is no Python, or there is too much.
        """
        found = mentions(code)
        self = cls(namespace)
        wanted = found.read | found.fresh if fresh else found.read
        self._mentioned |= found.attributes
        self.add(name for name in list(namespace) if name in wanted or found.everything)
        return self

    def add(self, names: Iterable[str]) -> None:
        """Follow names, and the names behind them.

        Raises:
            RefusedError: there is too much.
        """
        self._todo.extend((self.namespace, name) for name in names)
        while self._todo:
            space, name = self._todo.popleft()
            found = self.names if space is self.namespace else self.modules[id(space)][1]
            if name in space and name not in found and not hidden(name):
                found[name] = space[name]
                self._follow(space[name], name)
            if not self._todo:
                self._todo.extend(
                    (own(module), it) for module, names in self.modules.values() for it in self._mentioned
                    if it in own(module) and it not in names and not hidden(it)
                )  # fmt: skip

    def space_of(self, function: types.FunctionType) -> dict[str, Any] | None:
        """The names that a function looks up, if they are the notebook's or those of a file of the user's."""
        names = function.__globals__
        if names is self.namespace or id(names) in self.modules:
            return names
        module = sys.modules.get(str(names.get("__name__")))
        return names if module is not None and own(module) is names and self._is_users(module) else None

    def _is_users(self, module: types.ModuleType) -> bool:
        """Whether a module is the user's own file; it is followed from then on."""
        name, file = own(module).get("__name__"), own(module).get("__file__")
        if type(name) is not str or type(file) is not str or name == "__main__":
            return False
        if name not in self._own:
            self._own[name] = not is_installed(file) and name.partition(".")[0] not in _LIBRARIES
            if self._own[name]:
                self.modules[id(own(module))] = (module, {})
        return self._own[name]

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
        way = self._ways.get(kind)
        if way is None:
            way = self._ways[kind] = self._way(thing)
        found: Iterable[Any] = way(thing)
        return found

    def _way(self, thing: Any) -> Any:
        """How objects of its type are followed."""
        if type(thing) is types.FunctionType:
            return self._of_function
        if is_a(thing, type):
            return self._of_class
        if type(thing) is types.BuiltinFunctionType:
            return lambda it: (it.__self__,)
        if is_a(thing, types.ModuleType):
            return self._of_module
        if is_a(thing, *_OPAQUE):
            return _nothing
        if is_a(thing, library("torch", "Tensor")):
            return _of_tensor
        if is_a(thing, library("numpy", "ndarray")):
            return _of_array
        module = module_of(type(thing))
        if module.startswith("tensorflow."):
            return lambda it: (own(it, "_python_function"),)
        if module.startswith(LEADS_OUT):
            return _nothing
        return gc.get_referents if self.is_own(type(thing)) else _of_other

    def _of_module(self, module: types.ModuleType) -> Iterable[Any]:
        self._is_users(module)
        return ()

    def _of_function(self, function: types.FunctionType) -> Iterable[Any]:
        self.functions.append(function)
        space = self.space_of(function)
        if space is not None:
            names = global_names(function.__code__)
            self._mentioned.update(function.__code__.co_names)
            self._todo.extend((space, it) for it in (space if not EVERYTHING.isdisjoint(names) else sorted(names)))
        return (
            *(contents(cell) for cell in function.__closure__ or ()),
            *(function.__defaults__ or ()),
            *(function.__kwdefaults__ or {}).values(),
            *function.__dict__.values(),
        )

    def is_own(self, cls: type) -> bool:
        """Whether a class is the notebook's own."""
        module = module_of(cls)
        if module not in self._own and is_a(sys.modules.get(module), types.ModuleType):
            self._is_users(sys.modules[module])
        return self._own.get(module, False) or any(
            type(it) is types.FunctionType and it.__globals__ is self.namespace for it in list(class_dict(cls).values())
        )

    def _of_class(self, cls: type) -> Iterable[Any]:
        if not self.is_own(cls):
            return ()
        self.classes.append(cls)
        parts: list[Any] = list(type.__dict__["__bases__"].__get__(cls))
        for value in list(class_dict(cls).values()):
            parts.extend(_unwrapped(value))
        return parts


def _nothing(_thing: Any) -> Iterable[Any]:
    return ()


def _of_tensor(tensor: Any) -> Iterable[Any]:
    return (*gc.get_referents(tensor), library("torch", "Tensor").grad.__get__(tensor) if tensor.is_leaf else None)


def _of_array(array: Any) -> Iterable[Any]:
    """Arrays of objects hold them where the garbage collector does not look."""
    plain = library("numpy").ndarray.view(array, library("numpy").ndarray)
    items = plain.ravel().tolist() if plain.dtype.kind == "O" else []
    return (*items, own(array))


def _of_other(thing: Any) -> Iterable[Any]:
    kind = type(thing)
    return [it for it in gc.get_referents(thing) if it is not kind]


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
