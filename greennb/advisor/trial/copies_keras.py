"""Deep copies of what Keras 3 and TensorFlow make: part by part, with one memo, so that what was shared stays shared.

Keras itself copies a model by saving and loading it: that loses layers of the user's own classes, knows no model and
optimizer together, and forgets what an optimizer was built on. Here an object's attributes are copied, as Python does
for any other object, with four exceptions: functions that were traced (they hold the original's variables) are made
anew, modules and tf.data pipelines are shared, trackers and optimizers learn the copies' identities, and an iterator
over a pipeline is refused.

Read in Keras 3.15 and TensorFlow 2.21; :func:`verify` looks whether a copy really is one.
"""

from __future__ import annotations

import copy
import copyreg
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from greennb.advisor.trial.base import RefusedError
from greennb.advisor.trial.reach import library

DEPTH = 100_000
"""Calls of Python's within each other that a copy may take: a network of some hundred layers is a chain of as many."""

_TRACED = ("train_function", "test_function", "predict_function")
"""A model's compiled functions: they hold the variables of the model that they were traced for."""

_TRACING = "tensorflow.core.function"

_SHARED = (
    ("tensorflow.python.distribute.distribute_lib", "StrategyBase"),
    ("tensorflow.python.distribute.distribute_lib", "_DefaultDistributionStrategy"),
    ("tensorflow.python.distribute.distribute_lib", "_DefaultDistributionStrategyV1"),
    (f"{_TRACING}.polymorphism.function_type", "FunctionType"),
    (f"{_TRACING}.polymorphism.function_cache", "FunctionCache"),
    (f"{_TRACING}.capture.capture_container", "FunctionCaptures"),
    ("tensorflow.python.eager.polymorphic_function.tracing_compilation", "TracingOptions"),
)
"""What there is one of in a process, or what ``functools.wraps`` takes over from a ``tf.function`` and nobody uses."""

_ABSENT = object()


@contextmanager
def copyable() -> Iterator[None]:
    """While within, ``copy.deepcopy`` copies objects of Keras and TensorFlow; afterwards as before."""
    later: list[Callable[[], None]] = []
    taken: list[tuple[type, object]] = []
    depth = sys.getrecursionlimit()
    lock = type(threading.RLock())
    locks = copyreg.dispatch_table.get(lock)
    try:
        copyreg.dispatch_table[lock] = _new_lock
        for owner, copier in _copiers(later):
            taken.append((owner, vars(owner).get("__deepcopy__", _ABSENT)))
            owner.__deepcopy__ = copier  # type: ignore[attr-defined]
        sys.setrecursionlimit(max(depth, DEPTH))
        yield
        for act in later:
            act()
    finally:
        sys.setrecursionlimit(depth)
        if locks is None:
            copyreg.dispatch_table.pop(lock, None)
        else:
            copyreg.dispatch_table[lock] = locks
        for owner, was in reversed(taken):
            if was is _ABSENT:
                del owner.__deepcopy__  # type: ignore[attr-defined]
            else:
                owner.__deepcopy__ = was  # type: ignore[attr-defined]


def verify(original: Any, made: Any, name: str) -> None:
    """Look whether ``made`` is a copy of a model or optimizer: as many variables, equal, and none of them shared.

    Raises:
        RefusedError: it is not.
    """
    ours, theirs = list(original.variables), list(made.variables)
    shared = {id(it) for it in ours} & {id(it) for it in theirs}
    alike = len(ours) == len(theirs) and all(
        one.shape == other.shape and one.dtype == other.dtype for one, other in zip(ours, theirs, strict=True)
    )
    if shared or not alike:
        raise RefusedError(f"{name} can't be copied with this version of Keras: its copy would not be independent.")


def _copiers(later: list[Callable[[], None]]) -> list[tuple[type, Any]]:
    """Classes, and how objects of theirs are copied."""

    def parts(self: Any, memo: dict[int, Any]) -> Any:
        return _by_parts(self, memo, later)

    def listed(self: Any, memo: dict[int, Any]) -> Any:
        return _tracked(self, memo, later)

    found = [
        (_of("keras.src.saving.keras_saveable", "KerasSaveable"), parts),
        (_of("keras.src.backend.common.variables", "Variable"), parts),
        (_of("keras.src.random.seed_generator", "SeedGenerator"), parts),
        (_of("keras.src.utils.tracking", "Tracker"), parts),
        *(
            (_of("keras.src.utils.tracking", f"Tracked{kind}"), listed)
            for kind in ("List", "Dict", "OrderedDict", "Set")
        ),
        (_of("tensorflow.python.eager.polymorphic_function.polymorphic_function", "Function"), _anew),
        (_of("tensorflow.python.data.ops.dataset_ops", "DatasetV2"), _shared),
        *((_of(module, name), _shared) for module, name in _SHARED),
        (_of("tensorflow.python.data.ops.iterator_ops", "OwnedIterator"), _refused),
    ]
    return [(owner, copier) for owner, copier in found if isinstance(owner, type)]


