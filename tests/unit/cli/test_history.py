"""``greennb history``: what the ledger keeps, for people and for machines."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from greennb.cli.main import main
from greennb.ledger.store import Ledger
from greennb.model.finding import Trial, Verdict
from greennb.model.measurement import Status
from greennb.model.reading import Fault, Method
from tests.rig.measurements import FRANCE, GPU, energy, measurement


@pytest.fixture
def path(tmp_path, monkeypatch):
    """The ledger that the environment names."""
    path = tmp_path / "ledger.sqlite3"
    monkeypatch.setenv("GREENNB_LEDGER", str(path))
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("TZ", "UTC")
    return path


@pytest.fixture
def keep(path):
    """Write windows, and have them in the file at once."""

    def append(made, **fields):
        known = {"session_id": "abc1", "notebook": "/home/me/train.ipynb", "source": "model.fit(x, y)", "kind": "cell"}
        ledger = Ledger(path)
        ledger.append(made, **known | fields)
        assert ledger.close()
        assert ledger.problem is None
        return made

    return append


def printed(capsys, *words: str) -> list[str]:
    assert main(["history", *words]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def said(capsys, *words: str) -> str:
    """What a refusal says."""
    assert main(["history", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_each_window_has_a_line_and_the_last_line_is_the_total(capsys, keep):
    """When, notebook, label or first line, time, joules with interval, method, grams, status."""
    keep(measurement(energy(joules=40.0), intensity=FRANCE, after_s=1))
    keep(measurement(energy(joules=60.0, method=Method.ESTIMATED), label="", status=Status.ERROR, after_s=2))
    heading, first, second, total = printed(capsys)
    assert heading.split() == ["when", "notebook", "cell", "time", "energy", "(95", "%)", "method", "CO2e", "status"]
    assert "2026-03-01" in first
    assert "train.ipynb  train " in first
    assert "40.0 J ± 2.0" in first
    assert "counter" in first
    assert first.endswith("ok")
    assert "model.fit(x, y)" in second
    assert "~60.0 J (58.0–62.0)" in second
    assert second.endswith("error")
    assert total.startswith("all")
    assert "2 windows" in total
    assert "~100" in total
    assert "estimated" in total


def test_a_window_in_a_window_is_marked_and_counts_once(capsys, keep):
    """Its joules are in the outer one's."""
    outer = keep(measurement(energy(joules=100.0), after_s=1))
    keep(measurement(energy(joules=30.0), label="inner", parent_id=outer.window.id, after_s=2))
    *_, inner, total = printed(capsys)
    assert "> inner" in inner
    assert "100.0 J ± 2.0" in total


def test_what_is_missing_is_said_in_words(capsys, keep):
    """No 0 J for a window that could not be measured, and its total is partial."""
    keep(measurement(faults=(Fault(domain=GPU, t_ns=0, reason="lost"),)))
    _, line, total = printed(capsys)
    assert "not measured" in line
    assert line.endswith("ok, partial")
    assert "not measured" in total
    assert total.endswith("partial")


def test_text_of_others_cannot_steer_the_terminal(capsys, keep):
    """Escapes, line breaks and right-to-left marks in labels, notebooks and first lines do not reach it."""
    evil = "\x1b[2J\x1b]0;owned\x07\r\n\u202eevil"
    keep(measurement(energy(), label=evil), notebook=evil)
    keep(measurement(energy(), label="", after_s=1), source="\x1b[31mred", notebook=f"/a/{'n' * 500}")
    lines = printed(capsys)
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)
    assert all(len(line) <= 140 for line in lines)
    assert "owned" not in "".join(lines)


def test_a_label_of_10000_characters_leaves_the_table_as_wide_as_the_terminal(capsys, keep):
    """The cell's column gives way."""
    keep(measurement(energy(), label="x" * 10_000))
    assert max(map(len, printed(capsys))) <= 140


def test_last_notebook_and_session_choose(capsys, keep):
    """A session by how its id begins."""
    keep(measurement(energy(), label="one", after_s=1), notebook="/w/a.ipynb")
    keep(measurement(energy(), label="two", after_s=2), session_id="xyz", notebook="/w/b.ipynb")
    keep(measurement(energy(), label="three", after_s=3), notebook="/w/b.ipynb")

    def labels(*words):
        return [row["label"] for row in json.loads("\n".join(printed(capsys, *words, "--json")))["windows"]]

    assert labels() == ["one", "two", "three"]
    assert labels("--last", "2") == ["two", "three"]
    assert labels("--last", "0") == ["one", "two", "three"]
    assert labels("--notebook", "b.ipynb") == ["two", "three"]
    assert labels("--session", "x") == ["two"]
    assert labels("--session", "abc1", "--notebook", "a.ipynb") == ["one"]


