"""A page and a real ipykernel: what it asks is answered, what happens in the kernel comes, and nobody else notices."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import ipykernel
import pytest

from tests.kernel.page import ATTACH, Page

pytestmark = pytest.mark.kernel

SUBSHELLS = ipykernel.version_info[0] >= 7
ESTIMATE = {"GREENNB_SOURCES": "estimate"}

THREADS = "sorted(t.name for t in __import__('threading').enumerate())"


def attach(kernel: Any) -> dict[str, Any]:
    """What attaching answers, asked for as a page asks."""
    ran = kernel.run("", silent=True, store_history=False, user_expressions={"a": ATTACH})
    told = ran.reply["user_expressions"]["a"]
    assert told["status"] == "ok", told
    assert ran.outputs == []
    text = told["data"]["text/plain"]
    # What a page does: the text stands in Python's quotes, and has none of its own.
    return dict(json.loads(text[1:-1]))


def cell(page: Page, code: str, *, cell_id: str | None = None) -> None:
    """Run a cell and take in what the page gets meanwhile."""
    request = page.kernel.start(code, cell_id=cell_id)

    def idle() -> list[Any]:
        return [
            m for m in page.others
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle"
            and m["parent_header"].get("msg_id") == request
        ]  # fmt: skip

    page.until(idle, 30)


@pytest.fixture
def attached(start_kernel: Any) -> Any:
    """A kernel in which nobody typed a line, and a page has loaded greennb."""
    kernel = start_kernel(load=False, **ESTIMATE)
    assert attach(kernel)["loaded"] is False
    return kernel


def test_attaching_leaves_no_trace_and_load_ext_then_prints_nothing(start_kernel: Any) -> None:
    kernel = start_kernel(load=False, **ESTIMATE)
    kernel.run("1/0")
    namespace = "sorted(k for k in globals() if k not in ('__builtins__',))"
    history = "(In[:], sorted(Out), __import__('sys').last_value.args, get_ipython().execution_count)"
    before = kernel.value(namespace), kernel.value(history)
    told = attach(kernel)
    assert told == {"v": 1, "greennb": told["greennb"], "loaded": False, "problem": ""}
    assert (kernel.value(namespace), kernel.value(history)) == before
    assert attach(kernel)["loaded"] is True
    assert kernel.run("%load_ext greennb").outputs == []
    assert kernel.run("21 * 2").outputs[-1]["data"]["text/plain"] == "42"
    assert len(kernel.run("%%energy\n1").bundles) == 1


def test_attached_cells_are_measured_and_show_nothing(attached: Any) -> None:
    assert [out["type"] for out in attached.run("1 + 1").outputs] == ["execute_result"]
    page = Page(attached)
    page.watch(0)
    cell(page, "sum(range(10**6))", cell_id="abc")
    (ended,) = page.until(lambda: page.of("ended"))[-1:]
    assert ended["measurement"]["cell_id"] == "abc"
    assert ended["measurement"]["total_j"] > 0
    assert ended["source"] == "sum(range(10**6))"
    assert not [m for m in page.others if m["msg_type"] == "display_data"]


def test_auto_mode_of_the_user_and_the_panel_s_own_do_not_disturb_each_other(attached: Any) -> None:
    attached.run("%energy_auto on")
    assert len(attached.run("1").bundles) == 1
    attached.run("%energy_auto off")
    assert attached.run("1").bundles == []
    page = Page(attached)
    assert page.ask("hello")["settings"]["measure"] is True
    cell(page, "'still measured'")
    assert page.until(lambda: page.of("ended"))[0]["source"] == "'still measured'"
    assert page.ask("set", measure=False)["measure"] is False
    cell(page, "'not measured'")
    page.listen(0.5)
    assert [ended["source"] for ended in page.of("ended")] == ["'still measured'"]
    # A page that comes later does not turn it on again: somebody has turned it off.
    attach(attached)
    assert page.ask("hello")["settings"]["measure"] is False
    assert page.ask("set", measure=True)["measure"] is True


def test_a_config_change_leaves_auto_mode_as_it_was(kernel: Any) -> None:
    kernel.run("%energy_auto on")
    kernel.run("%energy_config pue=1.5")
    assert len(kernel.run("1").bundles) == 1


def test_hello_says_who_the_kernel_is_and_what_it_cannot_do(attached: Any) -> None:
    said = Page(attached).ask("hello")
    assert said["type"] == "hello"
    assert said["v"] == 1
    assert said["pid"] == attached.value("__import__('os').getpid()")
    assert [(domain["method"], domain["root"]) for domain in said["domains"]] == [("estimated", True)]
    unused = [probe for probe in said["sources"] if not probe["used"]]
    assert unused
    assert all(probe["reason"] for probe in unused)


def test_began_and_ended_come_in_order_with_the_session_s_total(attached: Any) -> None:
    page = Page(attached)
    page.ask("hello")
    for n in range(5):
        cell(page, f"{n}\nfor _ in range(10**5): pass", cell_id=f"c{n}")
    page.until(lambda: len(page.of("ended")) == 5 and [1])
    events = [said for said in page.streamed if said["type"] in ("began", "ended")]
    assert [said["type"] for said in events] == ["began", "ended"] * 5
    for began, ended in itertools.pairwise(events):
        if began["type"] == "began":
            assert began["window"] == ended["measurement"]["id"]
            assert began["t_s"] == pytest.approx(ended["t0_s"])
            assert ended["t1_s"] > ended["t0_s"]
    counted = [(e["session"]["runs"], e["measurement"]["execution_count"]) for e in page.of("ended")]
    first = counted[0][1]
    assert counted == [(n + 1, first + n) for n in range(5)]
    assert [began["count"] for began in page.of("began")][1:] == [first + n for n in range(1, 5)]
    total = sum(e["measurement"]["total_j"] for e in page.of("ended"))
    assert page.of("ended")[-1]["session"]["total_j"] == pytest.approx(total)


def test_windows_inside_a_cell_do_not_count_again(attached: Any) -> None:
    page = Page(attached)
    page.ask("hello")
    cell(page, "get_ipython().run_cell('1 + 1')\n%energy 2 + 2\n%energy -r 3 3 + 3")
    cell(page, "%%energy -r 3\n1 + 1")
    page.until(lambda: len(page.of("ended")) >= 2 and [1])
    page.listen(0.5)
    assert [said["type"] for said in page.streamed if said["type"] in ("began", "ended")] == ["began", "ended"] * 2
    assert page.of("ended")[-1]["session"]["runs"] == 2


def test_a_cell_that_fails_or_is_interrupted_ends_too(attached: Any) -> None:
    page = Page(attached)
    page.ask("hello")
    cell(page, "1/0")
    cell(page, "x = (")
    request = attached.start("import time\ntime.sleep(30)")
    page.listen(1)
    attached.manager.interrupt_kernel()
    page.until(lambda: len(page.of("ended")) == 3 and [1])
    assert [ended["measurement"]["status"] for ended in page.of("ended")] == ["error", "error", "interrupted"]
    assert request


def test_samples_come_while_a_cell_runs_and_stop_at_0(attached: Any) -> None:
    page = Page(attached)
    assert page.watch(10)["hz"] == 10
    page.until(lambda: page.of("samples"))
    attached.start("import time\ntime.sleep(3)")
    page.until(lambda: page.of("began"))
    page.streamed.clear()
    page.listen(2)
    samples = page.of("samples")
    assert not page.of("ended")
    assert 3 <= len(samples) <= 5, "handed over twice a second"
    times = [t for said in samples for t in said["t_s"]]
    assert 12 <= len(times) <= 22
    assert times == sorted(times)
    watts = [w for said in samples for w in said["w"][0]]
    assert all(w is not None and w > 0 for w in watts)
    assert all(said["low_w"][0] < said["w"][0][-1] < said["high_w"][0] for said in samples)
    gauges = [gauge for said in samples for gauge in said["gauges"]]
    assert {gauge["domain"] for gauge in gauges} == {None}
    assert 1 <= len(gauges) <= 3
    assert all(0 < gauge["mem_b"] < gauge["mem_total_b"] for gauge in gauges)
    page.until(lambda: page.of("ended"))
    assert page.watch(0)["hz"] == 0
    page.listen(0.7)
    page.streamed.clear()
    page.listen(1.5)
    assert page.streamed == []


def test_a_page_that_vanished_is_fed_no_more_once_it_is_silent_for_long_and_wakes_with_its_next_watch(
    attached: Any,
) -> None:
    """With seconds for minutes. Time in which a cell runs does not count: it might not have been heard meanwhile."""
    page = Page(attached)
    page.ask("hello")
    cell(page, "from greennb.jupyter.session import Session\nSession.start(get_ipython()).bridge.feed.expires_s = 1.5")
    page.watch(10)
    cell(page, "import time\ntime.sleep(3)")
    page.streamed.clear()
    page.listen(0.8)
    assert page.of("samples")
    page.listen(2.5)
    page.streamed.clear()
    page.listen(1.2)
    assert page.of("samples") == []
    cell(page, "'still told of'")
    assert page.until(lambda: page.of("ended"))
    page.watch(10)
    assert page.until(lambda: page.of("samples"))


def test_each_of_two_pages_gets_the_cells_and_only_who_watches_gets_samples(attached: Any) -> None:
    first, second = Page(attached), Page(attached)
    first.watch(2)
    # One client reads for both: what comes for the other stands among the others.
    first.until(lambda: len(first.of("samples")) >= 2 and [1])
    cell(first, "1")
    first.until(lambda: first.of("ended"))
    first.listen(0.5)
    theirs = [
        m["content"]["data"]["type"] for m in first.others
        if m["msg_type"] == "comm_msg" and m["content"]["comm_id"] == second.stream
    ]  # fmt: skip
    assert theirs == ["began", "ended"]


@pytest.mark.skipif(not SUBSHELLS, reason="ipykernel 6 has no subshells")
def test_asks_on_a_subshell_are_answered_while_a_cell_sleeps(attached: Any) -> None:
    request = attached.client.session.msg("create_subshell_request", {})
    attached.client.control_channel.send(request)
    subshell = attached.client.control_channel.get_msg(timeout=10)["content"]["subshell_id"]
    page = Page(attached)
    page.ask("hello")
    page.subshell = subshell
    page.asker += "-sub"
    page.send("comm_open", {"comm_id": page.asker, "target_name": "greennb.ask", "data": {}}, subshell=subshell)
    attached.start("import time\ntime.sleep(4)")
    page.until(lambda: page.of("began"))
    began = time.monotonic()
    assert page.ask("hello")["type"] == "hello"
    assert page.watch(10)["type"] == "watching"
    assert page.ask("history")["type"] == "history"
    assert page.ask("set", pue=1.25)["pue"] == 1.25
    assert time.monotonic() - began < 2
    page.until(lambda: page.of("samples"))
    # The push goes on, and asks are heard all the same.
    assert page.ask("hello")["settings"]["pue"] == 1.25
    assert not page.of("ended")
    page.until(lambda: page.of("ended"))


def test_a_reloaded_page_gets_what_was_before(attached: Any) -> None:
    page = Page(attached)
    page.watch(10)
    for n in range(3):
        cell(page, f"import time; time.sleep(0.7); {n}", cell_id=f"c{n}")
    page.until(lambda: len(page.of("ended")) == 3 and [1])
    reloaded = Page(attached)
    past = reloaded.ask("history", span_s=60)
    assert [ended["measurement"]["cell_id"] for ended in past["cells"]] == ["c0", "c1", "c2"]
    assert past["session"]["runs"] == 3
    assert len(past["t_s"]) >= 2
    assert len(past["w"]) == 1
    assert len(past["w"][0]) == len(past["t_s"])
    assert reloaded.ask("history", span_s=0)["t_s"] == []


def test_a_running_cell_is_told_to_a_page_that_comes_late(attached: Any) -> None:
    attached.run("1")
    if SUBSHELLS:
        page = Page(attached)
        attached.start("import time\ntime.sleep(1.5)")
        page.until(lambda: page.of("began"))
        assert page.of("began")[0]["count"] is not None


def test_changed_settings_and_sources_come_on_the_stream(attached: Any) -> None:
    page = Page(attached)
    page.watch(2)
    cell(page, "%energy_config zone=FRA pue=1.4")
    said = page.until(lambda: page.of("settings"))[-1]
    assert (said["zone"], said["pue"], said["intensity"]["zone"]) == ("FRA", 1.4, "FRA")
    page.streamed.clear()
    cell(page, "%energy_auto on -q")
    assert page.until(lambda: page.of("settings"))
    cell(page, "%energy_config sources=battery")
    hello = page.until(lambda: page.of("hello"))[-1]
    assert hello["domains"] == []
    page.streamed.clear()
    assert page.until(lambda: page.of("samples"))[-1]["w"] == []
    cell(page, "%energy_config sources=estimate")
    assert len(page.until(lambda: [h for h in page.of("hello") if h["domains"]])[-1]["domains"]) == 1
    page.streamed.clear()
    assert page.until(lambda: [s for s in page.of("samples") if s["w"] and s["w"][0][-1]])


GARBAGE = [
    None, 1, "hello", [], {}, {"v": 1}, {"ask": "hello"}, {"v": 1, "ask": "explode", "id": "a"},
    {"v": 99, "ask": "hello", "id": "a"}, {"v": 0, "ask": "hello", "id": "a"}, {"v": 1, "ask": ["hello"], "id": {}},
    {"v": 1, "ask": "watch", "id": "a"}, {"v": 1, "ask": "watch", "id": "a", "stream": 5, "hz": 1},
    {"v": 1, "ask": "watch", "id": "a", "stream": "x", "hz": "fast"},
    {"v": 1, "ask": "watch", "id": "a", "stream": "nowhere", "hz": 1},
    {"v": 1, "ask": "history", "id": "a", "span_s": -1}, {"v": 1, "ask": "history", "id": "a", "span_s": "all"},
    {"v": 1, "ask": "set", "id": "a"}, {"v": 1, "ask": "set", "id": "a", "measure": "yes"},
    {"v": 1, "ask": "set", "id": "a", "dismissed": "GNB201"}, {"v": 1, "ask": "set", "id": "a", "dismissed": [3]},
    {"v": 1, "ask": "set", "id": "a", "pue": 0.5}, {"v": 1, "ask": "set", "id": "a", "pue": 10**400},
    {"v": 1, "ask": "set", "id": "a", "zone": "<script>alert(1)</script>"},
    {"v": 1, "ask": "set", "id": "a", "zone": "x" * 100_000}, {"v": 1, "ask": "set", "id": "a", "zone": ["FRA"]},
    {"v": 1, "ask": "\u202e" * 1000, "id": "x" * 100_000}, {"v": 1, "ask": "hello" * 10**6, "id": "a"},
]  # fmt: skip


def test_garbage_is_refused_in_a_sentence_and_nobody_sees_it(attached: Any) -> None:
    page = Page(attached)
    page.ask("hello")
    page.answered.clear()
    page.others.clear()
    for number, data in enumerate(GARBAGE, 1):
        page.say(data)
        page.until(lambda number=number: len(page.answered) == number and [1])
    assert [said["type"] for said in page.answered] == ["refused"] * len(GARBAGE)
    assert all(said["reason"] and len(said["reason"]) < 400 for said in page.answered)
    assert all(len(said["re"]) <= 100 for said in page.answered)
    assert [m["content"] for m in page.others if m["msg_type"] != "status"] == []
    # What a newer page adds to a question is left out, and the question answered.
    assert page.ask("hello", colour="green")["type"] == "hello"
    page.kernel.client.shell_channel.send(
        page.kernel.client.session.msg("comm_msg", {"comm_id": page.stream, "data": {"what": "is this"}})
    )
    assert page.ask("hello")["type"] == "hello"


def test_findings_are_remembered_for_pages_that_come_later(attached: Any) -> None:
    attached.run(
        "from greennb.jupyter.session import Session\nfrom greennb.model.finding import *\n"
        "rule = Rule(code='GNB201', name='n', framework='torch', severity=Severity.ACT, since='1', source='s')\n"
        "found = Finding(rule=rule, cell_id='c', evidence=(), suggestion=Suggestion(text='t', code='x'))\n"
        "Session.start(get_ipython()).bridge.findings([found])"
    )
    page = Page(attached)
    assert page.until(lambda: page.of("findings"))[0]["findings"][0]["code"] == "GNB201"
    page.streamed.clear()
    cell(page, "Session.start(get_ipython()).bridge.findings([])")
    assert page.until(lambda: page.of("findings"))[0]["findings"] == []


def test_unloading_says_good_bye_and_leaves_nothing(attached: Any) -> None:
    before = attached.value(THREADS)
    page = Page(attached)
    page.watch(10)
    page.until(lambda: page.of("samples"))
    cell(page, "%load_ext greennb")
    cell(page, "%unload_ext greennb")
    page.until(lambda: len(page.closed) == 2 and [1])
    assert page.of("bye") == [{"v": 1, "type": "bye", "reason": "greennb was unloaded from this kernel."}]
    assert set(page.closed) == {page.stream, page.asker}
    time.sleep(2)
    assert attached.value(THREADS) == [name for name in before if "greennb" not in name]
    assert attached.value("[t for t in get_ipython().kernel.comm_manager.targets if 'greennb' in t]") == []
    # Loaded again, by the user this time: a page finds its targets, and no cell is measured unasked.
    attached.run("%load_ext greennb")
    assert Page(attached).ask("hello")["settings"]["measure"] is False


def test_without_a_page_there_is_no_thread_and_when_the_last_goes_none_is_left(attached: Any) -> None:
    def ours() -> list[str]:
        return [name for name in attached.value(THREADS) if name == "greennb-bridge"]

    attached.run("1")
    assert ours() == []
    first, second = Page(attached), Page(attached)
    first.watch(10)
    assert ours() == ["greennb-bridge"]
    for page in (first, second):
        page.send("comm_close", {"comm_id": page.stream, "data": {}})
    time.sleep(2)
    assert ours() == []
    assert attached.value("__import__('greennb').runtime.runtime().meter.sampler.alive") is False


def test_a_forked_child_tells_the_parent_s_page_nothing(attached: Any) -> None:
    page = Page(attached)
    page.watch(10)
    cell(
        page,
        "import os\npid = os.fork()\nif pid == 0:\n    get_ipython().run_cell('1')\n    os._exit(0)\n"
        "os.waitpid(pid, 0)[1]",
    )
    page.until(lambda: page.of("ended"))
    page.listen(0.5)
    assert [said["type"] for said in page.streamed if said["type"] in ("began", "ended")] == ["began", "ended"]
    assert page.ask("hello")["type"] == "hello"


def test_a_restarted_kernel_begins_anew(attached: Any) -> None:
    page = Page(attached)
    session = page.ask("hello")["session"]
    attached.client.stop_channels()  # its heartbeat would wait for the old kernel for ever
    attached.manager.restart_kernel(now=True)
    attached.client = attached.manager.client()
    attached.client.start_channels()
    attached.client.wait_for_ready(timeout=60)
    assert attach(attached)["loaded"] is False
    assert Page(attached).ask("hello")["session"] != session


def test_what_is_held_while_nothing_runs_is_told_and_over_with_the_next_cell(attached: Any) -> None:
    """With seconds for minutes: the threads of this kernel keep a CPU busy."""
    page = Page(attached)
    page.ask("hello")
    cell(
        page,
        "from greennb.jupyter.session import Session\nfrom greennb.jupyter.waste import Waste\n"
        "bridge = Session.start(get_ipython()).bridge\n"
        "bridge.feed.waste = Waste(lambda: get_ipython().user_ns, after_s=2, again_s=1)\n"
        "import threading\nstop = threading.Event()\n"
        "def spin():\n    while not stop.is_set(): pass\n"
        "threading.Thread(target=spin, daemon=True).start()",
    )
    page.watch(2)
    (item,) = page.until(lambda: [said for said in page.of("waste") if said["items"]], 30)[-1]["items"]
    assert item["kind"] == "cpu"
    assert 0.5 < item["cpus"] < 2
    assert item["watts"] > 0
    assert item["method"] == "estimated"
    page.streamed.clear()
    cell(page, "stop.set()")
    assert page.until(lambda: page.of("waste"))[0]["items"] == []
