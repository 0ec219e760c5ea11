# 64-bit numbers on, for a regression that does not need them
# %%
import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)
data = jnp.asarray(rng.random((20_000, 200)))
target = jnp.asarray(rng.random(20_000))


@jax.jit
def step(w, data, target):
    return w - 1e-3 * jax.grad(lambda w: ((data @ w - target) ** 2).mean())(w)


# %%
w = jnp.zeros(200)
for _ in range(1500):
    w = step(w, data, target)
w.block_until_ready()

# %%
jax.config.update("jax_enable_x64", False)
