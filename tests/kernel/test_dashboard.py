"""The dashboard in a real kernel: it moves while a cell runs, costs nothing once nobody looks on, and fails no cell."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import ipykernel
import pytest

from tests.kernel.test_try import SLOW, TRAIN_SLOWLY
from tests.kernel.widgets import Widgets

pytestmark = pytest.mark.kernel

SUBSHELLS = ipykernel.version_info[0] >= 7
ESTIMATE = {"GREENNB_SOURCES": "estimate"}
SHOW = "import greennb\ndash = greennb.dashboard()\ndash"
WATCHERS = "len(__import__('greennb.runtime', fromlist=['runtime']).runtime().meter.sampler._watchers)"
THREADS = "[t.name for t in __import__('threading').enumerate() if t.name == 'greennb-bridge']"
LIVE, CELLS = "live power", "cells"


@pytest.fixture
def front(start_kernel: Any) -> Widgets:
    """A front end with widgets, on a kernel in which nobody has loaded greennb."""
    return Widgets(start_kernel(load=False, **ESTIMATE))


def paths(front: Widgets) -> list[str]:
    """The chart's areas, as they came, without those that did not change."""
    found = [re.findall(r'class="gnb-area"[^>]* d="([^"]+)"', str(state.get("value"))) for _id, state in front.updates]
    return list(dict.fromkeys(path for each in found for path in each))


def test_it_is_the_cells_value_and_tells_a_front_end_without_widgets_what_to_do(front: Widgets) -> None:
    (shown,) = front.run(SHOW)
    data = shown["content"]["data"]
    assert shown["msg_type"] == "execute_result"
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] in front.models
    assert "needs a front end with Jupyter widgets" in data["text/plain"]
    assert "%energy_report" in data["text/plain"]
    assert front.run("%load_ext greennb") == []


def test_the_chart_moves_while_a_cell_runs_and_the_cell_then_stands_in_the_table(front: Widgets) -> None:
    front.run(SHOW)
    front.until(lambda: paths(front))
    request = front.kernel.start("import time\nend = time.monotonic() + 4\nwhile time.monotonic() < end: pass")
    front.until(lambda: "running " in front.html(LIVE))
    front.updates.clear()
    front.until(lambda: len(paths(front)) >= 2)
    assert not front.ended(request), "it moved only once the cell had ended"
    assert front.finish(request) == []
    front.until(lambda: "import time" in front.html(CELLS))
    row = front.html(CELLS)
    assert "~" in row
    assert "estimated" in row
    assert "CO₂e" in row
    front.until(lambda: "running" not in front.html(LIVE))


def test_once_closed_nothing_comes_and_nothing_is_read(front: Widgets) -> None:
    front.run(SHOW)
    front.until(lambda: paths(front))
    assert front.kernel.value(WATCHERS) == 1
    front.run("dash.close()")
    assert front.models == {}
    front.updates.clear()
    assert front.run("sum(range(10**6))")[0]["msg_type"] == "execute_result"
    front.listen(1.5)
    assert front.updates == []
    assert front.kernel.value(WATCHERS) == 0
    assert front.kernel.value(THREADS) == []
    front.run("dash.close()")


def test_while_no_page_has_it_in_view_nothing_comes_and_nothing_is_read(front: Widgets) -> None:
    front.run(SHOW)
    front.set("PlayModel", _view_count=1)
    front.until(lambda: paths(front))
    front.set("PlayModel", _view_count=0)
    front.listen(1.5)
    front.updates.clear()
    front.run("'unseen'")
    front.listen(1)
    assert front.updates == []
    assert front.kernel.value(WATCHERS) == 0
    front.set("PlayModel", _view_count=1)
    front.until(lambda: paths(front))
    assert "&#x27;unseen&#x27;" in front.html(CELLS)


def test_where_greennb_run_executes_the_notebook_there_is_no_page_and_nothing_is_read_for_it(front: Widgets) -> None:
    front.run("%load_ext greennb")
    front.run("from greennb.jupyter.session import Session\nSession.start(get_ipython()).recording = True")
    front.run(SHOW)
    front.updates.clear()
    front.listen(1.5)
    assert paths(front) == []
    assert front.kernel.value(WATCHERS) == 0


def test_a_page_that_vanished_without_a_word_is_fed_no_more_and_wakes_with_its_next_pulse(front: Widgets) -> None:
    """With seconds for minutes."""
    front.run("from greennb.jupyter.feed import Feed\nFeed.expires_s = 1.5")
    front.run(SHOW)
    front.set("PlayModel", _view_count=1)
    front.until(lambda: paths(front))
    front.listen(4)
    front.updates.clear()
    front.listen(1.5)
    assert front.updates == []
    front.set("PlayModel", value=3)
    front.until(lambda: paths(front))


def test_several_share_what_is_read(front: Widgets) -> None:
    front.run(SHOW)
    front.run("other = greennb.dashboard(minutes=5)\nother")
    assert front.kernel.value(WATCHERS) == 1
    front.updates.clear()
    moved = front.until(lambda: {key for key, state in front.updates if "gnb-area" in str(state.get("value"))})
    front.until(lambda: len({key for key, state in front.updates if "gnb-area" in str(state.get("value"))}) == 2)
    assert moved
    front.run("dash.close()")
    front.updates.clear()
    front.until(lambda: paths(front))
    front.run("other.close()")
    assert front.kernel.value(WATCHERS) == 0


