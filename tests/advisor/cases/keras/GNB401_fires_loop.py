# a loop of the user's own over a pipeline that may not work ahead; the step itself is traced
# also: GNB402 (where what is done again takes half a second)
# %%
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
images = rng.random((9000, 32, 32, 1), dtype="float32")
labels = rng.integers(0, 10, 9000)


def sharpen(image, label):
    wide = tf.image.resize(image, (96, 96))
    return tf.image.resize(wide * 2.0 - tf.reduce_mean(wide), (32, 32)), label


options = tf.data.Options()
options.experimental_optimization.inject_prefetch = False
options.experimental_optimization.map_parallelization = False
options.experimental_optimization.map_and_batch_fusion = False
train_ds = tf.data.Dataset.from_tensor_slices((images, labels)).map(sharpen).batch(40).with_options(options)
model = keras.Sequential(
    [
        keras.layers.Input((32, 32, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(10),
    ]
)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam()


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x, training=True))
    optimizer.apply_gradients(
        zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
    )
    return loss


# %%
for _ in range(2):
    for x, y in train_ds:
        loss = train_step(x, y)
