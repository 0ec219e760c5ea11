# Such a loop is there, but the time is in a library's call beside it.
# %%
import time

import numpy as np

rng = np.random.default_rng(0)
a = rng.normal(size=50_000)
big = rng.normal(size=(800, 800))
# %% --lines
total = 0.0
for i in range(len(a)):
    total += a[i] * a[i]
began = time.perf_counter()
while time.perf_counter() - began < 5.2:
    b = np.linalg.svd(big)
