"""One joint copy of everything that was reached, or a sentence that says what can't be copied."""

from __future__ import annotations

import _io
import copy
import functools
import sys
import threading
import types
import weakref
from typing import Any

import psutil

from greennb.advisor.trial.base import RefusedError
from greennb.advisor.trial.copies_keras import copyable
from greennb.advisor.trial.reach import (
    ONE_SHOT,
    PLAIN,
    Reach,
    class_dict,
    contents,
    data_attributes,
    is_a,
    library,
    own,
)

LARGE_ARRAY_B = 64_000_000
"""Arrays of NumPy above this are not copied: a view is made that can't be written to. 64 MB take about 20 ms."""

PART = 0.25
"""Of the memory that is free a copy may take this: a trial has two, and the work needs some as well."""


_OPTIMIZER_STATE = ("defaults", "state", "param_groups")
"""What an optimizer of PyTorch says is its state; it gives its copy new hooks, without the user's."""


class Copies:
    """Copies of a reach's names and of its classes' data, with one memo.

    Attributes:
        names: the copies; ``modules``: of names in the user's own files, by the identity of their dictionaries.
        classes: copies of the data attributes of the notebook's own classes.
        size_b: bytes of tensors, arrays and buffers.
    """

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self.modules: dict[int, dict[str, Any]] = {}
        self._memo: dict[int, Any] = {}
        self._late: list[tuple[types.FunctionType, types.FunctionType]] = []
        self._bare: list[tuple[Any, Any]] = []
        self.names: dict[str, Any] = {}
        self.classes: dict[type, dict[str, Any]] = {}
        self.size_b = 0

    @classmethod
    def of(cls, reach: Reach, most_b: int | None) -> Copies:
        """Copy everything, or nothing.

        Raises:
            RefusedError: something can't be copied, or it is too much.
        """
        for thing, name in reach.things.values():
            _refuse(thing, name)
        self = cls(reach)
        self.size_b = _measured(reach, most_b)
        with copyable():
            self._copy_all()
        return self

    def _copy_all(self) -> None:
        self._prepare()
        for name, value in self._reach.names.items():
            self.names[name] = self._copy(value, name)
        for key, (_module, names) in self._reach.modules.items():
            self.modules[key] = {name: self._copy(value, name) for name, value in names.items()}
        self._functions()
        for plain, made in self._bare:
            own(made).update(self._copy(own(plain), type(plain).__name__))
        for owner in self._reach.classes:
            self.classes[owner] = {
                name: self._copy(value, f"{owner.__name__}.{name}") for name, value in data_attributes(owner).items()
            }
        self._complete()

    def _copy(self, thing: Any, name: str) -> Any:
        """A deep copy; what is behind a weak reference that is copied as well is replaced.

        Raises:
            RefusedError: it can't be copied.
        """
        try:
            if type(thing) is weakref.ref:
                target = thing()
                known = target is not None and id(target) in self._reach.things
                return weakref.ref(copy.deepcopy(target, self._memo)) if known else thing
            return copy.deepcopy(thing, self._memo)
        except RefusedError:
            raise
        except MemoryError as error:
            raise RefusedError(f"There is not enough memory for a copy of {name}: try it with less data.") from error
        except Exception as error:
            raise RefusedError(_why_not(name, error)) from error

    def _prepare(self) -> None:
        """Put into the memo what ``deepcopy`` would share, or could not copy, or must not."""
        tensor, array = library("torch", "Tensor"), library("numpy", "ndarray")
        generator = library("torch", "Generator")
        for thing, name in list(self._reach.things.values()):
            made: Any = None
            if type(thing) is types.FunctionType:
                made = self._function(thing)
            elif is_a(thing, array):
                made = _read_only(thing) if thing.nbytes > LARGE_ARRAY_B else None
            elif is_a(thing, generator):
                made = generator(thing.device)
                made.set_state(thing.get_state())
            elif is_a(thing, tensor) and self._reach.namespace.get(name) is thing and _hangs(thing):
                raise RefusedError(
                    f"{name} hangs on a graph of gradients that another cell has made: make it anew in the cell, or "
                    f"detach it ({name} = {name}.detach())."
                )
            elif _stays(thing):
                made = thing
            elif _is_bare(thing, self._reach):
                made = object.__new__(type(thing))
                self._bare.append((thing, made))
            if made is not None:
                self._memo[id(thing)] = made
        for thing, name in list(self._reach.things.values()):
            if type(thing) is functools._lru_cache_wrapper:
                made = self._cached(thing)
            elif type(thing) is types.BuiltinFunctionType and self._holds(thing, set()):
                made = getattr(self._copy(thing.__self__, name), thing.__name__)
            else:
                continue
            if made is not None:
                self._memo[id(thing)] = made

    def _function(self, function: types.FunctionType) -> types.FunctionType | None:
        """The same code with cells of its own, still empty; None for a function that holds nothing."""
        if library("torch") is not None and "_torchdynamo_orig_callable" in function.__dict__:
            return None  # what torch.compile gives; it looks its globals up again
        if not self._holds(function, set()):
            return None
        cells = tuple(self._memo.setdefault(id(cell), types.CellType()) for cell in function.__closure__ or ())
        made = types.FunctionType(function.__code__, function.__globals__, function.__name__, None, cells or None)
        made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
        made.__annotations__ = function.__annotations__
        self._late.append((function, made))
        return made

    def _holds(self, thing: Any, seen: set[int]) -> bool:
        """Whether something can be changed, or holds what can."""
        if type(thing) in PLAIN or id(thing) in seen or is_a(thing, types.ModuleType, type) or _stays(thing):
            return False
        seen.add(id(thing))
        if type(thing) is types.BuiltinFunctionType:
            return self._holds(thing.__self__, seen)
        if type(thing) in (tuple, frozenset):
            return any(self._holds(it, seen) for it in thing)
        if type(thing) is not types.FunctionType:
            return True
        held = [contents(cell) for cell in thing.__closure__ or ()]
        if self._reach.space_of(thing) is not None:
            if thing.__code__.co_freevars not in ((), ("__class__",)):
                return True  # also what can't be changed may be replaced: another function's nonlocal
            held += [*(thing.__defaults__ or ()), *(thing.__kwdefaults__ or {}).values(), *thing.__dict__.values()]
        return any(self._holds(it, seen) for it in held)

    def _cached(self, cached: Any) -> Any:
        """An empty cache of its own for a function of the notebook's: what it holds may be the user's objects."""
        inner = own(cached, "__wrapped__")
        if type(inner) is not types.FunctionType or self._reach.space_of(inner) is None:
            return None
        return functools.lru_cache(**cached.cache_parameters())(self._memo.get(id(inner), inner))

    def _functions(self) -> None:
        """Fill the cells, now that everything that they may hold has its copy."""
        for old, new in self._late:
            name = old.__name__
            for cell, made in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
                if not _is_empty(cell) and _is_empty(made):
                    made.cell_contents = self._copy(cell.cell_contents, f"what {name} holds")
            new.__defaults__ = self._copy(old.__defaults__, f"a default of {name}")
            new.__kwdefaults__ = self._copy(old.__kwdefaults__, f"a default of {name}")
            new.__dict__.update(self._copy(old.__dict__, f"an attribute of {name}"))

    def _complete(self) -> None:
        """What the copy protocols of PyTorch leave out: gradients and hooks of parameters, hooks of optimizers."""
        parameter, optimizer = library("torch", "nn", "Parameter"), library("torch", "optim", "Optimizer")
        for thing, name in list(self._reach.things.values()):
            made = self._memo.get(id(thing))
            if made is None or made is thing:
                continue
            if is_a(thing, parameter):
                if thing.grad is not None and made.grad is None:
                    made.grad = self._copy(thing.grad, name)
                for hooks in ("_backward_hooks", "_post_accumulate_grad_hooks"):
                    if getattr(thing, hooks, None) and not getattr(made, hooks, None):
                        setattr(made, hooks, self._copy(getattr(thing, hooks), name))
            if is_a(thing, optimizer, parameter):
                for key, value in list(own(thing).items()):
                    if key not in own(made) or (key not in _OPTIMIZER_STATE and is_a(thing, optimizer)):
                        own(made)[key] = self._copy(value, name)