def test_json_is_for_machines(capsys, keep, path):
    """Whole measurements, where they ran, and the total; None is null."""
    keep(measurement(energy(joules=40.0), label="\x1b[1m"))
    data = json.loads("\n".join(printed(capsys, "--json")))
    assert (data["schema"], data["ledger"]) == (1, str(path))
    (window,) = data["windows"]
    assert (window["label"], window["notebook"], window["session_id"]) == ("\x1b[1m", "/home/me/train.ipynb", "abc1")
    assert window["domains"][0]["gross_j"] == 40.0
    assert data["total"]["total_j"] == 40.0
    assert data["total"]["co2e_g"] is None


def test_a_ledger_that_is_not_there_yet_is_empty(capsys, path):
    """No error, no file; for machines an empty list and nothing for a total."""
    (line,) = printed(capsys)
    assert line.startswith("No window is in the ledger")
    data = json.loads("\n".join(printed(capsys, "--json")))
    assert (data["windows"], data["total"]["total_j"]) == ([], None)
    assert not path.exists()


def test_nothing_that_matches_is_said(capsys, keep):
    keep(measurement(energy()))
    assert printed(capsys, "--notebook", "other.ipynb") == ["No window in the ledger matches."]


def test_another_ledger_can_be_named(capsys, keep, path, monkeypatch, tmp_path):
    """--ledger goes before the environment; one that is not there is a mistake, not an empty one."""
    keep(measurement(energy()))
    monkeypatch.setenv("GREENNB_LEDGER", "off")
    assert len(printed(capsys, "--ledger", str(path))) == 3
    assert "There is no ledger at" in said(capsys, "--ledger", str(tmp_path / "no"))
    assert "There is no ledger at" in said(capsys, "--ledger", "x" * 5000)


def test_bad_input_gets_a_sentence(capsys, keep, monkeypatch):
    """Exit status 2, no traceback."""
    keep(measurement(energy()), session_id="abc1")
    keep(measurement(energy()), session_id="abc2")
    assert 'No session in the ledger begins with "zzz"' in said(capsys, "--session", "zzz")
    assert "2 sessions begin with" in said(capsys, "--session", "abc")
    assert "is no number of windows" in said(capsys, "--last", "-1")
    assert "is no number of windows" in said(capsys, "--last", "many")
    monkeypatch.setenv("GREENNB_LEDGER", "off")
    assert "The ledger is off" in said(capsys)


def test_a_damaged_ledger_is_said(capsys, path):
    """Exit status 2 and what to do."""
    path.write_bytes(b"no database " * 100)
    assert "damaged" in said(capsys)


def test_trials_stand_below_the_windows_and_in_the_json(capsys, keep, path):
    """One line each: what was tried, what it showed, what it took; also where no window was kept."""
    trial = Trial(
        baseline=(), candidate=(), order="", ratio=0.75, interval=(0.7, 0.8), quality="", verdict=Verdict.SAVES,
        break_even=None, spent_s=12.5, variant="channels_last",
    )  # fmt: skip
    ledger = Ledger(path)
    ledger.append_trial(
        trial, at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC), session_id="abc1", notebook="/home/me/train.ipynb",
        host="bench", code="GNB210", key="GNB210 model",
    )  # fmt: skip
    assert ledger.close()
    line = "train.ipynb  GNB210 model, channels_last: saves 25 % (20–30 %); the trial took 12.5 s"
    head, only = printed(capsys)
    assert head == "trials"
    assert only.endswith(line)
    keep(measurement(energy(joules=40.0)))
    assert printed(capsys)[-1] == only
    assert not any("GNB210" in line for line in printed(capsys, "--notebook", "other.ipynb"))
    told = json.loads("\n".join(printed(capsys, "--json")))
    assert [it["key"] for it in told["trials"]] == ["GNB210 model"]
    assert told["total"]["windows"] == 1
    assert main(["export", "--format", "json"]) == 0
    assert [json.loads(line)["kind"] for line in capsys.readouterr().out.splitlines()] == ["cell", "trial"]
