# The same question, each forest grown on from the one before.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(8_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier

scores = {}
forest = RandomForestClassifier(warm_start=True, oob_score=True, n_jobs=2, random_state=0)
for size in [20, 40, 80]:
    forest.set_params(n_estimators=size).fit(X, y)
    scores[size] = forest.oob_score_
