# What is called for each row takes the time, not the row.
# %%
import time

import numpy as np
import pandas as pd

df = pd.DataFrame({"price": np.ones(40), "count": np.ones(40)})
# %% --lines
for _, _row in df.iterrows():
    time.sleep(0.06)
