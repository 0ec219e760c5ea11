"""``greennb run`` as a person types it: real notebooks, a real kernel, and what is left when it goes wrong."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from greennb.ledger.store import Ledger
from greennb.model.run import NotebookRun
from greennb.model.wire import MIME_TYPE

pytestmark = pytest.mark.kernel

NOTEBOOKS = Path(__file__).parents[1] / "data" / "notebooks"
TEMPORARY = "greennb-"


class Greennb:
    """The command, with its outputs and its ledger in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            **os.environ,
            "GREENNB_LEDGER": str(folder / "ledger.sqlite3"),
            "GREENNB_INTENSITY": "400",
            "TMPDIR": str(folder),
            "COLUMNS": "160",
        }

    def start(self, *words: object, **how: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "greennb", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environ, **how,
        )  # fmt: skip

    def __call__(self, *words: object) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=240)
        assert "Traceback" not in err
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def notebook(self, *sources: str) -> Path:
        made = new_notebook(cells=[new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)])
        path = self.folder / "made.ipynb"
        nbformat.write(made, path)
        return path

    @property
    def json(self) -> Path:
        return self.folder / "run.json"

    def numbers(self) -> dict[str, Any]:
        """What --json wrote; it must be a run that we can read."""
        data = json.loads(self.json.read_text())
        NotebookRun.from_dict(data)
        return dict(data)

    def statuses(self) -> list[str]:
        return [cell["status"] for cell in self.numbers()["cells"]]


@pytest.fixture
def greennb(tmp_path_factory):
    # Not tmp_path: with the test's name in it, the sockets' paths would be too long for the system.
    folder = tmp_path_factory.mktemp("run")
    yield Greennb(folder)
    assert list(folder.glob(f"{TEMPORARY}*")) == [], "the kernel's folder is still there"
    left = [p.pid for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]
    assert left == [], "a kernel is still running"


@pytest.mark.parametrize(("name", "module"), [("torch_training", "torch"), ("keras_training", "keras")])
def test_every_cell_of_a_training_notebook_is_measured(greennb, name, module):
    """Real training on real data: each code cell with seconds, joules, an interval, a method and grams."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    report = greennb.folder / "reports" / "run.html"
    done = greennb("run", NOTEBOOKS / f"{name}.ipynb", "--json", greennb.json, "--html", report)
    assert done.returncode == 0, done.stderr
    told = greennb.numbers()
    source = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    assert [cell["cell_id"] for cell in told["cells"]] == [c.id for c in source.cells if c.cell_type == "code"]
    for cell in told["cells"]:
        assert cell["status"] == "ok"
        assert cell["duration_s"] > 0
        assert cell["low_j"] <= cell["total_j"] <= cell["high_j"]
        assert cell["method"] in ("counter", "integrated", "estimated")
        assert cell["co2e_g"] > 0
    assert told["total_j"] == pytest.approx(sum(cell["total_j"] for cell in told["cells"]))
    assert told["error"] is None
    assert report.read_text().startswith("<!")
    assert all(cell["source"].splitlines()[0][:20] in done.stdout for cell in told["cells"])
    assert f"Report: {report}" in done.stdout


def test_a_cell_that_raises_stops_the_run_and_what_ran_is_reported(greennb):
    out = greennb.folder / "out.ipynb"
    done = greennb("run", NOTEBOOKS / "error.ipynb", "--json", greennb.json, "--out", out)
    assert done.returncode == 1
    assert "ValueError: the third cell raises; 1 cell after it did not run." in done.stderr
    assert greennb.statuses() == ["ok", "ok", "error"]
    assert "ValueError" in greennb.numbers()["error"]
    outputs = [cell.outputs for cell in nbformat.read(out, as_version=4).cells if cell.cell_type == "code"]
    assert [[output.output_type for output in each] for each in outputs] == [[], ["stream"], ["error"], []]


def test_allowed_errors_let_it_go_on(greennb):
    done = greennb("run", NOTEBOOKS / "error.ipynb", "--json", greennb.json, "--allow-errors")
    assert done.returncode == 0
    assert greennb.statuses() == ["ok", "ok", "error", "ok"]


def test_a_cell_whose_tag_allows_it_may_raise(greennb):
    """nbformat's tag raises-exception: the run goes on and ends with 0, and the cell is reported as it was."""
    book = greennb.notebook(
        "1 + 1", "assert False, 'not yet solved'", "2 + 2", "raise ValueError('this one may not')", "3"
    )
    notebook = nbformat.read(book, as_version=4)
    notebook.cells[1].metadata["tags"] = ["raises-exception", "check"]
    nbformat.write(notebook, book)
    done = greennb("run", book, "--json", greennb.json)
    assert done.returncode == 1
    assert greennb.statuses() == ["ok", "error", "ok", "error"]
    assert "Code cell 4 of 5" in greennb.numbers()["error"]
    notebook.cells[3].source = "4"
    nbformat.write(notebook, book)
    done = greennb("run", book, "--json", greennb.json)
    assert done.returncode == 0
    assert greennb.statuses() == ["ok", "error", "ok", "ok", "ok"]
    assert greennb.numbers()["error"] is None


