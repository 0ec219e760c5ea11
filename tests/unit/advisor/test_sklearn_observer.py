"""The scikit-learn observer: what it sees, what it leaves as it was, and that it stays small."""

# ruff: noqa: N803  # X is what scikit-learn calls it

from __future__ import annotations

import inspect
import pickle
import threading
import traceback
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from greennb.advisor.names import Names
from greennb.advisor.observe.sklearn import calls as sklearn_calls
from greennb.advisor.observe.sklearn.observer import MOST_CALLS, SklearnObserver

X, y = load_iris(return_X_y=True)


@pytest.fixture
def failures():
    return []


@pytest.fixture
def observer(failures):
    observer = SklearnObserver()
    observer.install(failures.append)
    observer.begin()
    yield observer
    observer.remove()


def calls(observer, **names):
    return observer.end(Names(names)).calls


def own_methods():
    """Every method that could be wrapped, by class: to compare identities."""
    found, rest = {}, [BaseEstimator]
    while rest:
        for cls in type.__subclasses__(rest.pop()):
            rest.append(cls)
            for one in cls.__mro__:
                found.update({(one, name): it for name, it in vars(one).items()})
                found.update(
                    {(one, name, "fn"): it.fn for name, it in vars(one).items() if hasattr(it, "attribute_name")}
                )
    return found


def test_remove_puts_the_identical_functions_back() -> None:
    before, hook = own_methods(), vars(BaseEstimator).get("__init_subclass__")
    observer = SklearnObserver()
    observer.install(print)
    assert LogisticRegression.fit is not before[LogisticRegression, "fit"]
    observer.remove()
    after = own_methods()
    assert [key for key, it in before.items() if after[key] is not it and callable(it)] == []
    assert len(before) > 1000
    assert vars(BaseEstimator).get("__init_subclass__") is hook


def test_what_somebody_else_put_over_ours_stays() -> None:
    late = type("Patched", (BaseEstimator,), {"__module__": "sklearn.late", "fit": lambda self, X: self})
    observer = SklearnObserver()
    observer.install(print)
    ours = late.fit
    late.fit = theirs = lambda self, X: ours(self, X)
    observer.remove()
    assert vars(late)["fit"] is theirs
    model = late()
    assert model.fit(X) is model


def test_a_fit_is_seen_with_its_names_data_and_parameters(observer) -> None:
    clf = LogisticRegression(C=0.5, max_iter=300).fit(X, y)
    clf.predict(X[:10])
    fit, predict = [it for it in calls(observer, clf=clf, data=X, target=y) if it.depth == 0]
    assert (fit.estimator, fit.name, fit.method, fit.calls) == ("LogisticRegression", "clf", "fit", 1)
    assert fit.parameters["C"] == 0.5
    assert fit.data is not None
    assert (fit.data.rows, fit.data.columns, fit.data.dtype, fit.data.name, fit.data.y_name) == (
        150, 4, "float64", "data", "target"
    )  # fmt: skip
    assert 0 < fit.seconds < 5
    assert predict.method == "predict"
    assert predict.data is not None
    assert (predict.data.rows, predict.data.name) == (10, None)


def test_pipelines_and_searches_nest(observer) -> None:
    pipe = make_pipeline(StandardScaler(), PCA(2), LogisticRegression())
    many = np.tile(X, (100, 1)), np.tile(y, 100)  # long enough to be looked at, on a quick machine too
    search = GridSearchCV(pipe, {"logisticregression__C": [0.1, 1.0, 10.0]}, cv=3).fit(*many)
    signals = observer.end(Names({"search": search}))
    (seen,) = signals.searches
    assert signals.calls[seen.call].name == "search"
    assert (seen.candidates, seen.splits, seen.parameters) == (3, 3, {"logisticregression__C": 3})
    assert seen.steps == ("standardscaler", "pca", "logisticregression")
    assert seen.preprocess_s is not None
    assert 0 < seen.preprocess_s < seen.fit_s
    assert {it.inside for it in signals.calls if it.depth == 1} <= {"GridSearchCV"}


def test_one_taken_back_under_another_wraps_no_newcomers() -> None:
    """Two observers, the first removed first: what it put under the second's hook is there, and does nothing."""
    first, second = SklearnObserver(), SklearnObserver()
    for each in (first, second):
        each.install(pytest.fail)
    for each in (first, second):
        each.remove()
    newcomer = type("Newcomer", (BaseEstimator,), {"__module__": "sklearn.new", "fit": lambda self, x, y=None: self})
    assert "greennb" not in newcomer.fit.__code__.co_filename


def test_thousands_of_candidates_are_summed_up(observer, failures) -> None:
    for depth in range(2000):
        DecisionTreeClassifier(max_depth=1 + depth).fit(X[:20], y[:20])
    assert len(observer._calls.entries) <= sklearn_calls.MOST_ROUGH
    signals = observer.end(Names({}))
    assert len(signals.calls) <= MOST_CALLS
    assert signals.dropped == 0
    assert sum(it.calls for it in signals.calls) > 1700
    assert failures == []


