# What grows is the depth, in which no forest can go on.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(8_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier

scores = {}
for depth in [6, 9, 12]:
    forest = RandomForestClassifier(60, max_depth=depth, oob_score=True, n_jobs=2, random_state=0).fit(X, y)
    scores[depth] = forest.oob_score_
