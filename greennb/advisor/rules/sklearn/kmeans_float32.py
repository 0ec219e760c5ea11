"""KMeans in half the bytes

**Seen.** `KMeans` on `float64` data, fits of at least 1 s.

**Why.** KMeans reads all the data in every iteration. In `float32` that is half the bytes, and twice the numbers in
each instruction. scikit-learn keeps `float32` as it is; the centres are means, for which 7 digits are plenty as a
rule.

**Change.** Cast once, before fitting, and pass the same to `predict`.

**Not where**

- values are large with small differences (timestamps, coordinates in metres): subtract the mean first;
- other estimators: this does not carry over. Tried: logistic regression took 1.24 and SVC 1.17 of the time in
  float32;
- clusters must be the same to the row: rows on a border may change sides.

**Check.** `adjusted_rand_score` between the labels of both, then joules.

**Sources.** Tried here with scikit-learn 1.9 on an x86 CPU, as an illustration: 0.79 to 0.84 of the CPU time at
20,000 rows and more, nothing at 5,000 rows of 2 columns (1.07). The floor of 1 s is ours. `sklearn.cluster.KMeans`'s
[documentation](https://scikit-learn.org/stable/modules/generated/sklearn.cluster.KMeans.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from greennb.advisor.base import Found, evidence
from greennb.advisor.rules.sklearn._shared import LEAST_S, fits, rows, share, subject, variable, x_name
from greennb.advisor.signals.cell import CellContext
from greennb.model.finding import Rule, Severity

RULE = Rule(
    code="GNB305",
    name="KMeans in float32",
    framework="sklearn",
    severity=Severity.ACT,
    since="0.2",
    source="tried with scikit-learn 1.9 on an x86 CPU",
    wrong_when=("values are large with small differences", "cluster labels must be the same to the row"),
)

ROWS = 20_000
"""Tried: from here on float32 took less; at 5,000 rows of 2 columns it did not."""


def check(cell: CellContext) -> Iterator[Found]:
    """Each KMeans on doubles that took time."""
    for it in fits(cell, "KMeans"):
        call = it.call
        if call.data is None or call.data.dtype != "float64" or rows(call) < ROWS or it.seconds < LEAST_S:
            continue
        x = x_name(call)
        yield Found(
            evidence=(
                evidence("rows", rows(call), "rows"),
                evidence("columns", call.data.columns, "columns"),
                evidence("bytes of a number", 8, "B"),
                evidence("seconds in fit", it.seconds, "s"),
            ),
            text=f"{subject(call)} reads {rows(call):,} rows of float64 in every iteration; float32 is half the bytes.",
            code=f'{x}32 = {x}.astype("float32")\n{variable(call, "kmeans")}.fit({x}32)',
            share=share(cell, it.seconds),
            subject=subject(call),
        )
