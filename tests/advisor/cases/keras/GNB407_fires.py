# run_eagerly left on
# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((1600, 20), dtype="float32")
y = (x.sum(axis=1) > 10).astype("float32")
model = keras.Sequential([keras.layers.Input((20,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True), run_eagerly=True)

# %%
history = model.fit(x, y, batch_size=32, epochs=5, verbose=0)
