"""The parts of what surrounds a cell: how each is read, and put back. Only of libraries that the user has imported."""

from __future__ import annotations

import contextlib
import gc
import locale
import logging
import multiprocessing
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from greennb.advisor.trial.ambient_keras import keras_randomness, tensorflow_randomness
from greennb.advisor.trial.ambient_part import Part, attribute_writer, reader, write_items
from greennb.advisor.trial.ambient_torch import cuda_randomness
from greennb.advisor.trial.reach import library


def randomness() -> Iterator[Part]:
    """The state of every library's own random numbers."""
    yield Part("the RNG of random", random.getstate, random.setstate)
    np_random = library("numpy.random")
    if np_random is not None:
        yield Part(
            "the RNG of numpy", lambda: _plain_state(np_random.get_state(legacy=False)),
            lambda state: np_random.set_state(_numpy_state(state)),
        )  # fmt: skip
    torch = library("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        yield Part("the RNG of torch", torch.get_rng_state, torch.set_rng_state, torch.equal)
        yield from cuda_randomness(torch)
    yield from tensorflow_randomness()
    yield from keras_randomness()


def python() -> Iterator[Part]:
    """Of the process and the standard library."""
    yield Part("the environment", lambda: dict(os.environ), _write_environment)
    yield Part("the working directory", _cwd, lambda path: os.chdir(path) if path else None)
    yield Part("sys.path", lambda: list(sys.path), lambda value: _write_list(sys.path, value))
    yield Part("sys.argv", lambda: list(sys.argv), lambda value: _write_list(sys.argv, value))
    yield Part("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit)
    yield Part("the filters of warnings", lambda: list(warnings.filters), _write_filters)
    yield Part("how warnings are shown", lambda: warnings.showwarning, attribute_writer(warnings, "showwarning"), _is)
    for name in ("SIGINT", "SIGALRM", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None:
            yield Part(f"what happens on {name}", reader(signal.getsignal, number), _write_handler(number))
    yield Part("whether the garbage collector is on", gc.isenabled, lambda on: gc.enable() if on else gc.disable())
    yield Part("when the garbage collector runs", gc.get_threshold, lambda value: gc.set_threshold(*value))
    yield Part("the locale", lambda: locale.setlocale(locale.LC_ALL), lambda it: locale.setlocale(locale.LC_ALL, it))
    yield Part("how processes are started", _start_method, _write_start_method)
    root = logging.getLogger()
    yield Part("the level of logging", lambda: root.level, root.setLevel)
    yield Part("the handlers of logging", lambda: list(root.handlers), lambda it: _write_list(root.handlers, it))
    yield Part("what logging leaves out", lambda: logging.root.manager.disable, logging.disable)


def libraries() -> Iterator[Part]:
    """Settings of NumPy, scikit-learn, Matplotlib."""
    np = library("numpy")
    if np is not None and hasattr(np, "seterr"):
        yield Part("what numpy does on errors", np.geterr, lambda value: np.seterr(**value))
        yield Part(
            "how numpy prints", np.get_printoptions, lambda value: np.set_printoptions(**value), _same_printing
        )  # fmt: skip
    sklearn = library("sklearn")
    if sklearn is not None and hasattr(sklearn, "set_config"):
        yield Part("the settings of scikit-learn", sklearn.get_config, lambda value: sklearn.set_config(**value))
    rc = library("matplotlib", "rcParams")
    if rc is not None:
        yield Part("the settings of matplotlib", lambda: dict(dict.items(rc)), lambda value: dict.update(rc, value))
    figures = library("matplotlib._pylab_helpers", "Gcf", "figs")
    if figures is not None:
        yield Part("the open figures", lambda: list(figures.items()), lambda value: write_items(figures, value))


def _plain_state(state: dict[str, Any]) -> dict[str, Any]:
    """NumPy's state with bytes for arrays, so that two can be compared."""
    return {
        key: _plain_state(value) if isinstance(value, dict) else _array_bytes(value) for key, value in state.items()
    }


def _array_bytes(value: Any) -> Any:
    return (value.tobytes(), str(value.dtype)) if hasattr(value, "tobytes") and hasattr(value, "shape") else value


def _numpy_state(state: dict[str, Any]) -> dict[str, Any]:
    np = library("numpy")
    made: dict[str, Any] = {}
    for key, value in state.items():
        if isinstance(value, dict):
            made[key] = _numpy_state(value)
        elif isinstance(value, tuple):
            made[key] = np.frombuffer(value[0], dtype=value[1]).copy()
        else:
            made[key] = value
    return made


def _cwd() -> str | None:
    with contextlib.suppress(OSError):
        return os.getcwd()  # noqa: PTH109  # a path as the system gives it
    return None


def _write_environment(value: dict[str, str]) -> None:
    for name in set(os.environ) - set(value):
        del os.environ[name]
    for name, text in value.items():
        if os.environ.get(name) != text:
            os.environ[name] = text


def _write_filters(value: list[Any]) -> None:
    _write_list(warnings.filters, value)
    # Python keeps which warnings were shown by the version of the filters; without this they would not count at once.
    mutated = getattr(warnings, "_filters_mutated", None)
    if mutated is not None:
        mutated()


def _write_handler(number: int) -> Callable[[Any], object]:
    def write(handler: Any) -> None:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, handler)

    return write


def _start_method() -> str | None:
    return multiprocessing.get_start_method(allow_none=True)


def _write_start_method(value: str | None) -> None:
    multiprocessing.set_start_method(value, force=True)


def _write_list(target: Any, value: list[Any]) -> None:
    target[:] = value


def _is(one: Any, other: Any) -> bool:
    return one is other


def _same_printing(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return repr(one) == repr(other)