def test_a_kernel_that_dies_leaves_the_cells_before_it(greennb):
    report = greennb.folder / "run.html"
    done = greennb("run", NOTEBOOKS / "killed.ipynb", "--json", greennb.json, "--html", report)
    assert done.returncode == 2
    assert "its kernel was killed (SIGKILL" in done.stderr
    told = greennb.numbers()
    assert [cell["status"] for cell in told["cells"]] == ["ok", "ok", "not measured"]
    assert told["cells"][2]["total_j"] is None
    assert told["partial"] is True
    assert told["total_j"] == pytest.approx(told["cells"][0]["total_j"] + told["cells"][1]["total_j"])
    assert report.exists()
    assert "not measured" in done.stdout


def test_a_cell_that_takes_too_long_is_interrupted_and_still_measured(greennb):
    began = time.monotonic()
    done = greennb("run", NOTEBOOKS / "slow.ipynb", "--json", greennb.json, "--timeout", "1.5")
    assert done.returncode == 2
    assert "took longer than --timeout allows (1.50 s)" in done.stderr
    assert greennb.statuses() == ["ok", "interrupted"]
    assert 1.5 <= greennb.numbers()["cells"][1]["duration_s"] < 10
    assert time.monotonic() - began < 40


def test_a_cell_that_will_not_be_interrupted_is_killed(greennb):
    book = greennb.notebook(
        "1", "import time\nwhile True:\n    try: time.sleep(60)\n    except KeyboardInterrupt: pass"
    )
    done = greennb("run", book, "--json", greennb.json, "--timeout", "1")
    assert done.returncode == 2
    assert greennb.statuses() == ["ok", "not measured"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGINT, 2), (signal.SIGTERM, 1)])
def test_ctrl_c_stops_the_kernel_and_reports_the_cells_so_far(greennb, number, times):
    """Also pressed twice, by somebody impatient; and a request to terminate is heard in the same way."""
    sign = greennb.folder / "sleeping"
    book = greennb.notebook("1 + 1", f"import pathlib, time\npathlib.Path({str(sign)!r}).touch()\ntime.sleep(60)", "2")
    process = greennb.start("run", book, "--json", greennb.json)
    deadline = time.monotonic() + 60
    while not sign.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    for _press in range(times):
        process.send_signal(number)
        time.sleep(0.02)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert greennb.statuses()[0] == "ok"
    assert "interrupted" in err
    assert "1 + 1" in out


def test_what_cannot_be_run_gets_one_sentence(greennb):
    """Not there, not JSON, no such kernel, nowhere to write: exit 2. No code at all: that is fine."""
    missing = greennb("run", greennb.folder / "nowhere.ipynb")
    not_json = greennb("run", NOTEBOOKS / "notjson.ipynb")
    no_kernel = greennb("run", NOTEBOOKS / "no_kernelspec.ipynb")
    nowhere = greennb("run", NOTEBOOKS / "error.ipynb", "--html", greennb.folder)
    assert [done.returncode for done in (missing, not_json, no_kernel, nowhere)] == [2, 2, 2, 2]
    assert "There is no notebook" in missing.stderr
    assert "it is not JSON" in not_json.stderr
    assert 'No kernel is called "does-not-exist"' in no_kernel.stderr
    assert "is a folder" in nowhere.stderr
    assert all(done.stderr.count("\n") == 1 for done in (missing, not_json, no_kernel, nowhere))
    nothing = greennb("run", NOTEBOOKS / "markdown_only.ipynb", "--json", greennb.json)
    assert nothing.returncode == 0
    assert "no code cells" in nothing.stdout
    assert greennb.numbers()["cells"] == []


def test_outputs_are_those_of_a_run_without_greennb(greennb):
    """Top-level await, other magics, pending clear_output, a fork: nothing of ours, and nothing of theirs lost."""
    sources = [
        "import asyncio\nawait asyncio.sleep(0)\n42",
        "print('kept')\nfrom IPython.display import clear_output, display\nclear_output(wait=True)",
        "handle = display('one', display_id=True)\nhandle.update('two')",
        "%%capture out\nprint('hidden')",
        "%%bash\necho from bash",
        "import os\npid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)[1]",
        "x = 1;\nraise KeyError('x')",
    ]
    book = greennb.notebook(*sources)
    plain = nbformat.read(book, as_version=4)
    NotebookClient(plain, allow_errors=True, record_timing=False).execute()
    out = greennb.folder / "out.ipynb"
    assert greennb("run", book, "--allow-errors", "--out", out, "--json", greennb.json).returncode == 0
    measured = nbformat.read(out, as_version=4)
    assert [cell.outputs for cell in measured.cells] == [cell.outputs for cell in plain.cells]
    assert [cell.execution_count for cell in measured.cells] == [cell.execution_count for cell in plain.cells]
    assert greennb.statuses() == ["ok"] * 6 + ["error"]


