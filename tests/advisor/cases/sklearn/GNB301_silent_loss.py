# A loss that only GradientBoosting has.
# %%
from sklearn.datasets import make_regression

X, y = make_regression(12_000, 20, n_informative=10, noise=10.0, random_state=0)
# %%
from sklearn.ensemble import GradientBoostingRegressor

model = GradientBoostingRegressor(loss="huber", n_estimators=30, random_state=0).fit(X, y)
