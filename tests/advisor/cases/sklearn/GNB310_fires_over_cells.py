# The same over several cells: a larger forest is tried each time.
# also: GNB307 (where it takes more than 5 s)
# %%
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier

X, y = make_classification(16_000, 20, n_informative=10, random_state=0)
# %%
forest = ExtraTreesClassifier(n_estimators=40, n_jobs=2, random_state=0).fit(X, y)
# %%
forest = ExtraTreesClassifier(n_estimators=80, n_jobs=2, random_state=0).fit(X, y)
# %%
forest = ExtraTreesClassifier(n_estimators=160, n_jobs=2, random_state=0).fit(X, y)
