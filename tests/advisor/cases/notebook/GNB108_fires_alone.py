# A loop over rows in a cell that holds nothing else: no lines needed.
# %%
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
df = pd.DataFrame({"price": rng.random(360_000), "count": rng.integers(1, 9, 360_000)})
# %%
total = 0.0
for _, row in df.iterrows():
    total += row["price"] * row["count"]
print(total)
