# As many seconds in a forest with a parameter that scikit-learn-intelex does not support.
# %%
from sklearn.datasets import make_classification

X, y = make_classification(20_000, 20, n_informative=10, random_state=0)
# %%
from sklearn.ensemble import RandomForestClassifier

forest = RandomForestClassifier(n_estimators=80, criterion="entropy", n_jobs=1, random_state=0).fit(X, y)
