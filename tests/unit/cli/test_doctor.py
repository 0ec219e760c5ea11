"""The doctor: each source with its reason and mend, watts now, carbon, ledger, our own cost; and never a crash."""

from __future__ import annotations

import json
import re
import time

import pytest

from greennb.cli.checkup import checkup
from greennb.cli.doctor import text
from greennb.cli.main import main
from greennb.ledger.store import Ledger
from greennb.runtime import Runtime
from greennb.settings import Settings
from tests.rig import powercap


@pytest.fixture
def examine(tmp_path):
    """A checkup of a machine with these settings, its ledger in a folder of its own."""
    made = []

    def run(*, sleep=lambda _s: None, **settings):
        settings.setdefault("ledger", str(tmp_path / "ledger.sqlite3"))
        settings.setdefault("intensity", 400.0)
        runtime = Runtime(Settings(**settings), host="host-a")
        made.append(runtime)
        return checkup(runtime, sleep=sleep)

    yield run
    for runtime in made:
        runtime.shutdown()
        runtime.meter.close_sources()


def flat(found, columns=100):
    return " ".join(text(found, columns).split())


def test_a_machine_where_nothing_works_is_told_so_with_the_mend(examine, tmp_path):
    found = examine(sources="rapl", rapl_root=str(tmp_path / "nothing"))
    shown = flat(found)
    assert "nothing can be read" in shown
    assert re.search(r"rapl not used: .+ mend: .+", shown)
    assert "nvml not used: " in shown
    assert found.look.total_j is None


def test_a_counter_shows_its_watts_its_step_and_its_refresh(examine, tmp_path):
    """Two readings: what the counter moved between them, over the time that passed."""
    tree = powercap.dual_socket(tmp_path / "tree")
    zone = next(key for key in tree.zones if (tree.zones[key] / "name").read_text().startswith("package"))
    before = int(tree.counter(zone).read_text())

    def one_joule(_seconds):
        time.sleep(0.05)  # faster, and it would be more than the package can draw
        tree.write(zone, f"{before + 1_000_000}\n")

    found = examine(sources="rapl", rapl_root=str(tree.root), sleep=one_joule)
    told = found.to_dict()
    (rapl,) = [source for source in told["sources"] if source["name"] == "rapl"]
    assert rapl["used"] is True
    drawn_w = [channel["now_w"] for channel in rapl["channels"] if channel["now_w"] is not None]  # others stand still
    # What was drawn while the looks themselves were taken is left out of the second.
    assert max(drawn_w) * found.look.duration_s == pytest.approx(1, rel=0.1)
    assert {channel["method"] for channel in rapl["channels"]} == {"counter"}
    shown = flat(found)
    assert "joules are measured." in shown
    assert "counter: a hardware energy counter; updated every 1.00 ms; in steps of" in shown


def test_an_estimate_is_called_one_wherever_it_shows(examine):
    found = examine(sources="estimate", tdp=100.0, sleep=time.sleep)
    shown = flat(found)
    assert "no sensor can be read; joules are estimated" in shown
    assert re.search(r"now ~\S+ m?W \(~?\S+( m?W)? to ~\S+ m?W\)", shown)


def test_the_intensity_in_force_is_named_with_its_origin(examine):
    assert "400 g/kWh, set by you" in flat(examine(sources="estimate"))
    assert "static 2023 FRA" in flat(examine(sources="estimate", intensity=0.0, zone="FRA"))
    assert "turned off" in flat(examine(sources="estimate", carbon=False))


def test_a_zone_that_does_not_exist_is_said_and_the_rest_goes_on(examine):
    found = examine(sources="estimate", intensity=0.0, zone="Atlantis")
    assert found.intensity is None
    assert "Atlantis" in flat(found)
    assert "What greennb costs" in text(found, 100)


def test_the_ledger_is_counted_and_not_created(examine, tmp_path):
    path = tmp_path / "new.sqlite3"
    assert f"{path}: 0 windows" in flat(examine(sources="estimate", ledger=str(path)), 500)
    assert not path.exists()
    found = examine(sources="estimate")
    ledger = Ledger(path)
    ledger.append(found.look, session_id="s", notebook="n", source="x", kind="cell")
    assert ledger.close()
    assert f"{path}: 1 window" in flat(examine(sources="estimate", ledger=str(path)), 500)


def test_a_ledger_that_is_none_is_said(examine, tmp_path):
    path = tmp_path / "text.sqlite3"
    path.write_text("this is no database, but quite some text in a file that calls itself one" * 9)
    problem = examine(sources="estimate", ledger=str(path)).ledger.problem
    assert str(path) in problem
    assert examine(sources="estimate", ledger="off").ledger.path == ""


def test_our_own_cost_is_measured_beside_the_bare_reads(examine):
    """Opening and closing a window cannot be cheaper than the reads in it."""
    cost = examine(sources="estimate").cost
    assert 0 < cost.reads_s < cost.window_s < 0.01
    assert cost.import_s is not None
    assert 0 < cost.import_s < 5


def test_a_machine_reads_it_and_the_exit_status_is_0(capsys, monkeypatch, tmp_path):
    """Also where nothing works."""
    monkeypatch.setenv("GREENNB_LEDGER", str(tmp_path / "ledger.sqlite3"))
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [source["name"] for source in told["sources"]] == [
        "nvml", "amdgpu", "rapl", "apple", "perf", "amdapu", "battery", "estimate",
    ]  # fmt: skip
    assert all(source["reason"] for source in told["sources"])
    assert {"greennb", "Python"} <= set(told["versions"])
    assert told["own_cost"]["window_s"] > 0


def test_no_line_is_wider_than_the_terminal(examine, tmp_path):
    found = examine(sources="rapl,estimate", rapl_root=str(tmp_path / "nothing"))
    wide = [line for line in text(found, 80).splitlines() if len(line) > 80 and " " in line.strip()]
    assert wide == []
