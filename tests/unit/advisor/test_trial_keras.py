"""Trials of ``fit``: steps on copies of the model, compiled once, everything of the user's as before."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from greennb.advisor.signals.keras import InputSeen
from greennb.advisor.trial import keras as kit
from greennb.advisor.trial.base import Kind, RefusedError, Scene, Stop, Stopped
from greennb.advisor.trial.keras.seen import KerasVariant
from tests.unit.advisor.keras_scenes import COMPILE, DATA, MODEL, closing, fitted, scene, unchanged

NOTEBOOK = DATA + MODEL + COMPILE
FIT = "history = model.fit(x, y, batch_size=32, epochs=2, verbose=0)\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory in which nobody else writes: the fingerprint looks at its files."""
    monkeypatch.chdir(tmp_path)


def variant(code: str) -> KerasVariant:
    return next(it for it in kit.VARIANTS if code in it.codes)


class Windows:
    """Windows that count how often one was opened."""

    def __init__(self) -> None:
        self.opened = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        self.opened += 1
        yield


def test_steps_are_taken_on_copies_by_one_compiled_function_and_nothing_of_the_users_changes() -> None:
    it = scene(NOTEBOOK, FIT, call=fitted())
    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:
        windows = Windows()
        assert (pair.unit, pair.units) == ("step", 3000.0)
        functions = [way.call.model.train_function for way in (pair.baseline, pair.candidate)]
        assert pair.baseline.run(5, windows) == 5 * 32
        assert pair.candidate.run(5, windows) == 16 * 32  # a call is sixteen steps
        assert pair.baseline.run(7, windows) == 7 * 32
        assert windows.opened == 3
        assert functions == [way.call.model.train_function for way in (pair.baseline, pair.candidate)]
        quality = pair.guard()
        assert quality.good
        assert "20 steps" in quality.words


def test_a_model_that_was_trained_goes_on_from_where_it_is_and_the_users_optimizer_stays() -> None:
    it = scene(NOTEBOOK + FIT, FIT, call=fitted())
    model = it.namespace["model"]
    before = [value.numpy() for value in model.optimizer.variables]
    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:
        pair.baseline.run(4, nullcontext)
        copied = pair.baseline.call.model
        assert copied.optimizer.iterations.numpy() > model.optimizer.iterations.numpy() > 0
        assert not {id(value) for value in copied.variables} & {id(value) for value in model.variables}
    assert all((old == new.numpy()).all() for old, new in zip(before, model.optimizer.variables, strict=True))


def test_the_same_code_twice_has_the_very_same_losses() -> None:
    it = scene(NOTEBOOK, FIT, call=fitted())
    with closing(kit.pair(it, variant("GNB403"))) as pair:
        assert pair.baseline.losses(5, 0) == pair.baseline.losses(5, 0)
        assert pair.baseline.losses(5, 0) != pair.baseline.losses(5, 1)


def test_run_eagerly_off_learns_the_same() -> None:
    it = scene(DATA + MODEL + 'model.compile("adam", "mse", run_eagerly=True)\n', FIT, call=fitted(eager=True))
    with unchanged(it), closing(kit.pair(it, variant("GNB407"))) as pair:
        assert pair.baseline.call.model.run_eagerly
        assert not pair.candidate.call.model.run_eagerly
        pair.candidate.run(3, nullcontext)
        assert pair.guard().good


def test_mixed_precision_of_a_model_that_the_cell_builds_is_the_policy_and_is_put_back() -> None:
    code = MODEL + COMPILE + FIT
    it = scene(DATA, code, call=fitted())
    it.namespace["model"] = None
    with unchanged(it), closing(kit.pair(it, variant("GNB404"))) as pair:
        layers = pair.candidate.call.model.layers
        assert {layer.compute_dtype for layer in layers} == {"bfloat16"}
        assert pair.baseline.call.model.layers[0].compute_dtype == "float32"
        assert pair.guard().good is not None


