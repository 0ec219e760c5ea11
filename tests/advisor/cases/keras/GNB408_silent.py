# the same rows by calling the model itself, and then in one predict
# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((25, 20), dtype="float32")
model = keras.Sequential([keras.layers.Input((20,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])

# %%
scores = [float(model(x[i : i + 1], training=False)[0, 0]) for i in range(len(x))]
together = model.predict(x, verbose=0)
