# A pure Python loop over an array, by the lines' own joules.
# %%
import numpy as np

rng = np.random.default_rng(0)
a = rng.normal(size=300_000)
out = np.zeros_like(a)
# %% --lines
total = 0.0
for _turn in range(75):
    for i in range(1, len(a)):
        if a[i] > a[i - 1]:
            out[i] = a[i] * 2.0 - a[i - 1]
        total += out[i]
