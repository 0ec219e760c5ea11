"""What a statement of a cell does, by its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import TypeGuard

DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
"""Statements in which nothing is done yet."""


def binds(node: ast.AST, name: str) -> bool:
    """Whether this statement assigns to ``name`` itself."""
    return any(it.id == name and isinstance(it.ctx, ast.Store) for it in targets(node))


def changes(node: ast.AST, name: str) -> bool:
    """Whether this statement assigns to ``name`` or to a part of it."""
    return any(it.id == name for it in targets(node))


def reads(body: Sequence[ast.stmt], name: str) -> bool:
    """Whether any of these reads ``name``."""
    every = (it for statement in body for it in ast.walk(statement))
    return any(is_name(it, name) and isinstance(it.ctx, ast.Load) for it in every)


def targets(node: ast.AST) -> list[ast.Name]:
    """Names in what it assigns to; of ``a[i] = 1`` both."""
    found = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [it for target in found for it in ast.walk(target) if isinstance(it, ast.Name)]


def place(call: ast.Call) -> tuple[int, int, int | None, int | None]:
    """Where it begins and where its arguments do: neither moves when these change."""
    return call.lineno, call.col_offset, call.func.end_lineno, call.func.end_col_offset


def loops(statement: ast.stmt) -> bool:
    """Whether there is a loop in it."""
    return any(isinstance(it, ast.For | ast.While) for it in ast.walk(statement))


def mentions(statement: ast.stmt, names: Sequence[str]) -> bool:
    """Whether one of ``names`` stands in it."""
    return any(isinstance(it, ast.Name) and it.id in names for it in ast.walk(statement))


def imported(node: ast.stmt) -> Iterator[str]:
    """Names that it binds, where it is an import."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]


def first_line(statement: ast.stmt) -> int:
    """Its first line, from 1, with its decorators."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(it.lineno for it in decorators)])


def is_name(node: ast.AST | None, name: str) -> TypeGuard[ast.Name]:
    """Whether it is that name."""
    return isinstance(node, ast.Name) and node.id == name
