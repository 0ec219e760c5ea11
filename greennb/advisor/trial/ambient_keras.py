"""Settings and random numbers of Keras 3 and TensorFlow, as parts of what surrounds a cell."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from greennb.advisor.trial.ambient_part import Part, reader
from greennb.advisor.trial.reach import library


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
                yield Part(f"{words} of Keras", reader(_named, read), write)
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


def tensorflow_randomness() -> Iterator[Part]:
    """Of eager ops, and of the global generator."""
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
    eager = context.context()  # made with the first thing that asks for it: rather now than between two looks
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
    # TensorFlow keeps a kernel for each seed, with how far it is: those of the trial would go on, but for this.
    clear = getattr(eager, "clear_kernel_cache", None)
    if clear is not None:
        clear()


def _generator_state(generator: Any) -> bytes | None:
    return None if generator is None else bytes(generator.state.numpy().tobytes())


def _write_generator(ops: Any, value: bytes | None) -> None:
    if value is None:
        ops.global_generator = None
        return
    state = ops.global_generator.state
    state.assign(library("numpy").frombuffer(value, dtype=state.numpy().dtype).reshape(state.shape))


def keras_randomness() -> Iterator[Part]:
    """Of Keras: the seed, and the generator made of it."""
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


def _named(read: Callable[[], Any]) -> Any:
    """A setting that is a word or a number; of a policy its name."""
    value = read()
    return value if isinstance(value, str | float | int) else value.name
