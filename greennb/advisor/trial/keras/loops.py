"""Turns of a loop of the user's own (a gradient tape, predict in a loop), counted by a call at the loop's end.

The call is put into the source that is replayed, of both ways alike, and not into what is applied. Steps can't be
counted from outside: in a ``tf.function`` the optimizer is called once, when it is traced.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from greennb.advisor.trial.base import RefusedError
from greennb.advisor.trial.replay import Find

TURN = "__greennb_turn__"
"""The name that is called; it is bound in the notebook only while a way runs."""

SEEN = 20
"""Items of a comprehension that are kept to be compared."""

_LOOPS = (ast.For, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)

Works = Callable[[ast.AST], bool]
"""Whether a node is the work that a loop repeats."""


class Turns:
    """Counts turns; a :class:`greennb.advisor.trial.replay.Counter`.

    Attributes:
        seen: what comprehensions have computed, the first :data:`SEEN` items.
    """

    unit = "step"

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.items = 0.0
        self.seen: list[Any] = []
        self._namespace = namespace

    @contextmanager
    def on(self, passed: Callable[[], None], busy: Callable[[], None]) -> Iterator[None]:
        """Bind the call."""

        def turn(value: Any = None) -> Any:
            self.items += 1
            if value is not None and len(self.seen) < SEEN:
                self.seen.append(value)
            passed()
            return value

        self._namespace[TURN] = turn
        try:
            yield
        finally:
            self._namespace.pop(TURN, None)

    def look(self, find: Find) -> None:
        """Nothing is looked for: the source calls."""

    def mark(self, own: Mapping[str, Any]) -> None:
        """Nothing is used up that the statement does not make itself."""

    def rewind(self) -> None:
        """Likewise."""


def counted(code: str, works: Works) -> str:
    """The source with a call at the end of each turn of the innermost loops that do the work.

    Raises:
        RefusedError: no loop in this source does it.
    """
    tree = ast.parse(code)
    steps = [it for it in ast.walk(tree) if isinstance(it, ast.FunctionDef) and _contains(it, works)]
    loops = [it for it in ast.walk(tree) if _is_loop(it) and _directly(it, works)]
    functions = {it.name for it in steps if not any(inner in loops for inner in ast.walk(it))}

    def does(node: ast.AST) -> bool:
        return works(node) or (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions
        )

    traced = {id(inner) for it in ast.walk(tree) if _is_traced(it) for inner in ast.walk(it)}
    places = [
        it for it in ast.walk(tree)
        if _is_loop(it) and id(it) not in traced and _directly(it, does)
    ]  # fmt: skip
    if not places:
        raise RefusedError(
            "The loop that does the work is not in this cell but in a function of another one: try it where the loop "
            "stands in the cell itself."
        )
    return ast.unparse(ast.fix_missing_locations(_Counting(places).visit(tree)))


def _is_loop(node: ast.AST) -> bool:
    return isinstance(node, _LOOPS + _COMPREHENSIONS)


def _contains(node: ast.AST, works: Works) -> bool:
    return any(works(it) for it in ast.walk(node))


def _directly(loop: ast.AST, does: Works) -> bool:
    """Whether the loop does the work itself, and no loop within it."""
    parts: list[ast.AST] = []
    if isinstance(loop, ast.For | ast.While):
        parts = list(loop.body)
    elif isinstance(loop, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        parts = [loop.elt]
    while parts:
        node = parts.pop()
        if _is_loop(node):
            if _contains(node, does):
                return False
            continue
        if does(node):
            return True
        parts.extend(ast.iter_child_nodes(node))
    return False


def _is_traced(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any("tf.function" in ast.unparse(it) for it in node.decorator_list)


class _Counting(ast.NodeTransformer):
    """Puts the call in. A turn that ends by ``continue`` calls before it."""

    def __init__(self, places: list[Any]) -> None:
        self._places = {id(it) for it in places}
        self._within = [False]

    def _loop(self, node: Any) -> Any:
        here = id(node) in self._places
        self._within.append(here)
        self.generic_visit(node)
        self._within.pop()
        if here:
            node.body.append(ast.Expr(_call()))
        return node

    visit_For = visit_While = _loop  # noqa: N815  # ast's names

    def _made(self, node: Any) -> Any:
        self.generic_visit(node)
        if id(node) in self._places:
            node.elt = _call(node.elt)
        return node

    visit_ListComp = visit_SetComp = visit_GeneratorExp = _made  # noqa: N815

    def visit_Continue(self, node: ast.Continue) -> Any:  # ast's name
        return [ast.Expr(_call()), node] if self._within[-1] else node


def _call(*arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(TURN, ast.Load()), list(arguments), [])


def opens_tape(namespace: Mapping[str, Any]) -> Works:
    """Whether a node opens a gradient tape, or calls a function of another cell that does."""

    def works(node: ast.AST) -> bool:
        if not isinstance(node, ast.Call):
            return False
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return name == "GradientTape" or (isinstance(node.func, ast.Name) and has_tape(namespace.get(name)))

    return works


def has_tape(function: Any) -> bool:
    """Whether a function, traced or not, opens a gradient tape in its own code."""
    function = getattr(function, "_python_function", function)
    return isinstance(function, types.FunctionType) and "GradientTape" in function.__code__.co_names


def calls_method(name: str, on: str | None = None) -> Works:
    """Whether a node calls a method of that name, on a variable where that is named."""

    def works(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == name
            and (on is None or (isinstance(node.func.value, ast.Name) and node.func.value.id == on))
        )

    return works
