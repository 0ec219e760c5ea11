"""Trials of loops over a gradient tape and of predict in a loop; the sources that Keras' variants make."""

from __future__ import annotations

import ast
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from greennb.advisor.signals.keras import InputSeen, KerasCall
from greennb.advisor.trial import keras as kit
from greennb.advisor.trial.base import RefusedError, Scene
from greennb.advisor.trial.keras.loops import counted, opens_tape
from greennb.advisor.trial.keras.seen import KerasVariant
from tests.unit.advisor.keras_scenes import COMPILE, DATA, MODEL, closing, fitted, scene, unchanged

NOTEBOOK = DATA + MODEL + "optimizer = keras.optimizers.Adam()\nloss_fn = keras.losses.MeanSquaredError()\n"
PIPELINE = "train_ds = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)\n"
LOOP = """for epoch in range(2):
    for xb, yb in train_ds:
        with tf.GradientTape() as tape:
            loss = loss_fn(yb, model(xb, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        losses.append(float(loss))
"""
STEP = """def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss
"""
CALLS = "for xb, yb in train_ds:\n    loss = train_step(xb, yb)\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory in which nobody else writes: the fingerprint looks at its files."""
    monkeypatch.chdir(tmp_path)


def variant(code: str) -> KerasVariant:
    return next(it for it in kit.VARIANTS if code in it.codes)


def changed(code: str, it: Scene) -> str:
    return variant(code).change(it)


def test_a_loops_own_step_becomes_a_function_and_what_is_not_the_step_stays() -> None:
    it = scene(NOTEBOOK + PIPELINE + "losses = []\n", LOOP, tape=True)
    expected = """@tf.function
def train_step(xb, yb):
    with tf.GradientTape() as tape:
        loss = loss_fn(yb, model(xb, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for epoch in range(2):
    for xb, yb in train_ds:
        loss = train_step(xb, yb)
        losses.append(float(loss))
"""
    assert changed("GNB405", it) == expected


def test_a_steps_function_is_decorated_here_and_wrapped_where_it_is_of_another_cell() -> None:
    here = scene(NOTEBOOK + PIPELINE, STEP + CALLS, tape=True)
    assert changed("GNB405", here) == "@tf.function\n" + STEP + CALLS
    there = scene(NOTEBOOK + PIPELINE + STEP, CALLS, tape=True)
    assert changed("GNB405", there) == "train_step = tf.function(train_step)\n" + CALLS
    done = scene(NOTEBOOK + PIPELINE + "@tf.function\n" + STEP, CALLS, tape=True)
    with pytest.raises(RefusedError, match="traced already"):
        changed("GNB405", done)


def test_a_step_that_takes_a_number_of_pythons_is_refused_for_it_would_be_traced_for_each() -> None:
    code = LOOP.replace("for xb, yb in train_ds", "for n, (xb, yb) in enumerate(train_ds)").replace(
        "training=True))", "training=True)) * n"
    )
    it = scene(NOTEBOOK + PIPELINE + "losses = []\nn = 3\n", code, tape=True)
    with pytest.raises(RefusedError, match=r"tf\.constant"):
        changed("GNB405", it)


@pytest.mark.parametrize(("setup", "code"), [("losses = []\n", LOOP), (STEP, CALLS)], ids=["own step", "function"])
def test_turns_of_a_tape_loop_are_steps_on_copies_and_what_is_learned_is_compared(setup: str, code: str) -> None:
    it = scene(NOTEBOOK + PIPELINE + setup, code, tape=True)
    with unchanged(it), closing(kit.pair(it, variant("GNB405"))) as pair:
        assert (pair.unit, pair.units) == ("step", 400.0)
        for way in (pair.baseline, pair.candidate):
            assert way.run(5, nullcontext) == 5.0
            assert way.run(20, nullcontext) == 20.0  # on beyond the end of the loop
        quality = pair.guard()
        assert quality.good, quality.words


def test_a_function_that_was_traced_for_the_users_model_is_traced_anew_for_the_copy() -> None:
    setup = NOTEBOOK + PIPELINE + "@tf.function\n" + STEP + "for xb, yb in train_ds:\n    train_step(xb, yb)\n"
    loop = InputSeen(kind="tf.data", name="train_ds", whole=True, batches=8)
    it = scene(setup, CALLS, loop=loop)
    before = [value.numpy() for value in (*it.namespace["model"].variables, *it.namespace["optimizer"].variables)]
    with unchanged(it), closing(kit.pair(it, variant("GNB401"))) as pair:
        assert pair.candidate.run(12, nullcontext) == 12.0
        assert pair.guard().good
    after = (*it.namespace["model"].variables, *it.namespace["optimizer"].variables)
    assert all((old == new.numpy()).all() for old, new in zip(before, after, strict=True))


PREDICTED = KerasCall(model="Sequential", name="model", method="predict", calls=60, seconds=3.0)


@pytest.mark.parametrize(
    "code",
    [
        "scores = [model.predict(x[i : i + 1], verbose=0)[0, 0] for i in range(60)]\n",
        "scores = []\nfor row in x:\n    scores.append(model.predict(row[None], verbose=0)[0, 0])\n",
    ],
    ids=["comprehension", "loop"],
)
def test_predict_in_a_loop_becomes_a_call_of_the_model_with_the_same_numbers(code: str) -> None:
    it = scene(NOTEBOOK, code, call=PREDICTED)
    assert ".predict" not in changed("GNB408", it)
    with unchanged(it), closing(kit.pair(it, variant("GNB408"))) as pair:
        assert pair.units == 60.0
        assert pair.baseline.run(3, nullcontext) == pair.candidate.run(3, nullcontext) == 3.0
        assert pair.guard().good


