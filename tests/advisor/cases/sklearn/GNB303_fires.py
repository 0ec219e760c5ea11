# A voting on all cores around forests on all cores.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(8_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, VotingClassifier

vote = VotingClassifier(
    [
        ("forest", RandomForestClassifier(n_estimators=200, n_jobs=2, random_state=0)),
        ("extra", ExtraTreesClassifier(n_estimators=300, n_jobs=2, random_state=0)),
    ],
    n_jobs=2,
).fit(X, y)
