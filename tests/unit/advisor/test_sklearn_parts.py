"""What is read of data, parameters and losses, and what scikit-learn rules make of a cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from greennb.advisor.observe.sklearn import data as data
from greennb.advisor.observe.sklearn import params as params
from greennb.advisor.observe.sklearn.loss import curve, flat_from
from greennb.advisor.rules.sklearn import n_jobs, nested_n_jobs
from greennb.advisor.rules.sklearn._shared import workers
from greennb.advisor.rules.sklearn.pipeline_memory import repeats
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.sklearn import EstimatorCall, SearchSeen, SklearnSignals

ARRAY = np.arange(12.0).reshape(6, 2)


@pytest.mark.parametrize(("thing", "expected"), [
    (ARRAY, ("ndarray", 6, 2, "float64")),
    (ARRAY[:, 0], ("ndarray", 6, 1, "float64")),
    (np.float64(3.0), None),
    (pd.DataFrame(ARRAY), ("DataFrame", 6, 2, "float64")),
    (pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), ("DataFrame", 2, 2, "object")),
    (scipy.sparse.csr_matrix(ARRAY), ("sparse", 6, 2, "float64")),
    ([[1, 2], [3, 4]], ("list", 2, 2, "")),
    (["a text", "another"], ("list", 2, 1, "")),
    ([], ("list", 0, 1, "")),
    (iter(ARRAY), None),
    (None, None),
])  # fmt: skip
def test_outline(thing, expected) -> None:
    found = data.outline(thing)
    assert (None if found is None else (*found[:3], str(found[3]))) == expected


@pytest.mark.parametrize("make", [
    lambda: ARRAY.copy(), lambda: np.asfortranarray(ARRAY), lambda: ARRAY[::2],
    lambda: pd.DataFrame(ARRAY, columns=["a", "b"]),
    lambda: scipy.sparse.csr_matrix(ARRAY), lambda: ARRAY.tolist(), lambda: ["a text", "another"],
])  # fmt: skip
def test_equal_data_have_equal_prints(make) -> None:
    y = [1, 0]
    assert data.fingerprint(make(), y, 100.0) == data.fingerprint(make(), y, 100.0) != ""
    assert data.fingerprint(make(), [1, 1], 100.0) != data.fingerprint(make(), y, 100.0)


def test_one_changed_number_changes_the_print() -> None:
    changed = ARRAY.copy()
    changed[3, 1] += 1e-12
    assert data.fingerprint(changed, None, 100.0) != data.fingerprint(ARRAY, None, 100.0)
    assert data.fingerprint(ARRAY.astype("float32"), None, 100.0) != data.fingerprint(ARRAY, None, 100.0)
    assert data.fingerprint(ARRAY.reshape(2, 6), None, 100.0) != data.fingerprint(ARRAY, None, 100.0)


def test_data_too_large_for_the_fit_have_no_print() -> None:
    large = np.zeros((1000, 1000))
    assert data.fingerprint(large, None, 0.2) == ""
    assert data.fingerprint(large, None, 20.0) != ""


def test_what_can_not_be_read_has_no_print() -> None:
    assert data.fingerprint(np.array([object()]), None, 100.0) == ""
    assert data.fingerprint(iter(ARRAY), None, 100.0) == ""


@pytest.mark.parametrize("make", [
    lambda: LogisticRegression(), lambda: RandomForestClassifier(random_state=0), lambda: SVC(),
    lambda: make_pipeline(StandardScaler(), LogisticRegression(C=2.0)),
    lambda: GridSearchCV(LogisticRegression(), {"C": [1.0, 2.0]}, cv=KFold(3)),
    lambda: RandomForestClassifier(random_state=np.int64(3)),
])  # fmt: skip
def test_equal_settings(make) -> None:
    assert params.settings(make()) == params.settings(make()) != ""


@pytest.mark.parametrize("model", [
    RandomForestClassifier(), LogisticRegression(solver="saga"),
    RandomForestClassifier(random_state=np.random.RandomState(0)),
    make_pipeline(FunctionTransformer(lambda it: it), LogisticRegression()), LogisticRegression(warm_start=True),
    GridSearchCV(LogisticRegression(), {}, cv=KFold(3, shuffle=True)), StandardScaler(copy=False),
])  # fmt: skip
def test_chance_and_what_can_not_be_told_apart_have_no_settings(model) -> None:
    assert params.settings(model) == ""


def test_settings_differ_where_a_parameter_does() -> None:
    assert params.settings(LogisticRegression(C=1.0)) != params.settings(LogisticRegression(C=2.0))
    assert params.settings(make_pipeline(SVC(C=1.0))) != params.settings(make_pipeline(SVC(C=2.0)))


def test_inner_jobs_are_found_but_for_those_without_effect() -> None:
    forest = RandomForestClassifier(n_jobs=-1)
    assert params.inner_n_jobs(GridSearchCV(make_pipeline(StandardScaler(), forest), {})) == -1
    assert params.inner_n_jobs(VotingClassifier([("a", SVC()), ("b", forest)])) == -1
    assert params.inner_n_jobs(GridSearchCV(LogisticRegression(n_jobs=2), {})) is None
    assert params.inner_n_jobs(forest) is None


def test_flat_from() -> None:
    assert flat_from([10.0, 1.0, 0.0, 0.0]) == 3
    assert flat_from([1.0, 0.5, 0.2, 0.3, 0.4]) == 3
    assert flat_from([1.0, 1.0]) == 1


def test_curves_of_metrics_that_rise_are_turned_over() -> None:
    class Fitted:
        pass

    model = Fitted()
    vars(model)["evals_result_"] = {"validation_0": {"logloss": [3.0, 1.0, 1.0], "auc": [0.5, 0.9, 0.9]}}
    assert curve(model) == {"curve": "validation", "iterations": 3, "flat_from": 2}
    vars(model)["evals_result_"] = {"validation_0": {"mape": [0.5, 0.2, 0.1]}}
    assert curve(model)["flat_from"] == 3
    assert curve(GradientBoostingClassifier()) == {}


def test_repeats_of_preprocessing() -> None:
    search = SearchSeen(call=0, estimator="Pipeline", steps=("pca", "svc"), candidates=12)

    def of(**counts: int) -> int:
        return repeats(SearchSeen(call=0, estimator="Pipeline", steps=search.steps, candidates=12, parameters=counts))

    assert of(svc__C=12) == 12
    assert of(svc__C=4, pca__n_components=3) == 4
    assert of(pca__n_components=12) == 1


def cell(*calls: EstimatorCall, cpus: int = 4) -> CellContext:
    signals = SklearnSignals(version="1.9", calls=calls, cpus=cpus)
    return CellContext(number=0, cell_id=None, execution_count=1, source="", duration_s=10.0, sklearn=signals)


def forest(**changes: object) -> EstimatorCall:
    plain: dict[str, object] = {"seconds": 4.0, "cpu_s": 3.9, "parameters": {"n_jobs": None}}
    return EstimatorCall(estimator="RandomForestClassifier", module="sklearn.ensemble._forest", **{**plain, **changes})


def test_cores_that_wait_are_pointed_out_where_there_are_some() -> None:
    assert [it.share for it in n_jobs.check(cell(forest()))] == [0.4]
    assert list(n_jobs.check(cell(forest(), cpus=1))) == []
    assert list(n_jobs.check(cell(forest(cpu_s=9.0)))) == []  # BLAS or OpenMP is at work
    assert list(n_jobs.check(cell(forest(parameters={"n_jobs": 1})))) == []  # the user's wish
    assert list(n_jobs.check(cell(forest(calls=40)))) == []  # each of them is short
    assert list(n_jobs.check(cell(forest(depth=1, inside="GridSearchCV")))) == []


def test_jobs_within_jobs() -> None:
    outer = forest(parameters={"n_jobs": -1}, inner_n_jobs=-1)
    (found,) = nested_n_jobs.check(cell(outer))
    assert {it.name: it.value for it in found.evidence}["outer jobs"] == 4
    assert list(nested_n_jobs.check(cell(forest(parameters={"n_jobs": 2}, inner_n_jobs=2)))) == []  # 4 on 4
    assert list(nested_n_jobs.check(cell(forest(parameters={"n_jobs": None}, inner_n_jobs=-1)))) == []


@pytest.mark.parametrize(("asked", "got"), [(None, 1), (0, 1), (1, 1), (3, 3), (-1, 4), (-2, 3), (-9, 1)])
def test_workers_are_counted_as_joblib_does(asked, got) -> None:
    assert workers(asked, cell()) == got
