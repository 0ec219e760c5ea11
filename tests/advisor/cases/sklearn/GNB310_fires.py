# How many trees? Each forest is grown from nothing.
# also: GNB307 (where it takes more than 5 s)
# %%
from sklearn.datasets import make_classification

X, y = make_classification(8_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier

scores = {}
for size in [40, 80, 160]:
    forest = RandomForestClassifier(n_estimators=size, oob_score=True, n_jobs=2, random_state=0).fit(X, y)
    scores[size] = forest.oob_score_
