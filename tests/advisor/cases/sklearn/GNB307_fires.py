# Seconds in a forest that scikit-learn-intelex has a version of.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(20_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier

forest = RandomForestClassifier(n_estimators=180, n_jobs=1, random_state=0).fit(X, y)
forest = RandomForestClassifier(n_estimators=180, n_jobs=1, random_state=1).fit(X, y)