def test_the_notebooks_own_magics_work_and_each_cell_is_counted_once(greennb):
    """A card that the notebook asks for stays; repeats and statements are parts of their cell, not cells."""
    sources = [
        "%load_ext greennb",
        "%%energy -n train\nsum(range(10))",
        "%energy sum(range(1000))",
        "%%energy -r 3\nsum(range(1000))",
        "%reload_ext greennb",
        "%%energy -q\n1",
        "",
        "# nothing",
    ]
    out = greennb.folder / "out.ipynb"
    assert greennb("run", greennb.notebook(*sources), "--out", out, "--json", greennb.json).returncode == 0
    cells = greennb.numbers()["cells"]
    assert [cell["cell_index"] for cell in cells] == [0, 1, 2, 3, 4, 5, 7]  # a blank cell is not run
    assert [cell["parent_id"] for cell in cells] == [None] * 7
    assert [cell["execution_count"] for cell in cells] == [1, 2, 3, 4, 5, 6, 7]
    assert cells[1]["label"] == "train"
    executed = nbformat.read(out, as_version=4)
    shown = [[set(output.get("data", {})) for output in cell.outputs] for cell in executed.cells]
    assert any(MIME_TYPE in kinds for kinds in shown[1])
    assert not any(kinds == {MIME_TYPE} for each in shown for kinds in each)
    ledger = Ledger(greennb.folder / "ledger.sqlite3")
    rows = ledger.rows()
    assert {row.notebook for row in rows} == {str(greennb.folder / "made.ipynb")}
    assert {row.measurement.window.cell_id for row in rows if row.kind == "cell"} >= {"cell-0", "cell-1", "cell-7"}


def test_numbers_go_to_a_pipe_and_words_to_the_person(greennb):
    """--json - : standard output is JSON and nothing else."""
    done = greennb("run", greennb.notebook("1"), "--json", "-")
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["cells"]) == 1
    assert "Read from:" in done.stderr


def test_problems_of_the_kernels_greennb_reach_the_person_once(greennb):
    """A zone that does not exist and a ledger that cannot be written cost neither joules nor the run."""
    greennb.environ |= {"GREENNB_INTENSITY": "0", "GREENNB_ZONE": "Atlantis"}
    greennb.environ["GREENNB_LEDGER"] = str(greennb.folder)  # a folder is no file
    done = greennb("run", greennb.notebook("1", "2", "3"), "--json", greennb.json)
    assert done.returncode == 0
    assert done.stderr.count("Atlantis") == 1
    assert done.stderr.count("The ledger") == 1
    assert greennb.numbers()["total_j"] > 0
    assert greennb.numbers()["co2e_g"] is None


def test_a_kernel_without_greennb_is_told_how_to_get_it(greennb):
    spec = greennb.folder / "jupyter" / "kernels" / "bare"
    spec.mkdir(parents=True)
    hide = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'greennb': raise ModuleNotFoundError(f'No module named {name!r}')\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "from ipykernel.kernelapp import launch_new_instance\nlaunch_new_instance()"
    )
    argv = [sys.executable, "-c", hide, "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "bare", "language": "python"}))
    greennb.environ["JUPYTER_PATH"] = str(greennb.folder / "jupyter")
    done = greennb("run", NOTEBOOKS / "error.ipynb", "--kernel", "bare")
    assert done.returncode == 2
    assert f"{sys.executable} -m pip install greennb" in done.stderr


def test_a_gate_runs_the_notebook_first(greennb):
    within = greennb("gate", greennb.notebook("1"), "--budget", "1MJ", "-q")
    assert (within.returncode, within.stderr) == (0, "")
    assert within.stdout.startswith("within: ")
    assert greennb("gate", NOTEBOOKS / "error.ipynb", "--budget", "1MJ", "-q").returncode == 2


@pytest.mark.network
@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="needs root and a network namespace",
)
def test_it_runs_where_there_is_no_network_at_all(greennb):
    """Not even a loopback that is up: the kernel is spoken to through files."""
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "greennb", "run", str(greennb.notebook("1 + 1")), "-q"],
        env=greennb.environ, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
