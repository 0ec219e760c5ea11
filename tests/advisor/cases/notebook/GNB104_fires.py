# A cell that reads a CSV, run twice with nothing of its own in between.
# %%
import csv
import random
import tempfile
from pathlib import Path

import pandas as pd

random.seed(0)
path = Path(tempfile.mkdtemp()) / "days.csv"
with path.open("w", newline="") as file:
    csv.writer(file).writerows([["day", "value"], *([f"2024-01-{n % 28 + 1:02}", n / 7] for n in range(2_600_000))])
# %%
df = pd.read_csv(path, parse_dates=["day"], engine="python")
# %%
print(len(df))
# %%
df = pd.read_csv(path, parse_dates=["day"], engine="python")
