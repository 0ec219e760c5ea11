"""Advice in a real kernel: what a plain notebook gets without touching an option, and what it can be asked."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.conftest import Ran
from tests.kernel.page import Page

pytestmark = pytest.mark.kernel

ADVICE = "application/vnd.greennb.advice+json"

RULE = '''
"""Slow cells.

A cell that takes longer than half a second is said to be slow. There is nothing to it.
"""

from greennb.advisor.base import Found, evidence
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="SLOW1", name="this cell is slow", framework="mine", severity=Severity.NOTE, since="1.0",
    source="a test", wrong_when=("it has to be slow",),
)


def check(cell):
    if cell.duration_s > 0.5 and "sleep" in cell.source:
        yield Found(
            evidence=(evidence("the cell took", cell.duration_s, "s"),), text="Sleep less.", code="sleep(0)", share=1.0,
            subject="raises" if "boom" in cell.source else "sleep",
        )
        if "boom" in cell.source:
            raise ValueError("boom")
'''

SPEND = "import time\nend = time.time() + 1.2\nwhile time.time() < end: sum(range(1000))\n# sleep"
"""More than a second of one CPU, and so more than a joule, whatever the machine."""


@pytest.fixture
def user_rule(tmp_path: Path) -> dict[str, str]:
    """The environment of a kernel in which somebody's package with a rule is installed."""
    site = tmp_path / "site"
    info = site / "slowrule-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "slowrule.py").write_text(RULE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slowrule\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[greennb.rules]\nslow = slowrule\n")
    return {"PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])}


def advice(ran: Ran) -> dict[str, Any]:
    """The advice that a cell displayed: its whole bundle."""
    bundles = [out["data"] for out in ran.outputs if out["type"] == "display_data" and ADVICE in out["data"]]
    assert len(bundles) == 1, ran.outputs
    return dict(bundles[0])


def codes(ran: Ran) -> set[str]:
    return {finding["code"] for finding in advice(ran)[ADVICE]["findings"]}


def run(page: Page, code: str, *, cell_id: str | None = None) -> None:
    """Run a cell and take in what the page gets meanwhile."""
    request = page.kernel.start(code, cell_id=cell_id)
    page.until(lambda: [it for it in page.others if it["msg_type"] == "status"
                        and it["content"]["execution_state"] == "idle"
                        and it["parent_header"].get("msg_id") == request], 30)  # fmt: skip


def line_of(ran: Ran) -> str | None:
    return ran.measurement.get("advice")


class TestWithAUsersRule:
    """A rule of another package, by its entry point: what holds for one holds for all."""

    def test_it_is_found_without_an_option_and_told_once_on_the_card(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule)
        first = kernel.run(f"%%energy\n{SPEND}", cell_id="a")
        assert re.fullmatch(
            r"SLOW1 sleep: this cell is slow \(the cell took 1\.\d\d s\)\. %energy_advise says more\.",
            line_of(first) or "",
        )
        assert line_of(first) in first.bundles[0]["text/html"]
        assert line_of(first) in first.bundles[0]["text/plain"]
        assert line_of(kernel.run(f"%%energy\n{SPEND}", cell_id="b")) is None
        shown = kernel.run("%energy_advise")
        told = advice(shown)
        (finding,) = told[ADVICE]["findings"]
        assert (finding["code"], finding["subject"], finding["cells"]) == ("SLOW1", "sleep", 2)
        assert finding["at_stake_s"] == pytest.approx(2.4, abs=0.4)
        assert finding["at_stake_j"] >= 1
        for part in ("SLOW1", "Sleep less.", "sleep(0)", "ran through it", "it has to be slow", "greennb rules SLOW1"):
            assert part in told["text/plain"]
            assert part in told["text/html"]
        assert "save" not in told["text/plain"].replace("never a saving", "").lower()

    def test_small_cells_only_when_asked(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule)
        small = kernel.run("%%energy\nimport time\ntime.sleep(0.6)", cell_id="a")
        assert line_of(small) is None
        told = advice(kernel.run("%energy_advise"))
        assert told[ADVICE]["findings"] == []
        assert told[ADVICE]["more"] == 1
        assert "1 more on cells below 1 J or 1 s: %energy_advise --all shows it." in told["text/plain"]
        assert codes(kernel.run("%energy_advise --all")) == {"SLOW1"}

    def test_cells_that_are_not_measured_count_by_their_seconds(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule)
        assert kernel.run(SPEND, cell_id="a").own == []
        (finding,) = advice(kernel.run("%energy_advise"))[ADVICE]["findings"]
        assert finding["at_stake_j"] is None
        assert finding["at_stake_s"] == pytest.approx(1.2, abs=0.3)

    def test_dismissed_is_not_said_again(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule)
        kernel.run("1")
        assert kernel.run("%energy_advise --dismiss slow1").reply["status"] == "ok"
        assert line_of(kernel.run(f"%%energy\n{SPEND}", cell_id="a")) is None
        told = advice(kernel.run("%energy_advise --all"))
        assert told[ADVICE]["findings"] == []
        assert "1 dismissed, and not shown." in told["text/plain"]

    def test_a_rules_page_and_a_code_that_is_none(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule)
        page = kernel.run("%energy_advise slow1").outputs[0]["data"]
        assert page["text/markdown"].startswith("# SLOW1. Slow cells\n")
        assert kernel.run("%energy_advise SLOW2").text("stderr").strip() == (
            'UsageError: There is no rule "SLOW2": did you mean SLOW1?'
        )

    def test_a_rule_that_raises_is_off_and_said_once(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule)
        ran = kernel.run(f"%%energy\n{SPEND} boom", cell_id="a")
        assert ran.text("stderr") == (
            "greennb: the rule SLOW1 is off in this kernel (ValueError: boom). Please report it.\n"
        )
        assert kernel.run(f"%%energy\n{SPEND} boom", cell_id="a").text("stderr") == ""

    def test_off_means_off_and_says_so(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule, GREENNB_ADVICE="off")
        assert line_of(kernel.run(f"%%energy\n{SPEND}", cell_id="a")) is None
        assert "greennb.advisor.advise" not in kernel.value("set(__import__('sys').modules)")
        assert "Advice is off" in kernel.run("%energy_advise").outputs[0]["data"]["text/plain"]
        kernel.run("%energy_config advice=on")
        kernel.run(SPEND, cell_id="a")
        assert codes(kernel.run("%energy_advise")) == {"SLOW1"}
        hooked = "type(__import__('sys').meta_path[0]).__module__ == 'greennb.advisor.watch'"
        assert kernel.value(hooked) is True
        kernel.run("%energy_config advice=off")
        assert kernel.value(hooked) is False

    def test_a_page_is_told_what_was_found_and_only_where_that_changed(self, start_kernel, user_rule):
        """Also one that comes later; and the cell's own path asks no rule for a page."""
        kernel = start_kernel(**user_rule)
        page = Page(kernel)
        page.ask("hello")
        run(page, SPEND, cell_id="a")
        told = page.until(lambda: page.of("findings"))
        assert [(it["code"], it["cell_id"]) for it in told[0]["findings"]] == [("SLOW1", "a")]
        run(page, "__import__('threading').Event().wait(1.1)", cell_id="b")  # dear enough, and nothing to say on it
        run(page, "%energy_advise --dismiss SLOW1")
        page.until(lambda: page.of("findings")[1:])
        assert [len(said["findings"]) for said in page.of("findings")] == [1, 0]
        later = Page(kernel)
        later.listen(1.0)
        assert later.of("findings") == []

    def test_what_is_dismissed_on_the_page_is_left_out_in_the_kernel_too(self, start_kernel, user_rule):
        kernel = start_kernel(**user_rule)
        page = Page(kernel)
        page.ask("hello")
        run(page, SPEND, cell_id="a")
        key = page.until(lambda: page.of("findings"))[0]["findings"][0]["key"]
        page.ask("set", dismissed=[key])
        told = advice(kernel.run("%energy_advise"))[ADVICE]
        assert told["findings"] == []
        assert told["looked"]["dismissed"] == 1
        later = Page(kernel)
        assert later.until(lambda: later.of("findings"))[0]["findings"][0]["key"] == key, "the page can show it again"
        page.ask("set", dismissed=[])
        assert codes(kernel.run("%energy_advise")) == {"SLOW1"}


class TestPlain:
    """Nothing found, nothing changed, nothing left."""

    def test_nothing_found_says_what_was_looked_at(self, kernel):
        kernel.run("%energy_auto on")
        kernel.run("1 + 1")
        told = advice(kernel.run("%energy_advise"))
        words = told["text/plain"]
        assert words.startswith("Nothing found. ")
        assert "rules looked at 2 runs of cells; at work in them: no framework that greennb knows." in words
        assert told[ADVICE]["findings"] == []

    def test_before_any_cell(self, kernel):
        """The magic's own cell runs, but has not ended."""
        assert "0 runs of cells" in advice(kernel.run("%energy_advise"))["text/plain"]

    def test_cells_within_cells_and_cancelled_ones_are_one_each(self, kernel):
        kernel.run("get_ipython().run_cell('x = 1')\nget_ipython().run_cell('1/0')")
        kernel.run("import asyncio\nraise asyncio.CancelledError()")
        kernel.run("this is no python")
        assert "looked at 3 runs" in advice(kernel.run("%energy_advise"))["text/plain"]

    def test_unloading_leaves_no_hook(self, kernel):
        kernel.run("import sys\nbefore = [type(it).__module__ for it in sys.meta_path]")
        assert "greennb.advisor.watch" in kernel.value("before")
        kernel.run("%unload_ext greennb")
        after = kernel.value("[type(it).__module__ for it in sys.meta_path]")
        assert after == [name for name in kernel.value("before") if name != "greennb.advisor.watch"]

    def test_options_are_completed(self, kernel):
        reply = kernel.client.complete("%energy_advise --", reply=True, timeout=60)["content"]
        assert {"--all", "--dismiss", "--profile"} <= set(reply["matches"])

    def test_a_profile_of_some_training_steps_is_asked_for(self, kernel):
        """Also before PyTorch is there, and in a cell that comes after others."""
        pytest.importorskip("torch")
        for bad in ("0", "99", "x"):
            (said,) = kernel.run(f"%energy_advise --profile {bad}").outputs
            assert f"{bad!r} is no number of steps to profile: give 3 to 5." in str(said)
            assert "Traceback" not in str(said)
        (said,) = kernel.run("%energy_advise --profile 3").outputs
        words = said["data"]["text/plain"]
        assert words.startswith("Training steps 3 to 5 of the next cell that trains with PyTorch are profiled")
        assert words.endswith("that cell's joules include the profiler's cost. PyTorch is not imported yet: "
                              "the profiler waits for it.")  # fmt: skip
        kernel.run("import torch\nmodel = torch.nn.Linear(64, 64)\nown = torch.optim.SGD(model.parameters(), lr=0.01)")
        ran = kernel.run("for i in range(9):\n    model(torch.ones(64, 64)).mean().backward()\n    own.step()")
        assert not [out for out in ran.outputs if out["type"] != "stream"], ran.outputs
        kernel.run(
            "from greennb.jupyter.session import Session\ncells = Session.start(get_ipython()).coach.advisor.cells"
        )
        profiled = "[it.torch and it.torch.profiled for it in cells][-1]"
        assert kernel.value(f"{profiled}.steps") == 3
        assert kernel.value(f"0 < {profiled}.matmul_s < {profiled}.total_s") is True
