# predict in a loop as well, a large batch each time
# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((20_000, 20), dtype="float32")
model = keras.Sequential([keras.layers.Input((20,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])

# %%
scores = [model.predict(part, batch_size=1000, verbose=0) for part in np.split(x, 20)]
