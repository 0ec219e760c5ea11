"""scikit-learn-intelex as a change of a cell: by an import in it, with nothing patched; run for real where it is."""

from __future__ import annotations

import importlib.util
import logging
import platform
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

pytest.importorskip("sklearn")

import sklearn.cluster

from greennb.advisor.trial import sklearn as kit
from greennb.advisor.trial.base import Pair, RefusedError, Scene
from greennb.advisor.trial.fingerprint import Fingerprint
from greennb.advisor.trial.sklearn.onedal import Said, listening
from tests.unit.advisor.test_trial_sklearn import scene, variant

X86 = platform.machine().lower() in ("x86_64", "amd64")
HERE = X86 and importlib.util.find_spec("sklearnex") is not None
needs_it = pytest.mark.skipif(not HERE, reason="scikit-learn-intelex is not installed")

DATA = """
import sklearn.cluster
from sklearn import cluster, ensemble
from sklearn.cluster import KMeans
from sklearn.cluster import DBSCAN as Scan
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.datasets import make_classification
X, y = make_classification(600, 8, random_state=0)
made = KMeans(3, n_init=1, random_state=0)
def build():
    return KMeans(3, n_init=1)
"""

SEARCH = "s = GridSearchCV(RandomForestClassifier(20, random_state=0), {'max_depth': [2, 3]}, cv=2)\ns.fit(X, y)"

PIPE = "p = make_pipeline(RandomForestClassifier(20))\np.fit(X, y)"

