"""A cell with greennb is the cell without it, plus one bundle. Tried in a real ipykernel."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

pytestmark = pytest.mark.kernel

CELLS = {
    "the last expression is displayed": "x = 20\nx + 22",
    "print and display": "print('a')\ndisplay({'b': 1})\n'c'",
    "a semicolon silences": "1 + 1;",
    "an exception": "def f():\n    raise ValueError('no')\n\nf()",
    "a syntax error": "x = (1\ny = 2",
    "an indentation error": "if True:\nx = 1",
    "sys.exit": "import sys\nsys.exit(3)",
    "stderr": "import sys\nprint('warn', file=sys.stderr)",
    "top-level await": "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'",
    "async for and with": "async def g():\n    yield 1\n[i async for i in g()]",
    "bash": "%%bash\necho hello",
    "html": "%%html\n<b>x</b>",
    "a shell line": "!echo shell",
    "threads": "import threading\nt = threading.Thread(target=lambda: print('in thread'))\nt.start(); t.join()",
    "a class and its repr": "class A:\n    def __repr__(self): return 'A()'\nA()",
    "an error in a repr": "class B:\n    def __repr__(self): raise RuntimeError('repr')\nB()",
    "a child process": "import os\npid = os.fork()\nif pid == 0:\n    os._exit(0)\nos.waitpid(pid, 0)[1]",
    "a figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    "only a comment": "# nothing",
    "unicode": "'é 漢字 🌱'",
    "underscore": "1\n_",
    "input history": "In[-1][:10]",
    "after the history": "'nothing of it is left in _'",
    "run_cell inside": "r = get_ipython().run_cell('2 + 2')\nr.result",
    "pass": "pass",
}


def comparable(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs without what differs from run to run: addresses, the cell's file name, figure bytes."""
    colour = re.compile(r"\x1b\[[0-9;]*m")
    text = re.compile(r"0x[0-9a-f]+|ipykernel_\d+/\d+\.py|\d+\.py|Cell In ?\[\d+\]|In ?\[\d+\]|/tmp/ipykernel\S+")

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return text.sub("#", colour.sub("", value)).replace("\n      1 #\n", "\n      1 \n")
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items() if k not in ("execution_count", "transient")}
        return value

    return [clean(out) for out in outputs]


def test_outputs_are_those_of_a_run_without_greennb(start_kernel: Any) -> None:
    """Every kind of cell, three ways: alone, in auto mode, and under %%energy."""
    without, shifted = start_kernel(load=False), start_kernel(load=False)
    auto, marked = start_kernel(), start_kernel()
    for kernel in (without, shifted, auto, marked):
        kernel.run("%matplotlib inline")
    assert auto.run("%energy_auto on").reply["status"] == "ok"
    for name, cell in CELLS.items():
        plain, watched, under = without.run(cell), auto.run(cell), marked.run(f"%%energy\n{cell}")
        assert comparable(watched.own) == comparable(plain.own), name
        assert watched.reply["status"] == plain.reply["status"], name
        # A traceback counts lines as the user does: the marker's line is one of them.
        lower = shifted.run(cell if cell.startswith("%%") else f"#\n{cell}")
        if name != "input history":
            assert comparable(under.own) == comparable(lower.own), name
        assert under.reply["status"] == plain.reply["status"], name
        expected = 2 if name == "run_cell inside" else 1
        assert len(watched.bundles) == expected, (name, watched.outputs)
        assert len(under.bundles) == 1, (name, under.outputs)


def test_a_traceback_under_the_marker_names_the_line_that_the_user_sees(kernel: Any) -> None:
    ran = kernel.run("%%energy\nx = 1\ny = 2\nraise ValueError(x + y)")
    error = next(out for out in ran.own if out["type"] == "error")
    assert any("line 4" in line or "----> 4" in re.sub(r"\x1b\[[0-9;]*m", "", line) for line in error["traceback"])
    assert ran.measurement["status"] == "error"


@pytest.mark.parametrize(
    ("cell", "status"), [("1", "ok"), ("1/0", "error"), ("x = (", "error"), ("raise KeyboardInterrupt", "interrupted")]
)
def test_the_window_closes_with_the_cell_s_status(kernel: Any, cell: str, status: str) -> None:
    assert kernel.run(f"%%energy\n{cell}").measurement["status"] == status
    assert kernel.run("%%energy\n1").measurement["status"] == "ok"


