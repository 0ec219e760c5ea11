# XGBoost is shown validation data and goes on long after its loss there rises.
# %%
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split

X, y = make_classification(20_000, 20, n_informative=4, flip_y=0.2, random_state=0)
X_train, X_valid, y_train, y_valid = train_test_split(X, y, random_state=0)
# %%
from xgboost import XGBClassifier

boost = XGBClassifier(n_estimators=600, n_jobs=1, random_state=0)
boost.fit(X_train, y_train, eval_set=[(X_valid, y_valid)], verbose=False)
