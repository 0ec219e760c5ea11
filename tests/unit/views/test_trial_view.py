"""Trials in words and as HTML: the verdict first, nothing promised that was not shown, safe whatever a user wrote."""

from __future__ import annotations

import importlib.util
import json
import math
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from greennb.advisor.trial.base import Kind, Progress
from greennb.model.finding import Change, Verdict
from greennb.model.messages import finite
from greennb.model.reading import Method
from greennb.views import advice, trial
from greennb.views.advice import Looked
from greennb.views.format import percents, size

DATA = Path(__file__).parents[2] / "data"
HOSTILE = '<script>alert(1)</script><img src=x onerror="a">\x1b[31m\u202e\u2066"\'&'


def _make():
    spec = importlib.util.spec_from_file_location("make_messages", DATA / "messages" / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _make()
SAVES = MAKE.tried()
COUNTED = tuple(MAKE.block(joules, 0.5, Method.COUNTER) for joules in (30.0, 31.0, 30.5, 30.0))
TRIALS = {
    "saves": SAVES,
    "costs": replace(
        SAVES, verdict=Verdict.COSTS_MORE, ratio=1.6, interval=(1.45, 1.77), break_even=None, baseline=COUNTED,
        candidate=COUNTED, variant="torch.compile", baseline_items=(), candidate_items=(), temperature_c=None,
        candidate_apart_j=900.0, quality="", quality_good=None,
    ),
    "worse": replace(SAVES, quality_good=False, quality="Losses differ by 12 %, and by 0.9 % with another seed."),
    "none": replace(
        SAVES, verdict=Verdict.NO_DIFFERENCE, ratio=0.99, interval=(0.96, 1.02), break_even=None, units=None,
        baseline_peak_b=None, baseline_apart_j=None,
    ),
    "cannot": replace(
        SAVES, baseline=(), candidate=(), order="", ratio=None, interval=None, quality="", quality_good=None,
        verdict=Verdict.CANNOT_TELL, break_even=None, note="The budget was spent before one round was complete.",
        baseline_items=(), candidate_items=(), baseline_apart_j=None, baseline_peak_b=None, temperature_c=None,
        spent_j=None,
    ),
}  # fmt: skip


class Planned:
    """A plan as the views see it."""

    key, variant, variants = "GNB210 model", "channels_last", ("channels_last", "channels_last and bf16")
    kind, words, change = Kind.NUMERIC, tuple(MAKE.plan()["words"]), MAKE.CHANGE


def words(html: str) -> str:
    return unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", html))


@pytest.mark.parametrize("name", TRIALS)
def test_a_trial_reads_as_its_golden_text(name):
    made = trial.text(TRIALS[name].to_dict(), "GNB210 model")
    assert made + "\n" == (DATA / "views" / f"trial-{name}.txt").read_text(encoding="utf-8")


def test_a_plan_reads_as_its_golden_text():
    assert trial.plan_text(Planned()) + "\n" == (DATA / "views" / "trial-plan.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TRIALS)
def test_the_card_says_what_the_text_says(name):
    told = TRIALS[name].to_dict()
    shown = words(trial.html(told, "GNB210 model", "A note."))
    assert trial.verdict(told) in shown
    assert all(row in shown for _name, row in trial.rows(told))
    assert "A note." in shown


def test_a_trial_that_went_through_json_reads_the_same():
    """The ledger's and a page's are dictionaries."""
    for one in TRIALS.values():
        told = one.to_dict()
        assert trial.text(json.loads(json.dumps(finite(told)))) == trial.text(told)


def test_what_an_old_kernel_said_can_be_read():
    old = MAKE.findings_of_0_3()["findings"][1]["trial"]
    assert trial.text(old, "GNB101").splitlines() == [
        "GNB101: saves 29 % (23–34 %)",
        "  quality      loss equal within 0.1 %",
        "  pays back    after 3 runs",
    ]


def test_a_peak_of_a_few_pages_is_not_spoken_of():
    assert "peak memory" not in trial.text(replace(SAVES, baseline_peak_b=0, candidate_peak_b=4096).to_dict())
    assert "peak memory" in trial.text(replace(SAVES, baseline_peak_b=0, candidate_peak_b=2**21).to_dict())


def test_a_change_that_fails_its_guard_is_never_recommended():
    told = TRIALS["worse"].to_dict()
    assert trial.verdict(told) == "saves ~33 % (27–38 %), but results are not as good"
    assert not trial.is_proven(told)
    assert trial.is_proven(SAVES.to_dict())
    assert not any(trial.is_proven(TRIALS[name].to_dict()) for name in ("costs", "none", "cannot"))


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_no_number_is_never_written_as_one(value):
    odd = replace(SAVES, ratio=value, interval=None if value is None else (value, value), break_even=value,
                  spent_j=value)  # fmt: skip
    for told in (odd.to_dict(), finite(odd.to_dict())):
        shown = trial.text(told) + words(trial.html(told)) + trial.line(told)
        assert not re.search(r"\b(nan|inf|None)\b", shown)
        assert "saves" in shown


def test_progress_is_one_line():
    at = Progress(
        phase="measuring", rounds=3, ratio=0.81, interval=(0.7, 0.93), spent_s=4.2, spent_j=81.0, budget_s=30.0
    )
    shown = trial.progress(
        phase=at.phase, rounds=at.rounds, ratio=at.ratio, interval=at.interval, spent_s=at.spent_s, spent_j=at.spent_j,
        budget_s=at.budget_s, method=Method.ESTIMATED,
    )  # fmt: skip
    assert shown == "measuring, 4.20 s of 30.0 s and ~81 J: 3 rounds, so far ~19 % less (7–30 %)"
    bare = trial.progress(
        phase="copying", rounds=0, ratio=None, interval=None, spent_s=0.0, spent_j=None, budget_s=30.0, method=None
    )
    assert bare == "copying, 0 s of 30.0 s"
    wide = trial.progress(
        phase="measuring", rounds=2, ratio=0.64, interval=(0.02, 16.7), spent_s=3.1, spent_j=None, budget_s=30.0,
        method=None,
    )  # fmt: skip
    assert wide == "measuring, 3.10 s of 30.0 s: 2 rounds"  # a ratio of which nothing is known is no news


def test_whatever_a_user_or_a_variant_is_called_it_is_text():
    change = Change(cell_id=None, before=f"x = '{HOSTILE}'", after=f"y = '{HOSTILE}'\n\ud800")
    told = replace(SAVES, variant=HOSTILE, note=HOSTILE, quality=HOSTILE, unit=HOSTILE, change=change).to_dict()

    class Hostile(Planned):
        key = variant = HOSTILE
        variants = (HOSTILE, f"{HOSTILE}2")
        words = (HOSTILE,)

    Hostile.change = change
    for made in (
        trial.html(told, HOSTILE, HOSTILE),
        trial.plan_html(Hostile()),
        trial.list_bundle([(HOSTILE, told)])["text/html"],
    ):
        assert not re.search(r"<script|<img|\x1b|\u202e|\u2066|\ud800", made)
    for made in (trial.text(told, HOSTILE), trial.plan_text(Hostile()), trial.line(told)):
        assert not re.search(r"\x1b|\u202e|\u2066|\ud800", made)


def test_a_diff_keeps_indentation_and_has_an_end():
    change = Change(cell_id=None, before="a\n", after="a\n" + "\n".join(f"    b{n}" for n in range(500)))
    lines = trial.diff(change)
    assert lines[:2] == [" a", "+    b0"]
    assert lines[-1] == "…"
    assert len(lines) < 100
    assert trial.diff_html(Change(cell_id=None, before="a", after="a")) == ""


def test_a_finding_says_what_its_trial_showed():
    """In the list, on the card, and nothing of it where there was none."""
    tried, untried = MAKE.found_and_tried(SAVES), MAKE.found_and_tried(None)
    said = "channels_last: saves ~33 % (27–38 %); ~57 mJ before, ~38 mJ after, an item; pays back after 340 steps"
    assert said in " ".join(advice.text([tried], Looked(cells=1)).split())
    assert said in words(advice.html([tried], Looked(cells=1)))
    assert advice.line(tried).endswith("; tried: saves ~33 % (27–38 %). %energy_advise says more.")
    assert "saves" not in advice.text([untried], Looked(cells=1)) + advice.line(untried)


def test_a_session_lists_its_trials():
    made = trial.list_bundle([("GNB210 model", SAVES.to_dict()), ("GNB206 model", TRIALS["cannot"].to_dict())])
    took = "8 blocks, 11.5 s, ~400 J, card at 41 to 47 °C"
    assert made["text/plain"].splitlines() == [
        "2 trials",
        f"  GNB210 model, channels_last: saves ~33 % (27–38 %); the trial took {took}",
        "  GNB206 model, channels_last: cannot tell; the trial took 11.5 s",
    ]
    assert "GNB206 model, channels_last: cannot tell" in words(made["text/html"])


def test_ranges_and_sizes():
    assert percents(0.271, 0.379) == "27–38 %"
    assert percents(-0.043, 0.021) == "−5 to 3 %"
    assert percents(None, 0.1) == percents(0.1, math.inf) == "not measured"
    assert [size(b) for b in (12, 2048, 512 * 2**20, 3 * 2**30)] == ["12 B", "2 KiB", "512 MiB", "3 GiB"]
