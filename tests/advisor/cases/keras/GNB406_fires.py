# labels without a pattern: the validation loss rises from the first epochs on, and all the others are trained
# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((3000, 100), dtype="float32")
y = rng.integers(0, 2, 3000).astype("float32")
model = keras.Sequential(
    [keras.layers.Input((100,)), keras.layers.Dense(512, activation="relu"), keras.layers.Dense(1)]
)
model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))

# %%
history = model.fit(x, y, batch_size=100, epochs=28, validation_split=0.2, verbose=0)
