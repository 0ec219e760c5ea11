"""What an estimator is given: its outline at next to no cost, its fingerprint where that is cheap against the fit.

Only types whose attributes run none of the user's code are looked into: NumPy's arrays, pandas' and Polars' frames,
SciPy's sparse matrices, lists and tuples.
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

from greennb.advisor.observe.sklearn.params import module_of

PRINT_SHARE = 0.01
"""Part of a fit's own time that the fingerprint of its data may take."""

HASH_B_PER_S, HASH_CELLS_PER_S = 4e8, 1e7
"""Speed of a fingerprint, low estimates: bytes of arrays (BLAKE2b does 0.5 to 1 GB/s), cells of a pandas frame."""

Outline = tuple[str, int, int, Any]
"""Kind, rows, columns, dtype."""


def outline(data: Any) -> Outline | None:
    """The outline of X; None for what is not known, or was not given. About 0.5 us for an array."""
    kind = type(data)
    numpy = sys.modules.get("numpy")
    if numpy is not None and issubclass(kind, numpy.ndarray):
        array = numpy.ndarray  # its own idea of these, whatever a subclass has made of them
        return _shaped("ndarray", array.shape.__get__(data), array.dtype.__get__(data))
    if kind is list or kind is tuple:
        first = data[0] if data else None
        columns = len(first) if isinstance(first, list | tuple) else 1
        return "list", len(data), columns, ""
    package = module_of(kind).partition(".")[0]
    if package in ("pandas", "polars") and kind.__name__ in ("DataFrame", "Series"):
        return _shaped(kind.__name__, data.shape, _common(data.dtypes if hasattr(kind, "dtypes") else data.dtype))
    if package == "scipy" and hasattr(kind, "nnz"):
        return _shaped("sparse", data.shape, data.dtype)
    return None


def _shaped(kind: str, shape: tuple[int, ...], dtype: Any) -> Outline:
    rows = int(shape[0]) if shape else 0
    columns = 1
    for length in shape[1:]:
        columns *= int(length)
    return kind, rows, columns if shape else 0, dtype


def _common(dtypes: Any) -> str:
    """The dtype of a frame: the one that its columns share, "object" for more than one."""
    try:
        names = {str(it) for it in dtypes}
    except TypeError:
        return str(dtypes)
    return names.pop() if len(names) == 1 else "object"


def fingerprint(x: Any, y: Any, seconds: float) -> str:
    """One for ``x`` and ``y`` whole, equal for equal data; "" where that would take too much of ``seconds``."""
    budget_s = seconds * PRINT_SHARE
    digest = hashlib.blake2b(digest_size=12)
    for part in (x, y):
        budget_s -= _cost_s(part)
        if budget_s < 0 or not _feed(digest, part):
            return ""
    return digest.hexdigest()


def _cost_s(data: Any) -> float:
    if data is None:
        return 0.0
    found = outline(data)
    if found is None:
        return float("inf")
    kind, rows, columns, _dtype = found
    if kind in ("DataFrame", "Series", "list"):
        return rows * columns / HASH_CELLS_PER_S
    size = sum(part.nbytes for part in _arrays(data))
    return float(size) / HASH_B_PER_S


def _feed(digest: Any, data: Any) -> bool:
    """Add ``data`` to ``digest``; whether it could be read."""
    if data is None:
        digest.update(b"none")
        return True
    found = outline(data)
    if found is None:
        return False
    digest.update(repr((found[0], found[1], found[2], str(found[3]))).encode())
    if found[0] in ("DataFrame", "Series"):
        return _feed_frame(digest, data)
    if found[0] == "list":
        return _feed_list(digest, data)
    parts = _arrays(data)
    for part in parts:
        if part.dtype.hasobject:
            return False
        digest.update(
            part.data if part.flags.c_contiguous else part.T.data if part.flags.f_contiguous else part.tobytes()
        )
    return bool(parts)


def _arrays(data: Any) -> list[Any]:
    """The arrays that ``data`` consists of."""
    numpy = sys.modules["numpy"]
    if issubclass(type(data), numpy.ndarray):
        return [data]
    names = [name for name in ("data", "indices", "indptr", "row", "col") if name in vars(data)]
    return [vars(data)[name] for name in names if type(vars(data)[name]) is numpy.ndarray]


def _feed_frame(digest: Any, data: Any) -> bool:
    pandas = sys.modules.get("pandas")
    if pandas is None or type(data) not in (pandas.DataFrame, pandas.Series):
        return False
    digest.update(pandas.util.hash_pandas_object(data).to_numpy().data)
    if type(data) is pandas.DataFrame:
        digest.update(repr([it for it in data.columns if type(it) in (str, int)]).encode())
    return True


def _feed_list(digest: Any, data: Any) -> bool:
    """A flat list of plain values, or one of such lists."""
    plain = (int, float, str, bool)
    for row in data:
        if type(row) not in plain and not (type(row) in (list, tuple) and all(type(it) in plain for it in row)):
            return False
    digest.update(repr(data).encode())
    return True
