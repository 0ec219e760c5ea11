"""``%%energy --lines`` in a real kernel."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.kernel


def test_lines_of_the_cell_and_of_functions_of_earlier_cells(kernel: Any) -> None:
    kernel.run("import time\ndef work(s):\n    end = time.perf_counter() + s\n    while time.perf_counter() < end:\n"
               "        pass")  # fmt: skip
    ran = kernel.run("%%energy --lines\ntime.sleep(0.1)\nwork(0.5)\n'done'")
    measured = ran.measurement
    lines = measured["lines"]["lines"]
    assert {line["where"] for line in lines} >= {"In[2]"} or len({line["where"] for line in lines}) == 2
    heaviest = lines[0]
    assert heaviest["lineno"] in (4, 5)
    assert "time.perf_counter()" in heaviest["source"] or heaviest["source"].strip() == "pass"
    slept = [line for line in lines if line["source"] == "time.sleep(0.1)"]
    assert slept
    assert slept[0]["lineno"] == 2, "counted as the user sees it: the marker is line 1"
    whole = sum(line["joules"] for line in lines) + measured["lines"]["elsewhere_j"]
    assert whole == pytest.approx(measured["total_j"], rel=1e-6)
    assert "gnb-lines" in ran.bundles[0]["text/html"]
    assert any(out["type"] == "execute_result" for out in ran.own)


def test_awaiting_is_no_line(kernel: Any) -> None:
    ran = kernel.run("%%energy --lines\nimport asyncio\nawait asyncio.sleep(0.4)")
    lines = ran.measurement["lines"]
    assert lines["elsewhere_s"] > 0.2
    assert "awaiting" in ran.bundles[0]["text/html"]


def test_an_exception_and_what_does_not_go_together(kernel: Any) -> None:
    ran = kernel.run("%%energy --lines\nimport time\ntime.sleep(0.2)\n1/0")
    assert ran.measurement["status"] == "error"
    assert ran.measurement["lines"]["lines"][0]["lineno"] == 3
    for code, words in (
        ("%%energy --lines -r 3\n1", "leave out -r"),
        ("%energy --lines 1", "first line"),
    ):
        said = kernel.run(code)
        assert words in str(said.outputs)
    ran = kernel.run("import threading\n[t.name for t in threading.enumerate() if 'greennb lines' in t.name]")
    assert ran.outputs[-1]["data"]["text/plain"] == "[]"
