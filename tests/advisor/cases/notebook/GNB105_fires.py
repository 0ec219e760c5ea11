# OpenBLAS with sixteen times as many threads as there are CPUs.
# %%
import os
import time

import numpy as np
from threadpoolctl import threadpool_limits

rng = np.random.default_rng(0)
a = rng.normal(size=(1500, 1500))
before = threadpool_limits(limits=16 * len(os.sched_getaffinity(0)))
a @ a
# %%
began = time.perf_counter()
while time.perf_counter() - began < 5.5:
    b = a @ a
# %%
before.restore_original_limits()
