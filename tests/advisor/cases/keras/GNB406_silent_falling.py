# the labels have a pattern, and the validation loss falls to the last epoch
# %%
import keras
import numpy as np

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.random((3000, 100), dtype="float32")
y = (x[:, :10].sum(axis=1) > 5).astype("float32")
model = keras.Sequential(
    [keras.layers.Input((100,)), keras.layers.Dense(512, activation="relu"), keras.layers.Dense(1)]
)
model.compile(keras.optimizers.SGD(0.05), keras.losses.BinaryCrossentropy(from_logits=True))

# %%
history = model.fit(x, y, batch_size=100, epochs=14, validation_split=0.2, verbose=0)
