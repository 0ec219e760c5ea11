"""The diff: cells that belong together, and what their intervals allow to be said."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from greennb.cli.diff import Answer, pairs, total_answer
from greennb.cli.main import main
from greennb.model.reading import Method


def cell(source, watts=40.0, seconds=10.0, cell_id=None):
    return SimpleNamespace(source=source, watts=watts, seconds=seconds, cell_id=cell_id)


def together(a, b):
    return [
        (None if pair.a is None else pair.a.source, None if pair.b is None else pair.b.source) for pair in pairs(a, b)
    ]


def test_a_run_and_itself_show_no_difference(make_run, saved, capsys):
    """Not in a cell, not in the total, however wide or narrow the intervals."""
    cells = [cell("load()", cell_id="a"), cell("fit()", watts=100, cell_id="b"), cell("load()")]
    for method in (Method.COUNTER, Method.ESTIMATED):
        run = make_run(cells, method=method)
        assert {pair.answer for pair in pairs(run, run)} == {Answer.SAME}
        assert total_answer(run, run) is Answer.SAME
    file = saved(run, "run.json")
    assert main(["diff", file, file]) == 0
    assert capsys.readouterr().out.endswith("\nNo difference beyond the intervals.\n")


def test_a_difference_is_named_where_the_intervals_do_not_meet(make_run):
    before = make_run([cell("fit()", watts=40), cell("plot()", watts=5)])
    after = make_run([cell("fit()", watts=80), cell("plot()", watts=5)])
    assert [pair.answer for pair in pairs(before, after)] == [Answer.MORE, Answer.SAME]
    assert [pair.answer for pair in pairs(after, before)] == [Answer.LESS, Answer.SAME]
    assert total_answer(before, after) is Answer.MORE


def test_wide_estimates_that_meet_are_no_difference(make_run):
    """40 W and 60 W, each right within 50 %: nobody knows."""
    before = make_run([cell("fit()", watts=40)], method=Method.ESTIMATED)
    after = make_run([cell("fit()", watts=60)], method=Method.ESTIMATED)
    assert [pair.answer for pair in pairs(before, after)] == [Answer.SAME]


def test_a_counter_and_an_estimate_are_not_compared(make_run):
    counted, estimated = make_run([cell("fit()")]), make_run([cell("fit()")], method=Method.ESTIMATED)
    assert [pair.answer for pair in pairs(counted, estimated)] == [Answer.OTHER_GROUND]
    assert total_answer(counted, estimated) is Answer.OTHER_GROUND


def test_cells_belong_together_by_id_even_when_edited_and_moved(make_run):
    before = make_run([cell("load()", cell_id="a"), cell("fit()", cell_id="b")])
    after = make_run([cell("fit(fast=True)", cell_id="b"), cell("load()", cell_id="a")])
    assert together(before, after) == [("fit()", "fit(fast=True)"), ("load()", "load()")]
    assert [pair.changed for pair in pairs(before, after)] == [True, False]


def test_cells_without_ids_belong_together_by_place_and_source_then_by_source(make_run):
    before = make_run([cell("load()"), cell("fit()"), cell("fit()", watts=90)])
    after = make_run([cell("new()"), cell("load()"), cell("fit()", watts=90)])
    assert together(before, after) == [(None, "new()"), ("load()", "load()"), ("fit()", "fit()"), ("fit()", None)]
    matched = pairs(before, after)[2]
    assert matched.a is before.cells[2]  # the one in the same place, not the first with this source


def test_a_cell_that_only_one_run_has_is_said(make_run, saved, capsys):
    before, after = make_run([cell("load()", cell_id="a")]), make_run([cell("plot()", cell_id="b")])
    assert [pair.answer for pair in pairs(before, after)] == [Answer.ONLY_B, Answer.ONLY_A]
    assert main(["diff", saved(before, "a.json"), saved(after, "b.json")]) == 0
    shown = capsys.readouterr().out
    assert "only in A" in shown
    assert "only in B" in shown


def test_a_cell_that_was_not_measured_is_said_and_no_zero(make_run, saved, capsys):
    run = make_run([cell("load()")])
    broken = json.loads(json.dumps(run.to_dict()))
    del broken["cells"][0]["domains"]
    from greennb.model.run import NotebookRun

    empty = NotebookRun.from_dict(broken)
    assert [pair.answer for pair in pairs(run, empty)] == [Answer.MISSING]
    main(["diff", saved(run, "a.json"), saved(empty, "b.json")])
    assert " 0 J" not in capsys.readouterr().out


def test_reservations_stand_below_the_table(make_run, saved, capsys):
    """Other machines, failed and partial runs, and that one run each proves nothing."""
    before = make_run([cell("fit()")], host="host-a", error="Code cell 2 of 2 raised ValueError: no.")
    after = make_run([cell("fit()", watts=80)], host="host-b", fault="no permission")
    main(["diff", saved(before, "a.json"), saved(after, "b.json")])
    shown = capsys.readouterr().out
    for words in ("A did not reach its end", "B is partial", "different machines", "One run each"):
        assert words in shown


def test_a_machine_reads_the_answers(make_run, saved, capsys):
    before, after = make_run([cell("fit()", cell_id="a")]), make_run([cell("fit()", watts=80, cell_id="a")])
    assert main(["diff", saved(before, "a.json"), saved(after, "b.json"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["cells"][0]["cell_id"] == "a"
    assert told["cells"][0]["answer"] == told["total"]["answer"] == "more"
    assert told["total"]["ratio"] == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no file"),
        ("nonsense", "is not JSON"),
        ("[1]", "no run in it"),
        ('{"schema": 1}', "not a greennb run"),
        ('{"schema": 99, "cells": []}', "schema 99"),
        ('{"schema": 1, "cells": [{}]}', "not a greennb run"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_is_no_run_gets_a_sentence_and_exit_2(make_run, saved, tmp_path, capsys, text, words):
    good = saved(make_run(), "good.json")
    bad = tmp_path / "bad.json"
    if text is not None:
        bad.write_text(text)
    assert main(["diff", good, str(bad)]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