def _hangs(tensor: Any) -> bool:
    """Whether a tensor is the result of others, with their gradients to come."""
    return not tensor.is_leaf


def _refuse(thing: Any, name: str) -> None:
    """Say in words what can't be copied, or would be used up.

    Raises:
        RefusedError: this is such a thing.
    """
    if is_a(thing, library("torch.utils.data.dataloader", "_BaseDataLoaderIter")):
        raise RefusedError(
            f"{name} goes through a loader, perhaps with live workers: make it anew in the cell (iter(loader)), and a "
            "loader without persistent_workers."
        )
    if is_a(thing, *ONE_SHOT):
        raise RefusedError(
            f"{name} is or holds a {type(thing).__name__}, which is used up by going through it: make it anew in "
            "the cell, or a list of it."
        )
    if is_a(thing, library("torch.jit", "ScriptModule")):
        # PyTorch 2.13 copies its parameters with clone(), so that a copy's gradients go to the original.
        raise RefusedError(
            f"{name} is a scripted module, which can't be copied safely: use the module it was made from."
        )
    if is_a(thing, threading.Thread):
        raise RefusedError(f"{name} is or holds a thread, which can't be copied: start it in another cell.")
    if is_a(thing, _io._IOBase) and not _stays(thing) and not is_a(thing, _io.BytesIO, _io.StringIO):
        raise RefusedError(f"{name} is or holds an open file: open it in the cell, or read it before.")


