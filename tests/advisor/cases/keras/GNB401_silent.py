# the same pipeline with a prefetch at its end, and its optimizations left alone
# %%
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
images = rng.random((5000, 32, 32, 1), dtype="float32")
labels = rng.integers(0, 10, 5000)


def sharpen(image, label):
    wide = tf.image.resize(image, (96, 96))
    return tf.image.resize(wide * 2.0 - tf.reduce_mean(wide), (32, 32)), label


train_ds = tf.data.Dataset.from_tensor_slices((images, labels)).map(sharpen).batch(40).prefetch(tf.data.AUTOTUNE)
model = keras.Sequential(
    [
        keras.layers.Input((32, 32, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(10),
    ]
)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))

# %%
history = model.fit(train_ds, epochs=2, verbose=0, shuffle=False)
