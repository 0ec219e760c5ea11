"""The energy statement of real kernels: what a run left in the ledger, from the command line and from a notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

from greennb.ledger.store import Ledger
from greennb.model.measurement import Status
from greennb.model.total import Total

pytestmark = pytest.mark.kernel

_WORK = "sum(i * i for i in range(400_000))"


def greennb(*words: str, ledger: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "GREENNB_LEDGER": str(ledger), "GREENNB_ZONE": "FRA", "GREENNB_PUE": "1.5", "TZ": "UTC"}
    return subprocess.run(
        [sys.executable, "-m", "greennb", *words], capture_output=True, text=True, timeout=120, env=environ, check=False
    )


def test_a_run_of_a_notebook_is_stated(tmp_path):
    """Three cells, of which one raises: all in the statement, each joule once, on the machine that the kernel named."""
    notebook, ledger = tmp_path / "small & fast.ipynb", tmp_path / "ledger.sqlite3"
    inner = f"import greennb\nwith greennb.measure('inner'):\n    {_WORK}"
    cells = [nbformat.v4.new_code_cell(source) for source in (_WORK, inner, f"{_WORK}\n1/0")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    assert greennb("run", str(notebook), ledger=ledger).returncode == 1  # a cell raised

    done = greennb(
        "report", "--notebook", notebook.name, "--format", "all", "--out", str(tmp_path / "s"), ledger=ledger
    )
    assert (done.returncode, done.stdout) == (0, "")
    told = {suffix: (tmp_path / f"s.{suffix}").read_text(encoding="utf-8") for suffix in ("html", "md", "tex", "yaml")}

    rows = Ledger(ledger).rows()
    assert sorted(row.kind for row in rows) == ["cell", "cell", "cell", "window"]
    whole = Total.of([row.measurement for row in rows if row.kind == "cell"])
    assert "| windows | 3 runs of 3 cells |" in told["md"]
    assert "| of them | 1 raised an error; all of them are counted |" in told["md"]
    assert "small \\& fast.ipynb" in told["tex"]
    assert "small &amp; fast.ipynb" in told["html"]
    assert "/" not in told["yaml"].partition("source")[0]
    assert [row.status for row in rows if row.kind == "cell"].count(Status.ERROR) == 1
    card = yaml.safe_load(told["yaml"])["co2_eq_emissions"]
    assert card["emissions"] == pytest.approx(whole.co2e_g, rel=1e-2)
    assert card["geographical_location"] == "FRA"
    assert "PUE 1.5" in card["source"]

    ((session, machine),) = Ledger(ledger).machines()
    assert {row.session_id for row in rows} == {session}
    assert f"{machine.cpus} logical CPU" in told["md"]
    assert f"Python {machine.python}, greennb {machine.greennb}" in told["md"]
    assert "not recorded" not in told["md"]

    history = json.loads(greennb("history", "--json", ledger=ledger).stdout)
    assert history["total"]["total_j"] == pytest.approx(whole.total_j)


def test_a_notebook_states_its_own_work(kernel, tmp_path):
    """Shown as text that a front end sets, or written; the cell that asks is not in it."""
    assert kernel.run("%energy_statement").text("stderr") == (
        "UsageError: %energy_statement: nothing has been measured yet. Put %%energy on a cell first.\n"
    )
    kernel.run("%energy_auto on")
    kernel.run(_WORK, cell_id="one")
    kernel.run(_WORK, cell_id="one")
    shown = kernel.run("%energy_statement --intensity 100 --title Ours", cell_id="two")
    (data,) = [out["data"] for out in shown.own if out["type"] == "display_data"]
    assert data["text/markdown"].startswith("# Ours\n")
    assert "2 runs of 1 cell" in data["text/markdown"]
    assert data["text/plain"].startswith("Training and development used")
    assert "100 g CO2e/kWh" in data["text/plain"]

    file = tmp_path / "s.html"
    assert kernel.run(f"%energy_statement {file}", cell_id="three").text() == f"{file} written\n"
    assert "3 runs of 2 cells" in file.read_text(encoding="utf-8")
    printed = kernel.run(
        "%energy_statement --format yaml --training-type fine-tuning --zone SWE", cell_id="four"
    ).text()
    card = yaml.safe_load(printed)["co2_eq_emissions"]
    assert (card["training_type"], card["geographical_location"]) == ("fine-tuning", "SWE")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("%energy_statement --zone Atlantis", 'There is no place "Atlantis"'),
        ("%energy_statement x.doc", 'A report cannot be made from ".doc"'),
        ("%energy_statement --all", "this kernel was not told which notebook it runs"),
        ("%energy_statement --format pdf", "invalid choice"),
        ("%energy_statement no/folder/x.html", "does not exist: make it"),
    ],
)
def test_what_is_no_good_is_said_in_a_sentence(kernel, line, sentence):
    kernel.run(f"%energy {_WORK}")
    ran = kernel.run(line)
    assert sentence in ran.text("stderr")
    assert "Traceback" not in ran.text("stderr")


def test_a_trial_in_a_cell_is_in_that_cell(kernel):
    """Its joules are counted once, with the cell's."""
    kernel.run("%energy_auto on")
    kernel.run(_WORK, cell_id="a")
    kernel.run(f"{_WORK[:-1].replace('400_000', '200_000')})", cell_id="b")
    kernel.run("%energy_compare --code a b --budget 3", cell_id="c")
    told = kernel.run("%energy_statement", cell_id="d").own[0]["data"]["text/markdown"]
    assert "## Trials" in told
    assert "not in the total" not in told
