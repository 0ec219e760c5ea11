"""Loops in pure Python over numbers, one at a time: what an array's own operations would do at once."""

from __future__ import annotations

import ast
from typing import Any

from greennb.advisor.observe.source.walk import Walk, root

_BUILTINS = frozenset(("abs", "min", "max", "float", "int", "bool", "round", "pow", "range", "len", "enumerate", "zip"))
_MODULES = frozenset(("math", "np", "numpy", "cmath", "torch"))
_METHODS = frozenset(("append",))
_ARRAYS = frozenset(("ndarray", "Series", "DataFrame", "Tensor", "list", "tuple", "range", "array"))
_NUMBERS = frozenset(("int", "float", "bool", "complex"))
_STATEMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.If, ast.For, ast.Pass, ast.Continue, ast.Return)


def over(loop: ast.For, walk: Walk) -> str | None:
    """The name of the array that ``loop`` goes through by single numbers, "" where it has none; None where it doesn't.

    Everything in the loop must be arithmetic, indexing, ``append`` or a builtin: what calls anything else spends its
    time there.
    """
    if not is_plain_body(loop.body):
        return None
    counters = _counters(loop)
    works = [it for it in ast.walk(loop) if isinstance(it, ast.BinOp | ast.Compare | ast.AugAssign)]
    if not works or any(isinstance(it, ast.MatMult) for it in ast.walk(loop)):
        return None
    for part in ast.walk(loop):
        if isinstance(part, ast.Subscript) and _is_single(part.slice, counters):
            dimensions = len(part.slice.elts) if isinstance(part.slice, ast.Tuple) else 1
            if _may_be_numbers(root(part), walk, dimensions):
                return root(part)
    return _over_items(loop, works, walk)


def is_plain_body(body: list[ast.stmt]) -> bool:
    """Whether statements only calculate, index, append and call builtins."""
    return all(_is_plain(statement) for statement in body)


def is_plain_value(value: ast.expr) -> bool:
    """Whether an expression does no more than that."""
    return all(_is_plain_call(it) for it in ast.walk(value) if isinstance(it, ast.Call | ast.Await | ast.Yield))


def _over_items(loop: ast.For, works: list[Any], walk: Walk) -> str | None:
    """For a loop over the numbers themselves: each in arithmetic, and something gathered."""
    if not isinstance(loop.iter, ast.Name) or not isinstance(loop.target, ast.Name):
        return None
    item = loop.target.id
    used = any(isinstance(it, ast.Name) and it.id == item for work in works for it in ast.walk(work))
    gathers = any(
        isinstance(it, ast.AugAssign) or (isinstance(it, ast.Call) and getattr(it.func, "attr", "") == "append")
        for it in ast.walk(loop)
    )
    known = walk.type_of(loop.iter.id) is not None and _may_be_numbers(loop.iter.id, walk)
    return loop.iter.id if used and gathers and known else None


def _counters(loop: ast.For) -> set[str]:
    """Names that count: targets of loops over ``range``, here and within, and what ``enumerate`` counts with."""
    found: set[str] = set()
    for each in ast.walk(loop):
        if isinstance(each, ast.For) and isinstance(each.iter, ast.Call) and isinstance(each.iter.func, ast.Name):
            target = each.target
            if each.iter.func.id == "range" and isinstance(target, ast.Name):
                found.add(target.id)
            elif each.iter.func.id == "enumerate" and isinstance(target, ast.Tuple):
                found |= {it.id for it in target.elts[:1] if isinstance(it, ast.Name)}
    return found


def _is_single(index: ast.expr, counters: set[str]) -> bool:
    """Whether an index picks one number by a counter: ``i``, ``i - 1``, ``i, j``; no slice."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    names = [it.id for part in parts for it in ast.walk(part) if isinstance(it, ast.Name)]
    return bool(counters & set(names)) and not any(isinstance(it, ast.Slice) for it in parts)


def _is_plain(statement: ast.stmt) -> bool:
    if not isinstance(statement, _STATEMENTS):
        return False
    return all(
        _is_plain_call(it) for it in ast.walk(statement) if isinstance(it, ast.Call | ast.Await | ast.Yield)
    ) and all(isinstance(it, _STATEMENTS) for it in ast.walk(statement) if isinstance(it, ast.stmt))


def _is_plain_call(node: Any) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        return node.func.id in _BUILTINS
    return isinstance(node.func, ast.Attribute) and (
        node.func.attr in _METHODS
        or (isinstance(node.func.value, ast.Name) and node.func.value.id in _MODULES and not _is_whole(node))
    )


def _is_whole(node: ast.Call) -> bool:
    """Whether a call of numpy's works on a whole array, as far as its name tells."""
    return getattr(node.func, "attr", "") in ("dot", "matmul", "sort", "argsort", "linalg", "random", "sum", "mean")


def _may_be_numbers(name: str, walk: Walk, dimensions: int = 1) -> bool:
    """Whether so many indices may pick one number of the notebook's object; one that it does not have may be such."""
    kind = walk.type_of(name) if name else None
    if kind is None:
        return True
    if kind is list or kind is tuple:
        held = walk.object(name)
        return len(held) > 0 and _class(type(held[0])) in _NUMBERS | {"float64", "float32", "int64", "int32", "list"}
    if _class(kind) in ("ndarray", "Tensor") and str(kind.__module__).split(".")[0] in ("numpy", "torch"):
        return int(walk.object(name).ndim) == dimensions
    return _class(kind) in _ARRAYS


def _class(kind: type) -> str:
    return str(type.__dict__["__name__"].__get__(kind))
