"""scikit-learn's kit: what is cut to fewer rows, caches that begin empty, and the changes by a parameter, as text."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

from greennb.advisor.trial import sklearn as kit
from greennb.advisor.trial.base import Pair, RefusedError
from greennb.advisor.trial.fingerprint import Fingerprint
from greennb.advisor.trial.sklearn.ways import LEAST_ROWS, FitWay
from tests.unit.advisor.test_trial_sklearn import DATA, scene, variant

MORE = f"""{DATA}
import time
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import BaggingClassifier, HistGradientBoostingClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

class Slow(ClassifierMixin, BaseEstimator):
    def __init__(self, c=1):
        self.c = c
    def fit(self, X, y, sample_weight=None):
        time.sleep(len(X) / 6000)
        self.classes_ = np.unique(y)
        return self
    def predict(self, X):
        return np.zeros(len(X), dtype=int)

big_X, big_y = make_classification(3000, 4, random_state=0)
"""

MADE = "GridSearchCV(Slow(), {'c': [1]}, cv=2)"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fingerprint lists the files of the folder: one in which nobody else writes."""
    monkeypatch.chdir(tmp_path)


def closed(pair: Pair) -> None:
    pair.baseline.close()
    pair.candidate.close()


def ways(pair: Pair) -> tuple[FitWay, FitWay]:
    assert isinstance(pair.baseline, FitWay)
    assert isinstance(pair.candidate, FitWay)
    return pair.baseline, pair.candidate


def test_a_long_fit_is_cut_to_fewer_rows_the_same_for_both() -> None:
    """3000 rows take 1 s, too long a unit for a trial of 8 s: both fit fewer, of each class alike, and words say so."""
    with scene(f"{MADE}.fit(big_X, big_y)", MORE, budget_s=8) as given:
        pair = kit.pair(given, variant("halving search"))
        try:
            a, b = ways(pair)
            assert a.rows == b.rows == 3000
            assert LEAST_ROWS <= a.used == b.used < 3000
            assert pair.baseline.run(1, nullcontext) == a.used
            (x, y), (other_x, other_y) = (way.some(way.used) for way in (a, b))
            assert len(x) == len(y) == a.used
            assert (x == other_x).all()
            assert (y == other_y).all()
            assert abs(y.mean() - given.namespace["big_y"].mean()) < 0.01
            assert f"Tried on {a.used:,} of 3,000 rows" in pair.guard().words
        finally:
            closed(pair)


def test_a_short_fit_keeps_its_rows() -> None:
    with scene(f"{MADE}.fit(X, y)", MORE) as given:
        pair = kit.pair(given, variant("halving search"))
        try:
            assert [way.used for way in ways(pair)] == [600, 600]
        finally:
            closed(pair)


def test_a_long_fit_with_weights_is_refused_in_words() -> None:
    """Weights go with the rows, but so may others not: what else a fit is given is not cut."""
    with (
        scene(f"{MADE}.fit(big_X, big_y, sample_weight=np.ones(3000))", MORE, budget_s=8) as given,
        pytest.raises(RefusedError, match="sample_weight"),
    ):
        closed(kit.pair(given, variant("halving search")))