def _of(module: str, name: str) -> Any:
    return library(module, name)


def _by_parts(thing: Any, memo: dict[int, Any], later: list[Callable[[], None]]) -> Any:
    """Its attributes copied, past its class's own ways to be made and to set attributes."""
    made = object.__new__(type(thing))
    memo[id(thing)] = made
    state = vars(made)
    for name, value in list(vars(thing).items()):
        state[name] = None if name in _TRACED else _part(value, memo)
    if "stored_ids" in state and "config" in state:
        later.append(lambda: _identify(made))
    if "_trainable_variables_indices" in state:
        later.append(lambda: _index(made, thing))
    return made


def _part(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, types.ModuleType):
        return value
    if isinstance(value, types.FunctionType) and value.__closure__ and id(value) not in memo:
        return _function(value, memo)
    return copy.deepcopy(value, memo)


def _function(function: types.FunctionType, memo: dict[int, Any]) -> types.FunctionType:
    """The same code, holding copies: Keras wraps each layer's ``build`` in one that holds the layer."""
    cells = tuple(memo.setdefault(id(cell), types.CellType()) for cell in function.__closure__ or ())
    made = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, cells or None
    )
    memo[id(function)] = made
    made.__kwdefaults__ = function.__kwdefaults__
    made.__qualname__, made.__module__, made.__doc__ = function.__qualname__, function.__module__, function.__doc__
    for old, new in zip(function.__closure__ or (), cells, strict=True):
        if _contents(new) is _ABSENT and (held := _contents(old)) is not _ABSENT:
            new.cell_contents = _part(held, memo)
    made.__dict__.update({name: _part(value, memo) for name, value in function.__dict__.items()})
    return made


def _contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _ABSENT


def _tracked(thing: Any, memo: dict[int, Any], later: list[Callable[[], None]]) -> Any:
    """A collection that tells its tracker of what is put into it: here it must not, the tracker is copied as well."""
    kind: Any = type(thing)
    made = kind.__new__(kind)
    memo[id(thing)] = made
    vars(made).update({name: _part(value, memo) for name, value in vars(thing).items() if name != "tracker"})
    vars(made)["tracker"] = None
    if isinstance(thing, dict):
        for key, value in list(thing.items()):
            made[key] = _part(value, memo)
    elif isinstance(thing, list):
        list.extend(made, [_part(value, memo) for value in list(thing)])
    else:
        later.append(lambda: set.update(made, {memo.get(id(it), it) for it in thing}))
        for value in list(thing):
            _part(value, memo)
    vars(made)["tracker"] = _part(thing.tracker, memo)
    return made


def _identify(tracker: Any) -> None:
    """A tracker knows what it stores by identity."""
    tracker.stored_ids = {name: {id(it) for it in store} for name, (_test, store) in tracker.config.items()}


def _index(made: Any, original: Any) -> None:
    """An optimizer finds a variable's place by identity; one that has others in it (MultiOptimizer), whose as well."""
    pairs = list(zip(original._trainable_variables, made._trainable_variables, strict=True))
    for name in ("_trainable_variables_indices", "_var_to_optimizer_idx"):
        known = vars(original).get(name)
        if known:
            renamed = {original._var_key(old): made._var_key(new) for old, new in pairs}
            vars(made)[name] = {renamed.get(key, key): value for key, value in known.items()}


def _anew(function: Any, memo: dict[int, Any]) -> Any:
    """A ``tf.function`` of the same Python, not traced yet."""
    made = function._clone(None)
    memo[id(function)] = made
    made._python_function = _part(function._python_function, memo)
    return made


def _new_lock(_lock: Any) -> tuple[Any, tuple[()]]:
    return threading.RLock, ()


def _shared(dataset: Any, _memo: dict[int, Any]) -> Any:
    return dataset


def _refused(_iterator: Any, _memo: dict[int, Any]) -> Any:
    raise RefusedError(
        "The cell draws batches from an iterator that another cell has made, which would be used up: make it in this "
        "cell (iter(dataset))."
    )
