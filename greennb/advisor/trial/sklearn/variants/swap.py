"""Another estimator in the place of one, with the parameters that both have."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.edit import Cell, with_import
from greennb.advisor.trial.sklearn.variants.scene import maker, wanted_fit, written


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Estimators of one class made of another.

    Attributes:
        old, new: the classes. ``imports``: lines that bring the new one.
        kept: parameters of the old that are the new one's, by its names for them; all others are left out.
        without: texts in the cell with which the new one would not do.
        only: parameters of the old with which alone the new one does the same work, as they were when it was fitted;
            ``never`` those with which it would not.
    """

    name: str
    codes: tuple[str, ...]
    old: str
    new: str
    imports: tuple[str, ...]
    kept: Mapping[str, str]
    without: tuple[str, ...] = ()
    kind: Kind = Kind.ESTIMATOR
    only: Mapping[str, object] = field(default_factory=dict)
    never: Mapping[str, object] = field(default_factory=dict)

    def change(self, scene: Scene) -> str:
        """See :class:`greennb.advisor.trial.base.Variant`."""
        seen = wanted_fit(scene)
        for text in self.without:
            if text in scene.code:
                raise RefusedError(f"The cell uses {text}, which {self.new} does not have.")
        self._suits(scene)
        cell = Cell(scene.code)
        call = maker(cell, self.old)
        if call is not None:
            code = cell.replaced((call, self._made(cell, call)))
            return with_import(scene, code, *self.imports)
        estimator = scene.namespace.get(seen.name or "")
        if seen.name is None or type(estimator).__name__ != self.old:
            raise RefusedError(f"No {self.old} is made in this cell or has a name in the notebook.")
        given = [f"{self.kept[name]}={it}" for name, it in written(estimator).items() if name in self.kept]
        line = f"{seen.name} = {self.new}({', '.join(given)})"
        code = cell.before(cell.work((seen.name,)), (line,))
        return with_import(scene, code, *self.imports)

    def _suits(self, scene: Scene) -> None:
        """Look at the parameters as they were: a default is not written in the cell.

        Raises:
            RefusedError: one is another, or can't be seen.
        """
        seen = scene.cell.sklearn
        made = [it.parameters for it in (seen.calls if seen is not None else ()) if it.estimator == self.old]
        if not made:  # within a pipeline and too short to be told of: as it is written
            made = [self._literals(scene)]
        for name, wanted in self.only.items():
            if any(it.get(name) != wanted for it in made):
                raise RefusedError(f"{self.new} does the same only where {self.old} has {name}={wanted!r}.")
        for name, bad in self.never.items():
            if any(it.get(name) == bad for it in made):
                raise RefusedError(f"{self.old} has {name}={bad!r}, which {self.new} does not have.")

    def _literals(self, scene: Scene) -> dict[str, object]:
        """Parameters that are written in the cell as constants."""
        call = maker(Cell(scene.code), self.old)
        given = [] if call is None else call.keywords
        return {it.arg: it.value.value for it in given if it.arg and isinstance(it.value, ast.Constant)}

    def _made(self, cell: Cell, call: ast.Call) -> str:
        """The call of the new class. What is given by position keeps its place: the searches'."""
        if any(it.arg is None for it in call.keywords) or any(isinstance(it, ast.Starred) for it in call.args):
            raise RefusedError(f"{self.old} is made with * or **, so that what it is given can't be seen.")
        given = [cell.source(it) for it in call.args]
        if given and not self.kept.get("*"):
            raise RefusedError(f"{self.old} is given something by position: write its name before it.")
        given += [
            f"{self.kept[it.arg]}={cell.source(it.value)}" for it in call.keywords if it.arg and it.arg in self.kept
        ]
        return f"{self.new}({', '.join(given)})"


_BOOSTING = {
    "n_estimators": "max_iter", "learning_rate": "learning_rate", "max_depth": "max_depth",
    "max_leaf_nodes": "max_leaf_nodes", "min_samples_leaf": "min_samples_leaf", "random_state": "random_state",
    "n_iter_no_change": "n_iter_no_change", "validation_fraction": "validation_fraction", "tol": "tol",
    "verbose": "verbose",
}  # fmt: skip

HIST_CLASSIFIER, HIST_REGRESSOR = (
    Swap(
        name=f"HistGradientBoosting{kind}", codes=("GNB301",),
        old=f"GradientBoosting{kind}", new=f"HistGradientBoosting{kind}",
        imports=(f"from sklearn.ensemble import HistGradientBoosting{kind}",), kept=_BOOSTING,
        without=("feature_importances_", "staged_decision_function", "init="),
    )
    for kind in ("Classifier", "Regressor")
)  # fmt: skip

LINEAR_SVC = Swap(
    name="LinearSVC", codes=("GNB304",), old="SVC", new="LinearSVC",
    only={"kernel": "linear"}, never={"probability": True},
    imports=("from sklearn.svm import LinearSVC",),
    kept={it: it for it in ("C", "tol", "class_weight", "random_state", "verbose")},
    without=("predict_proba", "probability", "support_", "dual_coef_"),
)  # fmt: skip

MINI_BATCH = Swap(
    name="MiniBatchKMeans", codes=("GNB306",), old="KMeans", new="MiniBatchKMeans",
    imports=("from sklearn.cluster import MiniBatchKMeans",),
    kept={it: it for it in ("n_clusters", "init", "n_init", "max_iter", "tol", "random_state", "verbose")},
)  # fmt: skip

HALVING = Swap(
    name="halving search", codes=("GNB308",), old="GridSearchCV", new="HalvingGridSearchCV",
    imports=(
        "from sklearn.experimental import enable_halving_search_cv",
        "from sklearn.model_selection import HalvingGridSearchCV",
    ),
    kept={it: it for it in ("*", "estimator", "param_grid", "scoring", "n_jobs", "refit", "cv", "error_score")},
)  # fmt: skip