def test_the_call_that_counts_stands_in_the_innermost_loops_that_do_the_work_and_nowhere_else() -> None:
    works = opens_tape({})
    whole = f"for n in range(3):\n    x = [i for i in range(9)]\n{STEP}{LOOP}while True:\n    train_step(1, 2)\n"
    told = counted(whole, works)
    assert told.count("__greennb_turn__()") == 2
    assert ast.parse(told)
    inside = (
        "def train():\n" + "".join(f"    {line}\n" for line in LOOP.splitlines()) + "for _ in range(3):\n    train()\n"
    )
    assert counted(inside, works).count("__greennb_turn__()") == 1
    skipping = "for xb in ds:\n    if xb is None:\n        continue\n    train_step(xb, 1)\n" + STEP
    assert counted(skipping, works).count("__greennb_turn__()") == 2
    with pytest.raises(RefusedError, match="function of another one"):
        counted("train()\n", works)


SETTINGS = {
    "in compile": (
        'model.compile("adam", loss="mse")\nmodel.fit(x, y)\n',
        'model.compile("adam", loss="mse", steps_per_execution=16)\nmodel.fit(x, y)\n',
    ),
    "in a compile of several lines": (
        'model.compile(\n    "adam",\n    loss="mse",\n)\nmodel.fit(x, y)\n',
        'model.compile(\n    "adam",\n    loss="mse",\n    steps_per_execution=16,\n)\nmodel.fit(x, y)\n',
    ),
    "in place of another value": (
        'model.compile("adam", "mse", steps_per_execution=1)\nmodel.fit(x, y)\n',
        'model.compile("adam", "mse", steps_per_execution=16)\nmodel.fit(x, y)\n',
    ),
    "on the model": (
        "z = 1\nhistory = model.fit(x, y)  # ö\n",
        (
            "z = 1\nmodel.steps_per_execution = 16\nmodel.make_train_function(force=True)  # traced anew\n"
            "history = model.fit(x, y)  # ö\n"
        ),
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_of_compile_is_changed_where_it_stands_else_on_the_model(name: str) -> None:
    code, expected = SETTINGS[name]
    assert changed("GNB403", scene(NOTEBOOK + COMPILE, code, call=fitted())) == expected


def test_a_cache_goes_behind_the_first_map_and_never_behind_what_is_random() -> None:
    seen = InputSeen(kind="tf.data", name="train_ds", whole=True, mapped=True, shuffled=True)
    made = (
        "train_ds = (\n    tf.data.Dataset.range(9)\n    .map(abs)\n    .shuffle(9)\n    .map(abs)\n    .batch(3)\n)\n"
    )
    it = scene(NOTEBOOK, made + "model.fit(train_ds)\n", call=fitted(input=seen))
    assert changed("GNB402", it) == made.replace(".map(abs)", ".map(abs).cache()", 1) + "model.fit(train_ds)\n"
    elsewhere = scene(NOTEBOOK + PIPELINE, "model.fit(train_ds)\n", call=fitted(input=seen))
    with pytest.raises(RefusedError, match="before anything random"):
        changed("GNB402", elsewhere)


NO_SENSE = {
    "GNB401": (fitted(input=InputSeen(kind="tf.data", name="x", whole=True, prefetched=True)), "already"),
    "GNB402": (fitted(input=InputSeen(kind="ndarray", name="x", whole=True)), "No tf.data pipeline"),
    "GNB403": (fitted(steps_per_execution=8), "8 steps in a call already"),
    "GNB404": (fitted(policy="mixed_float16"), "mixed_float16 already"),
    "GNB405": (fitted(), "No gradient tape"),
    "GNB407": (fitted(), "does not run eagerly"),
    "GNB408": (fitted(), "No loop in this cell calls predict"),
}


@pytest.mark.parametrize("code", NO_SENSE)
def test_what_makes_no_sense_is_refused_in_words(code: str) -> None:
    call, words = NO_SENSE[code]
    with pytest.raises(RefusedError, match=words):
        changed(code, scene(NOTEBOOK + COMPILE, "model.fit(x, y)\n", call=call))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_is_refused_and_named(backend: str) -> None:
    it = scene(NOTEBOOK + COMPILE, "model.fit(x, y)\n", call=fitted())
    keras = sys.modules["keras"]
    was = keras.backend.backend
    keras.backend.backend = lambda: backend  # as Keras itself would say it; another process would be a minute
    try:
        with pytest.raises(RefusedError, match=f"runs on {backend}"):
            kit.pair(it, variant("GNB403"))
    finally:
        keras.backend.backend = was


def test_as_many_turns_are_compared_where_the_first_ones_of_one_way_took_long() -> None:
    """A cold predict on a busy machine: preparing it stops after two turns and not five."""
    slow = """
import time

class Slow(keras.Model):
    def __init__(self):
        super().__init__()
        self.layer = keras.layers.Dense(1)
        self.asked = 0
    def call(self, x):
        return self.layer(x)
    def predict(self, x, **more):
        self.asked += 1
        time.sleep(1.1 if self.asked == 2 else 0)
        return super().predict(x, **more)

model = Slow()
model(x[:1])
"""
    code = "scores = [model.predict(x[i : i + 1], verbose=0)[0, 0] for i in range(60)]\n"
    it = scene(DATA + slow, code, call=PREDICTED)
    with closing(kit.pair(it, variant("GNB408"))) as pair:
        quality = pair.guard()
    assert quality.good, quality.words
