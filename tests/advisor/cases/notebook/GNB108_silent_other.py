# Rows one by one, but beside other work and without lines: nobody knows what took the time.
# %%
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
df = pd.DataFrame({"price": rng.random(120_000), "count": rng.integers(1, 9, 120_000)})
big = rng.normal(size=(500, 500))
# %%
total = 0.0
for _, row in df.iterrows():
    total += row["price"] * row["count"]
values = np.linalg.svd(big)