@pytest.mark.parametrize(
    ("cell", "error"),
    [
        ("import time\ntime.sleep(30)", "KeyboardInterrupt"),
        # ipykernel cancels a task that waits once its loop turns again, with or without greennb.
        ("import asyncio\nfor _ in range(300): await asyncio.sleep(0.1)", "CancelledError"),
    ],
)
def test_an_interrupt_ends_the_cell_and_its_window(kernel: Any, cell: str, error: str) -> None:
    request = kernel.start(f"%%energy\n{cell}")
    time.sleep(1.5)
    kernel.manager.interrupt_kernel()
    ran = kernel.finish(request)
    assert ran.measurement["status"] == "interrupted"
    assert ran.measurement["duration_s"] < 20
    assert [out["ename"] for out in ran.own] == [error]
    assert kernel.run("%%energy\n1").measurement["status"] == "ok"


def test_time_and_bash_below_the_marker(kernel: Any) -> None:
    ran = kernel.run("%%energy\n%%time\nx = 41\nx + 1")
    assert "Wall time" in ran.text()
    assert any(out["type"] == "execute_result" and out["data"]["text/plain"] == "42" for out in ran.own)
    assert ran.measurement["status"] == "ok"
    assert "hi\n" in kernel.run("%%energy\n\n%%bash\necho hi").text()


def test_top_level_await_and_the_marker(kernel: Any) -> None:
    ran = kernel.run("%%energy\nimport asyncio\nawait asyncio.sleep(0.2)\n'done'")
    assert ran.measurement["duration_s"] >= 0.2
    assert any(out["type"] == "execute_result" for out in ran.own)


def test_a_statement_in_a_measured_cell_is_a_window_inside_it(kernel: Any) -> None:
    ran = kernel.run("%%energy -n outer\nimport time\n%energy -n inner time.sleep(0.1)\ntime.sleep(0.1)", cell_id="abc")
    inner, outer = (bundle["application/vnd.greennb.energy+json"] for bundle in ran.bundles)
    assert (inner["label"], outer["label"]) == ("inner", "outer")
    assert inner["parent_id"] == outer["id"]
    assert inner["cell_id"] == outer["cell_id"] == "abc"
    assert inner["duration_s"] < outer["duration_s"]


def test_a_thousand_short_cells_in_auto_mode(kernel: Any) -> None:
    """Each gets its line, nothing piles up, and no thread is left."""
    kernel.run("%energy_auto on")
    for n in range(1000):
        ran = kernel.run(f"{n}")
        assert len(ran.bundles) == 1
        assert len(ran.own) == 1
    kernel.run("%energy_auto off")
    time.sleep(2.5)
    names = kernel.value("[t.name for t in __import__('threading').enumerate()]")
    assert not [name for name in names if "greennb" in name.lower()]


def test_auto_quiet_records_and_shows_nothing(kernel: Any) -> None:
    kernel.run("%energy_auto on -q")
    assert kernel.run("sum(range(10))").bundles == []
    ran = kernel.run("%energy_report")
    assert any("sum(range(10))" in out["data"].get("text/plain", "") for out in ran.outputs if "data" in out)


def test_a_silent_execution_is_left_alone(kernel: Any) -> None:
    kernel.run("%energy_auto on")
    assert kernel.run("1", silent=True, store_history=False).outputs == []
    assert len(kernel.run("1").bundles) == 1


def test_the_joules_carry_source_interval_and_grams(kernel: Any) -> None:
    """On any machine: a number with its method and interval, or no number and a reason; never a zero in its place."""
    measured = kernel.run("%%energy\nfor _ in range(10**7): pass").measurement
    if measured["total_j"] is None:
        assert measured["domains"] == []
        return
    assert measured["method"] in ("counter", "integrated", "estimated")
    assert 0 <= measured["low_j"] < measured["total_j"] < measured["high_j"]
    assert measured["co2e_g"] > 0
    assert measured["intensity"]["origin"] in ("user", "static", "guessed", "world")


def test_loading_twice_and_unloading_leave_one_or_no_trace(kernel: Any) -> None:
    kernel.run("%load_ext greennb")
    kernel.run("%reload_ext greennb")
    assert len(kernel.run("%%energy\n1").bundles) == 1
    kernel.run("%energy_auto on")
    kernel.run("%unload_ext greennb")
    assert kernel.run("1").bundles == []
    assert "not found" in str(kernel.run("%energy 1").outputs)


def test_a_child_process_that_outlives_the_cell_writes_no_second_row(kernel: Any) -> None:
    kernel.run("%energy_auto on")
    kernel.run(
        "import os, time\npid = os.fork()\nif pid == 0:\n    time.sleep(0.1)\n    os._exit(0)\nos.waitpid(pid, 0)"
    )
    rows = kernel.value(
        "(__import__('greennb').runtime.runtime().ledger.flush(5), "
        "[r.source for r in __import__('greennb').runtime.runtime().ledger.rows()])[1]"
    )
    assert rows.count("import os, time") == 1