def test_mixed_precision_of_a_model_that_is_there_goes_layer_by_layer() -> None:
    it = scene(NOTEBOOK + FIT, FIT, call=fitted())
    with unchanged(it), closing(kit.pair(it, variant("GNB404"))) as pair:
        layers = pair.candidate.call.model.layers
        assert [layer.compute_dtype for layer in layers] == ["bfloat16"] * (len(layers) - 1) + ["float32"]
        assert pair.guard().good is not None


PIPELINE = "train_ds = tf.data.Dataset.from_tensor_slices((x, y)).map(lambda a, b: (a * 2, b)).batch(32)\n"
FED = "model.fit(train_ds, epochs=3, verbose=0)\n"


def test_prefetch_and_cache_are_tried_on_a_pipeline_of_their_own() -> None:
    seen = InputSeen(kind="tf.data", name="train_ds", whole=True, mapped=True, batched=True)
    it = scene(NOTEBOOK + PIPELINE, FED, call=fitted(input=seen))
    for code in ("GNB401", "GNB402"):
        with unchanged(it), closing(kit.pair(it, variant(code))) as pair:
            assert pair.baseline.run(10, nullcontext) == 10.0  # how many rows its batches have is not known before
            assert pair.candidate.run(10, nullcontext) == 10.0  # on beyond the end of the data
            assert pair.guard().good


def test_what_is_left_out_of_the_steps_is_said() -> None:
    code = (
        "stop = keras.callbacks.EarlyStopping(patience=3)\n"
        "model.fit(x, y, validation_split=0.25, callbacks=[stop], epochs=2)\n"
    )
    it = scene(NOTEBOOK, code, call=fitted())
    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:
        expected = "what happens between epochs, callbacks (EarlyStopping), validation and the progress bar"
        assert pair.notes == (f"Only the steps of fit are compared, without {expected}.",)
        assert pair.baseline.run(6, nullcontext) == 6 * 32  # 192 rows are 6 batches


def test_a_loss_that_is_no_number_already_is_no_fault_of_the_change() -> None:
    it = scene(DATA + "y = y * np.nan\n" + MODEL + COMPILE, FIT, call=fitted())
    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:
        quality = pair.guard()
        assert quality.good is None
        assert "as it is is no number" in quality.words


def test_a_change_whose_loss_is_no_number_fails() -> None:
    """Numbers of this size are none any more once two of them were multiplied in float16."""
    setup = DATA + 'x = x * 1e4\ny = y * 1e4\nkeras.mixed_precision.set_global_policy("float32")\n'
    code = (
        "class Overflowing(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        wide = keras.ops.cast(x, 'float16' if self.compute_dtype == 'bfloat16' else 'float32')\n"
        "        return keras.ops.cast(wide * wide, 'float32') * 1e-8\n"
        "model = keras.Sequential([keras.Input((8,)), Overflowing(), keras.layers.Dense(1)])\n"
        'model.compile("sgd", "mae")\n'
    )
    it = scene(setup, code + FIT, call=fitted())
    it.namespace["model"] = None
    with unchanged(it), closing(kit.pair(it, variant("GNB404"))) as pair:
        quality = pair.guard()
        assert quality.good is False
        assert "no number any more" in quality.words


def test_a_fit_of_another_model_before_it_is_cut_short() -> None:
    setup = NOTEBOOK + MODEL.replace("model =", "other =") + 'other.compile("sgd", "mse")\n'
    it = scene(setup, "other.fit(x, y, epochs=10**6, verbose=0)\n" + FIT, call=fitted())
    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:
        assert type(pair.baseline.call.model.optimizer).__name__ == "Adam"


def test_a_model_that_was_never_built_and_has_classes_of_the_notebooks_is_tried() -> None:
    setup = DATA + (
        "class Own(keras.Model):\n"
        "    def __init__(self, width):\n"
        "        super().__init__()\n"
        "        self.inner = [keras.layers.Dense(width), keras.layers.Dense(1)]\n"
        "    def call(self, x):\n"
        "        return self.inner[1](self.inner[0](x)) * scale\n"
        "def own_loss(a, b):\n"
        "    return keras.ops.mean((a - b) ** 2)\n"
        "scale = 0.5\n"
        "model = Own(4)\n"
        "model.compile(keras.optimizers.SGD(0.01, momentum=0.9), own_loss)\n"
    )
    it = scene(setup, FIT, call=fitted(model="Own"))
    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:
        pair.candidate.run(3, nullcontext)
        assert pair.guard().good
    assert not it.namespace["model"].built


