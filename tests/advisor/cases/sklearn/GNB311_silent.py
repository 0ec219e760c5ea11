# The same boosting, which stops when it no longer improves.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(3_000, 20, n_informative=4, flip_y=0, class_sep=3.0, random_state=0)
# %%
from sklearn.ensemble import GradientBoostingClassifier

boost = GradientBoostingClassifier(n_estimators=180, learning_rate=0.3, n_iter_no_change=5, random_state=0).fit(X, y)
