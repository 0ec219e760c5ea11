"""The parts of what surrounds a cell: how each is read, and put back. Only of libraries that the user has imported."""

from __future__ import annotations

import contextlib
import gc
import locale
import logging
import multiprocessing
import operator
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from greennb.advisor.trial.reach import library


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
        yield from _cuda_randomness(torch)
    yield from _tensorflow_randomness()
    yield from _keras_randomness()


def python() -> Iterator[Part]:
    """Of the process and the standard library."""
    yield Part("the environment", lambda: dict(os.environ), _write_environment)
    yield Part("the working directory", _cwd, lambda path: os.chdir(path) if path else None)
    yield Part("sys.path", lambda: list(sys.path), lambda value: _write_list(sys.path, value))
    yield Part("sys.argv", lambda: list(sys.argv), lambda value: _write_list(sys.argv, value))
    yield Part("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit)
    yield Part("the filters of warnings", lambda: list(warnings.filters), _write_filters)
    yield Part("how warnings are shown", lambda: warnings.showwarning, _write_attribute(warnings, "showwarning"), _is)
    for name in ("SIGINT", "SIGALRM", "SIGTERM"):
        number = getattr(signal, name, None)
        if number is not None:
            yield Part(f"what happens on {name}", _reader(signal.getsignal, number), _write_handler(number))
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
        yield Part("the open figures", lambda: list(figures.items()), lambda value: _write_dict(figures, value))


def torch_flags() -> Iterator[Part]:
    """Flags of PyTorch; those of the thread are those of the thread that asks."""
    torch = library("torch")
    if torch is None or not hasattr(torch, "set_grad_enabled"):
        return
    yield Part("torch's gradients (on or off)", torch.is_grad_enabled, torch.set_grad_enabled)
    yield Part("torch's inference mode", torch.is_inference_mode_enabled, None)
    yield Part(
        "torch's anomaly detection", lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
        lambda value: torch.set_anomaly_enabled(*value),
    )  # fmt: skip
    for device in ("cpu", "cuda"):
        yield Part(
            f"torch's autocast for {device}", _reader(_autocast, torch, device), _write_autocast(torch, device)
        )  # fmt: skip
    yield Part("torch's cache of autocast", torch.is_autocast_cache_enabled, torch.set_autocast_cache_enabled)
    yield Part("torch's number of threads", torch.get_num_threads, torch.set_num_threads)
    yield Part("torch's default dtype", torch.get_default_dtype, torch.set_default_dtype)
    if hasattr(torch, "get_default_device"):
        yield Part("torch's default device", torch.get_default_device, _writer(_write_device, torch))
    yield Part(
        "torch's deterministic algorithms",
        lambda: (torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()),
        lambda value: torch.use_deterministic_algorithms(value[0], warn_only=value[1]),
    )
    yield from _precision(torch)
    for name in ("enabled", "benchmark", "deterministic"):
        yield Part(f"torch.backends.cudnn.{name}", *_flag(torch.backends.cudnn, name))
    for name in ("flash", "mem_efficient", "math", "cudnn"):
        read, write = (getattr(torch.backends.cuda, it, None) for it in (f"{name}_sdp_enabled", f"enable_{name}_sdp"))
        if read is not None and write is not None:
            yield Part(f"torch's attention kernels ({name})", read, write)
    for where in ("forward_hooks", "forward_pre_hooks", "backward_hooks", "backward_pre_hooks"):
        hooks = library("torch.nn.modules.module", f"_global_{where}")
        if hooks is not None:
            yield Part(f"torch's hooks of all modules ({where})", _reader(_items, hooks), _writer(_write_dict, hooks))
    for where in ("_global_optimizer_pre_hooks", "_global_optimizer_post_hooks"):
        hooks = library("torch.optim.optimizer", where)
        if hooks is not None:
            yield Part(
                f"torch's hooks of all optimizers ({where})", _reader(_items, hooks), _writer(_write_dict, hooks)
            )


def keras_flags() -> Iterator[Part]:
    """Settings of Keras 3 and TensorFlow."""
    config = library("keras", "config")
    if config is not None:
        for words, name in (
            ("the dtype policy", "dtype_policy"), ("floatx", "floatx"), ("epsilon", "epsilon"),
            ("the order of channels", "image_data_format"),
        ):  # fmt: skip
            read, write = getattr(config, name, None), getattr(config, f"set_{name}", None)
            if read is not None and write is not None:
                yield Part(f"{words} of Keras", _reader(_named, read), write)
    state = library("keras.src.backend.common.global_state")
    if state is not None:
        yield Part(
            "the names that Keras gives", lambda: dict(state.get_global_attribute("object_name_uids") or {}),
            lambda value: _write_uids(state, value),
        )  # fmt: skip
    tf_config = library("tensorflow", "config")
    if tf_config is not None:
        yield Part(
            "whether TensorFlow runs functions eagerly",
            tf_config.functions_run_eagerly,
            tf_config.run_functions_eagerly,
        )
        yield Part(
            "XLA in TensorFlow", tf_config.optimizer.get_jit, lambda on: tf_config.optimizer.set_jit(on or False)
        )


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


def _cuda_randomness(torch: Any) -> Iterator[Part]:
    if not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return
    for index in range(torch.cuda.device_count()):
        yield Part(
            f"the RNG of torch on cuda:{index}", _reader(torch.cuda.get_rng_state, index),
            _writer_last(torch.cuda.set_rng_state, index), torch.equal,
        )  # fmt: skip


def _tensorflow_randomness() -> Iterator[Part]:
    context = library("tensorflow.python.eager.context")
    if context is not None:
        yield Part("the RNG of TensorFlow", lambda: _eager_seed(context), lambda value: _write_seed(context, value))
    ops = library("tensorflow.python.ops.stateful_random_ops")
    if ops is not None:
        yield Part(
            "TensorFlow's global generator", lambda: _generator_state(getattr(ops, "global_generator", None)),
            lambda value: _write_generator(ops, value),
        )  # fmt: skip


def _eager_seed(context: Any) -> Any:
    eager = getattr(context, "_context", None)
    rng = getattr(eager, "_rng", None)
    return None if eager is None else (getattr(eager, "_seed", None), None if rng is None else rng.getstate())


def _write_seed(context: Any, value: Any) -> None:
    eager = getattr(context, "_context", None)
    if eager is None:
        return
    seed, state = value if value is not None else (None, None)
    eager._seed = seed
    if state is not None:
        eager._rng = random.Random()
        eager._rng.setstate(state)
    elif hasattr(eager, "_rng"):
        eager._rng = None


def _generator_state(generator: Any) -> bytes | None:
    return None if generator is None else bytes(generator.state.numpy().tobytes())


def _write_generator(ops: Any, value: bytes | None) -> None:
    if value is None:
        ops.global_generator = None
        return
    state = ops.global_generator.state
    state.assign(library("numpy").frombuffer(value, dtype=state.numpy().dtype).reshape(state.shape))


def _keras_randomness() -> Iterator[Part]:
    state = library("keras.src.backend.common.global_state")
    if state is None:
        return
    yield Part(
        "the seed of Keras", lambda: state.get_global_attribute("global_random_seed"),
        lambda value: state.set_global_attribute("global_random_seed", value),
    )  # fmt: skip
    yield Part(
        "the RNG of Keras", lambda: _keras_state(state), lambda value: _write_keras_state(state, value), _same_rng
    )


def _keras_state(state: Any) -> tuple[Any, bytes | None]:
    """The global generator itself, and its state."""
    generator = state.get_global_attribute("global_seed_generator")
    values = None if generator is None else library("numpy").asarray(generator.state)
    return generator, None if values is None else values.tobytes()


def _write_keras_state(state: Any, value: tuple[Any, bytes | None]) -> None:
    generator, values = value
    state.set_global_attribute("global_seed_generator", generator)
    if generator is not None and values is not None:
        now = library("numpy").asarray(generator.state)
        generator.state.assign(library("numpy").frombuffer(values, dtype=now.dtype).reshape(now.shape))


def _same_rng(one: tuple[Any, bytes | None], other: tuple[Any, bytes | None]) -> bool:
    return one[0] is other[0] and one[1] == other[1]


def _write_uids(state: Any, value: dict[str, int]) -> None:
    uids = state.get_global_attribute("object_name_uids")
    if uids is not None:
        uids.clear()
        uids.update(value)


def _write_device(torch: Any, device: Any) -> None:
    torch.set_default_device(None)  # no device at all is said as the CPU, and costs less than naming it
    if torch.get_default_device() != device:
        torch.set_default_device(device)


def _named(read: Callable[[], Any]) -> Any:
    """A setting that is a word or a number; of a policy its name."""
    value = read()
    return value if isinstance(value, str | float | int) else value.name


def _precision(torch: Any) -> Iterator[Part]:
    """The precision of float32 products: PyTorch's old way to say it, then the new one, from the whole to the part."""
    yield Part("torch's precision of float32 products", _quietly(torch.get_float32_matmul_precision), _if_known(
        torch.set_float32_matmul_precision
    ))  # fmt: skip
    read, write = (library("torch", "_C", f"_{it}_fp32_precision_{it}ter") for it in ("get", "set"))
    if read is None or write is None:
        yield Part("torch.backends.cuda.matmul.allow_tf32", *_flag(torch.backends.cuda.matmul, "allow_tf32"))
        yield Part("torch.backends.cudnn.allow_tf32", *_flag(torch.backends.cudnn, "allow_tf32"))
        return
    for backend, operations in (
        ("generic", ("all",)), ("cuda", ("all", "matmul", "conv", "rnn")), ("mkldnn", ("all", "matmul", "conv", "rnn")),
    ):  # fmt: skip
        for operation in operations:
            yield Part(
                f"torch's float32 precision ({backend}, {operation})", _reader(read, backend, operation),
                _writer(write, backend, operation),
            )  # fmt: skip


def _quietly(read: Callable[[], Any]) -> Callable[[], Any]:
    """Reads; None where PyTorch says that old and new ways to set it were mixed."""

    def quiet() -> Any:
        try:
            return read()
        except RuntimeError:
            return None

    return quiet


def _if_known(write: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda value: None if value is None else write(value)


def _autocast(torch: Any, device: str) -> Any:
    return torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)


def _write_autocast(torch: Any, device: str) -> Callable[[Any], object]:
    def write(value: Any) -> None:
        torch.set_autocast_enabled(device, value[0])
        torch.set_autocast_dtype(device, value[1])

    return write


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


def _items(target: Any) -> list[Any]:
    return list(target.items())


def _write_dict(target: Any, value: list[Any]) -> None:
    target.clear()
    target.update(value)


def _write_attribute(owner: Any, name: str) -> Callable[[Any], object]:
    return lambda value: setattr(owner, name, value)


def _flag(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    return (lambda: getattr(owner, name)), _write_attribute(owner, name)


def _reader(read: Callable[..., Any], *arguments: Any) -> Callable[[], Any]:
    return lambda: read(*arguments)


def _writer(write: Callable[..., Any], *arguments: Any) -> Callable[[Any], object]:
    return lambda value: write(*arguments, value)


def _writer_last(write: Callable[..., Any], argument: Any) -> Callable[[Any], object]:
    return lambda value: write(value, argument)


def _is(one: Any, other: Any) -> bool:
    return one is other


def _same_printing(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return repr(one) == repr(other)
