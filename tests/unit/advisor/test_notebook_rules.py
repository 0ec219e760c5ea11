"""Rules of the notebook and the machine at their thresholds; where they fire for real is in ``tests/advisor``."""

from __future__ import annotations

import ast
import dataclasses
from typing import Any

import pytest

from greennb.advisor.base import Found
from greennb.advisor.catalogue import catalogue
from greennb.advisor.names import Names
from greennb.advisor.observe.source.signals import source_signals
from greennb.advisor.rules.notebook import _shared
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.machine import ArraySeen, GpuSeen, MachineSignals
from greennb.advisor.signals.sklearn import DataSeen, EstimatorCall, SklearnSignals
from greennb.advisor.signals.source import SourceFact
from greennb.advisor.signals.torch import CudaSeen, TorchSignals
from greennb.model.lines import LineEnergy, Lines
from tests.rig.measurements import measurement

GIB = 2**30
BOARD = GpuSeen(
    domain="gpu:1", label="GPU 0", util=0.97, held_b=9 * GIB, power_w=292.0, limit_w=300.0, max_limit_w=300.0,
    temp_c=70.0, clock_mhz=1380.0, max_clock_mhz=1410.0, capability=(8, 0), samples=1200, idle_w=60.0,
)  # fmt: skip


def machine(**given: Any) -> MachineSignals:
    return MachineSignals(**{"cores": 4, "cpus": 4.0, "pools": {}, **given})


def cell(source: str = "x = 1", *, past: tuple[CellContext, ...] = (), number: int = 9, **given: Any) -> CellContext:
    code = source_signals(source, Names({}), earlier=[it.source for it in past])
    whole = {"cell_id": None, "execution_count": number, "duration_s": 10.0, "code": code, **given}
    return CellContext(number=number, source=source, past=past, **whole)


def with_lines(source: str, seconds: dict[int, float], *, past: tuple[CellContext, ...] = (), where: str = "In[9]"):
    """A cell whose lines took so many seconds, at 20 W."""
    each = tuple(
        LineEnergy(where=where, lineno=line, source="", seconds=s, samples=round(100 * s), joules=20 * s)
        for line, s in seconds.items()
    )
    total_s = sum(seconds.values())
    lines = Lines(
        lines=each, elsewhere_j=0.0, elsewhere_s=0.0, samples=round(100 * total_s), period_s=0.01, longest_s=0.02,
        threads=0, thread_lines=(), gpu=False, cost_s=0.0,
    )  # fmt: skip
    return cell(
        source, past=past, duration_s=total_s, measurement=dataclasses.replace(measurement(), lines=lines)
    )  # fmt: skip


def said(code: str, context: CellContext) -> list[Found]:
    rule = catalogue().find(code)
    assert rule is not None
    return list(rule.check(context))


def changed(**given: Any) -> CellContext:
    """20 minutes after a pause of 10, with a board that is changed so."""
    return cell(machine=machine(gpus=(dataclasses.replace(BOARD, **given),)), duration_s=1200.0, idle_before_s=600.0)


def test_an_idle_board_that_is_held_is_told_with_its_joules():
    (found,) = said("GNB101", changed())
    told = {it.name: it.value for it in found.evidence}
    assert told["pause times that power"] == 36_000
    assert (found.subject, found.share, found.code) == ("GPU 0", 0.0, "")


