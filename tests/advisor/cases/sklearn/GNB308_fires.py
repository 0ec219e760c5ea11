# A grid of 12 candidates, each on all 6,000 rows in all folds.
# also: GNB302 (on one core)
# %%
from sklearn.datasets import make_classification

X, y = make_classification(6_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

grid = {"max_depth": [3, 6, None], "min_samples_leaf": [1, 3, 10, 30]}
search = GridSearchCV(RandomForestClassifier(28, random_state=0), grid, cv=3).fit(X, y)