def _why_not(name: str, error: Exception) -> str:
    words = " ".join(str(error).split())
    if "graph leaves" in words or "explicitly by the user" in words:
        return (
            f"{name} can't be copied: it keeps a tensor that hangs on a graph of gradients (a legacy weight_norm does, "
            "and a module that keeps its output): detach it, or use torch.nn.utils.parametrizations.weight_norm."
        )
    if "out of memory" in words.lower():
        return f"There is not enough memory for a copy of {name}: try it with less data, or a smaller model."
    return f"{name} can't be copied ({type(error).__name__}: {words[:160]}): make it anew in the cell."


def _stays(thing: Any) -> bool:
    """Whether both ways and the user may have the very same one."""
    streams = (sys.stdout, sys.stderr, sys.stdin, sys.__stdout__, sys.__stderr__)
    return any(thing is it for it in streams) or is_a(thing, types.ModuleType, library("tensorflow", "data", "Dataset"))


def _is_bare(thing: Any, reach: Reach) -> bool:
    """Whether it is a plain object of a notebook's class that answers to any name, also to those of the protocols."""
    kind = type(thing)
    if kind is type or not reach.is_own(kind):
        return False
    mro = type.__dict__["__mro__"].__get__(kind)[:-1]
    if not all(reach.is_own(it) for it in mro):
        return False
    defined = {name for it in mro for name in class_dict(it)}
    protocol = {"__deepcopy__", "__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__slots__", "__new__"}
    return bool(defined & {"__getattr__", "__getattribute__"}) and not defined & protocol and own(thing) is not None


def _is_empty(cell: types.CellType) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return True
    return False


def _read_only(array: Any) -> Any:
    view = array.view()
    view.flags.writeable = False
    return view


def _measured(reach: Reach, most_b: int | None) -> int:
    """Bytes that will be copied.

    Raises:
        RefusedError: they are more than there may be; it names the largest.
    """
    tensor, array = library("torch", "Tensor"), library("numpy", "ndarray")
    sizes: dict[str, dict[str, int]] = {}
    storages: set[tuple[str, int]] = set()
    for thing, name in reach.things.values():
        device, size_b = "cpu", 0
        if is_a(thing, tensor):
            device, size_b = _of_tensor(thing, storages)
        elif is_a(thing, array):
            size_b = 0 if thing.nbytes > LARGE_ARRAY_B else thing.nbytes
        elif is_a(thing, bytearray):
            size_b = bytearray.__len__(thing)
        if size_b:
            of = sizes.setdefault(device, {})
            of[name] = of.get(name, 0) + size_b
    for device, of in sizes.items():
        most = _most_b(device) if most_b is None else most_b
        total = sum(of.values())
        if total > most:
            largest = max(of, key=lambda name: of[name])
            where = "memory" if device == "cpu" else f"memory of {device}"
            raise RefusedError(
                f"A copy of what the cell uses takes {_size(total)} of {where}, and {_size(most)} may be taken: "
                f"{largest} alone is {_size(of[largest])}; try it with less data."
            )
    return sum(sum(of.values()) for of in sizes.values())


def _of_tensor(tensor: Any, storages: set[tuple[str, int]]) -> tuple[str, int]:
    """Device and bytes of a tensor's storage, 0 where it was counted already."""
    device = str(tensor.device)
    try:
        storage = tensor.untyped_storage()
        where, size_b = (device, int(storage.data_ptr())), int(storage.nbytes())
    except (RuntimeError, NotImplementedError):  # sparse, meta and fake ones have no storage
        return device, int(tensor.element_size() * tensor.nelement()) if device != "meta" else 0
    if where in storages:
        return device, 0
    storages.add(where)
    return device, size_b


def _size(size_b: int) -> str:
    return f"{size_b / 1e9:.1f} GB" if size_b >= 1e9 else f"{max(1.0, size_b / 1e6):.0f} MB"


def _most_b(device: str) -> int:
    if device.startswith("cuda"):
        free, _total = library("torch", "cuda").mem_get_info(device)
        return int(free * PART)
    return int(psutil.virtual_memory().available * PART)
