# Many threads, and a large pool, but they wait for something else than a CPU.
# %%
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

a = np.ones((100, 100))
before = threadpool_limits(limits=16 * len(os.sched_getaffinity(0)))
# %%
with ThreadPoolExecutor(32) as pool:
    list(pool.map(lambda _n: time.sleep(2.2), range(32)))
# %%
before.restore_original_limits()
