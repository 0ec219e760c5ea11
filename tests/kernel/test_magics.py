"""The magics as typed by a person, in a real ipykernel."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kernel


def plain(ran: Any) -> str:
    """All text that the cell shows."""
    shown = [out["data"].get("text/plain", "") for out in ran.outputs if "data" in out]
    return "\n".join([ran.text(), ran.text("stderr"), *shown])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("%%energy --nonsense\n1", "unrecognized arguments: --nonsense"),
        ("%%energy -r 0\n1", "give 1 or more, or auto"),
        ("%%energy --budget x\n1", "give a number above 0"),
        ("%energy_auto perhaps", "invalid choice"),
        ("%energy_config pue=0.5", "at least 1"),
        ("%energy_config nothing=1", "There is no setting"),
        ("%energy_config zone=Atlantis", "Atlantis"),
        ("%energy_config live=moon", "electricitymaps"),
        ("%energy_report", "Nothing has been measured yet"),
        ("%energy_baseline soon", "give seconds"),
        ("%energy_export out.xyz", ".xyz"),
        ("%energy", "no statement"),
        ("%energy -r 2 await x()", "%%energy alone"),
    ],
)
def test_bad_input_is_a_sentence_and_the_kernel_goes_on(kernel: Any, line: str, says: str) -> None:
    ran = kernel.run(line)
    said = plain(ran) + "".join(str(out.get("evalue", "")) for out in ran.outputs)
    assert says in said, ran.outputs
    assert "Traceback" not in said
    assert kernel.run("%%energy\n1").measurement["status"] == "ok"


def test_a_statement_gives_its_value_and_its_joules(kernel: Any) -> None:
    ran = kernel.run("%energy -n add -o m 20 + 22")
    assert any(out["type"] == "execute_result" and out["data"]["text/plain"] == "42" for out in ran.own)
    assert ran.measurement["label"] == "add"
    assert kernel.value("m.window.label") == "add"
    assert kernel.value("set(m.to_dict()) >= {'total_j', 'low_j', 'high_j', 'method', 'partial', 'domains'}")


def test_a_statement_that_raises_is_shown_with_its_joules(kernel: Any) -> None:
    ran = kernel.run("%energy 1/0")
    assert ran.measurement["status"] == "error"
    assert any(out.get("ename") == "ZeroDivisionError" for out in ran.own)


def test_a_statement_may_assign(kernel: Any) -> None:
    kernel.run("%energy x = sum(range(100))")
    assert kernel.value("x") == 4950


def test_repeat_runs_the_body_and_keeps_the_series(kernel: Any) -> None:
    ran = kernel.run("%%energy -r 4 -n loop -o s\nn = globals().get('n', 0) + 1\nn")
    assert kernel.value("n") == 4
    assert kernel.value("len(s.measurements)") == 4
    assert "4 runs" in plain(ran)
    assert any(out["type"] == "execute_result" and out["data"]["text/plain"] == "4" for out in ran.own)


def test_repeat_auto_ends_by_itself(kernel: Any) -> None:
    ran = kernel.run("%%energy -r auto -o s\nsum(range(3_000_000))", timeout=90)
    assert ran.reply["status"] == "ok"
    assert kernel.value("len(s.measurements)") >= 3


def test_repeat_stops_at_an_error_with_the_user_s_traceback(kernel: Any) -> None:
    ran = kernel.run("%%energy -r 5\ncount = globals().get('count', 0) + 1\nif count == 2: raise ValueError('second')")
    assert any(out.get("evalue") == "second" for out in ran.own)
    assert kernel.value("count") == 2


def test_a_repeated_cell_in_auto_mode_is_measured_once_a_run(kernel: Any) -> None:
    kernel.run("%energy_auto on")
    ran = kernel.run("%%energy -r 2\n1")
    assert len(ran.bundles) <= 1


def test_output_variable_and_last(kernel: Any) -> None:
    kernel.run("%%energy -o it -q\nsum(range(10))")
    assert kernel.value("it.window.status.value") == "ok"
    assert kernel.value("__import__('greennb').last() is it")
    assert kernel.value("list(it.to_pandas().columns)[:2]") == ["kind", "host"]


def test_a_budget_warns_while_the_cell_runs_and_lets_it_end(kernel: Any) -> None:
    ran = kernel.run("%%energy --budget 0.001J\nimport time\nt = time.time()\nwhile time.time() - t < 2.5: pass\n'end'")
    if ran.measurement["total_j"] is None:
        pytest.skip("this machine has no joules to compare with")
    assert "passed its budget" in ran.text("stderr")
    assert any(out["type"] == "execute_result" for out in ran.own)
    assert "budget" in plain(ran).lower()


def test_report_plot_compare_and_export(kernel: Any, tmp_path: Path) -> None:
    kernel.run("%%energy -n first\nsum(range(2_000_000))")
    kernel.run("%%energy -n second\nsum(range(4_000_000))")
    report = kernel.run("%energy_report --plot --last 5")
    assert "first" in plain(report)
    assert "second" in plain(report)
    assert any("image/png" in out.get("data", {}) for out in report.outputs)
    assert any("image/png" in out.get("data", {}) for out in kernel.run("%energy_plot").outputs)
    compared = kernel.run("%energy_compare first second")
    assert "first" in plain(compared)
    assert "second" in plain(compared)
    for name in ("out.jsonl", "out.csv"):
        kernel.run(f"%energy_export {tmp_path / name}")
        assert (tmp_path / name).read_text().count("\n") >= 2
    row = json.loads((tmp_path / "out.jsonl").read_text().splitlines()[0])
    assert row["label"] == "first"


def test_a_baseline_gives_net(kernel: Any) -> None:
    ran = kernel.run("%energy_baseline 1")
    if "No baseline could be measured" in plain(ran):
        pytest.skip("this machine has no sensor and no estimate")
    measured = kernel.run("%%energy --net\nsum(range(5_000_000))").measurement
    assert measured["net_j"] is not None
    assert measured["net_j"] < measured["total_j"]


def test_settings_are_shown_set_and_used(kernel: Any) -> None:
    assert "pue = 1.0" in plain(kernel.run("%energy_config"))
    kernel.run("%energy_config zone=FRA pue=1.5")
    measured = kernel.run("%%energy\nsum(range(2_000_000))").measurement
    assert measured["intensity"]["origin"] == "static"
    assert measured["pue"] == 1.5
    kernel.run("%energy_config carbon=off")
    assert kernel.run("%%energy\n1").measurement["co2e_g"] is None


def test_the_environment_and_a_config_file_set_the_same(start_kernel: Any, tmp_path: Path) -> None:
    profile = tmp_path / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    (profile / "ipython_kernel_config.py").write_text("c.GreenNB.zone = 'DEU'\nc.GreenNB.pue = 1.3\n")
    kernel = start_kernel(GREENNB_PUE="1.7")
    measured = kernel.run("%%energy\nsum(range(2_000_000))").measurement
    assert measured["pue"] == 1.7
    assert "Germany" in measured["intensity"]["zone"] or "DEU" in measured["intensity"]["zone"]


def test_a_bad_setting_in_the_environment_is_said_and_greennb_works(start_kernel: Any) -> None:
    kernel = start_kernel(load=False, GREENNB_PUE="much")
    ran = kernel.run("%load_ext greennb")
    assert "GREENNB_PUE is left out: pue cannot be" in plain(ran)
    assert kernel.run("%%energy\n1").measurement["status"] == "ok"


def test_options_complete_on_tab(kernel: Any) -> None:
    def completions(code: str) -> list[str]:
        kernel.client.complete(code, len(code))
        return list(kernel.client.get_shell_msg(timeout=20)["content"]["matches"])

    assert {"--budget", "--name", "--repeat"} <= set(completions("%%energy --"))
    assert "on" in completions("%energy_auto o")
    assert "pue=" in completions("%energy_config p")


def test_the_help_reads_well(kernel: Any) -> None:
    payload = kernel.run("%%energy?").reply["payload"]
    text = payload[0]["data"]["text/plain"]
    assert "--budget" in text
    assert "Measure a cell" in text


@pytest.mark.parametrize(
    "label", ["<img src=x onerror=alert(1)>", "x" * 10_000, "\x1b[31mred\x07", "a\u202eb", "née 漢字 🌱"]
)
def test_hostile_labels_are_shown_as_text(kernel: Any, label: str) -> None:
    import shlex

    ran = kernel.run(f"%%energy -n {shlex.quote(label)}\n1")
    html = ran.bundles[0]["text/html"]
    assert "<img" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert len(html) < 20_000
    assert len(ran.measurement["label"]) <= 200


def test_a_read_only_ledger_is_said_once_and_the_joules_are_shown(start_kernel: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    kernel = start_kernel(GREENNB_LEDGER=str(blocked / "ledger.sqlite3"))
    said = ""
    for _ in range(3):
        ran = kernel.run("%%energy\n1")
        assert ran.measurement["status"] == "ok"
        time.sleep(0.4)
        said += ran.text("stderr")
    said += kernel.run("None").text("stderr")
    assert said.count("greennb:") == 1, said


def test_two_kernels_share_one_ledger(start_kernel: Any) -> None:
    first, second = start_kernel(), start_kernel()
    for n in range(20):
        first.run(f"%%energy -q -n a{n}\n1")
        second.run(f"%%energy -q -n b{n}\n1")
    rows = (
        "(__import__('greennb').runtime.runtime().ledger.flush(5), "
        "[r.label for r in __import__('greennb').runtime.runtime().ledger.rows()])[1]"
    )
    second.value(rows)
    time.sleep(1)
    assert {f"{kernel}{n}" for kernel in "ab" for n in range(20)} <= set(first.value(rows))
