"""Trials in a real kernel: said first, run on copies, stopped at once; the notebook is as it was, bit for bit."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import ipykernel
import pytest

from greennb.model.finding import Verdict
from tests.kernel.conftest import Kernel, Ran
from tests.kernel.page import Page

pytestmark = pytest.mark.kernel

SUBSHELLS = ipykernel.version_info[0] >= 7

MAKE = """
import hashlib, random, torch
torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(16, 16, 3, padding=1), torch.nn.ReLU(),
    torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 4),
)
optimizer = torch.optim.Adam(model.parameters())
x, y = torch.randn(8, 3, 32, 32), torch.randint(0, 4, (8,))
losses = []

def state():
    found = hashlib.sha256(torch.get_rng_state().numpy().tobytes())
    for tensor in [*model.parameters(), x, y, *(t for s in optimizer.state.values() for t in s.values())]:
        found.update(tensor.detach().numpy().tobytes())
    return found.hexdigest() + str(random.getstate()[1][:3]) + str(len(losses))
"""
TRAIN = """
for step in range(120):
    optimizer.zero_grad()
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
    print(step)
"""
STATE = "state()"

SLOW = """
import time, torch
net = torch.nn.Linear(64, 64).double()
descent = torch.optim.SGD(net.parameters(), lr=0.01)
rows = torch.randn(32, 64, dtype=torch.float64)
"""
TRAIN_SLOWLY = """
for step in range(60):
    descent.zero_grad()
    loss = net(rows).square().mean()
    loss.backward()
    descent.step()
    time.sleep(0.03)
"""
"""More than a second whatever the machine, and so a finding on what it computes in."""


@pytest.fixture
def trained(kernel: Kernel) -> Kernel:
    """A kernel that has trained a small model in a cell called "train-1"."""
    for code, cell_id in ((MAKE, "make-1"), (TRAIN, "train-1")):
        ran = kernel.run(code, cell_id=cell_id, timeout=180)
        assert ran.reply["status"] == "ok", ran.outputs
    return kernel


def shown(ran: Ran) -> str:
    """What was displayed, as text, in its last state."""
    return "\n".join(
        out["data"].get("text/plain", "")
        for out in ran.outputs
        if out["type"] in ("display_data", "update_display_data")
    )


def words(ran: Ran) -> str:
    """The one sentence of an error; no traceback of ours."""
    assert ran.reply["status"] == "error"
    assert ran.reply["ename"] == "UsageError", ran.reply
    return str(ran.reply["evalue"])


def verdict_in(text: str) -> bool:
    return any(word in text for word in (Verdict.CANNOT_TELL, Verdict.NO_DIFFERENCE, "saves", "costs")) and ": " in text


def test_a_plan_says_what_would_run_and_runs_nothing(trained: Kernel) -> None:
    before = trained.value(STATE)
    ran = trained.run("%energy_try --plan GNB210", timeout=120)
    assert ran.reply["status"] == "ok", ran.outputs
    said = shown(ran)
    assert "GNB210" in said
    assert "channels_last" in said
    assert "Nothing of the notebook is changed" in said
    assert "+" in said
    assert trained.value(STATE) == before


def test_a_trial_ends_in_a_verdict_and_the_notebook_is_as_it_was(trained: Kernel, tmp_path: Path) -> None:
    """The verdict is this machine's; that there is one, that it is shown and kept, is not."""
    before = trained.value(STATE)
    ran = trained.run("%energy_auto on\n")
    ran = trained.run("%energy_try GNB216 --budget 6", timeout=240)
    assert ran.reply["status"] == "ok", ran.outputs
    last = [out for out in ran.outputs if out["type"] in ("display_data", "update_display_data")][-2:]
    assert any(verdict_in(out["data"]["text/plain"]) for out in last), ran.outputs
    assert not any(out["type"] == "stream" for out in ran.outputs), ran.outputs
    assert ran.measurement["status"] == "ok"
    assert "advice" not in ran.measurement
    assert trained.value(STATE) == before
    assert "GNB216" in shown(trained.run("%energy_report"))
    trained.value("__import__('greennb.runtime', fromlist=['runtime']).runtime().ledger.flush(10)")
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as ledger:
        assert [code for (code,) in ledger.execute("SELECT code FROM trials")] == ["GNB216"]
        assert {kind for (kind,) in ledger.execute("SELECT DISTINCT kind FROM windows")} == {"cell"}
    ledger.close()


