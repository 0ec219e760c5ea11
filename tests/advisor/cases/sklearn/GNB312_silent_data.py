# The second fit is on data that differ in one label.
# %%
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier

X, y = make_classification(12_000, 20, n_informative=10, random_state=0)
# %%
forest = RandomForestClassifier(n_estimators=90, n_jobs=2, random_state=0).fit(X, y)
# %%
y[17] = 1 - y[17]
forest = RandomForestClassifier(n_estimators=90, n_jobs=2, random_state=0).fit(X, y)
