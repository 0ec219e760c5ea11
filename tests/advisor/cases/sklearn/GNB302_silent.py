# The same forest on all cores.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(15_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier

forest = RandomForestClassifier(n_estimators=40, n_jobs=-1, random_state=0).fit(X, y)
