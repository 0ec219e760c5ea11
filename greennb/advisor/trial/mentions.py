"""Which names a cell's source reads from the notebook, and which it binds itself before it reads them."""

from __future__ import annotations

import ast
import dis
import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType

from greennb.advisor.trial.base import RefusedError

EVERYTHING = frozenset(("eval", "exec", "globals", "locals", "vars", "get_ipython"))
"""Whoever calls one of these may reach every name of the notebook."""

_Def = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names in a cell's source.

    Attributes:
        read: those that it reads, or may read, as the notebook has them.
        fresh: those that it surely binds before it reads them, if its loops run at least once and what it tries works.
        attributes: what it looks up in objects and modules, and what it imports from these.
    """

    read: frozenset[str]
    fresh: frozenset[str]
    attributes: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether any name of the notebook may be reached."""
        return not EVERYTHING.isdisjoint(self.read)


def parsed(code: str) -> ast.Module:
    """The tree of a cell's source, which may await at its top level.

    Raises:
        RefusedError: it is no Python.
    """
    try:
        tree = compile(code, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise RefusedError("The cell is not Python, so that it can't be run another way.") from error
    assert isinstance(tree, ast.Module)
    return tree


def mentions(code: str) -> Mentions:
    """What a cell reads and binds.

    Raises:
        RefusedError: it is no Python.
    """
    reader = _Reader()
    tree = parsed(code)
    reader.visit(tree)
    reader.never_called()
    attributes = {it.attr for it in ast.walk(tree) if isinstance(it, ast.Attribute)}
    attributes |= {it.name for it in ast.walk(tree) if isinstance(it, ast.alias)}
    return Mentions(frozenset(reader.read), frozenset(reader.fresh - reader.read), frozenset(attributes))


@functools.lru_cache(maxsize=2000)
def global_names(code: CodeType) -> frozenset[str]:
    """Names that a function's code, and what is defined in it, looks up in or binds in its globals."""
    names = {
        str(step.argval)
        for step in dis.get_instructions(code)
        if "GLOBAL" in step.opname or step.opname in ("LOAD_NAME", "STORE_NAME")
    }
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            names |= global_names(inner)
    return frozenset(names)


class _Reader(ast.NodeVisitor):
    """Reads statements in the order in which they run; a function's body counts where its name is first used."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        self.fresh: set[str] = set()
        self._locals: list[set[str]] = []
        self._pending: dict[str, list[Callable[[], None]]] = {}

    def never_called(self) -> None:
        """Look also into functions that the source itself does not use."""
        while self._pending:
            for body in self._pending.pop(next(iter(self._pending))):
                body()

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _reads(self, name: str) -> None:
        if any(name in scope for scope in self._locals):
            return
        for body in self._pending.pop(name, ()):
            body()
        if name not in self.fresh:
            self.read.add(name)

    def _binds(self, name: str) -> None:
        if self._locals:
            return  # a name of a function's own, or a global that it may bind or not
        self.fresh.add(name)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self._binds(node.id)
        else:
            self._reads(node.id)

    def visit_Global(self, node: ast.Global) -> None:
        for name in node.names:
            if name not in self.fresh:
                self.read.add(name)

    def visit_Assign(self, node: ast.Assign) -> None:
        self._visit_all((node.value, *node.targets))

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._visit_all((node.annotation, node.value, node.target if node.value is not None else None))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._visit_all((node.value, node.target))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._reads(node.target.id)
        self._visit_all((node.value, node.target))

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self._visit_all((node.iter, node.target, *node.body, *node.orelse))

    visit_AsyncFor = visit_For  # noqa: N815  # ast has the names

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._either((node.body, node.orelse))

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        cases = [[case.pattern, case.guard, *case.body] for case in node.cases]
        self._either([it for it in case if it is not None] for case in (*cases, []))

    def _either(self, branches: Iterable[Iterable[ast.AST]]) -> None:
        """Bound is only what every branch binds."""
        before = set(self.fresh)
        bound: set[str] | None = None
        for branch in branches:
            self.fresh = set(before)
            self._visit_all(branch)
            bound = set(self.fresh) if bound is None else bound & self.fresh
        self.fresh = before if bound is None else bound

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        before = set(self.fresh)
        self._visit_all((*node.body, *node.orelse))
        after = set(self.fresh)
        for handler in node.handlers:
            self.fresh = set(before)
            self._visit_all((handler.type, *handler.body))
        self.fresh = after
        self._visit_all(node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815  # ast has the names

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._binds(alias.asname or alias.name.partition(".")[0])

    visit_ImportFrom = visit_Import  # noqa: N815  # ast has the names

    def visit_FunctionDef(self, node: _Def) -> None:
        self._signature(node)
        self._later(node.name, functools.partial(self._body, node.args, list[ast.AST](node.body)))
        self._binds(node.name)
        if node.decorator_list:
            self._reads(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # ast has the names

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_all((*node.args.defaults, *node.args.kw_defaults))
        self._body(node.args, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._visit_all((*node.decorator_list, *node.bases, *node.keywords))
        methods = [it for it in node.body if isinstance(it, _Def)]
        with self._scope(_bound_in(node.body)):
            self._visit_all(it for it in node.body if not isinstance(it, _Def))
        for method in methods:
            self._signature(method)
            self._later(node.name, functools.partial(self._body, method.args, list[ast.AST](method.body)))
        self._binds(node.name)
        if node.decorator_list:
            self._reads(node.name)

    def _signature(self, node: _Def) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        self._visit_all((*node.decorator_list, *node.args.defaults, *node.args.kw_defaults, node.returns))
        self._visit_all(it.annotation for it in arguments)

    def _later(self, name: str, body: Callable[[], None]) -> None:
        if self._locals:
            body()
        else:
            self._pending.setdefault(name, []).append(body)

    def _body(self, arguments: ast.arguments, body: list[ast.AST]) -> None:
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        with self._scope({it.arg for it in given if it is not None} | _bound_in(body)):
            self._visit_all(body)

    @contextmanager
    def _scope(self, names: set[str]) -> Iterator[None]:
        self._locals.append(names)
        try:
            yield
        finally:
            self._locals.pop()

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)
        with self._scope(_bound_in([it.target for it in node.generators])):
            for generator in node.generators:
                self._visit_all((generator.iter, *generator.ifs))
            self._visit_all((node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815  # ast has the names


def _bound_in(body: Iterable[ast.AST]) -> set[str]:
    """Names that a body binds for itself: what it declares global is not among them."""
    bound: set[str] = set()
    declared: set[str] = set()
    todo = list(body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.Global):
            declared.update(node.names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
        if isinstance(node, _Def | ast.ClassDef):
            bound.add(node.name)
        elif not isinstance(node, ast.Lambda):
            todo.extend(ast.iter_child_nodes(node))
    return bound - declared
