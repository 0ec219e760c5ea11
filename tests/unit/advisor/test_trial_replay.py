"""A cell's work replayed on copies: entered and left at its units, and the notebook as before, bit for bit."""

from __future__ import annotations

import inspect
import linecache
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from greennb.advisor.trial.base import RefusedError, Stopped
from greennb.advisor.trial.split import Script, split
from greennb.advisor.trial.whole import pair as pair_of_cells

pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "advisor"))

from trial_bench import Notebook, Windows

LOOP = """
    for epoch in range(3):
        for bx, by in train:
            step(bx, by)
"""


@pytest.fixture
def notebook() -> Iterator[Notebook]:
    made = Notebook()
    yield made
    made.kernel.observer.remove()


# What a cell's statements are


def test_the_work_is_the_first_statement_with_enough_units() -> None:
    """One step to try it, before the loop, is prefix."""
    script = Script("a = 1\nstep()\nfor i in range(9):\n    step()\nb = 2")
    found = split(script, lambda it: {2: 1, 3: 5}.get(it.line, 0), "step")
    assert ([it.line for it in found.prefix], found.work.line) == ([1, 2], 3)
    script.close()


def test_where_no_statement_has_enough_the_one_with_most_is_the_work() -> None:
    script = Script("step()\nfor i in range(3):\n    step()\nstep()")
    found = split(script, lambda it: {1: 1, 2: 3, 4: 1}[it.line], "step")
    assert found.work.line == 2
    script.close()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = (", "can't be compiled"),
        ("await work()", "awaits outside a function"),
        ("\n# nothing\n", "nothing to run"),
    ],
)
def test_a_source_that_can_not_be_replayed_is_refused(source: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        Script(source)


def test_a_traceback_shows_the_cells_own_line_and_inspect_finds_its_source() -> None:
    """While the script is open; nothing is left of it afterwards."""
    script = Script("from __future__ import annotations\n\ndef f(x: Unknown):\n    return 1 / x\n")
    names: dict[str, object] = {}
    for statement in script.statements:
        exec(statement.code, names)
    function = names["f"]
    assert inspect.getsource(function) == "def f(x: Unknown):\n    return 1 / x\n"
    try:
        function(0)
    except ZeroDivisionError as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
    assert (frame.lineno, frame.line) == (4, "return 1 / x")
    script.close()
    assert linecache.getline(script.file, 4) == ""


# Blocks


def test_a_block_is_as_many_units_as_asked_for_in_one_window(notebook: Notebook) -> None:
    """Also where the statement has fewer: it is run again within the window. Items are samples."""
    notebook.run(LOOP)
    window = Windows()
    with notebook.unchanged():
        pair = notebook.pair(LOOP)
        for units in (1, 7, 60):
            assert pair.baseline.run(units, window) == 32 * units
            assert pair.candidate.run(units, window) == 32 * units
        pair.baseline.close()
        pair.baseline.close()
        pair.candidate.close()
    assert (window.opened, window.open) == (6, False)
    assert (pair.unit, pair.units) == ("step", 24)


def test_units_within_the_window_are_exactly_those_asked_for(notebook: Notebook) -> None:
    """As the cell itself sees it after each step: a unit ends with its step, and so does the window."""
    notebook.run(
        "import trial_bench\nlog = []\nfor i in range(8):\n    step(x, y)\n    log.append(len(trial_bench.open_now))"
    )
    window = Windows()
    with notebook.unchanged():
        way = notebook.replay()
        for units in (1, 4, 25):
            assert way.shadow is None or way.shadow.names.update(log=[]) is None
            way.run(units, window)
            assert way.shadow is not None
            assert sum(way.shadow.names["log"]) == units
        way.close()
    assert window.opened == 3


def test_a_way_goes_on_with_its_own_copies(notebook: Notebook) -> None:
    """What a block has learned is where the next one begins; random numbers go on too, each way with its own."""
    notebook.run("drawn = []")
    notebook.run("for i in range(8):\n    step(x, y)\n    drawn.append(torch.rand(()).item())")
    notebook.namespace["drawn"].clear()
    with notebook.unchanged():
        ways = [notebook.replay(), notebook.replay()]
        found = []
        for way in (ways[0], ways[1], ways[1], ways[0]):
            way.run(5, Windows())
        for way in ways:
            assert way.shadow is not None
            found.append((way.shadow.names["drawn"][:10], way.shadow.names["model"][0].weight.tolist()))
            way.close()
    assert found[0][0] == found[1][0]
    assert len(set(found[0][0])) == 10


def test_a_loop_that_counts_in_a_name_of_the_notebook_is_repeated(notebook: Notebook) -> None:
    """``while seen < 5`` would do nothing a second time: what the work counts in begins anew."""
    notebook.run("seen = 0\nwhile seen < 6:\n    step(x, y)\n    seen += 1")
    with notebook.unchanged():
        way = notebook.replay()
        assert way.run(20, Windows()) == 20 * 256
        way.close()


def test_an_iterator_made_in_the_cell_is_made_again_with_it(notebook: Notebook) -> None:
    """Where the work alone comes to nothing, what stands before it is run again too."""
    notebook.run("batches = iter(train)\nfor bx, by in batches:\n    step(bx, by)")
    with notebook.unchanged():
        way = notebook.replay()
        assert way.run(30, Windows()) == 30 * 32
        way.close()


def test_a_schedule_for_so_many_steps_does_not_end_a_block(notebook: Notebook) -> None:
    """OneCycleLR raises at a step more than it was made for."""
    notebook.run("schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=33)")
    notebook.run("for bx, by in train:\n    step(bx, by)\n    schedule.step()")
    with notebook.unchanged():
        way = notebook.replay()
        for _ in range(3):
            way.run(40, Windows())
        way.close()


def test_two_optimizers_that_take_turns_make_one_unit(notebook: Notebook) -> None:
    """A unit is a step of the one that steps most often: here the second, twice a turn."""
    notebook.run("import trial_bench\nsecond = torch.optim.SGD(model.parameters(), lr=0.001)\nturns = []")
    notebook.run("""
        for i in range(8):
            step(x, y)
            turns.append(len(trial_bench.open_now))
            second.step()
            second.step()
    """)
    notebook.namespace["turns"].clear()
    with notebook.unchanged():
        way = notebook.replay()
        way.run(40, Windows())
        assert way.shadow is not None
        assert sum(way.shadow.names["turns"]) in (20, 21)
        way.close()


def test_finally_runs_where_a_block_is_left(notebook: Notebook) -> None:
    notebook.run("begun, ended = [], []")
    notebook.run("""
        try:
            begun.append(1)
            for i in range(8):
                step(x, y)
        finally:
            ended.append(1)
    """)
    with notebook.unchanged():
        way = notebook.replay()
        way.run(3, Windows())
        assert way.shadow is not None
        assert len(way.shadow.names["begun"]) == len(way.shadow.names["ended"]) > 2
        way.close()


def test_a_prefix_that_takes_long_is_refused(notebook: Notebook) -> None:
    """It would run several times in a trial."""
    notebook.run("import time\ntime.sleep(0.3)\nfor i in range(100):\n    step(x, y)")
    assert notebook.scene is not None
    notebook.scene = replace(notebook.scene, budget_s=1.0)
    with notebook.unchanged(), pytest.raises(RefusedError, match="move it to a cell of its own"):
        notebook.replay().prepare()


def test_two_units_are_enough_to_know_slow_work_by(notebook: Notebook) -> None:
    """Five of them would take the trial's time."""
    notebook.run(LOOP)
    assert notebook.scene is not None
    code = "import time\nfor i in range(9):\n    step(x, y)\n    time.sleep(0.7)"
    notebook.scene = replace(notebook.scene, code=code)
    window = Windows()
    with notebook.unchanged():
        way = notebook.replay()
        way.prepare()
        way.run(1, window)
        way.close()
    assert way.unit_s > 0.6


# What goes wrong


def test_a_cell_that_raises_when_it_is_run_again_is_refused_in_words(notebook: Notebook) -> None:
    notebook.run("tries = [1]")
    notebook.run("tries.pop()\nfor i in range(9):\n    step(x, y)")
    with notebook.unchanged(), pytest.raises(RefusedError, match=r"raised IndexError: pop from empty list\."):
        notebook.replay().prepare()


def test_work_that_can_be_done_once_only_is_refused_in_words(notebook: Notebook) -> None:
    """Such as a list that it uses up."""
    notebook.run("todo = list(range(200))")
    notebook.run("for i in range(3):\n    step(x, y)")
    scene = notebook.scene
    assert scene is not None
    notebook.scene = replace(scene, code="while todo:\n    todo.pop()\n    step(x, y)")
    window = Windows()
    with notebook.unchanged():
        way = notebook.replay()
        with pytest.raises(RefusedError, match="made no step when its work was repeated"):
            way.run(500, window)
        way.close()
    assert not window.open


def test_a_change_that_raises_is_refused_in_words(notebook: Notebook) -> None:
    notebook.run(LOOP)
    with notebook.unchanged(), pytest.raises(RefusedError, match="with the change, the cell raised ValueError: no"):
        notebook.pair("raise ValueError('no')\n" + "for bx, by in train:\n    step(bx, by)")


def test_no_memory_for_the_change_is_said(notebook: Notebook) -> None:
    notebook.run(LOOP)
    with notebook.unchanged(), pytest.raises(RefusedError, match="not enough memory for the cell with the change"):
        notebook.pair("for bx, by in train:\n    step(bx, by)\n    raise MemoryError('16 GiB')")


def test_a_cell_that_exits_is_refused(notebook: Notebook) -> None:
    notebook.run(LOOP)
    with notebook.unchanged(), pytest.raises(RefusedError, match="ends or signals a process"):
        notebook.pair("import sys\nsys.exit(3)")


def test_a_cell_without_a_step_is_refused(notebook: Notebook) -> None:
    notebook.run(LOOP)
    with notebook.unchanged(), pytest.raises(RefusedError, match="without any step that could be seen"):
        notebook.pair("total = 1 + 1")


@pytest.mark.parametrize("handler", ["except:", "except BaseException:"])
def test_a_cell_that_catches_everything_in_its_loop_is_left_and_refused(notebook: Notebook, handler: str) -> None:
    """Though it would go on for ever."""
    notebook.run(LOOP)
    code = f"while True:\n    try:\n        step(x, y)\n    {handler}\n        pass"
    with notebook.unchanged(), pytest.raises(RefusedError, match="catches every exception"):
        notebook.pair(code)


def test_a_handler_around_the_whole_loop_does_no_harm(notebook: Notebook) -> None:
    """It is passed through like a ``finally``."""
    notebook.run("try:\n    for i in range(8):\n        step(x, y)\nexcept BaseException:\n    kept = 1")
    with notebook.unchanged():
        way = notebook.replay()
        assert way.run(5, Windows()) == 5 * 256
        way.close()


def test_a_stop_ends_it_at_the_next_step(notebook: Notebook) -> None:
    notebook.run(LOOP)
    window = Windows()
    with notebook.unchanged():
        way = notebook.replay()
        way.prepare()
        timer = threading.Timer(0.2, notebook.stop.set)
        timer.start()
        with pytest.raises(Stopped):
            way.run(10**9, window)
        timer.join()
        way.close()
    assert not window.open


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to oneself")
@pytest.mark.parametrize("caught", [False, True])
def test_an_interrupt_goes_through_and_leaves_nothing_behind(notebook: Notebook, caught: bool) -> None:
    """Also where the cell catches it, as loops do that can be ended early."""
    code = "for i in range(10**9):\n    step(x, y)\n    time.sleep(0.001)"
    if caught:
        code = "try:\n    " + code.replace("\n", "\n    ") + "\nexcept KeyboardInterrupt:\n    print('ended early')"
    notebook.run("import time\n" + LOOP.replace("\n    ", "\n"))
    assert notebook.scene is not None
    notebook.scene = replace(notebook.scene, code=code)
    window = Windows()
    with notebook.unchanged():
        way = notebook.replay()
        way.prepare()

        def interrupt() -> None:
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises((KeyboardInterrupt, Stopped)) as raised:
            way.run(10**9, window)
        thread.join()
        way.close()
    assert raised.type is (Stopped if caught else KeyboardInterrupt)
    assert not window.open


def test_a_generator_as_data_is_refused(notebook: Notebook) -> None:
    """Nobody can copy where it stands."""
    notebook.run("batches = (batch for batch in list(train))")
    notebook.run("for bx, by in batches:\n    step(bx, by)")
    with notebook.unchanged(), pytest.raises(RefusedError, match="batches"):
        notebook.replay().prepare()


def test_nothing_is_printed_but_through_the_scenes_quiet(notebook: Notebook) -> None:
    notebook.run(LOOP)
    entered = []

    @contextmanager
    def quiet() -> Iterator[None]:
        entered.append("in")
        yield
        entered.append("out")

    assert notebook.scene is not None
    notebook.scene = replace(notebook.scene, quiet=quiet)
    with notebook.unchanged():
        way = notebook.replay()
        way.run(2, Windows())
        way.close()
    assert entered == ["in", "out", "in", "out"]


# Whole cells


def test_two_cells_are_compared_as_a_whole(notebook: Notebook) -> None:
    """One that reads only is run again on the same copies; one that changes what it reads has fresh ones each time."""
    notebook.run("values = [3, 1, 2]\nruns = []")
    first = notebook.run("ordered = sorted(values)")
    second = notebook.run("values.sort()\nruns.append(1)\nif len(runs) > 1:\n    raise ValueError('no fresh copies')")
    notebook.namespace["values"][:] = [3, 1, 2]
    notebook.namespace["runs"].clear()
    window = Windows()
    with notebook.unchanged():
        pair = pair_of_cells(first, second)
        for way in (pair.baseline, pair.candidate, pair.candidate, pair.baseline):
            assert way.run(5, window) == 5
        pair.baseline.close()
        pair.candidate.close()
    assert (window.opened, pair.unit, pair.guard().good) == (4, "run", None)


def test_a_whole_cell_that_raises_is_named(notebook: Notebook) -> None:
    first = notebook.run("total = 1")
    second = notebook.run("for i in range(1):\n    pass")
    with notebook.unchanged(), pytest.raises(RefusedError, match="the second cell raised ZeroDivisionError"):
        pair_of_cells(first, replace(second, code="1 / 0"))