@pytest.mark.parametrize("given", [{"held_b": None}, {"held_b": GIB // 2}, {"idle_w": None}])
def test_a_board_that_is_not_held_or_was_not_looked_at_is_not(given):
    assert not said("GNB101", changed(**given))


def test_a_short_pause_is_none():
    assert not said("GNB101", dataclasses.replace(changed(), idle_before_s=299.0))


def test_in_a_container_pytorch_s_own_count_says_what_is_held():
    torch = TorchSignals(version="2", cuda=(CudaSeen(index=0, name="x", capability=(8, 0), allocated_b=GIB),))
    (found,) = said("GNB101", dataclasses.replace(changed(held_b=None), torch=torch))
    assert "empty_cache" in found.code


def test_a_board_at_its_cap_for_long():
    assert said("GNB102", changed())
    assert not said("GNB102", changed(power_w=269.0))
    assert not said("GNB102", changed(limit_w=None))
    assert not said("GNB102", changed(max_limit_w=400.0))  # lowered already
    assert not said("GNB102", changed(samples=10))
    assert not said("GNB102", dataclasses.replace(changed(), duration_s=599.0))


HOT = {"temp_c": 86.0, "clock_mhz": 1000.0, "power_w": 220.0}


def test_a_hot_board_with_a_slow_clock_below_its_cap():
    assert said("GNB103", changed(**HOT))
    for other in (
        {"temp_c": 81.0}, {"clock_mhz": 1300.0}, {"power_w": 290.0}, {"util": 0.2}, {"util": None}, {"limit_w": None},
        {"max_clock_mhz": None}, {"samples": 9},
    ):  # fmt: skip
        assert not said("GNB103", changed(**{**HOT, **other})), other


LOAD = "df = pd.read_csv(path)"


def again(*between: str, first_s: float = 3.0, second_s: float = 3.0, failed: bool = False) -> CellContext:
    past = (cell("import pandas as pd\npath = 'a.csv'", number=0), cell(LOAD, number=1, duration_s=first_s))
    past += tuple(cell(source, number=2 + i) for i, source in enumerate(between))
    return cell(LOAD, past=past, duration_s=second_s, failed=failed)


def test_a_loader_that_runs_again_on_the_same_inputs():
    (found,) = said("GNB104", again("print(len(df))", "df['a'] = 1"))
    assert found.code == 'if "df" not in globals():\n    df = pd.read_csv(path)'
    assert (found.subject, found.share) == ("df", 1.0)
    assert {it.name: it.value for it in found.evidence}["runs so far"] == 2


@pytest.mark.parametrize(
    "context",
    [
        again("path = 'b.csv'"),
        again("download(path)"),
        again(first_s=1.9),
        again(second_s=1.9),
        again(failed=True),
        cell(LOAD, duration_s=9.0),
        cell("df = pd.read_csv(df)", past=(cell("df = pd.read_csv(df)", number=1),)),
        cell("model.fit(X, y)", past=(cell("model.fit(X, y)", number=1),)),
    ],
)
def test_other_inputs_other_work_or_little_of_it_is_no_repetition(context):
    assert not said("GNB104", context)


def test_what_a_cell_imports_is_not_what_it_made():
    source = "import pandas as pd\ndf = pd.read_csv('a.csv')"
    (found,) = said("GNB104", cell(source, past=(cell(source, number=1),)))
    assert found.subject == "df"
    assert found.code.startswith('if "df" not in globals():\n    import pandas')


def test_code_with_long_texts_or_magics_is_not_indented():
    source = 'q = """\nselect\n"""\n%time df = pd.read_csv(q)'
    (found,) = said("GNB104", cell(source, past=(cell("import pandas as pd", number=0), cell(source, number=1))))
    assert found.code == ""


def test_more_threads_than_cpus():
    crowded = machine(runnable=15.0, pools={"openblas": 16}, threads=20, cpu_s=38.0, switches_per_s=90.0)
    (found,) = said("GNB105", cell(machine=crowded))
    assert "threadpool_limits(limits=4)" in found.code
    for other in ({"runnable": 7.9}, {"runnable": None}, {"pools": {}}, {"pools": {"openblas": 4}, "threads": 5}):
        assert not said("GNB105", cell(machine=dataclasses.replace(crowded, **other))), other
    assert not said("GNB105", cell(machine=crowded, duration_s=1.9))


def test_pools_within_threads():
    nested = machine(runnable=15.0, pools={"openmp": 4}, threads=20, cpu_s=38.0)
    (found,) = said("GNB105", cell(machine=nested))
    assert "limits=1" in found.code
    waiting_for_python = dataclasses.replace(nested, cpu_s=10.5)
    assert not said("GNB105", cell(machine=waiting_for_python))


def test_pytorch_s_own_threads_are_another_rule_s():
    crowded = machine(runnable=15.0, pools={"torch": 16, "openmp": 16}, threads=20, cpu_s=38.0)
    assert not said("GNB105", cell(machine=crowded, torch=TorchSignals(version="2", threads=16)))


def test_swapping_names_the_largest_arrays():
    array = ArraySeen(name="X", kind="ndarray", dtype="float64", shape=(1,), bytes=6 * GIB)
    swaps = machine(swapped_b=GIB, major_faults=9000, arrays=(array,), memory_b=8 * GIB)
    (found,) = said("GNB106", cell(machine=swaps))
    assert "X takes 6.0 GiB" in found.text
    for other in ({"swapped_b": None}, {"swapped_b": 2**20}, {"major_faults": 9}):
        assert not said("GNB106", cell(machine=dataclasses.replace(swaps, **other)))


LOOP = "s = 0.0\nfor i in range(n):\n    s += a[i] * a[i]\nb = f(s)"


def test_a_loop_over_numbers_that_took_most_of_the_cell():
    (found,) = said("GNB107", with_lines(LOOP, {2: 1.0, 3: 4.5, 4: 0.5}))
    assert (found.subject, round(found.share, 3)) == ("a", 0.917)
    assert not said("GNB107", with_lines(LOOP, {2: 0.5, 3: 2.4, 4: 3.1}))
    assert not said("GNB107", with_lines(LOOP, {2: 1.0, 3: 3.5}))
    assert not said("GNB107", cell(LOOP))


def test_a_loop_in_a_function_of_an_earlier_cell():
    past = (cell("def f(a, n):\n    s = 0\n    for i in range(n):\n        s += a[i] ** 2\n    return s", number=4),)
    assert said("GNB107", with_lines("f(x, 9)", {3: 1.0, 4: 5.0}, past=past, where="In[4]"))
    assert not said("GNB107", with_lines("f(x, 9)", {3: 1.0, 4: 5.0}, past=past, where="In[3]"))


APPLY = "import x\ndf['c'] = df.apply(lambda r: r.a * r.b, axis=1)\ng = h(df)"


def test_rows_that_took_a_third_of_the_joules():
    (found,) = said("GNB108", with_lines(APPLY, {2: 1.5, 3: 1.5}))
    assert (found.subject, found.share) == ("df", 0.5)
    assert not said("GNB108", with_lines(APPLY, {2: 0.8, 3: 2.2}))
    assert not said("GNB108", with_lines(APPLY, {2: 1.5}))


def test_without_lines_only_a_cell_that_holds_nothing_else():
    assert not said("GNB108", cell(APPLY))
    assert said("GNB108", cell("df['c'] = df.apply(lambda r: r.a * r.b, axis=1)\ndf.head()"))
    assert not said("GNB108", cell("df['c'] = df.apply(lambda r: r.a * r.b, axis=1)", duration_s=1.0))


def trees(estimator: str = "RandomForestRegressor", *, calls: int = 4, dtype: str = "float64", name: str = "X"):
    data = DataSeen(rows=1, columns=1, dtype=dtype, name=name)
    call = EstimatorCall(estimator=estimator, method="predict", data=data, calls=calls, seconds=3.0)
    array = ArraySeen(name="X", kind="ndarray", dtype=dtype, shape=(1,), bytes=512 * 2**20)
    return cell(machine=machine(arrays=(array,)), sklearn=SklearnSignals(version="1", calls=(call,)))


def test_an_array_that_trees_convert_each_time():
    (found,) = said("GNB109", trees())
    assert found.code == 'X = X.astype("float32")'
    assert found.share == pytest.approx(0.3)
    for other in (trees("Ridge"), trees(calls=1), trees(dtype="float32"), trees(name="Z")):
        assert not said("GNB109", other)


@pytest.mark.parametrize("code", [f"GNB10{n}" for n in range(1, 10)])
def test_nothing_is_said_where_nothing_was_seen(code):
    assert not said(code, cell("x = 1"))
    assert not said(code, CellContext(number=0, cell_id=None, execution_count=None, source="", duration_s=99.0))


def test_every_code_change_is_python():
    every = [
        *said("GNB101", dataclasses.replace(changed(), torch=TorchSignals(version="2"))),
        *said("GNB104", again()),
        *said("GNB105", cell(machine=machine(runnable=15.0, pools={"mkl": 16}))),
        *said("GNB109", trees()),
    ]
    assert len(every) == 4
    for found in every:
        ast.parse(found.code)


def test_a_line_counts_once_where_two_facts_hold_it():
    context = with_lines("a\nb", {1: 1.0, 2: 3.0})
    facts = [SourceFact(kind="x", line=2, text="", first=2, last=2)] * 2
    took = _shared.spent(context, facts)
    assert took is not None
    assert (took.seconds, took.share_s, took.joules) == (3.0, 0.75, 60.0)
