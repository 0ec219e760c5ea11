# A year of orders, looked at with pandas: read once, whole columns, one pass for each question.
# %%
import io

import numpy as np
import pandas as pd

rng = np.random.default_rng(7)
rows = 400_000
# %%
# The orders, as a shop's export would have them.
customers = pd.DataFrame(
    {
        "customer": np.arange(20_000),
        "region": rng.choice(["north", "south", "east", "west"], 20_000),
        "since": pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 2000, 20_000), unit="D"),
    }
)
export = io.StringIO()
pd.DataFrame(
    {
        "ordered": pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 365 * 24 * 60, rows), unit="min"),
        "customer": rng.integers(0, 20_000, rows),
        "article": rng.choice(["lamp", "chair", "table", "shelf", "rug"], rows),
        "count": rng.integers(1, 6, rows),
        "price": rng.gamma(4.0, 12.0, rows).round(2),
    }
).to_csv(export, index=False)
export.seek(0)
# %%
orders = pd.read_csv(export, parse_dates=["ordered"], dtype={"article": "category", "count": "int8"})
print(orders.dtypes)
# %%
orders["worth"] = orders["price"] * orders["count"]
orders["discounted"] = np.where(orders["count"] >= 4, 0.9 * orders["worth"], orders["worth"])
orders["month"] = orders["ordered"].dt.to_period("M")
# %%
joined = orders.merge(customers, on="customer", how="left", validate="many_to_one")
by_month = joined.pivot_table(index="month", columns="region", values="discounted", aggfunc="sum", observed=True)
by_month.head()
# %%
by_customer = joined.groupby("customer").agg(
    orders=("worth", "size"), spent=("discounted", "sum"), first=("ordered", "min"), last=("ordered", "max")
)
by_customer["days"] = (by_customer["last"] - by_customer["first"]).dt.days
by_customer["rank"] = by_customer["spent"].rank(pct=True)
by_customer.sort_values("spent", ascending=False).head()
# %%
# How many of those who bought in one month buy again in the next ones.
first = joined.groupby("customer")["month"].transform("min")
age = joined["month"].dt.month - first.dt.month
cohorts = joined.assign(first=first, age=age).groupby(["first", "age"])["customer"].nunique().unstack()
kept = cohorts.div(cohorts[0], axis=0)
kept.round(2).head()
# %%
# A bootstrap of the mean order, all draws at once for each of a few hundred.
worth = orders["worth"].to_numpy()
means = np.array([rng.choice(worth, size=20_000).mean() for _ in range(300)])
low, high = np.quantile(means, [0.025, 0.975])
print(f"{worth.mean():.2f} [{low:.2f}, {high:.2f}]")
# %%
daily = orders.set_index("ordered").resample("D")["worth"].sum()
smooth = daily.rolling(28, center=True).mean()
print(daily.groupby(daily.index.day_of_week).mean().round(0).to_dict())
