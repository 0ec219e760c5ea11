# The same rows and the histogram version.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(12_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import HistGradientBoostingClassifier

clf = HistGradientBoostingClassifier(max_iter=40, max_depth=3, random_state=0).fit(X, y)
