"""Whether a cell only loads or derives: whatever it is run for, the same inputs give the same names again.

A list of what is known, not a proof: any call that is not on it makes a cell impure, and with it every training,
every random draw and every look at the clock.
"""

from __future__ import annotations

import ast
from typing import Any

from greennb.advisor.observe.source.walk import attribute, root

_LOADERS = frozenset(
    (
        "read_csv", "read_parquet", "read_excel", "read_json", "read_feather", "read_table", "read_pickle", "read_hdf",
        "loadtxt", "genfromtxt", "load_npz", "load_files", "load_svmlight_file", "load_svmlight_files", "load_digits",
        "load_iris", "load_wine", "load_breast_cancer", "load_diabetes", "load_linnerud", "load_sample_images",
        "fetch_openml", "fetch_california_housing", "fetch_20newsgroups", "fetch_20newsgroups_vectorized",
        "fetch_covtype", "fetch_rcv1", "fetch_olivetti_faces", "fetch_lfw_people", "fetch_lfw_pairs", "fetch_kddcup99",
    )
)  # fmt: skip
_DATASETS = frozenset(("keras", "tf", "mnist", "fashion_mnist", "cifar10", "cifar100", "imdb", "reuters"))
"""Whose ``load_data`` is Keras's: a function of the user's may be called so too."""

_DERIVES = frozenset(
    (
        "astype", "to_numpy", "dropna", "fillna", "merge", "join", "groupby", "agg", "mean", "sum", "sort_values",
        "drop", "drop_duplicates", "rename", "reset_index", "set_index", "head", "assign", "query", "concat",
        "to_datetime", "pivot_table", "melt", "explode", "get_dummies", "len", "int", "float", "str", "list", "dict",
        "Path", "array", "asarray", "reshape", "lower", "strip", "split",
    )
)  # fmt: skip
_FITS = frozenset(("fit_transform", "fit"))
_EXACT = frozenset(
    (
        "StandardScaler", "MinMaxScaler", "RobustScaler", "OneHotEncoder", "OrdinalEncoder", "CountVectorizer",
        "TfidfVectorizer", "PolynomialFeatures", "KNNImputer", "SimpleImputer",
    )
)  # fmt: skip
_SEEDED = frozenset(("PCA", "TruncatedSVD", "NMF", "TSNE", "UMAP", "FastICA", "SpectralEmbedding", "train_test_split"))
"""The same each time only with a fixed ``random_state``."""

_PLAIN = (
    ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.Subscript, ast.Attribute, ast.Slice, ast.UnaryOp,
    ast.BinOp, ast.Compare, ast.BoolOp, ast.Starred, ast.JoinedStr, ast.FormattedValue, ast.keyword,
    ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.boolop,
)  # fmt: skip


def is_pure(tree: ast.Module) -> bool:
    """Whether it loads or derives something, by known calls only, and does nothing else."""
    calls = [it for it in ast.walk(tree) if isinstance(it, ast.Call)]
    return all(map(_is_plain_statement, tree.body)) and any(map(_is_dear, calls)) and all(map(_is_known, calls))


def _is_plain_statement(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass):
        return True
    if isinstance(statement, ast.Expr):  # shown, or a comment in quotes
        return _is_plain(statement.value)
    if isinstance(statement, ast.Assign):
        return all(map(_is_name, statement.targets)) and _is_plain(statement.value)
    if isinstance(statement, ast.AnnAssign):
        return _is_name(statement.target) and statement.value is not None and _is_plain(statement.value)
    return False


def _is_name(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) or (isinstance(target, ast.Tuple) and all(map(_is_name, target.elts)))


def _is_plain(value: ast.expr) -> bool:
    return all(isinstance(it, (*_PLAIN, ast.Call)) for it in ast.walk(value))


def _is_dear(call: ast.Call) -> bool:
    called = attribute(call)
    return _is_loader(call) or called in _FITS or called in _SEEDED


def _is_loader(call: ast.Call) -> bool:
    called, whose = attribute(call), root(call.func)
    return (
        called in _LOADERS
        or (called == "load" and whose in ("np", "numpy", "joblib"))
        or (called == "load_data" and whose in _DATASETS)
    )


def _is_known(call: ast.Call) -> bool:
    called = attribute(call)
    if any(it.arg == "inplace" for it in call.keywords):
        return False
    if called in _FITS:
        made: Any = call.func.value if isinstance(call.func, ast.Attribute) else None
        return isinstance(made, ast.Call) and attribute(made) in _EXACT | _SEEDED  # a fresh one, fitted once
    if called in _SEEDED:
        return any(it.arg == "random_state" and _is_number(it.value) for it in call.keywords)
    return called in _DERIVES | _EXACT or _is_loader(call)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool)