def test_what_cannot_be_tried_is_said_in_one_sentence(trained: Kernel) -> None:
    for line, why in (
        ("%energy_try GNB999", "GNB999"),
        ("%energy_try GNB210 --variant nonsense", "nonsense"),
        ("%energy_try GNB210 --budget 0", "budget"),
        ("%energy_try GNB210 --budget 3Q", "budget"),
        ("%energy_try GNB210 --budget 90000", "budget"),
        ("%energy_try --nonsense", "unrecognized"),
        ("%energy_try 'GNB210", "quotation"),
        ("%energy_compare --code 3 nonsense", "nonsense"),
        ("%energy_compare --budget 3 1 2", "--code"),
    ):
        said = words(trained.run(line, timeout=120))
        assert why in said
        assert "\n" not in said


def test_a_trial_is_put_into_a_variable(trained: Kernel) -> None:
    """To look at its numbers, as ``%%energy -o`` does; a trial that is refused leaves None and not an earlier one."""
    trained.value("globals().update(proof='an earlier one')")
    assert trained.run("%energy_try GNB216 --budget 4 -o proof", timeout=240).reply["status"] == "ok"
    verdict, unit, order = trained.value("(proof.verdict.value, proof.unit, proof.order)")
    assert verdict in set(Verdict)
    assert unit == "step"
    assert set(order) <= {"A", "B"}
    assert words(trained.run("%energy_try GNB208 -o proof", timeout=120))
    assert trained.value("proof is None") is True
    assert "no name" in words(trained.run("%energy_try GNB216 -o 2nd", timeout=120))


def test_a_trial_as_a_cells_value_is_shown_in_words(start_kernel: Any) -> None:
    """And not as Python writes a dataclass, with every block of it; until greennb is unloaded."""
    kernel = start_kernel()
    kernel.run("import greennb\ntrial = greennb.compare(lambda: sum(range(2000)), lambda: sum(range(10)), budget_s=4)")
    (shown_,) = [out["data"] for out in kernel.run("trial").outputs if out["type"] == "execute_result"]
    assert verdict_in(": " + shown_["text/plain"])
    assert "Measurement(" not in shown_["text/plain"]
    assert "gnb-card" in shown_["text/html"]
    kernel.run("%unload_ext greennb")
    (shown_,) = [out["data"] for out in kernel.run("trial").outputs if out["type"] == "execute_result"]
    assert "Measurement(" in shown_["text/plain"]


def test_names_are_completed_and_the_help_says_what_it_does(trained: Kernel) -> None:
    def matches(line: str) -> set[str]:
        return set(trained.client.complete(line, reply=True, timeout=60)["content"]["matches"])

    assert {"GNB210", "GNB216"} <= matches("%energy_try GNB2")
    assert "channels_last" in matches("%energy_try GNB210 --variant ch")
    assert {"--budget", "--output", "--plan", "--quiet", "--variant"} <= matches("%energy_try GNB210 --")
    assert {"--budget", "--code"} <= matches("%energy_compare --")
    assert "it is never run" in str(trained.run("%energy_try?").reply["payload"])


def test_what_a_replayed_cell_measures_itself_is_not_kept(kernel: Kernel, tmp_path: Path) -> None:
    """A cell with windows of its own writes them once, when the user runs it, and never in a trial."""
    kernel.run(MAKE, cell_id="make-1", timeout=180)
    kernel.run(f"import greennb\nwith greennb.measure('own'):\n    pass{TRAIN.replace(chr(10), chr(10) + '    ')}")
    last = kernel.value("greennb.last().window.id")
    ran = kernel.run("%energy_try GNB216 --budget 4", timeout=240)
    assert ran.reply["status"] == "ok", ran.outputs
    assert kernel.value("greennb.last().window.id") == last
    kernel.value("__import__('greennb.runtime', fromlist=['runtime']).runtime().ledger.flush(10)")
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as ledger:
        assert [label for (label,) in ledger.execute("SELECT label FROM windows")] == ["own"]
    ledger.close()


