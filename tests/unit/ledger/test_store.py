"""The ledger keeps every window, off the caller's path, and gives it back as it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from greennb.ledger.store import ledger_path
from greennb.model.measurement import Status
from greennb.model.reading import Fault, Method
from tests.rig.measurements import CORE, DRAM, FRANCE, GPU, PACKAGE, START, energy, measurement

CELL = {"session_id": "s1", "notebook": "n.ipynb", "source": "x = 1", "kind": "cell"}

WRITER = """
import sys
from pathlib import Path
from greennb.ledger.store import Ledger
from tests.rig.measurements import energy, measurement
ledger = Ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    ledger.append(measurement(energy(), id=f"{sys.argv[2]}-{number}"), session_id=sys.argv[2], notebook="n.ipynb",
                  source="x", kind="cell")
    if number % 10 == 0:
        ledger.flush()
"""


def python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A Python process of its own, at the root of the project."""
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finished(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert err == ""
    return out


def wait_until(condition, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_a_measurement_comes_back_as_it_was(ledger, kept):
    """Everything in the measurement survives, also faults, nested domains and the intensity."""
    fault = Fault(domain=GPU, t_ns=1, reason="lost", hint="look at dmesg")
    written = kept(measurement(energy(), energy(CORE, 30.0), energy(DRAM, 4.0), faults=(fault,), intensity=FRANCE))
    (row,) = ledger.rows()
    assert row.measurement == written


def test_a_row_can_be_read_without_decoding(ledger, kept):
    """The columns agree with the measurement; grams can be computed again from joules, PUE and intensity."""
    written = kept(
        measurement(energy(), intensity=FRANCE, pue=1.2), source="\n  model.fit(x)\nprint()", kind="statement"
    )
    (row,) = ledger.rows()
    assert (row.total_j, row.low_j, row.high_j) == (40.0, written.low_j, written.high_j)
    assert (row.method, row.partial, row.status, row.kind) == ("counter", False, "ok", "statement")
    assert (row.zone, row.origin, row.intensity_g_per_kwh, row.pue) == ("FRA", "static", 50.0, 1.2)
    assert row.total_j / 3.6e6 * row.pue * row.intensity_g_per_kwh == pytest.approx(row.co2e_g)
    assert (row.source, row.label, row.host, row.duration_s) == ("model.fit(x)", "train", "bench", 2.0)
    assert row.started_at == START


@pytest.mark.parametrize("status", [Status.ERROR, Status.INTERRUPTED, Status.OPEN])
def test_a_window_that_failed_is_kept_too(ledger, kept, status):
    """One row a window, with its status and its joules."""
    kept(measurement(energy(), status=status))
    (row,) = ledger.rows()
    assert (row.status, row.total_j) == (status.value, 40.0)


def test_what_was_not_measured_is_none_and_never_0(ledger, kept):
    """A window without any energy and without an intensity has no numbers, and is partial."""
    kept(measurement())
    (row,) = ledger.rows()
    assert (row.total_j, row.low_j, row.high_j, row.method) == (None, None, None, None)
    assert (row.co2e_g, row.intensity_g_per_kwh, row.zone, row.pue) == (None, None, None, None)
    assert row.partial is True


def test_rows_are_in_order_of_time_and_last_gives_the_newest(ledger, kept):
    """Two kernels' windows interleave by their start, not by when they were written."""
    for seconds in (30, 10, 20, 40):
        kept(measurement(energy(), after_s=seconds, label=str(seconds)))
    assert [row.label for row in ledger.rows()] == ["10", "20", "30", "40"]
    assert [row.label for row in ledger.rows(last=2)] == ["30", "40"]
    assert ledger.rows(last=0) == []


def test_rows_are_found_by_session_notebook_and_time(ledger, kept):
    """A notebook is found by its path or its file name, which is matched as it is: "_" and "%" are no wildcards."""
    kept(measurement(after_s=1, label="a"), session_id="s1", notebook="/work/a_b.ipynb")
    kept(measurement(after_s=2, label="b"), session_id="s2", notebook="/work/axb.ipynb")
    kept(measurement(after_s=3, label="c"), session_id="s2", notebook="C:\\work\\a_b.ipynb")
    assert [row.label for row in ledger.rows(session_id="s2")] == ["b", "c"]
    assert [row.label for row in ledger.rows(notebook="a_b.ipynb")] == ["a", "c"]
    assert [row.label for row in ledger.rows(notebook="/work/a_b.ipynb")] == ["a"]
    assert ledger.rows(notebook="%.ipynb") == []
    assert [row.label for row in ledger.rows(since=START + timedelta(seconds=2))] == ["b", "c"]
    since = (START + timedelta(seconds=3)).astimezone().replace(tzinfo=None)
    assert [row.label for row in ledger.rows(since=since)] == ["c"]


def test_sessions_are_listed_by_their_first_window(ledger, kept):
    """Each kernel once, with its notebook, its span and its number of windows."""
    kept(measurement(after_s=20), session_id="later", notebook="b.ipynb")
    kept(measurement(after_s=10), session_id="first", notebook="a.ipynb")
    kept(measurement(after_s=30), session_id="first", notebook="a.ipynb")
    first, later = ledger.sessions()
    assert (first.session_id, first.notebook, first.windows) == ("first", "a.ipynb", 2)
    assert (first.first_at, first.last_at) == (START + timedelta(seconds=10), START + timedelta(seconds=30))
    assert (later.session_id, later.windows) == ("later", 1)


def test_a_start_in_another_time_zone_is_kept_as_utc(ledger, kept):
    """Text order in the file is time order only in one time zone."""
    from datetime import timezone

    kept(measurement(label="second", started_at=datetime(2026, 3, 1, 9, 0, 1, tzinfo=timezone(timedelta(hours=-3)))))
    kept(measurement(label="first", started_at=START))
    assert [row.label for row in ledger.rows()] == ["first", "second"]
    assert all(row.started_at.utcoffset() == timedelta(0) for row in ledger.rows())


@pytest.mark.parametrize(
    "label", ["x" * 10_000, "a\x00b\x1b[31m\n", "<script>", "'); DROP TABLE windows; --", "\ud800", "é漢🎉"]
)
def test_any_label_is_kept(ledger, kept, label):
    """Long, with control characters, HTML, SQL or half a surrogate pair: the measurement has it unchanged."""
    kept(measurement(label=label), source=label, notebook=label)
    (row,) = ledger.rows()
    assert row.measurement.window.label == label
    assert len(row.source) <= 200


def test_a_callable_is_called_on_the_writers_thread(ledger, kept):
    """What is dear to compute is not computed on the cell's path."""
    called_on = []

    def late():
        called_on.append(threading.current_thread().name)
        return measurement(label="late")

    kept(late)
    assert [row.label for row in ledger.rows()] == ["late"]
    assert called_on == ["greennb-ledger"]


def test_a_window_that_cannot_be_recorded_costs_no_other(path, opened):
    """A callable that raises, and a number that JSON cannot hold, are said; the others are written."""
    said = []
    ledger = opened(path, on_problem=said.append)
    ledger.append(lambda: 1 / 0, **CELL)
    ledger.append(measurement(energy(joules=float("nan"))), **CELL)
    ledger.append(measurement(label="sound"), **CELL)
    assert [row.label for row in ledger.rows()] == ["sound"]
    assert ledger.lost == 2
    assert said == [ledger.problem]
    assert "ZeroDivisionError" in said[0]
    ledger.close()


def test_off_keeps_nothing_and_starts_nothing(opened):
    """opened(None) answers as an empty one."""
    ledger = opened(None)
    ledger.append(measurement(), **CELL)
    assert ledger.rows() == []
    assert ledger.sessions() == []
    assert (ledger.flush(0), ledger.problem, ledger.lost) == (True, None, 0)


def test_reading_before_anything_was_written_makes_no_file(path, opened):
    """An empty answer, and the disk as it was."""
    assert opened(path).rows() == []
    assert opened(path).sessions() == []
    assert not path.parent.exists()


def test_no_thread_and_no_open_file_when_there_is_nothing_to_write(ledger, kept, path):
    """The writer ends after a second without work, and leaves one file."""

    def writers() -> list[str]:
        """The ledger's threads; a kernel's client in another test may have left one of its own."""
        return [thread.name for thread in threading.enumerate() if thread.name == "greennb-ledger"]

    assert writers() == []
    kept(measurement())
    assert wait_until(lambda: writers() != [])
    assert wait_until(path.exists)
    assert wait_until(lambda: writers() == [])
    assert wait_until(lambda: list(path.parent.iterdir()) == [path])
    kept(measurement())  # and a new one begins when there is
    assert len(ledger.rows()) == 2


def test_only_the_owner_may_read_the_ledger(ledger, kept, path):
    """It holds first lines of people's cells."""
    if os.name == "nt":
        pytest.skip("Windows has no such modes")
    kept(measurement())
    assert ledger.flush()
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_the_code_that_is_measured_may_change_the_working_folder(tmp_path, monkeypatch, opened):
    """A relative path means where the ledger was made."""
    monkeypatch.chdir(tmp_path)
    ledger = opened(Path("here.sqlite3"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ledger.append(measurement(), **CELL)
    assert ledger.close()
    assert (tmp_path / "here.sqlite3").exists()


def test_a_closed_ledger_says_what_it_does_not_keep(path, opened):
    """Nothing vanishes without a word."""
    ledger = opened(path)
    ledger.close()
    ledger.append(measurement(), **CELL)
    assert ledger.lost == 1
    assert "closed" in ledger.problem


def test_many_threads_lose_nothing(ledger, kept):
    """Windows close in any thread."""
    threads = [threading.Thread(target=lambda: [kept(measurement()) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ledger.rows()) == 400


def test_many_kernels_write_one_ledger(path, opened):
    """Real processes that begin together on a ledger that is not there yet: every row is there, no file is damaged."""
    writers = [python(WRITER, path, f"kernel{number}", 40) for number in range(5)]
    for writer in writers:
        finished(writer)
    ledger = opened(path)
    assert {session.session_id: session.windows for session in ledger.sessions()} == {
        f"kernel{number}": 40 for number in range(5)
    }
    assert len({row.id for row in ledger.rows()}) == 200
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_the_interpreters_exit_writes_what_is_queued(path, opened):
    """The last cell of a script is kept without flush and close."""
    finished(python(WRITER.replace("        ledger.flush()", "        pass"), path, "s", 3))
    assert list(path.parent.iterdir()) == [path]  # no log beside it: the connection was closed
    assert len(opened(path).rows()) == 3


def test_another_writer_is_waited_for(ledger, kept, path):
    """A kernel in the middle of a transaction delays ours and costs nothing."""
    kept(measurement())
    assert ledger.flush()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    kept(measurement())
    assert not ledger.flush(0.3)
    other.execute("ROLLBACK")
    other.close()
    assert ledger.flush(5)
    assert (len(ledger.rows()), ledger.problem) == (2, None)


FORK = """
import os, sys
from pathlib import Path
from greennb.ledger.store import Ledger
from tests.rig.measurements import energy, measurement
CELL = dict(notebook="n.ipynb", source="x", kind="cell")
ledger = Ledger(Path(sys.argv[1]))
ledger.append(measurement(id="before"), session_id="parent", **CELL)
if sys.argv[2] == "connected":
    ledger.flush()  # the writer lives on for a second, with its connection
for number in range(4):
    child = os.fork()
    if child == 0:
        ledger.append(measurement(id=f"child{number}"), session_id="child", **CELL)
        os._exit(0 if ledger.close(5) and ledger.problem is None else 1)
    ledger.append(measurement(id=f"parent{number}"), session_id="parent", **CELL)
    assert os.waitpid(child, 0)[1] == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.parametrize("state", ["queued", "connected"])
def test_a_forked_child_writes_its_own_windows_and_none_of_its_parents(path, state, opened):
    """Whether the parent's rows are still queued or its connection is open: each row is there once."""
    finished(python(FORK, path, state))
    expected = ["before", *(f"{who}{number}" for who in ("child", "parent") for number in range(4))]
    ledger = opened(path)
    assert sorted(row.id for row in ledger.rows()) == sorted(expected)
    assert {session.session_id: session.windows for session in ledger.sessions()} == {"parent": 5, "child": 4}


def test_append_costs_little(ledger, kept):
    """Far below what a cell's window costs; the figure itself is the bench's."""
    one = measurement(energy())
    kept(one)  # the writer is there
    took = []
    for _ in range(500):
        start = time.perf_counter_ns()
        kept(one)
        took.append(time.perf_counter_ns() - start)
    assert sorted(took)[250] < 50_000


def test_the_setting_names_the_path(monkeypatch, tmp_path):
    """ "" is the platform's data folder, "off" none, anything else a path."""
    assert ledger_path("off") is None
    assert ledger_path("OFF ") is None
    monkeypatch.setenv("HOME", str(tmp_path))
    assert ledger_path("~/x.sqlite3") == tmp_path / "x.sqlite3"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    found = ledger_path("")
    assert found.name == "ledger.sqlite3"
    assert "greennb" in found.parts


def test_the_packages_total_does_not_count_the_core_twice(ledger, kept):
    """The column is the measurement's own total: roots only."""
    kept(measurement(energy(PACKAGE, 40.0), energy(CORE, 30.0), energy(GPU, 100.0, method=Method.INTEGRATED)))
    (row,) = ledger.rows()
    assert (row.total_j, row.method) == (140.0, "integrated")
    assert row.started_at.tzinfo is UTC
