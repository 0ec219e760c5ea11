"""What can be tried of scikit-learn, in the order in which it would be: the first for a rule is its usual one."""

from __future__ import annotations

from greennb.advisor.trial.base import Kind, Variant
from greennb.advisor.trial.sklearn.variants.intelex import Intelex
from greennb.advisor.trial.sklearn.variants.jobs import InnerJobs, Jobs
from greennb.advisor.trial.sklearn.variants.memory import Memory
from greennb.advisor.trial.sklearn.variants.numbers import Float32
from greennb.advisor.trial.sklearn.variants.setting import Setting
from greennb.advisor.trial.sklearn.variants.swap import HALVING, HIST_CLASSIFIER, HIST_REGRESSOR, LINEAR_SVC, MINI_BATCH

VARIANTS: tuple[Variant, ...] = (
    HIST_CLASSIFIER, HIST_REGRESSOR, LINEAR_SVC, Float32(), MINI_BATCH, HALVING, Jobs(), InnerJobs(), Intelex(),
    Memory(),
    Setting(
        name="stop boosting early", codes=("GNB311",), setting="n_iter_no_change", value="10",
        kind=Kind.ESTIMATOR, classes=("GradientBoostingClassifier", "GradientBoostingRegressor"),
    ),
    Setting(
        name="stop early", codes=("GNB311",), setting="early_stopping", value="True", kind=Kind.ESTIMATOR,
        classes=(
            "HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "MLPClassifier", "MLPRegressor",
        ),
    ),
    Setting(
        name="tree_method hist", codes=("GNB314",), setting="tree_method", value='"hist"', kind=Kind.ESTIMATOR,
        classes=("XGBClassifier", "XGBRegressor", "XGBRanker"),
    ),
)  # fmt: skip