def test_a_cell_that_writes_a_file_is_refused_and_writes_none(trained: Kernel, tmp_path: Path) -> None:
    target = tmp_path / "written.txt"
    code = f"{TRAIN}\nwith open({str(target)!r}, 'a') as file:\n    file.write('x')"
    assert trained.run(code, cell_id="writes", timeout=120).reply["status"] == "ok"
    before = trained.value(STATE)
    said = words(trained.run("%energy_try GNB210", timeout=120))
    assert "file" in said
    assert target.read_text() == "x"
    assert trained.value(STATE) == before


def test_before_any_cell_there_is_nothing_to_try(start_kernel: Any) -> None:
    kernel = start_kernel(GREENNB_ADVICE="off")
    assert "advice=on" in words(kernel.run("%energy_try"))


def test_an_interrupt_ends_a_trial_in_words_and_the_next_cell_runs(trained: Kernel) -> None:
    before = trained.value(STATE)
    request = trained.start("%energy_try GNB210 --budget 300")
    outputs: list[Any] = []
    deadline = time.monotonic() + 120
    while not any("copying" in str(out) or "measuring" in str(out) for out in outputs):
        assert time.monotonic() < deadline, outputs
        message = trained.client.get_iopub_msg(timeout=60)
        if message["msg_type"] in ("display_data", "update_display_data"):
            outputs.append(message["content"]["data"])
    trained.manager.interrupt_kernel()
    said = words(trained.finish(request, timeout=120))
    assert said == "The trial was stopped. Nothing of the notebook was changed by it."
    assert trained.run("done = sum(range(10**6))").reply["status"] == "ok"
    assert trained.value("done") == sum(range(10**6))
    assert trained.value(STATE) == before


def _page(kernel: Kernel) -> Page:
    page = Page(kernel)
    if SUBSHELLS:
        kernel.client.control_channel.send(kernel.client.session.msg("create_subshell_request", {}))
        page.subshell = kernel.client.control_channel.get_msg(timeout=10)["content"]["subshell_id"]
        page.asker = f"{page.asker}-sub"
        opened = {"comm_id": page.asker, "target_name": "greennb.ask", "data": {}}
        page.send("comm_open", opened, subshell=page.subshell)
    return page


def _silently(page: Page, line: str) -> str:
    return page.kernel.start(line, silent=True, store_history=False)


def states(page: Page) -> list[str]:
    return [said["state"] for said in page.of("trial")]


def test_a_page_plans_and_runs_a_trial_of_a_rule_that_was_not_found(trained: Kernel) -> None:
    page = _page(trained)
    before = trained.value(STATE)
    plan = page.ask("plan", key="GNB210", budget_s=6, timeout=120)
    assert plan["type"] == "plan", plan
    assert (plan["code"], plan["cell_id"], plan["budget_s"]) == ("GNB210", "train-1", 6)
    assert plan["change"]["before"] == TRAIN
    assert "channels_last" in plan["change"]["after"]
    _silently(page, plan["run"])
    page.until(lambda: [state for state in states(page) if state != "running"], 240)
    assert states(page)[0] == "running"
    assert states(page)[-1] == "done", page.of("trial")[-1]
    assert trained.value(STATE) == before
    assert page.ask("stop") == {"v": 1, "type": "stopping", "running": False, "re": page.answered[-1]["re"]}


def _findings(page: Page) -> dict[str, dict[str, Any]]:
    said = page.of("findings")
    return {finding["key"]: finding for finding in said[-1]["findings"]} if said else {}


