# A tf.data pipeline with a fixed map, a cache, augmentation after it, and prefetch; then a traced loop of one's own
# %%
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

keras.utils.set_random_seed(2)

# %%
digits = load_digits()
images, labels = digits.images[..., None], digits.target
train, validation = slice(0, 1400), slice(1400, None)


def scale(image, label):
    return tf.cast(image, tf.float32) / 16.0, label


def shift(image, label):
    padded = tf.pad(image, [[1, 1], [1, 1], [0, 0]])
    return tf.image.random_crop(padded, (8, 8, 1)), label


train_ds = (
    tf.data.Dataset.from_tensor_slices((images[train], labels[train]))
    .map(scale, num_parallel_calls=tf.data.AUTOTUNE)
    .cache()
    .shuffle(1400, seed=0)
    .map(shift, num_parallel_calls=tf.data.AUTOTUNE)
    .batch(100)
    .prefetch(tf.data.AUTOTUNE)
)
validation_ds = (
    tf.data.Dataset.from_tensor_slices((images[validation], labels[validation])).map(scale).batch(200).cache()
)

# %%
inputs = keras.Input((8, 8, 1))
hidden = keras.layers.Conv2D(48, 3, padding="same", use_bias=False)(inputs)
hidden = keras.layers.BatchNormalization(momentum=0.9)(hidden)
hidden = keras.layers.ReLU()(hidden)
hidden = keras.layers.Conv2D(48, 3, padding="same", activation="relu")(hidden)
hidden = keras.layers.GlobalAveragePooling2D()(hidden)
model = keras.Model(inputs, keras.layers.Dense(10)(hidden))
model.compile(
    optimizer=keras.optimizers.Adam(2e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)

# %%
history = model.fit(
    train_ds,
    validation_data=validation_ds,
    epochs=8,
    callbacks=[keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)],
    shuffle=False,
    verbose=2,
)

# %%
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(5e-4)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


# %%
for _epoch in range(4):
    losses = [train_step(x, y) for x, y in train_ds]
print(f"last loss {float(losses[-1]):.3f}")

# %%
logits = model.predict(validation_ds, verbose=0)
print(f"validation accuracy {np.mean(logits.argmax(axis=1) == labels[validation]):.3f}")