CELLS = {
    "made here": (
        "k = KMeans(3, n_init=1)\nk.fit(X)",
        "from sklearnex.cluster import KMeans\nk = KMeans(3, n_init=1)\nk.fit(X)",
    ),
    "imported here": (
        '"""Groups."""\nfrom sklearn.cluster import KMeans  # ours\nKMeans(3).fit(X)',
        '"""Groups."""\nfrom sklearnex.cluster import KMeans  # ours\nKMeans(3).fit(X)',
    ),
    "imported with another": (
        "if True:\n    from sklearn.cluster import DBSCAN, KMeans as Groups\nGroups(3).fit(X)",
        (
            "if True:\n    from sklearn.cluster import DBSCAN\n    from sklearnex.cluster import KMeans as Groups\n"
            "Groups(3).fit(X)"
        ),
    ),
    "under another name": ("Scan().fit(X)", "from sklearnex.cluster import DBSCAN as Scan\nScan().fit(X)"),
    "by its module": (
        "sklearn.cluster.KMeans(3).fit(X)",
        "from sklearnex.cluster import KMeans\nKMeans(3).fit(X)",
    ),
    "made elsewhere": (
        "made.fit(X)",
        "from sklearnex.cluster import KMeans\nmade = KMeans(n_clusters=3, n_init=1, random_state=0)\nmade.fit(X)",
    ),
    "made in a function": ("k = build()\nk.fit(X)", "from sklearnex.cluster import KMeans\nk = build()\nk.fit(X)"),
    "in a pipeline": (PIPE, f"from sklearnex.ensemble import RandomForestClassifier\n{PIPE}"),
    "in a search": (SEARCH, f"from sklearnex.ensemble import RandomForestClassifier\n{SEARCH}"),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fingerprint lists the files of the folder: one in which nobody else writes."""
    monkeypatch.chdir(tmp_path)


def change(given: Scene) -> str:
    return variant("scikit-learn-intelex").change(given)


def closed(pair: Pair) -> None:
    pair.baseline.close()
    pair.candidate.close()


@needs_it
@pytest.mark.parametrize("name", CELLS)
def test_an_import_is_the_change(name: str) -> None:
    """Where the class comes from is changed, and nothing else of the text; a plan imports nothing."""
    before, after = CELLS[name]
    loaded = "sklearnex" in sys.modules
    with scene(before, DATA) as given:
        assert change(given) == after
    assert ("sklearnex" in sys.modules) is loaded


@needs_it
@pytest.mark.parametrize("name", ["made here", "made elsewhere", "made in a function", "in a search"])
def test_both_ways_run_and_nothing_is_changed(name: str) -> None:
    """oneDAL's class does the candidate's fits; scikit-learn and the notebook are as before, bit for bit."""
    kmeans = sklearn.cluster.KMeans
    with scene(CELLS[name][0], DATA) as given:
        was = Fingerprint.of(given.namespace, given.code)
        pair = kit.pair(given, variant("scikit-learn-intelex"))
        try:
            assert pair.notes == ()
            assert pair.baseline.run(2, nullcontext) == pair.candidate.run(2, nullcontext)
            assert pair.guard().words
        finally:
            closed(pair)
        assert was.differences(Fingerprint.of(given.namespace, given.code)) == []
    assert sklearn.cluster.KMeans is kmeans
    assert sklearn.cluster.KMeans.__module__.startswith("sklearn.")


@needs_it
def test_what_is_left_to_scikit_learn_is_said() -> None:
    """With parameters that oneDAL has not, both ways are the same code, and the verdict's words say so."""
    with scene("f = RandomForestClassifier(20, criterion='entropy').fit(X, y)", DATA) as given:
        pair = kit.pair(given, variant("scikit-learn-intelex"))
        closed(pair)
    (note,) = pair.notes
    assert "left RandomForestClassifier to scikit-learn's own code" in note
    assert "both ways do the same" in note


@needs_it
def test_a_change_that_does_not_reach_the_fit_is_refused() -> None:
    """The class is used in the cell, but what is fitted was made of it before."""
    with (
        scene("kind = KMeans\nfor it in several:\n    it.fit(X)", f"{DATA}\nseveral = [KMeans(3)]") as given,
        pytest.raises(RefusedError, match="does not reach"),
    ):
        closed(kit.pair(given, variant("scikit-learn-intelex")))


REFUSED = {
    "has no GradientBoostingClassifier, nor": ("GradientBoostingClassifier(n_estimators=3).fit(X, y)", ""),
    "means something else": ("cluster.KMeans(3).fit(X)", "KMeans = 5"),
    "give the import a line": ("a = 1; from sklearn.cluster import KMeans; KMeans(3).fit(X)", ""),
}


@needs_it
@pytest.mark.parametrize("why", REFUSED)
def test_what_it_does_not_do_is_refused(why: str) -> None:
    cell, more = REFUSED[why]
    with scene(cell, f"{DATA}\n{more}") as given, pytest.raises(RefusedError, match=why):
        change(given)


@pytest.mark.skipif(not X86 or HERE, reason="it is installed")
def test_where_it_is_missing_the_refusal_says_what_to_install() -> None:
    with scene(CELLS["made here"][0], DATA) as given, pytest.raises(RefusedError, match="pip install scikit-learn-int"):
        change(given)


@needs_it
def test_loaded_is_not_patched() -> None:
    """After a trial the package is loaded; the next run of a cell is seen as scikit-learn's all the same."""
    importlib.import_module("sklearnex.cluster")
    with scene(CELLS["made here"][0], DATA) as given:
        assert given.cell.sklearn is not None
        assert not given.cell.sklearn.intelex


def test_what_it_says_of_fits_is_understood() -> None:
    """Its messages of 2026.2, as it logs them; its logger is as before, and shows none of them."""
    logger = logging.getLogger("sklearnex")
    before = (logger.level, list(logger.filters))
    with listening() as said:
        logger.info("sklearn.cluster.KMeans.fit: running accelerated version on CPU. All input data transferred.")
        logger.info("sklearn.cluster.KMeans.predict: fallback to original Scikit-learn.")
        logger.debug("sklearn.svm.SVC.fit: patching failed with cause - Kernel is not supported.")
        logger.info("sklearn.svm.SVC.fit: fallback to original Scikit-learn.")
        logger.info("sklearn.svm.SVC.fit: running accelerated version on CPU.")
    assert (logger.level, list(logger.filters)) == before
    assert said.done == {"KMeans", "SVC"}
    assert said.notes() == (
        (
            "scikit-learn-intelex left SVC to scikit-learn's own code (Kernel is not supported): some fits were the "
            "same both ways."
        ),
    )
    assert Said().notes() == ()
