"""Trials of one kernel: what is planned, what findings carry, and in which order they come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from greennb.advisor.catalogue import catalogue
from greennb.advisor.trial import sklearn as kit
from greennb.advisor.trial.base import Kind, RefusedError
from greennb.advisor.trial.trials import Trials, _words, variants
from greennb.model.errors import BadInputError
from greennb.model.finding import Change, Trial, Verdict
from greennb.model.reading import Method
from greennb.runtime import Runtime
from greennb.settings import Settings
from tests.advisor.harness import Case, notebook

DATA = """
from sklearn.datasets import make_classification

X, y = make_classification(2_500, 20, n_informative=10, random_state=0)
"""
FIT = """from sklearn.svm import SVC

svc = SVC(kernel="linear", C=10).fit(X, y)"""
FOREST = """from sklearn.ensemble import RandomForestClassifier

forest = RandomForestClassifier(400, random_state=0).fit(X, y)"""


@pytest.fixture(scope="module")
def book() -> Iterator[Case]:
    case = notebook([DATA, FIT, FOREST])
    yield case
    case.close()


@pytest.fixture
def trials(book: Case) -> Trials:
    runtime = Runtime(Settings(ledger="off"))
    return Trials(book.advisor, namespace=book.namespace, meter=lambda: runtime.meter)


def test_a_plan_says_what_would_be_run_and_runs_nothing(trials: Trials, book: Case) -> None:
    before = dict(book.namespace)
    plan = trials.plan("GNB304", budget_s=12)
    assert (plan.code, plan.variant, plan.kind) == ("GNB304", "LinearSVC", Kind.ESTIMATOR)
    assert plan.execution_count == 2
    assert "cell [2]" in plan.words[0]
    assert "12.0 s at the latest" in plan.words[1]
    assert plan.change.before == FIT
    assert "LinearSVC(C=10).fit(X, y)" in plan.change.after
    assert book.namespace == before


@pytest.mark.parametrize(
    ("name", "how", "words"),
    [
        ("GNB999", {}, "There is no rule"),
        ("GNB230", {}, "nothing that could be tried"),
        ("GNB210", {}, "no cell of this notebook has used torch"),
        ("GNB304", {"variant": "magic"}, "has no variant"),
        ("GNB304", {"budget_s": 0.1}, "1 to 3600 seconds"),
    ],
)
def test_what_can_not_be_planned_is_said_in_words(
    trials: Trials, name: str, how: dict[str, object], words: str
) -> None:
    with pytest.raises(BadInputError, match=words):
        trials.plan(name, **how)  # type: ignore[arg-type]


def test_a_variant_that_makes_no_sense_here_is_refused(trials: Trials) -> None:
    with pytest.raises(RefusedError, match="No GridSearchCV is made"):
        trials.plan("GNB308")


def test_each_rule_can_be_tried_or_is_listed_as_by_hand() -> None:
    """No rule is forgotten in docs/trials.md, and none that has a variant stands there as if it had none."""
    text = (Path(__file__).parents[3] / "docs" / "trials.md").read_text("utf-8")
    listed = set(re.findall(r"GNB\d+", text.partition("### By hand")[2].partition("\n## ")[0]))
    tried = {code for _name, codes in variants() for code in codes}
    assert listed == {rule.RULE.code for rule in catalogue().rules} - tried


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (Method.COUNTER, "at the cell's mean power, as measured, that is at most 53.0 J."),
        (Method.INTEGRATED, "at the cell's mean power, as measured, that is at most 53.0 J."),
        (Method.ESTIMATED, "at the cell's mean power, as estimated, that is at most ~53 J."),
        (None, "how many joules that takes is not known, for the cell was not measured."),
    ],
)
def test_a_plan_says_how_many_joules_it_takes_at_most(trials: Trials, method: Method | None, words: str) -> None:
    """Each number with how it was come by, and hedged once."""
    plan = trials.plan("GNB304", budget_s=12)
    cell = next(it for it in trials._advisor.cells if it.execution_count == plan.execution_count)
    variant = next(it for it in kit.VARIANTS if it.name == plan.variant)
    said = _words(cell, variant, (12.0, None), None if method is None else 53.0, method)
    assert said[1] == f"It ends as soon as the answer is safe, after 12.0 s at the latest; {words}"


def test_a_cell_that_has_changed_since_its_plan_is_not_run(trials: Trials) -> None:
    plan = trials.plan("GNB304")
    with pytest.raises(RefusedError, match="plan it again"):
        trials.run(replace(plan, change=replace(plan.change, before="svc.fit(X, y)")))


def told(verdict: Verdict, before: str, good: bool | None = True) -> Trial:
    return Trial(
        baseline=(), candidate=(), order="", ratio=0.5, interval=None, quality="", quality_good=good, verdict=verdict,
        break_even=None, change=Change(cell_id=None, before=before, after=""),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("trial", "first"),
    [
        (told(Verdict.SAVES, FOREST), True),
        (told(Verdict.SAVES, FOREST, good=None), True),
        (told(Verdict.SAVES, FOREST, good=False), False),
        (told(Verdict.COSTS_MORE, FOREST), False),
        (told(Verdict.NO_DIFFERENCE, FOREST), False),
    ],
)
def test_what_was_proven_comes_first_and_what_was_refuted_last(book: Case, trial: Trial, first: bool) -> None:
    keys = [it.key for it in book.advisor.findings(all_cells=True)]
    mine = next(key for key in keys if key.startswith("GNB302"))
    book.advisor.tried(mine, trial)
    found = book.advisor.findings(all_cells=True)
    assert found[0 if first else -1].key == mine
    assert found[0 if first else -1].trial == trial


def test_a_trial_of_a_cell_that_reads_otherwise_by_now_is_not_told(book: Case) -> None:
    mine = next(it.key for it in book.advisor.findings(all_cells=True) if it.key.startswith("GNB302"))
    book.advisor.tried(mine, told(Verdict.SAVES, "forest.fit(X, y)"))
    assert all(it.trial is None for it in book.advisor.findings(all_cells=True) if it.key == mine)
