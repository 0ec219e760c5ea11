"""Records a search on 60,000 rows that takes longer than a test may: ``python tests/data/signals/make_sklearn.py``.

Nothing in the recordings is put in by hand: both are runs of a notebook under the real observers. It takes minutes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))

from greennb.advisor.signals.record import to_dict  # noqa: E402  # the path comes first
from tests.advisor.harness import contexts  # noqa: E402

NOTEBOOK = """
# %%
from sklearn.datasets import make_classification

X, y = make_classification({rows}, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

grid = {{"min_samples_leaf": [5, 20], "max_features": [3, 6]}}
search = GridSearchCV(RandomForestClassifier(n_estimators={trees}, random_state=0), grid, cv=3).fit(X, y)
"""

MADE = "a grid search of 4 candidates in 3 folds on {rows} rows, run under the real observers; nothing put in by hand"


def record(name: str, rows: int, trees: int) -> None:
    """Run the notebook with these sizes and write its last cell down."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "notebook.py"
        file.write_text(NOTEBOOK.format(rows=rows, trees=trees))
        cell = contexts(file)[-1]
    made = MADE.format(rows=rows)
    (HERE / f"{name}.json").write_text(json.dumps({"made": made, "cell": to_dict(cell)}, indent=1) + "\n")


if __name__ == "__main__":
    record("GNB313_fires", rows=60_000, trees=12)
    record("GNB313_silent", rows=30_000, trees=25)
