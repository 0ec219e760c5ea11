"""What runs quietly shows nothing, and everything is as before afterwards."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest
from IPython.core.displaypub import CapturingDisplayPublisher

from greennb.jupyter.quiet import quiet


@pytest.fixture
def shell():
    """What of a shell shows something."""
    return SimpleNamespace(display_pub=CapturingDisplayPublisher())


@pytest.fixture
def handler(capsys):
    """Logging to the screen, as ``logging.basicConfig()`` in a notebook makes it."""
    made = logging.StreamHandler(sys.stderr)
    logging.getLogger("quiet").addHandler(made)
    yield made
    logging.getLogger("quiet").removeHandler(made)


def speak(shell) -> None:
    from tqdm import tqdm

    print("said")
    print("moaned", file=sys.stderr)
    sys.displayhook(42)
    shell.display_pub.publish({"text/plain": "shown"}, {})
    shell.display_pub.clear_output()
    logging.getLogger("quiet").warning("logged")
    for _ in tqdm(range(3)):
        pass


def test_nothing_is_shown_and_then_all_is_again(shell, handler, capsys):
    before = sys.stdout, sys.stderr, sys.displayhook, handler.stream
    with quiet(shell):
        speak(shell)
    assert capsys.readouterr() == ("", "")
    assert shell.display_pub.outputs == []
    assert (sys.stdout, sys.stderr, sys.displayhook, handler.stream) == before
    shell.display_pub.publish({"text/plain": "shown"}, {})
    logging.getLogger("quiet").warning("logged")
    assert len(shell.display_pub.outputs) == 1
    assert "logged" in capsys.readouterr().err


def test_it_ends_with_what_runs_in_it(shell, capsys):
    with pytest.raises(ZeroDivisionError), quiet(shell), quiet(shell):
        _ = 1 / 0
    print("said")
    assert capsys.readouterr().out == "said\n"
    assert "publish" not in vars(shell.display_pub)


def test_figures_made_meanwhile_are_closed_and_the_users_stay(shell):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    pyplot.figure(1)
    current = pyplot.figure(2)
    show = pyplot.show
    with quiet(shell):
        pyplot.figure()
        pyplot.plot([1, 2])
        pyplot.show()
        pyplot.figure(1)
    assert pyplot.get_fignums() == [1, 2]
    assert pyplot.gcf() is current
    assert pyplot.show is show
    pyplot.close("all")


def test_widgets_made_meanwhile_reach_no_page_and_are_closed(shell):
    comm = pytest.importorskip("comm")
    create, known = comm.create_comm, set(comm.get_comm_manager().comms)
    with quiet(shell):
        made = comm.create_comm(target_name="jupyter.widget")
    assert made.comm_id not in set(comm.get_comm_manager().comms) - known
    assert comm.create_comm is create
