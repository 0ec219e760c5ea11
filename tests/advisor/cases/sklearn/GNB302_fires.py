# A forest on one core though there are two.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(30_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier

forest = RandomForestClassifier(n_estimators=40, random_state=0).fit(X, y)
