# GradientBoosting for as long, on 4,000 rows.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(4_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import GradientBoostingClassifier

clf = GradientBoostingClassifier(n_estimators=90, random_state=0).fit(X, y)
