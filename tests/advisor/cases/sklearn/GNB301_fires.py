# GradientBoosting on 12,000 rows: every tree sorts them.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(12_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import GradientBoostingClassifier

clf = GradientBoostingClassifier(n_estimators=40, random_state=0).fit(X, y)
