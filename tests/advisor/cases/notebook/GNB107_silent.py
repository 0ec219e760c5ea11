# The same numbers with operations on whole arrays, as long.
# %%
import numpy as np

rng = np.random.default_rng(0)
a = rng.normal(size=300_000)
out = np.zeros_like(a)
# %% --lines
total = 0.0
for _turn in range(2500):
    rises = a[1:] > a[:-1]
    out[1:] = np.where(rises, a[1:] * 2.0 - a[:-1], out[1:])
    total += out.sum()
