"""The gate: 0 within, 1 over, 2 cannot tell, and never a guess in between."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from greennb.cli.judge import ratio
from greennb.cli.main import main
from greennb.model.reading import Method


def cell(watts=40.0, seconds=10.0, source="model.fit(X, y)"):
    return SimpleNamespace(watts=watts, seconds=seconds, source=source, cell_id=None)


def gate(*words):
    return main(["gate", *map(str, words)])


@pytest.mark.parametrize(
    ("budget", "status", "word"),
    [
        ("500J", 0, "within"),
        ("0.5kJ", 0, "within"),
        ("1Wh", 0, "within"),
        ("300J", 1, "over"),
        ("0.0001kWh", 1, "over"),
        ("400J", 2, "cannot tell"),
    ],
)
def test_a_budget_is_judged_by_the_whole_interval(make_run, saved, capsys, budget, status, word):
    """400 J from a counter in steps of 1 J: a budget that lies inside the interval can be told neither way."""
    file = saved(make_run([cell(watts=40, seconds=10)]), "run.json")
    assert gate(file, "--budget", budget) == status
    assert capsys.readouterr().out.startswith(f"{word}: ")


def test_a_wide_estimate_around_the_budget_cannot_be_told_but_its_value_can(make_run, saved, capsys):
    """An estimate of 400 J (200 to 600) against 500 J: nobody knows, and --judge value says that it guesses."""
    file = saved(make_run(method=Method.ESTIMATED), "run.json")
    assert gate(file, "--budget", "500J") == 2
    assert "--judge value" in capsys.readouterr().out
    assert gate(file, "--budget", "500J", "--judge", "value") == 0
    assert "judged by the value alone" in capsys.readouterr().out
    assert gate(file, "--budget", "390J", "--judge", "value") == 1


def test_a_run_that_failed_cannot_be_told(make_run, saved, capsys):
    """However little its cells cost: the rest of them did not run."""
    file = saved(make_run(error="Code cell 2 of 3 raised ValueError: no."), "run.json")
    assert gate(file, "--budget", "1MJ") == 2
    assert "raised ValueError" in capsys.readouterr().out


def test_a_partial_run_is_never_within_but_may_be_over(make_run, saved):
    """What is missing can only add to what was measured."""
    file = saved(make_run(fault="no permission"), "run.json")
    assert gate(file, "--budget", "1MJ") == 2
    assert gate(file, "--budget", "1MJ", "--judge", "value") == 2
    assert gate(file, "--budget", "100J") == 1


def test_a_run_with_a_cell_that_was_not_measured_is_partial(make_run, saved):
    whole = make_run([cell(), cell()])
    holed = replace(whole, cells=(whole.cells[0], replace(whole.cells[1], measurement=None)))
    assert gate(saved(whole, "whole.json"), "--budget", "10kJ") == 0
    assert gate(saved(holed, "holed.json"), "--budget", "10kJ") == 2


def test_nothing_measured_cannot_be_told(make_run, saved, capsys):
    assert gate(saved(make_run([]), "empty.json"), "--budget", "1J") == 2
    assert "no code cells" in capsys.readouterr().out


@pytest.mark.parametrize("method", [Method.COUNTER, Method.ESTIMATED])
def test_a_run_against_itself_keeps_to_the_tolerance(make_run, saved, method):
    """Also where it is estimated within 50 %: the same machine's model is wrong by the same factor both times."""
    file = saved(make_run([cell(), cell(watts=10), cell(seconds=100)], method=method, resolution_uj=1e4), "run.json")
    assert gate(file, "--baseline", file, "--tolerance", "10%") == 0


@pytest.mark.parametrize("method", [Method.COUNTER, Method.ESTIMATED])
def test_a_run_that_costs_twice_as_much_is_over(make_run, saved, capsys, method):
    once = saved(make_run([cell(seconds=10)], method=method), "once.json")
    twice = saved(make_run([cell(seconds=20)], method=method), "twice.json")
    assert gate(twice, "--baseline", once) == 1
    assert "+100 %" in capsys.readouterr().out
    assert gate(once, "--baseline", twice, "--tolerance", "0") == 0
    assert gate(twice, "--baseline", once, "--tolerance", "150%") == 0


def test_a_tolerance_inside_the_interval_of_the_ratio_cannot_be_told(make_run, saved):
    """400 J and 440 J in steps of 100 J: +10 % is not known to a few percent."""
    once = saved(make_run([cell(watts=40)], resolution_uj=1e8), "once.json")
    more = saved(make_run([cell(watts=44)], resolution_uj=1e8), "more.json")
    assert gate(more, "--baseline", once, "--tolerance", "10%") == 2
    assert gate(more, "--baseline", once, "--tolerance", "10.1%", "--judge", "value") == 0


def test_estimates_of_two_machines_do_not_share_their_error(make_run, saved):
    """On two machines the model may be wrong in opposite ways, so +20 % of 50 % accuracy says nothing."""
    here = make_run([cell(watts=48)], method=Method.ESTIMATED)
    there = make_run([cell(watts=40)], method=Method.ESTIMATED, host="host-b")
    assert gate(saved(here, "here.json"), "--baseline", saved(there, "there.json")) == 2
    assert gate(saved(here, "here.json"), "--baseline", saved(replace(there, host="host-a"), "same.json")) == 1


def test_a_counter_and_an_estimate_cannot_be_compared(make_run, saved, capsys):
    counted = saved(make_run(), "counted.json")
    estimated = saved(make_run(method=Method.ESTIMATED), "estimated.json")
    assert gate(counted, "--baseline", estimated, "--judge", "value") == 2
    assert "different ways" in capsys.readouterr().out


def test_two_limits_are_over_where_one_is(make_run, saved):
    """And a limit that cannot be told does not hide one that is passed."""
    once = saved(make_run([cell(seconds=10)]), "once.json")
    twice = saved(make_run([cell(seconds=20)]), "twice.json")
    assert gate(twice, "--budget", "1kJ", "--baseline", once) == 1
    assert gate(twice, "--budget", "800J", "--baseline", once) == 1
    assert gate(once, "--budget", "400J", "--baseline", twice) == 2


def test_the_interval_of_a_ratio_of_counters_adds_their_shares_in_quadrature(make_run):
    """Two runs known to p percent each: their ratio to sqrt(2) p percent (GUM 5.1.6)."""
    run = make_run([cell(watts=100)], resolution_uj=1e7)
    share = (run.total.high_j - run.total.total_j) / run.total.total_j
    found = ratio(run, run)
    assert found.value == pytest.approx(1.0)
    assert found.high - 1 == pytest.approx(2**0.5 * share, rel=1e-6)


def test_a_machine_reads_the_verdict(make_run, saved, capsys):
    """--json: the verdict, the exit status, and each check with its words."""
    file = saved(make_run(), "run.json")
    assert gate(file, "--budget", "300J", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["exit"]) == ("over", 1)
    assert told["total_j"] == pytest.approx(400, rel=0.01)
    assert [(check["kind"], check["limit"], check["verdict"]) for check in told["checks"]] == [
        ("budget", 300.0, "over")
    ]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--budget", "x"],
        ["--budget", "-5J"],
        ["--budget", "0"],
        ["--budget", "5 cal"],
        ["--budget", "5J", "--tolerance", "-1%"],
        ["--baseline", "nowhere.json"],
    ],
)
def test_bad_options_get_a_sentence_and_exit_2(make_run, saved, capsys, words):
    assert gate(saved(make_run(), "run.json"), *words) == 2
    assert "Traceback" not in capsys.readouterr().err
