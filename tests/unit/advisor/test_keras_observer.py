"""The Keras observer takes back what it registers, keeps little, and lets nothing of its own reach the user."""

from __future__ import annotations

import inspect
import sys
import traceback
import types
from array import array
from collections.abc import Iterator
from typing import Any

import pytest

from greennb.advisor.names import Names
from greennb.advisor.observe.keras import observer as observed
from greennb.advisor.observe.keras.loops import Loops, Tapes, Traces
from greennb.advisor.observe.keras.observer import KerasObserver
from greennb.advisor.observe.keras.rings import KEPT, Ring, Steps
from greennb.advisor.observe.keras.wrap import Wraps, before

NOBODY = Names({})


class Model:
    """As much of Keras as can be had without its import."""

    def fit(self, x: Any = None, *, epochs: int = 1) -> str:
        """Train."""
        callbacks = CallbackList()
        callbacks.on_train_begin()
        for epoch in range(epochs):
            callbacks.on_epoch_begin(epoch)
            for step in range(20):
                callbacks.on_train_batch_begin(step)
                callbacks.on_train_batch_end(step)
        callbacks.on_train_end()
        if x == "bad":
            raise ValueError("the user's")
        return "done"

    def evaluate(self, x: Any = None) -> float:
        return 0.5

    def predict(self, x: Any = None) -> Any:
        return x

    def _flatten_layers(self) -> list[Any]:
        return [self]

    weights = ()
    dtype_policy = types.SimpleNamespace(name="float32")


class CallbackList:
    callbacks = ()
    params: dict[str, int] = {"epochs": 1}  # noqa: RUF012


def _nothing(self: Any, *args: Any) -> None:
    pass


for _step in ("train", "test", "predict"):
    for _name in (f"on_{_step}_begin", f"on_{_step}_end", f"on_{_step}_batch_begin", f"on_{_step}_batch_end"):
        setattr(CallbackList, _name, _nothing)
CallbackList.on_epoch_begin = _nothing  # type: ignore[attr-defined]


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    fake = types.SimpleNamespace(
        __version__="3.99",
        Model=Model,
        callbacks=types.SimpleNamespace(CallbackList=CallbackList),
        backend=types.SimpleNamespace(backend=lambda: "tensorflow"),
    )
    monkeypatch.setitem(sys.modules, "keras", fake)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, "tensorflow", types.SimpleNamespace())  # type: ignore[arg-type]
    return fake


@pytest.fixture
def failures() -> list[BaseException]:
    return []


@pytest.fixture
def observer(keras: Any, failures: list[BaseException]) -> Iterator[KerasObserver]:
    it = KerasObserver()
    it.install(failures.append)
    it.begin()
    yield it
    it.remove()


def test_every_method_is_given_back(keras: Any, failures: list[BaseException]) -> None:
    before_it = {**vars(Model)}, {**vars(CallbackList)}
    it = KerasObserver()
    it.install(failures.append)
    it.install(failures.append)  # its other module has arrived
    assert vars(Model)["fit"] is not before_it[0]["fit"]
    it.remove()
    it.remove()
    assert ({**vars(Model)}, {**vars(CallbackList)}) == before_it


def test_a_method_that_somebody_wrapped_over_ours_stays_theirs_and_ours_is_inert(keras: Any) -> None:
    original, it = Model.fit, KerasObserver()
    it.install(lambda error: None)
    theirs = lambda self, x=None, **more: ours(self, x, **more)  # noqa: E731
    ours, Model.fit = Model.fit, theirs  # type: ignore[method-assign]
    try:
        it.remove()
        assert Model.fit is theirs
        assert Model().fit() == "done"
        assert it.end(NOBODY) is None
    finally:
        Model.fit = original  # type: ignore[method-assign]


def test_a_call_is_seen_with_its_steps_and_the_users_name(observer: KerasObserver, failures: Any) -> None:
    net = Model()
    assert [net.fit(epochs=2), net.predict([1])] == ["done", [1]]
    seen = observer.end(Names({"net": net}))
    assert seen is not None
    assert not failures
    assert {(call.name, call.method, call.steps, call.epochs) for call in seen.calls} == {
        ("net", "fit", 40, 2), ("net", "predict", 0, 0),
    }  # fmt: skip
    assert observer.end(NOBODY) is None


def test_an_error_has_the_traceback_that_it_has_without_us(observer: KerasObserver, failures: Any) -> None:
    def frames(call: Any) -> list[str]:
        with pytest.raises((ValueError, TypeError)) as caught:
            call()
        return [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][1:]

    watched = [frames(lambda: Model().fit("bad")), frames(lambda: Model().fit(what=1))]  # type: ignore[call-arg]
    observer.remove()
    assert watched == [frames(lambda: Model().fit("bad")), frames(lambda: Model().fit(what=1))]  # type: ignore[call-arg]
    assert watched == [["<lambda>", "fit"], ["<lambda>"]]


