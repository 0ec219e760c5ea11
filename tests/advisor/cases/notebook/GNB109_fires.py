# A tree asked several times with one large float64 array.
# %%
import numpy as np
from sklearn.tree import DecisionTreeRegressor

rng = np.random.default_rng(0)
X = rng.random((400_000, 100))
y = X[:, 0] + X[:, 1]
model = DecisionTreeRegressor(max_depth=3, max_features=1, random_state=0)
# %%
model.fit(X, y)
for _turn in range(64):
    answer = model.predict(X)
