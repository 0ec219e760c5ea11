# Choosing a model for handwritten digits: a randomised search on all cores, the best one on rows that it never saw.
# %%
import numpy as np
from scipy.stats import loguniform
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

# %%
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
print(X_train.shape, np.bincount(y_train))

# %%
pipe = Pipeline([("scale", StandardScaler()), ("svc", SVC())])
space = {"svc__C": loguniform(1e-1, 1e3), "svc__gamma": loguniform(1e-4, 1e-1)}
search = RandomizedSearchCV(pipe, space, n_iter=12, cv=5, n_jobs=-1, random_state=0).fit(X_train, y_train)
print(search.best_params_, round(search.best_score_, 4))

# %%
grid = {"max_leaf_nodes": [7, 15]}
boosting = HistGradientBoostingClassifier(learning_rate=0.2, max_iter=25, random_state=0)
boosted = GridSearchCV(boosting, grid, cv=3, n_jobs=-1).fit(X_train, y_train)
print(boosted.best_params_, round(boosted.best_score_, 4))

# %%
winner = max([search, boosted], key=lambda it: it.best_score_)
print(confusion_matrix(y_test, winner.predict(X_test)))
print(f"on the test rows: {winner.score(X_test, y_test):.4f}")
assert winner.score(X_test, y_test) > 0.95