def test_signature_and_documentation_stay(observer: KerasObserver) -> None:
    assert list(inspect.signature(Model.fit).parameters) == ["self", "x", "epochs"]
    assert Model.fit.__doc__ == "Train."


@pytest.mark.parametrize("where", ["entry", "Running.looks"])
def test_a_failure_of_ours_reaches_nobody_but_is_told(
    observer: KerasObserver, failures: list[BaseException], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fails(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr(observed if where == "entry" else observed.Running, where.removeprefix("Running."), fails)
    assert Model().fit() == "done"
    assert [str(error) for error in failures] == ["ours"]


def test_models_whose_layers_can_not_be_asked_cost_the_observer_only(observer: KerasObserver, failures: Any) -> None:
    class Broken(Model):
        def _flatten_layers(self) -> list[Any]:
            raise KeyError("mine")

    assert Broken().fit() == "done"
    assert [type(error) for error in failures] == [KeyError]


def test_many_models_are_bounded_and_their_number_is_told(observer: KerasObserver) -> None:
    models = [Model() for _ in range(observed.MOST_MODELS + 7)]
    for model in models:
        model.predict()
    seen = observer.end(NOBODY)
    assert seen is not None
    assert (len(seen.calls), seen.dropped) == (observed.MOST_MODELS, 7)


@pytest.mark.parametrize("facts", [{"__version__": "2.15.0"}, {"callbacks": None}, {"Model": None}])
def test_keras_2_or_one_that_is_half_imported_is_left_alone(keras: Any, facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        setattr(keras, name, value)
    original, it = vars(Model)["fit"], KerasObserver()
    it.install(lambda error: None)
    assert vars(Model)["fit"] is original


def test_a_ring_keeps_the_latest_however_many_there_are() -> None:
    ring = Ring()
    for number in range(3 * KEPT + 5):
        ring.add(number)
    assert ring.count == 3 * KEPT + 5
    assert ring.latest_mean(3) == 3 * KEPT + 3
    assert ring.median() == pytest.approx(2.5 * KEPT + 4.5)
    assert len(ring._values) == KEPT


def test_a_million_steps_take_a_few_kilobytes() -> None:
    steps = Steps()
    for _ in range(200_000):
        steps.begin()
        steps.end()
    kept = [value for ring in (steps.steps, steps.gaps, steps.intervals, steps.host) for value in [ring._values]]
    assert all(isinstance(it, array) and len(it) == KEPT for it in kept)
    assert sum(it.itemsize * len(it) for it in kept) <= 40_000


def test_the_first_step_and_what_lies_between_epochs_are_no_steps_time() -> None:
    steps = Steps()
    for _ in range(3):
        steps.begin()
        steps.end()
    assert (steps.count, steps.steps.count, steps.intervals.count, steps.in_row) == (3, 2, 1, 1)
    steps.pause()
    steps.begin()
    steps.end()
    assert (steps.intervals.count, steps.in_row) == (1, 0)


def test_short_loops_are_nobodys_business() -> None:
    class Iterator_:  # noqa: N801
        def __init__(self, dataset: Any) -> None:
            self._dataset = dataset

    class Dataset:
        pass

    loops, data = Loops(), Dataset()
    for _ in range(9):
        loops.took(Iterator_(data), 0.0, 0.1)
    assert loops.signals(NOBODY) == ()


def test_tapes_are_counted() -> None:
    tapes = Tapes()
    assert tapes.signal() is None
    for _ in range(12):
        tapes.gradient()
    seen = tapes.signal()
    assert seen is not None
    assert seen.gradients == 12
    assert 0 < seen.step_s < seen.seconds


def test_traces_are_those_since_the_last_look() -> None:
    kind = type(
        "Function", (), {"__module__": "x.polymorphic_function", "experimental_get_tracing_count": lambda it: it.n}
    )
    function = kind()
    traces, names = Traces(), Names({"step": function})
    function.n = 1
    assert traces.since(names) == (0, "")
    function.n = 4
    assert traces.since(names) == (3, "step")
    assert traces.since(names) == (0, "")


def test_an_inherited_method_is_not_wrapped_where_it_is_not_defined() -> None:
    class Child(Model):
        pass

    wraps = Wraps()
    wraps.wrap(Child, "fit", before(lambda it: None))
    assert "fit" not in vars(Child)
