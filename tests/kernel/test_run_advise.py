"""``greennb run --advise``: what the advisor found, in the terminal, the JSON and the report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from greennb.model.run import NotebookRun

pytestmark = pytest.mark.kernel

RULE = '''
"""Slow cells.

A cell that sleeps is said to be slow. There is nothing to it.
"""

from greennb.advisor.base import Found, evidence
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="SLOW1", name="this cell is slow", framework="mine", severity=Severity.NOTE, since="1.0",
    source="a test", wrong_when=("it has to be slow",),
)


def check(cell):
    if "sleep" in cell.source:
        yield Found(
            evidence=(evidence("the cell took", cell.duration_s, "s"),), text="Sleep less.", code="sleep(0)", share=1.0,
            subject="nap" if "nap" in cell.source else "sleep",
        )
'''

SOURCES = ("import time; time.sleep(0.2)", "1 + 1", "time.sleep(0.3)  # nap")


class Run:
    """The command in a folder of its own, with somebody's package of a rule installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        info = folder / "site" / "slowrule-1.0.dist-info"
        info.mkdir(parents=True)
        (info.parent / "slowrule.py").write_text(RULE)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slowrule\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[greennb.rules]\nslow = slowrule\n")

    def __call__(self, *words: str, metadata: dict[str, Any] | None = None, sources: tuple[str, ...] = SOURCES) -> str:
        """What is printed; the run is in run.json and the report in run.html."""
        cells = [new_code_cell(source, id=f"cell-{n}") for n, source in enumerate(sources)]
        book = new_notebook(cells=cells, metadata={"greennb": metadata} if metadata else {})
        nbformat.write(book, self.folder / "made.ipynb")
        path = os.pathsep.join([str(self.folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [sys.executable, "-m", "greennb", "run", str(self.folder / "made.ipynb"), *words,
             "--json", str(self.folder / "run.json"), "--html", str(self.folder / "run.html")],
            env={**os.environ, "PYTHONPATH": path, "GREENNB_LEDGER": "off", "TMPDIR": str(self.folder)},
            capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        self.status, self.said = done.returncode, done.stderr
        return done.stdout

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "run.json").read_text()))

    @property
    def report(self) -> str:
        return (self.folder / "run.html").read_text()


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("run"))  # a short path, for the kernel's sockets


def test_small_cells_count_where_advice_is_asked_for(run):
    """Each finding with what the issue names, in the order of what is at stake, whatever the settings say."""
    printed = run("--advise")
    assert run.status == 0
    found = run.data["findings"]
    assert [(it["code"], it["subject"], it["cell_index"], it["cell_id"]) for it in found] == [
        ("SLOW1", "nap", 2, "cell-2"), ("SLOW1", "sleep", 0, "cell-0"),
    ]  # fmt: skip
    first = found[0]
    assert (first["name"], first["severity"], first["source"]) == ("this cell is slow", "note", "a test")
    assert (first["suggestion"], first["code_change"], first["wrong_when"]) == (
        "Sleep less.", "sleep(0)", ["it has to be slow"]
    )  # fmt: skip
    assert first["evidence"][0]["name"] == "the cell took"
    assert first["at_stake_s"] == pytest.approx(0.3, abs=0.15)
    assert first["at_stake_j"] > 0
    assert "Advice: 2 findings, the most at stake first." in printed
    assert "SLOW1  this cell is slow · on nap · cell [3] · " in printed
    assert printed.index("Not included") < printed.index("Advice:") < printed.index("Report:")
    assert "<h2>Advice</h2>" in run.report
    assert "sleep(0)" in run.report
    assert len(NotebookRun.from_dict(run.data).findings or ()) == 2


def test_without_it_nobody_watches_and_nothing_is_said(run):
    """The price of watching is paid by who asked."""
    hooks = "import sys; assert 'greennb.advisor.advise' not in sys.modules, 'it watches'"
    assert "Advice" not in run(sources=(*SOURCES, hooks))
    assert run.status == 0
    assert "findings" not in run.data
    assert "<h2>Advice</h2>" not in run.report


def test_a_notebook_that_asks_itself_is_watched_and_the_run_tells_nothing(run):
    """`%energy_try` and `%energy_advise` in it work as in JupyterLab; the run itself tells no findings."""
    asks = "import sys; assert 'greennb.advisor.advise' in sys.modules, 'nobody watches'"
    printed = run(sources=(*SOURCES, asks, "%energy_advise --all"))
    assert run.status == 0, run.said
    assert "Advice" not in printed
    assert "findings" not in run.data


def test_nothing_found_is_said_with_what_was_looked_at(run):
    printed = run("--advise", sources=("1 + 1", "2 + 2"))
    assert run.data["findings"] == []
    assert "rules looked at 2 runs of cells; at work in them: no framework that greennb knows." in printed
    assert "nothing was found" in run.report


@pytest.mark.parametrize(
    ("metadata", "left"),
    [
        ({"never": ["SLOW1"], "dismissed": [], "budget_j": None}, []),
        ({"dismissed": ["SLOW1 nap"]}, ["sleep"]),
        ({"dismissed": ["SLOW1 cell-0"]}, ["nap"]),
        ({"dismissed": "SLOW1", "never": {"SLOW1": 1}}, ["nap", "sleep"]),
    ],
)
def test_what_was_dismissed_in_the_panel_stays_dismissed(run, metadata, left):
    """Kept in the notebook's metadata by key, by rule, or as greennb 0.1 had it; odd metadata is nothing."""
    printed = run("--advise", metadata=metadata)
    assert [it["subject"] for it in run.data["findings"]] == left
    gone = 2 - len(left)
    assert (f"{gone} dismissed in this notebook, and not shown." in printed) == bool(gone)


def test_a_run_that_raises_still_has_its_findings(run):
    run("--advise", sources=("import time; time.sleep(0.2)", "1/0"))
    assert run.status == 1
    assert [it["cell_id"] for it in run.data["findings"]] == ["cell-0"]


def test_a_kernel_that_died_cannot_be_asked_and_that_is_said(run):
    run("--advise", sources=("import time; time.sleep(0.1)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    assert run.status == 2
    assert "There is no advice, because its kernel was killed (SIGKILL" in run.said
    assert "findings" not in run.data
