"""Trials of scikit-learn variants on real cells, beside a long independent A/B of the same change written by hand.

    python tests/bench/trials_sklearn.py [--budget S] [--pairs N] [--only NAME]

Rows as in ``trials_torch.py``. A trial may fit fewer rows than the A/B, which fits all of them. Run it in a folder in
which nobody else writes: a file that appears there voids a trial.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from independent import Answer, Work, a_b
from trial_table import table, told, tried

DATA = """
from sklearn.cluster import KMeans
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC
X, y = make_classification({rows}, 20, flip_y=0.1, random_state=0)
"""


@dataclass(frozen=True)
class Case:
    """One change: the estimator as it is and as changed, by hand."""

    name: str
    code: str
    variant: str
    rows: int
    before: str
    after: str


SEARCH = """GridSearchCV(
    make_pipeline(Nystroem(n_components=100, random_state=0), LogisticRegression(max_iter=20){more}),
    {{"logisticregression__C": [0.1, 1, 10, 100]}}, cv=2).fit(X, y)"""
CACHED = f"""from tempfile import mkdtemp
from shutil import rmtree
folder = mkdtemp()
{SEARCH.format(more=", memory=folder")}
rmtree(folder)"""

CASES = (
    Case("LinearSVC, 3,000 rows", "GNB304", "LinearSVC", 3000,
         "SVC(kernel='linear').fit(X, y)", "LinearSVC().fit(X, y)"),
    Case("HistGradientBoosting, 10,000 rows", "GNB301", "HistGradientBoostingClassifier", 10_000,
         "GradientBoostingClassifier(random_state=0).fit(X, y)",
         "HistGradientBoostingClassifier(random_state=0).fit(X, y)"),
    Case("KMeans float32", "GNB305", "float32", 20_000, "KMeans(8, n_init=5, random_state=0).fit(X)",
         'KMeans(8, n_init=5, random_state=0).fit(X.astype("float32"))'),
    Case("n_jobs=-1, forest", "GNB302", "n_jobs=-1", 5000, "RandomForestClassifier(random_state=0).fit(X, y)",
         "RandomForestClassifier(random_state=0, n_jobs=-1).fit(X, y)"),
    Case("scikit-learn-intelex, forest", "GNB307", "scikit-learn-intelex", 5000,
         "RandomForestClassifier(random_state=0).fit(X, y)",
         "from sklearnex.ensemble import RandomForestClassifier as Forest; Forest(random_state=0).fit(X, y)"),
    Case("scikit-learn-intelex, KMeans", "GNB307", "scikit-learn-intelex", 20_000,
         "KMeans(8, n_init=5, random_state=0).fit(X)",
         "from sklearnex.cluster import KMeans as Means; Means(8, n_init=5, random_state=0).fit(X)"),
    Case("memory=, search of 4", "GNB309", "memory=mkdtemp()", 2000, SEARCH.format(more=""), CACHED),
)  # fmt: skip


def row(case: Case, *, budget_s: float, pairs: int) -> str:
    """The trial of a case and its A/B."""
    trial, seconds = tried(
        [DATA.format(rows=case.rows), f"m = {case.before}"], case.code, variant=case.variant, budget_s=budget_s
    )
    return told(case.name, trial, seconds, by_hand(case, pairs) if pairs else None)


def by_hand(case: Case, pairs: int) -> Answer:
    """The same change in a long A/B, on objects of its own."""
    own: dict[str, Any] = {}
    exec(DATA.format(rows=case.rows), own)

    def work(source: str) -> Work:
        code = compile(source, "<by hand>", "exec")
        return lambda: exec(code, own)

    return a_b(work(case.before), work(case.after), pairs=pairs)


if __name__ == "__main__":
    table(__doc__, CASES, row)
