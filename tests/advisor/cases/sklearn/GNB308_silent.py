# The same grid by halving.
# also: GNB302 (on one core)
# %%
from sklearn.datasets import make_classification

X, y = make_classification(6_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV

grid = {"max_depth": [3, 6, None], "min_samples_leaf": [1, 3, 10, 30]}
search = HalvingGridSearchCV(RandomForestClassifier(14, random_state=0), grid, cv=3, random_state=0).fit(X, y)
