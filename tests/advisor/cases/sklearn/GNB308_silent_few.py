# As long, with 4 candidates.
# also: GNB302 (on one core)
# %%
from sklearn.datasets import make_classification

X, y = make_classification(6_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV

grid = {"max_depth": [6, None], "min_samples_leaf": [1, 10]}
search = GridSearchCV(RandomForestClassifier(32, random_state=0), grid, cv=3).fit(X, y)
