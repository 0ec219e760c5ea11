# The same folds are fitted twice, for one metric each time.
# also: GNB307 (where it takes more than 5 s)
# %%
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

X, y = make_classification(18_000, 20, n_informative=10, random_state=0)
forest = RandomForestClassifier(n_estimators=40, n_jobs=1, random_state=0)
# %%
accuracy = cross_val_score(forest, X, y, cv=3)
f1 = cross_val_score(forest, X, y, cv=3, scoring="f1")
