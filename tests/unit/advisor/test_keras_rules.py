"""The Keras and JAX rules at their thresholds: below each of them nothing is said."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from greennb.advisor.base import Found
from greennb.advisor.catalogue import catalogue
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.jax import Compiled, JaxSignals
from greennb.advisor.signals.keras import InputSeen, KerasCall, KerasSignals, TapeSeen
from greennb.advisor.signals.machine import MachineSignals
from greennb.advisor.signals.source import SourceSignals
from greennb.model.finding import Severity

FIT = KerasCall(model="Sequential", name="net", steps=2000, seconds=8.0, step_s=0.0035, wait_s=0.0005)
INPUT = InputSeen(kind="tf.data", name="train", mapped=True, fixed_map=True, run=True, wait_s=0.001, step_s=0.004)
MACHINE = MachineSignals(cores=2, cpus=2.0, memory_b=2**30, pools={})


def cell(*calls: KerasCall, **keras: Any) -> CellContext:
    signals = KerasSignals(version="3.15", backend="tensorflow", calls=calls, **keras)
    return CellContext(
        number=0, cell_id="a", execution_count=1, source="", duration_s=10.0, keras=signals, machine=MACHINE
    )


def jax_cell(source: SourceSignals | None = None, **jax: Any) -> CellContext:
    signals = JaxSignals(version="0.10", **jax)
    return CellContext(
        number=0, cell_id="a", execution_count=1, source="", duration_s=10.0, jax=signals, machine=MACHINE, code=source
    )


def said(code: str, context: CellContext) -> list[Found]:
    rule = catalogue().find(code)
    assert rule is not None
    found = list(rule.check(context))
    for one in found:
        assert 0 <= one.share <= 1
        compile(one.code, "<change>", "exec")
    return found


def fed(call: KerasCall = FIT, **facts: Any) -> CellContext:
    return cell(dataclasses.replace(call, input=dataclasses.replace(INPUT, **facts)))


@pytest.mark.parametrize(
    "facts",
    [
        {"wait_s": 0.0001},
        {"wait_s": None},
        {"prefetched": True},
        {"run_ahead": True},
        {"kind": "ndarray"},
        {"wait_s": 0.00395},  # nothing else in the step to hide it behind
    ],
)
def test_prefetch_is_silent_where_nothing_waits_or_nothing_is_known(facts: dict[str, Any]) -> None:
    assert said("GNB401", fed())
    assert not said("GNB401", fed(**facts))


def test_prefetch_speaks_low_from_a_twentieth_and_loud_from_a_fifth() -> None:
    assert said("GNB401", fed(wait_s=0.0004))[0].severity is Severity.NOTE
    assert said("GNB401", fed(wait_s=0.0009))[0].severity is None


def test_prefetch_of_a_loop_needs_the_account_of_tf_data() -> None:
    loop = dataclasses.replace(INPUT, batches=2000)
    assert said("GNB401", cell(loops=(loop,)))
    assert not said("GNB401", cell(loops=(dataclasses.replace(loop, run=False),)))


def test_prefetch_is_silent_where_every_core_computes() -> None:
    busy = dataclasses.replace(fed(), machine=dataclasses.replace(MACHINE, cpu_s=19.0))
    assert not said("GNB401", busy)


@pytest.mark.parametrize(
    ("facts", "epochs"),
    [
        ({}, 2),
        ({"cached": True}, 5),
        ({"fixed_map": False}, 5),
        ({"run": False}, 5),
        ({"map_s": 0.0001}, 5),
        ({"batch_b": 2**20}, 5),
        ({"batch_b": None}, 5),
    ],
)
def test_cache_is_silent_where_it_would_not_fit_or_not_help(facts: dict[str, Any], epochs: int) -> None:
    call = dataclasses.replace(FIT, epochs=epochs)
    assert said("GNB402", fed(dataclasses.replace(FIT, epochs=5), map_s=0.002, batch_b=1000))
    assert not said("GNB402", fed(call, **{"map_s": 0.002, "batch_b": 1000, **facts}))


@pytest.mark.parametrize(
    "facts",
    [
        {"host_s": 0.0003},
        {"step_s": 0.003},
        {"steps": 900},
        {"steps_per_execution": 8},
        {"eager": True},
        {"batch_callbacks": True},
        {"seconds": 0.9},
    ],
)
def test_several_steps_in_a_call_only_where_starting_them_is_the_work(facts: dict[str, Any]) -> None:
    call = dataclasses.replace(FIT, step_s=0.001, wait_s=0.00005, host_s=0.0007)
    assert said("GNB403", cell(call))
    assert not said("GNB403", cell(dataclasses.replace(call, **facts)))


def test_several_steps_in_a_call_is_no_advice_with_pytorch() -> None:
    call = dataclasses.replace(FIT, step_s=0.001, host_s=0.0007)
    context = cell(call)
    assert context.keras is not None
    assert not said("GNB403", dataclasses.replace(context, keras=dataclasses.replace(context.keras, backend="torch")))


def test_an_eager_loop_is_spoken_of_from_fifty_gradients_and_a_second() -> None:
    tape = TapeSeen(gradients=50, step_s=0.02, seconds=1.0, host_s=0.018)
    assert said("GNB405", cell(tape=tape))[0].severity is None
    assert not said("GNB405", cell(tape=dataclasses.replace(tape, gradients=49)))
    assert not said("GNB405", cell(tape=dataclasses.replace(tape, seconds=0.9)))
    assert said("GNB405", cell(tape=dataclasses.replace(tape, host_s=0.002)))[0].severity is Severity.NOTE


FALLING = tuple(1 / (1 + epoch) for epoch in range(12))


@pytest.mark.parametrize(
    ("losses", "late"),
    [
        ((*FALLING[:4], *(0.3,) * 5), 5),
        ((*FALLING[:4], *(0.3,) * 4), None),
        (FALLING, None),
        ((), None),
        ((float("nan"),) * 12, None),
        ((0.5, *(0.5 - 1e-6 * epoch for epoch in range(1, 8))), 7),  # its last digits
    ],
)
def test_early_stopping_counts_the_epochs_after_the_best(losses: tuple[float, ...], late: int | None) -> None:
    found = said("GNB406", cell(dataclasses.replace(FIT, val_loss=losses)))
    assert [one.evidence[1].value for one in found] == ([] if late is None else [late])


def test_early_stopping_is_silent_where_something_may_stop_it() -> None:
    assert not said("GNB406", cell(dataclasses.replace(FIT, val_loss=(0.1,) * 12, early_stopping=True)))


def test_run_eagerly_is_found_in_the_model_and_in_tensorflow() -> None:
    assert "net.run_eagerly" in said("GNB407", cell(dataclasses.replace(FIT, eager=True)))[0].code
    assert "tf.config" in said("GNB407", cell(FIT, functions_eagerly=True))[0].code
    assert not said("GNB407", cell(FIT))
    assert not said("GNB407", cell(dataclasses.replace(FIT, eager=True, steps=19)))


PREDICT = dataclasses.replace(FIT, method="predict", calls=40, rows=40, steps=40, seconds=4.0, steps_s=0.4)


@pytest.mark.parametrize("facts", [{"calls": 19}, {"rows": 40_000}, {"rows": None}, {"steps_s": 3.0}, {"seconds": 0.4}])
def test_predict_in_a_loop_only_for_a_few_rows_each(facts: dict[str, Any]) -> None:
    assert said("GNB408", cell(PREDICT))
    assert not said("GNB408", cell(dataclasses.replace(PREDICT, **facts)))


STEP = Compiled(name="step", times=6, seconds=3.0, own=True)


@pytest.mark.parametrize("facts", [{"times": 4}, {"seconds": 0.9}, {"own": False}])
def test_recompiling_is_spoken_of_for_the_users_own_functions(facts: dict[str, Any]) -> None:
    assert said("GNB501", jax_cell(compiled=(STEP,)))
    assert not said("GNB501", jax_cell(compiled=(dataclasses.replace(STEP, **facts),)))


def test_64_bits_are_spoken_of_where_the_cell_uses_them() -> None:
    facts = {"x64": True, "float64_b": 2**24, "float64_names": ("data",)}
    source = SourceSignals(digest="", reads=("data",))
    assert said("GNB502", jax_cell(source, **facts))
    assert not said("GNB502", jax_cell(SourceSignals(digest="", reads=("other",)), **facts))
    assert not said("GNB502", jax_cell(source, **{**facts, "float64_b": 2**20}))
    assert not said("GNB502", jax_cell(source, **{**facts, "x64": False}))


@pytest.mark.parametrize("code", [f"GNB40{n}" for n in range(1, 9)] + ["GNB501", "GNB502", "GNB503"])
def test_nothing_is_said_on_a_cell_without_these_frameworks(code: str) -> None:
    assert not said(code, CellContext(number=0, cell_id=None, execution_count=None, source="", duration_s=9.0))
