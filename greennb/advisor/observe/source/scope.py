"""Which global names a cell reads before it binds them, and which it binds."""

from __future__ import annotations

import ast
import builtins
from typing import Any

_BUILTINS = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def reads_and_writes(tree: ast.Module) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sorted names. What a loop or a ``with`` binds counts as bound; of an ``if`` only what both its branches bind.

    A function's free names count as read where it is defined.
    """
    scope = _Scope(set())
    scope.block(tree.body)
    return tuple(sorted(scope.reads - _BUILTINS)), tuple(sorted(scope.writes))


def working_statements(tree: ast.Module) -> int:
    """How many statements of a cell do something that takes time; a block counts as one."""
    return sum(not _is_idle(it) for it in tree.body)


def _is_idle(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass | _DEFINITIONS):
        return True
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
        return value is None or _is_at_once(value)
    return False


def _is_at_once(value: ast.expr) -> bool:
    """Whether it is a constant, a name, an empty container, a few rows, or shows such."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in ("print", "display"):
        return all(map(_is_at_once, value.args))
    if isinstance(value, ast.Call):
        shown = isinstance(value.func, ast.Attribute) and value.func.attr in ("head", "tail")
        return shown and _is_at_once(value.func.value)  # type: ignore[attr-defined]
    return isinstance(value, ast.Constant | ast.Name | ast.Attribute) or not any(
        isinstance(it, ast.Call | ast.Name | ast.comprehension) for it in ast.walk(value)
    )


class _Scope:
    """One scope walked in the order of evaluation: what is bound so far, and what was read unbound."""

    def __init__(self, bound: set[str]) -> None:
        self.bound = set(bound)
        self.reads: set[str] = set()
        self.writes: set[str] = set()

    def block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            self._name(node.id, node.ctx)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            self._assign(node)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._all([node.iter, node.target, *node.body, *node.orelse])
        elif isinstance(node, ast.If):
            self._if(node)
        elif isinstance(node, _FUNCTIONS):
            self._function(node)
        elif isinstance(node, ast.ClassDef):
            self._all([*node.decorator_list, *node.bases, *(it.value for it in node.keywords)])
            inner = _Scope(self.bound | {node.name})
            inner.block(node.body)
            self.reads |= inner.reads
            self._bind(node.name)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                self._bind((alias.asname or alias.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler):
            if node.type is not None:
                self.visit(node.type)
            if node.name:
                self.bound.add(node.name)  # gone after the handler: no name of the notebook's
            self.block(node.body)
        else:
            self._all(list(ast.iter_child_nodes(node)))

    def _all(self, nodes: list[Any]) -> None:
        for node in nodes:
            self.visit(node)

    def _name(self, name: str, context: ast.expr_context) -> None:
        if isinstance(context, ast.Load):
            if name not in self.bound:
                self.reads.add(name)
        else:
            self._bind(name)

    def _bind(self, name: str) -> None:
        self.bound.add(name)
        self.writes.add(name)

    def _assign(self, node: Any) -> None:
        if node.value is not None:
            self.visit(node.value)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._name(node.target.id, ast.Load())
        self._all(node.targets if isinstance(node, ast.Assign) else [node.target])

    def _if(self, node: ast.If) -> None:
        self.visit(node.test)
        before = set(self.bound)
        self.block(node.body)
        after_body, self.bound = self.bound, before
        self.block(node.orelse)
        self.bound &= after_body

    def _function(self, node: Any) -> None:
        arguments = node.args
        outside = [*getattr(node, "decorator_list", ()), *arguments.defaults, *filter(None, arguments.kw_defaults)]
        self._all(outside)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        body = node.body if isinstance(node.body, list) else [node.body]
        own = {it.arg for it in every if it is not None} | _locals(body)
        name = getattr(node, "name", "")
        inner = _Scope(self.bound | own | ({name} if name else set()))
        inner._all(body)
        self.reads |= inner.reads
        declared = [each for part in body for each in ast.walk(part) if isinstance(each, ast.Global)]
        self.writes |= {it for each in declared for it in each.names}
        if name:
            self._bind(name)

    def _comprehension(self, node: Any) -> None:
        inner = _Scope(self.bound)
        for part in node.generators:
            inner._all([part.iter, part.target, *part.ifs])
        inner._all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.reads |= inner.reads


def _locals(body: list[Any]) -> set[str]:
    """Names that a function binds, wherever in it, without those that it declares global."""
    every = [each for part in body for each in ast.walk(part)]
    stored = {it.id for it in every if isinstance(it, ast.Name) and not isinstance(it.ctx, ast.Load)}
    stored |= {it.name for it in every if isinstance(it, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    stored |= {
        (alias.asname or alias.name).split(".")[0]
        for it in every
        if isinstance(it, ast.Import | ast.ImportFrom)
        for alias in it.names
    }
    stored |= {it.name for it in every if isinstance(it, ast.ExceptHandler) and it.name}
    return stored - {name for it in every if isinstance(it, ast.Global) for name in it.names}
