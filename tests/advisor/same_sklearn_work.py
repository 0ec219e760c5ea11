"""Work for ``test_same_sklearn.py``: run with "observed" or "plain", prints what came out of it as JSON."""

# ruff: noqa: E402, N803, BLE001  # it is a notebook of a user, whose imports come after the observer
import hashlib
import inspect
import json
import pickle
import random
import re
import sys
import traceback
import warnings

observed = sys.argv[1] == "observed"
said = []
if observed:
    from greennb.advisor.names import Names
    from greennb.advisor.observers import observers
    from greennb.advisor.watch import Watch

    watch = Watch([it for it in observers() if it.name == "sklearn"], say=said.append)
    watch.install()
    watch.begin()

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

np.random.seed(7)
random.seed(7)
X, y = load_iris(return_X_y=True)
D, t = load_digits(return_X_y=True)
out = {}


def digest(thing):
    return hashlib.sha256(pickle.dumps(thing)).hexdigest()


def states():
    return digest((np.random.get_state()[1].tolist(), np.random.get_state()[2], random.getstate()))


# models, some on the global generator
for model in [
    LogisticRegression(max_iter=200),
    KMeans(3),
    RandomForestClassifier(10),
    RandomForestClassifier(10, n_jobs=2, random_state=3),
    GradientBoostingClassifier(n_estimators=10, subsample=0.5),
    SGDClassifier(),
    SVC(probability=False),
    MLPClassifier((8,), max_iter=30, random_state=0),
    make_pipeline(StandardScaler(), LogisticRegression()),
    VotingClassifier([("a", LogisticRegression(max_iter=300)), ("b", SVC())], n_jobs=2),
]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted = model.fit(X, y)
        assert fitted is model
        name = f"{type(model).__name__} {len(out)}"
        out[name] = [
            digest(model),
            digest(model.predict(X)),
            states(),
            repr(model),
            repr(clone(model)),
            [(str(it.message), it.category.__name__, it.filename, it.lineno) for it in caught],
        ]

# searches, in this process and in others
for n_jobs in (None, 2):
    search = GridSearchCV(make_pipeline(StandardScaler(), SVC()), {"svc__C": [0.1, 1.0]}, n_jobs=n_jobs, cv=3).fit(X, y)
    out[f"search {n_jobs}"] = [search.cv_results_["mean_test_score"].tolist(), search.best_params_, states()]
search = RandomizedSearchCV(LogisticRegression(max_iter=500), {"C": list(range(1, 50))}, n_iter=5, n_jobs=2).fit(X, y)
out["randomized"] = [search.cv_results_["mean_test_score"].tolist(), search.best_params_, states()]
out["cv"] = [cross_val_score(RandomForestClassifier(5), X, y, n_jobs=2).shape[0], states()]


# a user's class, in processes: cloudpickle sends it by value
class Middle(TransformerMixin, BaseEstimator):
    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.middle_ = X.mean(axis=0) * self.factor
        return self

    def transform(self, X):
        return X - self.middle_


pipe = make_pipeline(Middle(), LogisticRegression(max_iter=300))
search = GridSearchCV(pipe, {"middle__factor": [0.5, 1.0]}, n_jobs=2, cv=3)
out["own class"] = [search.fit(X, y).cv_results_["mean_test_score"].tolist(), search.best_params_]


# broken classes of a user's
class Broken(LogisticRegression):
    def __repr__(self):
        raise RuntimeError("no repr")

    def get_params(self, deep=True):
        out["parameters asked"] = out.get("parameters asked", 0) + 1
        return super().get_params(deep)

    def __getattr__(self, name):
        out.setdefault("asked", []).append(name)
        raise AttributeError(name)

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __hash__(self):
        raise RuntimeError("no hash")


out["broken"] = digest(Broken(max_iter=200).fit(X, y).coef_)


class Data:
    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        out.setdefault("asked of data", []).append(name)
        raise AttributeError(name)

    def __len__(self):
        raise RuntimeError("no length")


class Raises(BaseException):
    pass


class Angry(ClassifierMixin, BaseEstimator):
    def fit(self, X, y=None):
        raise Raises("on purpose")


def failing():
    yield lambda: LogisticRegression(C=-1.0).fit(X, y)
    yield lambda: LogisticRegression().fit(X)
    yield lambda: LogisticRegression().predict(X)
    yield lambda: LogisticRegression().fit(Data(), y)
    yield lambda: LogisticRegression().fit((row for row in X), y)
    yield lambda: StandardScaler().transform(X)
    yield lambda: make_pipeline(StandardScaler(), Angry()).fit(X, y)
    yield lambda: GridSearchCV(SVC(), {"C": [-1.0]}, cv=3).fit(X, y)
    yield lambda: GridSearchCV(LogisticRegression(), {"nothing": [1]}, cv=3).fit(X, y)
    yield lambda: GridSearchCV(SVC(), {"C": [1.0]}, cv=3).predict_proba(X)
    yield lambda: LogisticRegression.fit()


for at, call in enumerate(failing()):
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            call()
        except BaseException as error:
            text = "".join(traceback.format_exception(error)).replace(hex(id(error)), "")
            out[f"error {at}"] = re.sub("0x[0-9a-f]+", "0x", text)

# a warning with a stack level is about the line of the user's that called
for name in ("fit", "transform", "predict"):
    for cls in (LogisticRegression, StandardScaler, SVC, GridSearchCV):
        if hasattr(cls, name):
            method, what = getattr(cls, name), f"{cls.__name__}.{name}"
            out[f"signature {what}"] = [str(inspect.signature(method)), method.__qualname__, method.__module__]
            out[f"source {what}"] = hashlib.sha256(inspect.getsource(method).encode()).hexdigest()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    RandomForestClassifier(5, random_state=0, oob_score=True).fit(X, y)
    LogisticRegression(max_iter=2).fit(D, t)
out["warnings"] = [(str(it.message), it.category.__name__, it.filename, it.lineno) for it in caught]
pickled = pickle.loads(pickle.dumps(LogisticRegression().fit(X, y).predict))
out["bound"] = digest(pickled(X))
out["unbound"] = pickle.dumps(LogisticRegression.fit).hex()
out["end"] = states()
if observed:
    signals = watch.end(Names(globals()))["sklearn"]
    assert len(signals.calls) > 20, signals
    watch.remove()
print(json.dumps({"out": out, "said": said}, default=str))
