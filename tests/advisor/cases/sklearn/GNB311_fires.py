# Boosting whose loss, even on the rows that it learns from, was down to a thousandth long before its last tree.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(3_000, 20, n_informative=4, flip_y=0, class_sep=3.0, random_state=0)
# %%
from sklearn.ensemble import GradientBoostingClassifier

boost = GradientBoostingClassifier(n_estimators=360, learning_rate=0.3, random_state=0).fit(X, y)
