"""The JAX observer hears what is compiled, names it as the notebook does, and stops listening."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from greennb.advisor.names import Names
from greennb.advisor.observe.jax import COMPILED, LOWERED, MOST_FUNCTIONS, TRACED, JaxObserver


class Monitoring:
    def __init__(self) -> None:
        self.listeners: list[Callable[..., None]] = []

    def register_event_duration_secs_listener(self, listener: Callable[..., None]) -> None:
        self.listeners.append(listener)

    def unregister_event_duration_listener(self, listener: Callable[..., None]) -> None:
        assert listener in self.listeners
        self.listeners.remove(listener)


@pytest.fixture
def monitoring(monkeypatch: pytest.MonkeyPatch) -> Monitoring:
    it = Monitoring()
    config = types.SimpleNamespace(jax_enable_x64=False, jax_platforms=None)
    fake: Any = types.SimpleNamespace(__version__="9", monitoring=it, config=config, default_backend=lambda: "cpu")
    bridge: Any = types.SimpleNamespace(backends_are_initialized=lambda: True)
    monkeypatch.setitem(sys.modules, "jax", fake)
    monkeypatch.setitem(sys.modules, "jax._src.xla_bridge", bridge)
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    return it


def fails(error: BaseException) -> None:
    raise AssertionError(error)


def step() -> None:
    """A function of the user's."""


def test_what_is_compiled_is_counted_by_name_with_its_tracing(monitoring: Monitoring) -> None:
    observer = JaxObserver()
    observer.install(fails)
    observer.install(fails)
    (heard,) = monitoring.listeners
    observer.begin()
    for _ in range(3):
        heard(TRACED, 0.1, fun_name="step")
        heard(LOWERED, 0.2, fun_name="jit(step)")
        heard(COMPILED, 0.7, fun_name="jit(step)")
        heard("/jax/other", 9.0)
    heard(COMPILED, 0.5)
    seen = observer.end(Names({"step": step}))
    assert seen is not None
    assert [(it.name, it.times, round(it.seconds, 6), it.own) for it in seen.compiled] == [
        ("step", 3, 3.0, True), ("", 1, 0.5, False),
    ]  # fmt: skip
    assert (seen.compiles, round(seen.compile_s, 6), seen.platform, seen.asked) == (4, 3.5, "cpu", "")
    assert observer.end(Names({})) is None
    observer.remove()
    observer.remove()
    assert monitoring.listeners == []


def test_listeners_that_the_user_has_cleared_are_no_failure(monitoring: Monitoring) -> None:
    observer = JaxObserver()
    observer.install(fails)
    monitoring.listeners.clear()
    observer.remove()


def test_a_version_where_listening_can_not_be_given_up_is_not_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    old: Any = types.SimpleNamespace(monitoring=types.SimpleNamespace(register_event_duration_secs_listener=fails))
    monkeypatch.setitem(sys.modules, "jax", old)
    JaxObserver().install(fails)


def test_names_are_bounded(monitoring: Monitoring) -> None:
    observer = JaxObserver()
    observer.install(fails)
    for number in range(2 * MOST_FUNCTIONS):
        monitoring.listeners[0](COMPILED, 0.001, fun_name=f"f{number}")
    assert len(observer._counts) == MOST_FUNCTIONS + 1
    seen = observer.end(Names({}))
    assert seen is not None
    assert seen.compiles == 2 * MOST_FUNCTIONS
    assert len(seen.compiled) == 50


def test_a_failure_within_jax_goes_to_the_watch_only(monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[BaseException] = []
    observer = JaxObserver()
    observer.install(told.append)
    monitoring.listeners[0](COMPILED, "no number", fun_name="f")
    assert [type(error) for error in told] == [TypeError]
