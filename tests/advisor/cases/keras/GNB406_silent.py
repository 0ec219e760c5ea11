# the same, with EarlyStopping that has patience enough to see all of it
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
history = model.fit(
    x,
    y,
    batch_size=100,
    epochs=14,
    validation_split=0.2,
    verbose=0,
    callbacks=[keras.callbacks.EarlyStopping(patience=13, restore_best_weights=True)],
)
