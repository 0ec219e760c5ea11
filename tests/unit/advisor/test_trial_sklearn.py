"""scikit-learn's kit on cells as people write them: changes as text, both ways, and nothing of the user's changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

pytest.importorskip("sklearn")

from sklearn.svm import SVC  # type: ignore[import-untyped]

from greennb.advisor.trial import sklearn as kit
from greennb.advisor.trial.base import RefusedError, Scene, Variant
from greennb.advisor.trial.fingerprint import Fingerprint
from tests.advisor.harness import notebook

DATA = """
from sklearn.svm import SVC
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.cluster import KMeans
from sklearn.model_selection import GridSearchCV
from sklearn.datasets import make_classification
X, y = make_classification(600, 8, random_state=0)
"""


@contextmanager
def scene(cell: str, setup: str = DATA, budget_s: float = 30.0) -> Iterator[Scene]:
    """The scene of a cell that ran."""
    book = notebook([setup, cell])
    try:
        seen = list(book.advisor.cells)[-1]
        yield Scene(cell=seen, code=cell, namespace=book.namespace, budget_s=budget_s)
    finally:
        book.close()


def variant(name: str, number: int = 0) -> Variant:
    """The variant of that name."""
    return [it for it in kit.VARIANTS if it.name == name][number]


CELLS = {
    "top level": ("SVC(kernel='linear', C=2.0).fit(X, y)", "LinearSVC(C=2.0).fit(X, y)"),
    "function": (
        "def go():\n    return SVC(kernel='linear').fit(X, y)\nm = go()",
        "def go():\n    return LinearSVC().fit(X, y)\nm = go()",
    ),
    "pipeline": (
        "p = make_pipeline(StandardScaler(), SVC(kernel='linear'))\np.fit(X, y)",
        "p = make_pipeline(StandardScaler(), LinearSVC())\np.fit(X, y)",
    ),
    "search": (
        "s = GridSearchCV(SVC(kernel='linear'), {'C': [0.1, 1]}, cv=2)\ns.fit(X, y)",
        "s = GridSearchCV(LinearSVC(), {'C': [0.1, 1]}, cv=2)\ns.fit(X, y)",
    ),
}


@pytest.mark.parametrize("name", CELLS)
def test_linear_svc(name: str) -> None:
    """The change is the text, both ways fit the same rows, and the notebook is as before, bit for bit."""
    before, after = CELLS[name]
    fit = SVC.fit
    with scene(before) as given:
        assert variant("LinearSVC").change(given) == f"from sklearn.svm import LinearSVC\n{after}"
        was = Fingerprint.of(given.namespace, given.code)
        pair = kit.pair(given, variant("LinearSVC"))
        try:
            rows = [way.run(2, nullcontext) for way in (pair.baseline, pair.candidate)]
            quality = pair.guard()
        finally:
            pair.baseline.close()
            pair.candidate.close()
        assert rows[0] == rows[1] > 0
        assert quality.good, quality.words
        assert was.differences(Fingerprint.of(given.namespace, given.code)) == []
    assert SVC.fit is fit


@pytest.mark.parametrize("made", ["SVC()", "SVC(kernel='rbf')", "SVC(kernel='linear', probability=True)"])
@pytest.mark.filterwarnings("ignore")
def test_linear_svc_refused(made: str) -> None:
    """Another kernel, also the one that is not written, and probabilities are not a linear SVM's."""
    with scene(f"{made}.fit(X, y)") as given, pytest.raises(RefusedError):
        variant("LinearSVC").change(given)


OTHERS = {
    "HistGradientBoostingClassifier": "g = GradientBoostingClassifier(n_estimators=5)\ng.fit(X, y)",
    "float32": "k = KMeans(2, n_init=1, random_state=0)\nk.fit(X)",
    "MiniBatchKMeans": "k = KMeans(n_clusters=2, n_init=1, random_state=0)\nk.fit(X)",
    "halving search": "s = GridSearchCV(SVC(), {'C': [0.1, 1]}, cv=2)\ns.fit(X, y)",
    "n_jobs=-1": "r = RandomForestClassifier(5, random_state=0)\nr.fit(X, y)",
}


@pytest.mark.parametrize("name", OTHERS)
def test_others_run(name: str) -> None:
    """What each puts into the cell can be fitted."""
    with scene(OTHERS[name]) as given:
        pair = kit.pair(given, variant(name))
        try:
            assert pair.baseline.run(1, nullcontext) == pair.candidate.run(1, nullcontext)
            assert pair.guard().words
        finally:
            pair.baseline.close()
            pair.candidate.close()


def test_worse_is_not_good() -> None:
    """An estimator that is planted to be worse is told to be so."""
    cell = "from sklearn.dummy import DummyClassifier\nm = SVC(kernel='linear').fit(X, y)"

    class Worse:
        name, codes, kind = "worse", ("GNB304",), variant("LinearSVC").kind

        def change(self, given: Scene) -> str:
            return given.code.replace("SVC(kernel='linear')", "DummyClassifier()")

    with scene(cell) as given:
        pair = kit.pair(given, Worse())
        try:
            quality = pair.guard()
        finally:
            pair.baseline.close()
            pair.candidate.close()
        assert quality.good is False, quality.words


def test_names_are_told_apart() -> None:
    """A variant is asked for by its name."""
    names = [it.name for it in kit.VARIANTS]
    assert sorted(set(names)) == sorted(names)
