# XGBoost told to look at every value.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(20_000, 20, n_informative=10, random_state=0)
# %%
from xgboost import XGBClassifier

boost = XGBClassifier(n_estimators=90, tree_method="exact", n_jobs=1, random_state=0).fit(X, y)
