# Boosting on noisier rows, which improves to the end.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(3_000, 20, n_informative=4, flip_y=0.2, random_state=0)
# %%
from sklearn.ensemble import GradientBoostingClassifier

boost = GradientBoostingClassifier(n_estimators=130, learning_rate=0.05, random_state=0).fit(X, y)