REFUSED = {
    "a generator": ("model.fit(((x[i:i+8], y[i:i+8]) for i in range(9)), verbose=0)\n", "generator"),
    "no fit": ("z = x + 1\nmodel\n", "came to its end without a call of model.fit"),
    "an error": ("raise ValueError('the user\\'s')\nmodel.fit(x, y)\n", "the user's"),
    "wrong data": ("model.fit(x[:, :3], y, verbose=0)\n", "fit raised"),
    "a file": ("open('/tmp/greennb-never', 'w')\nmodel.fit(x, y)\n", "writes a file"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_tried_is_refused_in_words_and_nothing_has_changed(name: str) -> None:
    code, words = REFUSED[name]
    it = scene(NOTEBOOK, code, call=fitted())
    with unchanged(it), pytest.raises(RefusedError, match=words):
        kit.pair(it, variant("GNB403"))


def test_a_change_that_cannot_be_traced_is_refused_with_what_was_raised() -> None:
    setup = DATA + (
        "class Own(keras.Model):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.inner = keras.layers.Dense(1)\n"
        "    def call(self, x):\n"
        "        return self.inner(x) * float(x.numpy().mean())\n"
        "model = Own()\n"
        "model.compile('sgd', 'mse', run_eagerly=True)\n"
    )
    it = scene(setup, FIT, call=fitted(model="Own", eager=True))
    with unchanged(it), pytest.raises(RefusedError, match=r"with the change, fit raised .*numpy"):
        kit.pair(it, variant("GNB407"))


def test_a_trial_that_is_stopped_ends_at_the_next_step() -> None:
    stop = Stop()
    it = scene(NOTEBOOK, FIT, call=fitted(), stop=stop)
    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:

        @contextmanager
        def stopped() -> Iterator[None]:
            stop.set()
            yield

        with pytest.raises(Stopped):
            pair.baseline.run(10**9, stopped)


def test_an_interrupt_in_the_middle_leaves_nothing_behind() -> None:
    it = scene(NOTEBOOK + FIT, FIT, call=fitted())

    @contextmanager
    def interrupted() -> Iterator[None]:
        signal.raise_signal(signal.SIGINT)
        yield

    with unchanged(it), closing(kit.pair(it, variant("GNB403"))) as pair:
        with pytest.raises((KeyboardInterrupt, Stopped)):
            pair.candidate.run(100, interrupted)
        fit = owner_of_fit()
    assert "taken_over" not in fit.__qualname__


def owner_of_fit() -> Any:
    keras = sys.modules["keras"]
    return next(vars(it)["fit"] for it in keras.Model.__mro__ if "fit" in vars(it))


def test_fit_is_given_back_also_after_a_refusal() -> None:
    before: Any = None
    it = scene(NOTEBOOK, "model\n", call=fitted())
    before = owner_of_fit()
    with pytest.raises(RefusedError):
        kit.pair(it, variant("GNB403"))
    assert owner_of_fit() is before


def test_a_way_that_was_closed_says_so_and_closes_again() -> None:
    it: Scene = scene(NOTEBOOK, FIT, call=fitted())
    pair = kit.pair(it, variant("GNB403"))
    for way in (pair.baseline, pair.candidate):
        way.close()
        way.close()
        with pytest.raises(RefusedError):
            way.run(1, nullcontext)


def test_early_stopping_is_not_among_what_can_be_tried() -> None:
    assert all("GNB406" not in it.codes for it in kit.VARIANTS)
    assert {it.kind for it in kit.VARIANTS} <= {Kind.SAME, Kind.NUMERIC}