def test_what_fails_in_it_reaches_no_cell_and_no_other_page(front: Widgets) -> None:
    front.run(SHOW)
    front.run(
        "def broken(*args, **kwargs): 1 / 0\nimport greennb.views.board as parts\nparts.live = parts.cells = broken"
    )
    (shown,) = front.run("6 * 7")
    assert shown["content"]["data"]["text/plain"] == "42"
    front.until(lambda: "could not do that (ZeroDivisionError: division by zero)" in front.text())
    assert not [m for m in front.others if m["msg_type"] in ("stream", "error")]


def test_unloading_leaves_it_in_words(front: Widgets) -> None:
    front.run(SHOW)
    front.run("%load_ext greennb")
    front.run("%unload_ext greennb")
    front.until(lambda: "greennb was unloaded from this kernel." in front.text())
    front.set("PlayModel", value=5)
    front.press("Stop")
    assert front.run("1")[0]["msg_type"] == "execute_result"
    assert "greennb was unloaded from this kernel." in front.text()
    assert not [m for m in front.others if m["msg_type"] in ("stream", "error")]
    front.run("greennb.dashboard()")
    front.until(lambda: paths(front))


def test_sources_that_change_are_drawn_anew(front: Widgets) -> None:
    front.run(SHOW)
    front.until(lambda: paths(front))
    front.run("%energy_config sources=battery")
    front.until(lambda: "Read on" in front.html("sensors") and "nothing" in front.html("sensors"))
    front.run("%energy_config sources=estimate")
    front.updates.clear()
    front.until(lambda: paths(front))


@pytest.mark.parametrize("minutes", ["0", "61", "-1", "True", "'1'", "float('nan')"])
def test_minutes_out_of_range_are_refused_in_one_sentence(minutes: str) -> None:
    said = plainly(f"greennb.dashboard(minutes={minutes})")
    assert said == "BadInputError minutes must be a number above 0 and at most 60."


def test_without_a_notebook_one_sentence_says_what_to_use() -> None:
    assert plainly("greennb.dashboard()").startswith("BadInputError greennb.dashboard() needs a notebook")
    terminal = "from IPython.core.interactiveshell import InteractiveShell as S; S.instance(); "
    assert "this terminal shows no widgets" in plainly(f"{terminal}greennb.dashboard()")


def plainly(code: str) -> str:
    """What ``code`` raises in plain Python: the type and the words."""
    program = f"import greennb\ntry:\n    {code}\nexcept Exception as error:\n    print(type(error).__name__, error)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.fixture
def found(front: Widgets) -> Widgets:
    """A dashboard with a finding that can be tried."""
    front.run("%load_ext greennb")
    front.run(SLOW, 120)
    front.run(TRAIN_SLOWLY, 120)
    front.run(SHOW)
    front.until(lambda: front.html("finding"), 60)
    return front


def test_a_finding_is_planned_first_then_tried_and_stopped_and_its_verdict_shown(found: Widgets) -> None:
    found.press("Try it")
    found.until(lambda: found.shows("Run the trial"), 60)
    plan = found.html("trial")
    assert "what a trial would run" in plan
    assert "Nothing of the notebook is changed" in plan
    assert "<ins>+" in plan
    shell = found.subshell() if SUBSHELLS else None
    found.press("Run the trial")
    found.until(lambda: found.shows("Stop"), 60)
    if SUBSHELLS:
        found.press("Stop", subshell=shell)
    else:
        found.kernel.manager.interrupt_kernel()
    found.until(lambda: "The trial was stopped" in found.text(), 30)
    found.until(lambda: not found.shows("Stop"))
    (shown,) = found.run("'still here'")
    assert shown["content"]["data"]["text/plain"] == "'still here'"
    assert not [m for m in found.others if m["msg_type"] in ("stream", "error")]
    found.press("Close")
    found.until(lambda: not found.html("trial"))
    # One that was begun elsewhere is shown as well.
    found.run("%energy_try GNB219 --budget 3", 120)
    found.until(lambda: "what a trial showed" in found.html("trial"), 20)


def test_buttons_are_heard_while_a_cell_runs_and_what_is_dismissed_comes_back(found: Widgets) -> None:
    shell = found.subshell() if SUBSHELLS else None
    request = found.kernel.start("import time\ntime.sleep(5)")
    found.until(lambda: "running " in found.html(LIVE))
    found.press("Try it", subshell=shell)
    if SUBSHELLS:
        found.until(lambda: "waits for the cell" in found.html("trial"))
        found.press("Close", subshell=shell)
        found.until(lambda: not found.html("trial"))
        assert not found.ended(request)
    found.finish(request)
    found.press("Dismiss")
    found.until(lambda: not found.html("finding"))
    found.until(lambda: found.shows("Show dismissed"))
    found.press("Show dismissed")
    found.until(lambda: found.html("finding"))
    found.until(lambda: not found.shows("Show dismissed"))
    # ipykernel 7.0 to 7.3 has every press on a subshell's thread: the trial runs where cells run all the same.
    found.press("Try it")
    found.until(lambda: found.shows("Run the trial"))
    found.run("__import__('threading').Thread(target=dash._advice._run).start()")
    found.until(lambda: found.shows("Stop"), 60)
    found.kernel.manager.interrupt_kernel()
    found.until(lambda: "The trial was stopped" in found.text(), 30)
    assert found.run("6 * 7")[0]["content"]["data"]["text/plain"] == "42"
