# Many forests one after another, each in a fraction of a second: threads would cost more than they bring.
# %%
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

X, y = load_iris(return_X_y=True)
forests = [RandomForestClassifier(n_estimators=30, random_state=seed).fit(X, y) for seed in range(25)]
