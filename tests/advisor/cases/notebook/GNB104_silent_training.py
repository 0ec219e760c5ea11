# A training cell run twice goes on training: the model is changed in place, so that nothing is repeated.
# %%
import time

import numpy as np
from sklearn.neural_network import MLPRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(4000, 20))
y = X[:, 0] * X[:, 1]
model = MLPRegressor(hidden_layer_sizes=(64,), max_iter=1, warm_start=True, random_state=0)
# %%
began = time.perf_counter()
while time.perf_counter() - began < 2.1:
    model.partial_fit(X, y)
# %%
began = time.perf_counter()
while time.perf_counter() - began < 2.1:
    model.partial_fit(X, y)