TEXTS = {
    "no n_jobs within": (
        "b = BaggingClassifier(RandomForestClassifier(3, n_jobs=2), n_estimators=2)\nb.fit(X, y)",
        "b = BaggingClassifier(RandomForestClassifier(3), n_estimators=2)\nb.fit(X, y)",
    ),
    "stop boosting early": (
        "g = GradientBoostingClassifier(n_estimators=5)\ng.fit(X, y)",
        "g = GradientBoostingClassifier(n_estimators=5, n_iter_no_change=10)\ng.fit(X, y)",
    ),
    "stop early": (
        "m = MLPClassifier((4,), max_iter=3, early_stopping=False)\nm.fit(X, y)",
        "m = MLPClassifier((4,), max_iter=3, early_stopping=True)\nm.fit(X, y)",
    ),
    "memory=mkdtemp()": (
        "s = GridSearchCV(make_pipeline(PCA(3), SVC()), {'svc__C': [1, 2]}, cv=2)\ns.fit(X, y)",
        (
            "from tempfile import mkdtemp\n"
            "s = GridSearchCV(make_pipeline(PCA(3), SVC(), memory=mkdtemp()), {'svc__C': [1, 2]}, cv=2)\ns.fit(X, y)"
        ),
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TEXTS)
def test_a_parameter_is_changed_and_both_ways_run(name: str) -> None:
    """The change is that text, and both ways fit the same rows."""
    before, after = TEXTS[name]
    with scene(before, MORE) as given:
        assert variant(name).change(given) == after
        was = Fingerprint.of(given.namespace, given.code)
        pair = kit.pair(given, variant(name))
        try:
            assert pair.baseline.run(1, nullcontext) == pair.candidate.run(1, nullcontext) == 600
        finally:
            closed(pair)
        assert was.differences(Fingerprint.of(given.namespace, given.code)) == []


ELSEWHERE = {
    "n_jobs=-1": (
        "made = RandomForestClassifier(3, max_depth=4, random_state=0)",
        "made = RandomForestClassifier(max_depth=4, n_estimators=3, random_state=0, n_jobs=-1)",
    ),
    "stop boosting early": (
        "made = GradientBoostingClassifier(n_estimators=4, random_state=1)",
        "made = GradientBoostingClassifier(n_estimators=4, random_state=1, n_iter_no_change=10)",
    ),
    "LinearSVC": ("made = SVC(C=3.0, kernel='linear')", "made = LinearSVC(C=3.0)"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_an_estimator_of_another_cell_is_made_anew(name: str) -> None:
    """With the parameters that it has, in a line before its fit; the notebook's own keeps its settings."""
    made, line = ELSEWHERE[name]
    with scene("rows = X[:]\nmade.fit(rows, y)", f"{MORE}\n{made}") as given:
        settings = repr(given.namespace["made"])
        changed = variant(name).change(given)
        assert changed.endswith(f"rows = X[:]\n{line}\nmade.fit(rows, y)")
        pair = kit.pair(given, variant(name))
        try:
            assert pair.baseline.run(1, nullcontext) == pair.candidate.run(1, nullcontext) == 600
        finally:
            closed(pair)
        assert repr(given.namespace["made"]) == settings


def test_what_can_not_be_written_down_is_not_made_anew() -> None:
    """A generator of random numbers has a state that no text says."""
    made = "made = RandomForestClassifier(3, random_state=np.random.RandomState(0))"
    with scene("made.fit(X, y)", f"{MORE}\n{made}") as given, pytest.raises(RefusedError, match="random_state"):
        variant("n_jobs=-1").change(given)


STEPS, SEARCH = "[('p', PCA(3)), ('s', SVC())]", "s = GridSearchCV(p, {'s__C': [1, 2]}, cv=2)\ns.fit(X, y)"
REFUSED = {
    "memory=mkdtemp()": (
        ("SVC().fit(X, y)", "Only a search"),
        ("s = GridSearchCV(SVC(), {'C': [1, 2]}, cv=2)\ns.fit(X, y)", "is made can't be seen"),
        (f"p = Pipeline({STEPS}, memory='cached')\n{SEARCH}", "caches its steps already"),
    ),
    "no n_jobs within": (("SVC().fit(X, y)", "jobs of its own"),),
    "stop boosting early": (
        ("SVC().fit(X, y)", "has no n_iter_no_change"),
        ("GradientBoostingClassifier(n_estimators=2, n_iter_no_change=10).fit(X, y)", "already"),
    ),
}


@pytest.mark.parametrize(
    ("name", "cell", "why"), [(name, cell, why) for name, cases in REFUSED.items() for cell, why in cases]
)
def test_what_makes_no_sense_is_refused(name: str, cell: str, why: str) -> None:
    with scene(cell, MORE) as given, pytest.raises(RefusedError, match=why):
        variant(name).change(given)


PIPE = f"""{MORE}
pipe = Pipeline([("p", PCA(3)), ("s", SVC())])
"""
SEARCHED = "s = GridSearchCV(pipe, {'s__C': [1, 2, 3]}, cv=2)\ns.fit(X, y)"


def _temporary() -> set[str]:
    return {it.name for it in Path(tempfile.gettempdir()).iterdir() if it.name.startswith(("greennb-", "tmp"))}


def _kept(way: FitWay) -> tuple[Path, int]:
    """Where a fit has cached its steps, and how many results are there."""
    with way.on_stage():
        folder = Path(way.once(*way.some(way.used)).estimator.memory)
    return folder, len(list(folder.rglob("output.pkl")))


def test_each_fit_with_a_cache_begins_with_an_empty_one() -> None:
    """In each fit the step's results are cached for 2 folds and the refit, in a folder that is gone afterwards."""
    before = _temporary()
    with scene(SEARCHED, PIPE) as given:
        changed = variant("memory=mkdtemp()").change(given)
        assert changed == f"from tempfile import mkdtemp\npipe.set_params(memory=mkdtemp())\n{SEARCHED}"
        pair = kit.pair(given, variant("memory=mkdtemp()"))
        try:
            _a, b = ways(pair)
            (one, kept), (other, kept_again) = _kept(b), _kept(b)
            assert kept == kept_again == 3
            assert one != other
            assert pair.candidate.run(2, nullcontext) == 1200
            assert not one.exists()
            quality = pair.guard()
            assert quality.good, quality.words
            assert "empty cache" in " ".join(pair.notes)
        finally:
            closed(pair)
        assert given.namespace["pipe"].memory is None
    assert _temporary() <= before


def test_a_users_own_cache_is_not_written_to(tmp_path: Path) -> None:
    """Also where the cache is no change of ours: a trial's fits have others, and the user's folder stays."""
    own = tmp_path / "own"
    cell = "s = GridSearchCV(pipe.set_params(memory=folder), {'s__C': [1, 2, 3]}, cv=2)\ns.fit(X, y)"
    with scene(cell, f"{PIPE}\nfolder = {str(own)!r}") as given:
        before = sorted(own.rglob("*"))
        assert before
        pair = kit.pair(given, variant("halving search"))
        try:
            pair.baseline.run(1, nullcontext)
            pair.guard()
        finally:
            closed(pair)
        assert sorted(own.rglob("*")) == before


LEFT_OUT = {
    "cross_val_score(SVC(kernel='linear'), X[:503], y[:503], cv=5)": (5.0, ""),
    "SVC(kernel='linear').fit(big_X, big_y)\nSVC(kernel='linear').fit(X[:40], y[:40])": (
        1.0,
        "other fits of SVC, on other data or with other parameters, are left out",
    ),
    "SVC(kernel='linear').fit(big_X, big_y)\nMLPClassifier((2,), max_iter=1).fit(X[:40], y[:40])": (
        1.0,
        "those of MLPClassifier are left out",
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("cell", LEFT_OUT)
def test_what_a_trial_leaves_out_of_the_cell_is_said(cell: str) -> None:
    """Folds that differ by a row are one work, counted together; other data and other parameters are another."""
    setup = f"{MORE}\nfrom sklearn.model_selection import cross_val_score\n"
    with scene(cell, setup) as given:
        pair = kit.pair(given, variant("LinearSVC"))
        closed(pair)
    units, words = LEFT_OUT[cell]
    assert pair.units == units
    assert pair.notes == ((f"What was tried is the fit of SVC; {words}.",) if words else ())
