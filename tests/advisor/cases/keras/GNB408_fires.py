# predict in a loop, a row at a time
# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((60, 20), dtype="float32")
model = keras.Sequential([keras.layers.Input((20,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])

# %%
scores = [model.predict(x[i : i + 1], verbose=0)[0, 0] for i in range(len(x))]
