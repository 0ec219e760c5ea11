"""Trials in the ledger: all of one is kept, what is no number is none, and older ledgers have none."""

from __future__ import annotations

import io
import json
import math
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from greennb.ledger import export
from greennb.ledger.migrations import migrate
from greennb.ledger.trials import as_dict
from greennb.model.finding import Change, Trial, Verdict
from greennb.model.reading import Method
from tests.rig.measurements import energy, measurement

TRIAL = Trial(
    baseline=(measurement(energy(joules=20.0, half=1.0, method=Method.ESTIMATED), id="a"),),
    candidate=(measurement(energy(joules=15.0, half=1.0, method=Method.ESTIMATED), id="b"),),
    order="ABBA", ratio=0.75, interval=(0.7, 0.8), quality="the same", quality_good=True, verdict=Verdict.SAVES,
    break_even=40.0, baseline_runs=5, candidate_runs=5, unit="step", units=100.0, spent_s=12.5, spent_j=210.0,
    variant="channels_last", change=Change(cell_id="c", before="x = 1", after="x = 2"),
)  # fmt: skip
WHEN = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def tried(ledger):
    """Append a trial, with what differs from that."""

    def append(trial=TRIAL, **fields):
        known = {"at": WHEN, "session_id": "s1", "notebook": "/home/me/train.ipynb", "host": "bench",
                 "code": "GNB210", "key": "GNB210 model"}  # fmt: skip
        ledger.append_trial(trial, **known | fields)

    return append


def test_everything_of_a_trial_is_kept(ledger, tried):
    tried()
    (row,) = ledger.trials()
    assert (row.at, row.session_id, row.notebook, row.host) == (WHEN, "s1", "/home/me/train.ipynb", "bench")
    assert (row.code, row.key, row.variant, row.verdict) == ("GNB210", "GNB210 model", "channels_last", "saves")
    assert (row.ratio, row.low, row.high, row.unit) == (0.75, 0.7, 0.8, "step")
    assert (row.baseline_j, row.candidate_j, row.method) == (4.0, 3.0, "estimated")
    assert (row.spent_s, row.spent_j, row.quality_good, row.quality) == (12.5, 210.0, True, "the same")
    assert row.trial_dict == json.loads(json.dumps(TRIAL.to_dict()))


def test_what_is_no_number_is_none_and_half_a_surrogate_is_no_loss(ledger, tried):
    tried(replace(TRIAL, ratio=math.nan, interval=(0.5, math.inf), spent_j=math.inf, quality="\ud800", change=None))
    (row,) = ledger.trials()
    assert (row.ratio, row.low, row.high, row.spent_j, row.quality) == (None, 0.5, None, None, "?")
    assert ledger.problem is None


def test_a_trial_that_ended_before_its_first_block_is_kept(ledger, tried):
    tried(replace(TRIAL, baseline=(), candidate=(), order="", ratio=None, interval=None, verdict=Verdict.CANNOT_TELL))
    (row,) = ledger.trials()
    assert (row.verdict, row.baseline_j, row.candidate_j, row.method) == ("cannot tell", None, None, None)


def test_trials_of_one_session_or_notebook_oldest_first_and_the_newest_few(ledger, tried, kept):
    kept(measurement(energy(joules=1.0, half=0.1)))
    for n in range(3):
        tried(at=WHEN.replace(minute=n), key=f"GNB210 {n}")
    tried(session_id="s2", notebook="other.ipynb", key="other")
    assert [row.key for row in ledger.trials(session_id="s1")] == ["GNB210 0", "GNB210 1", "GNB210 2"]
    assert [row.key for row in ledger.trials(notebook="train.ipynb", last=2)] == ["GNB210 1", "GNB210 2"]
    assert [row.key for row in ledger.trials(notebook="other.ipynb")] == ["other"]
    assert len(ledger.rows()) == 1


def test_an_older_ledger_has_none_and_is_not_changed_by_asking(path, opened):
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, upto=2)
    connection.close()
    before = path.read_bytes()
    assert opened(path).trials() == []
    assert path.read_bytes() == before


def test_json_lines_carry_trials_after_the_windows_and_no_other_format_does(ledger, tried, kept):
    kept(measurement(energy(joules=1.0, half=0.1)))
    tried()
    rows, trials = ledger.rows(), ledger.trials()
    written = {}
    for kind in export.Format:
        stream = io.StringIO()
        export.write(rows, kind, stream, trials=trials)
        written[kind] = stream.getvalue()
    window, trial = map(json.loads, written[export.Format.JSON].splitlines())
    assert window["kind"] == "cell"
    assert trial == json.loads(json.dumps(as_dict(trials[0])))
    assert (trial["kind"], trial["key"], trial["verdict"]) == ("trial", "GNB210 model", "saves")
    assert trial["change"]["after"] == "x = 2"
    assert not any("GNB210" in text for kind, text in written.items() if kind is not export.Format.JSON)


def test_trials_are_chosen_by_their_end(ledger, tried):
    """``since`` is of the moment that a trial ended, in any time zone."""
    tried(at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    tried(at=datetime(2026, 3, 1, 13, 0, tzinfo=UTC))
    since = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=1)))
    assert [row.at.hour for row in ledger.trials(since=since)] == [13]