def test_a_page_gets_the_finding_with_its_trial_before_the_others(kernel: Kernel) -> None:
    page = _page(kernel)
    for code, cell_id in ((SLOW, "slow-1"), (TRAIN_SLOWLY, "slow-2")):
        kernel.start(code, cell_id=cell_id)
    page.until(lambda: [key for key in _findings(page) if key == "GNB219 net"], 120)
    found = _findings(page)["GNB219 net"]
    assert (found["can_try"], found["trial"]) == (True, None)
    plan = page.ask("plan", key="GNB219 net", budget_s=6, timeout=120)
    _silently(page, plan["run"])
    page.until(lambda: [it for it in _findings(page).values() if it["trial"] is not None], 240)
    assert states(page)[-1] == "done"
    trial = _findings(page)["GNB219 net"]["trial"]
    assert trial["verdict"] in set(Verdict)
    assert trial["change"] == plan["change"]
    assert trial["variant"] == plan["variant"] == page.of("trial")[-1]["variant"]
    assert trial["spent_s"] > 0
    assert kernel.value("str(rows.dtype), str(net.weight.dtype)") == ("torch.float64", "torch.float64")


@pytest.mark.skipif(not SUBSHELLS, reason="on ipykernel 6 asks wait for the cell: the page interrupts the kernel")
def test_a_page_stops_a_trial_while_it_runs(trained: Kernel) -> None:
    page = _page(trained)
    before = trained.value(STATE)
    plan = page.ask("plan", key="GNB210", budget_s=300, timeout=120)
    _silently(page, plan["run"])
    page.until(lambda: [state for state in states(page) if state == "running"], 120)
    assert page.ask("plan", key="GNB210")["type"] == "refused"
    assert page.ask("stop")["running"] is True
    page.until(lambda: [state for state in states(page) if state != "running"], 120)
    assert page.of("trial")[-1]["state"] == "stopped"
    assert page.of("trial")[-1]["words"] == "The trial was stopped. Nothing of the notebook was changed by it."
    assert trained.value(STATE) == before
    assert trained.value("1 + 1") == 2


@pytest.mark.skipif(not SUBSHELLS, reason="on ipykernel 6 asks wait for the cell: the page interrupts the kernel")
def test_a_page_takes_a_trial_back_that_waits_for_a_cell(trained: Kernel) -> None:
    """It never begins, and the cell goes on; one that is asked for later, or is of another rule, is not meant."""
    page = _page(trained)
    first, other = (page.ask("plan", key=key, budget_s=6, timeout=120) for key in ("GNB210", "GNB216"))
    cell = trained.start("import time; time.sleep(2); after = 1")
    queued = _silently(page, first["run"])
    assert page.ask("stop", key="GNB210")["running"] is False
    last = _silently(page, other["run"])
    for request in (cell, queued, last):
        assert trained.client.get_shell_msg(timeout=240)["content"]["status"] == "ok", request
    page.until(lambda: [state for state in states(page) if state == "done"], 120)
    assert {said["code"] for said in page.of("trial")} == {"GNB216"}
    assert trained.value("after") == 1
    _silently(page, first["run"])
    page.until(lambda: [said for said in page.of("trial") if said["code"] == "GNB210"], 120)
    page.ask("stop", key="GNB210")


def test_a_page_is_told_in_words_what_cannot_be_planned(trained: Kernel) -> None:
    page = _page(trained)
    for fields, why in (
        ({}, "key"), ({"key": "GNB999"}, "GNB999"), ({"key": "GNB210", "variant": "none"}, "none"),
        ({"key": "GNB210", "budget_s": -1}, "budget_s"), ({"key": 7}, "key"),
    ):  # fmt: skip
        said = page.ask("plan", **fields)
        assert said["type"] == "refused"
        assert why in said["reason"]


def test_two_cells_are_compared_by_turns(trained: Kernel) -> None:
    trained.run("%energy_auto on")
    trained.run("%%energy -n slow\ntotal = sum(i * i for i in range(300_000))", cell_id="slow-1")
    trained.run("%%energy -n quick\ntotal = sum(i * i for i in range(1000))", cell_id="quick-1")
    ran = trained.run("%energy_compare --code slow quick --budget 6", timeout=240)
    assert ran.reply["status"] == "ok", ran.outputs
    assert "quick against slow: " in shown(ran)
    assert verdict_in(shown(ran))
    assert trained.value("total") == sum(i * i for i in range(1000))
