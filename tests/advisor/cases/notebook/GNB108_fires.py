# A function for every row, by the lines' own joules.
# %%
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
df = pd.DataFrame({"price": rng.random(900_000), "count": rng.integers(1, 9, 900_000)})


def worth(row):
    if row["count"] > 4:
        return row["price"] * row["count"] * 0.9
    return row["price"] * row["count"]


# %% --lines
df["worth"] = df.apply(worth, axis=1)
total = df.groupby("count")["worth"].sum()
df.sort_values("worth").head()