def test_a_user_class_is_never_wrapped(observer) -> None:
    class Mine(BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return X

    assert "greennb" not in Mine.fit.__code__.co_filename
    assert "greennb" not in inspect.unwrap(Mine.transform).__code__.co_filename
    Mine().fit(X)
    assert observer.end(Names({})) is None


def test_a_class_of_scikit_learn_that_comes_later_is_seen(observer) -> None:
    late = type("Late", (StandardScaler,), {
        "__module__": "sklearn.late", "fit": lambda self, X, y=None: self, "transform": lambda self, X: X,
    })  # fmt: skip
    late().fit(X).transform(X)
    assert [(it.estimator, it.method) for it in calls(observer)] == [("Late", "fit"), ("Late", "transform")]


def test_our_frame_is_in_no_traceback(observer) -> None:
    with pytest.raises(ValueError, match="C") as caught:
        LogisticRegression(C=-1.0).fit(X, y)
    files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert not [file for file in files if "greennb" in file]
    assert observer.end(Names({})).calls[0].failed


def test_a_warning_with_a_stack_level_is_about_the_line_that_called(observer) -> None:
    def transform(self, X):
        warnings.warn("deprecated", FutureWarning, stacklevel=2)
        return X

    late = type("LateAgain", (BaseEstimator,), {"__module__": "sklearn.late", "fit": transform})
    assert "greennb" in late.fit.__code__.co_filename
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        late().fit(X)
    assert caught[0].filename == __file__


def test_methods_that_exist_at_times_only_do_so_still(observer) -> None:
    assert not hasattr(GridSearchCV(FunctionTransformer(), {}), "predict")
    assert hasattr(GridSearchCV(SVC(), {}), "predict")
    with pytest.raises(AttributeError, match="This 'GridSearchCV' has no attribute 'predict'"):
        GridSearchCV(FunctionTransformer(), {}).predict(X)


def test_signatures_and_pickles_are_the_originals(observer) -> None:
    assert list(inspect.signature(LogisticRegression.fit).parameters) == ["self", "X", "y", "sample_weight"]
    assert pickle.loads(pickle.dumps(LogisticRegression.fit)) is LogisticRegression.fit
    bound = pickle.loads(pickle.dumps(LogisticRegression(max_iter=300).fit(X, y).predict))
    assert bound(X).shape == (150,)


def test_equal_work_has_equal_prints_and_other_work_others(observer, monkeypatch) -> None:
    monkeypatch.setattr(sklearn_calls, "LOOK_S", 0.0)
    monkeypatch.setattr(sklearn_calls, "WORK_S", 0.0)
    monkeypatch.setattr("greennb.advisor.observe.sklearn.data.PRINT_SHARE", 100.0)
    other = y.copy()
    other[3] = 2
    for target in (y, y.copy(), other):
        RandomForestClassifier(5, random_state=0).fit(X, target)
    RandomForestClassifier(5).fit(X, y)  # left to chance
    RandomForestClassifier(5, random_state=1).fit(X, y)
    first, chance, seeded = [it for it in calls(observer) if it.estimator == "RandomForestClassifier"]
    assert sorted(it.calls for it in first.work) == [1, 2]
    assert chance.work == ()
    assert len(seeded.work) == 1
    assert seeded.work[0].print not in {it.print for it in first.work}


def test_what_threads_fit_is_within_what_the_cell_fits(observer) -> None:
    from joblib import parallel_config

    with parallel_config(backend="threading", n_jobs=2):
        BaggingClassifier(DecisionTreeClassifier(), n_estimators=4, n_jobs=2).fit(X, y)
    assert {it.depth for it in calls(observer) if it.estimator == "BaggingClassifier"} == {0}


def test_a_thread_that_outlives_its_cell_is_not_counted_in_the_next(observer) -> None:
    go, begun = threading.Event(), threading.Event()

    class Slow(KMeans):
        def fit(self, X, y=None):
            begun.set()
            assert go.wait(10)
            return super().fit(X)

    thread = threading.Thread(target=lambda: Slow(2, n_init=1).fit(X))
    thread.start()
    assert begun.wait(10)
    observer.end(Names({}))
    observer.begin()
    go.set()
    thread.join()
    assert observer.end(Names({})).calls[0].estimator == "Slow"  # its KMeans began in this cell


def test_no_object_of_the_cell_is_held(observer) -> None:
    import gc
    import weakref

    model = LogisticRegression(max_iter=300).fit(X, y)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_a_failure_of_ours_turns_it_off_and_reaches_nobody(observer, failures, monkeypatch) -> None:
    monkeypatch.setattr(sklearn_calls.params, "key", lambda *args, **kwargs: 1 / 0)
    assert LogisticRegression(max_iter=300).fit(X, y).score(X, y) > 0.9
    assert [type(it) for it in failures] == [ZeroDivisionError]


def test_no_random_number_is_drawn(observer) -> None:
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    LogisticRegression(max_iter=300).fit(X, y)
    observer.end(Names({}))
    assert np.random.get_state()[1].tolist() == before
