# A linear model computes in the type that it is given: nothing is converted.
# %%
import numpy as np
from sklearn.linear_model import Ridge

rng = np.random.default_rng(0)
X = rng.random((400_000, 100))
y = X[:, 0] + X[:, 1]
model = Ridge(solver="cholesky")
# %%
model.fit(X, y)
for _turn in range(12):
    answer = model.predict(X)
