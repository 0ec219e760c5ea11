"""Walks a cell's tree: loops, conditions, and the definitions that it uses, each place shown to the recognisers."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from greennb.advisor.names import Names
from greennb.advisor.signals.source import SourceFact

DEEPEST = 4
"""Definitions within definitions: a cell calls a function that makes a model of blocks of layers."""

MOST_NODES = 60_000
MOST_FACTS = 200

Loop = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef | ast.Lambda
Known = tuple[Definition, tuple[str, ...], int]
"""A definition, the lines of the cell that it is written in, and how many runs ago that was."""

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Parsed(NamedTuple):
    """A cell: its tree, the lines that it was made from, and what it defines by name, the last of a name."""

    tree: ast.Module
    lines: tuple[str, ...]
    definitions: dict[str, Definition]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a node stands.

    Attributes:
        loops: those around it, outermost first. ``guarded``: whether an ``if`` in the innermost one is around it.
        statement: the statement that it is part of; ``target`` the name that this binds, "" for none.
        traced: whether it is within a ``tf.function``.
        deep: how many definitions were gone into. ``line``: of the use in the cell, for what stands in another one.
        lines, back: the text of the cell that it is written in, and how many runs ago that was.
    """

    loops: tuple[Loop, ...] = ()
    guarded: bool = False
    statement: ast.stmt | None = None
    target: str = ""
    traced: bool = False
    deep: int = 0
    line: int | None = None
    lines: tuple[str, ...] = ()
    back: int = 0


Recogniser = Callable[[Any, Place, "Walk"], Iterator[tuple[str, str]]]
"""Gives the kinds that a node is of, each with the name that it is about."""


class Walk:
    """One cell's walk.

    Args:
        earlier: the cells before it, the latest first; None for one that is no Python or defines nothing.
        recognisers: by the type of the nodes that they are shown.
    """

    def __init__(
        self, names: Names, earlier: Sequence[Parsed | None], recognisers: Mapping[type[ast.AST], Sequence[Recogniser]]
    ) -> None:
        self._names = names
        self._earlier = earlier
        self._recognisers = recognisers
        self._objects: dict[str, Any] | None = None
        self._known: dict[str, Known] = {}
        self._seen: set[tuple[int, int, bool]] = set()
        self._nodes = 0
        self._answers: dict[tuple[str, int], Any] = {}
        self._facts: dict[tuple[str, int, str], SourceFact] = {}

    @property
    def facts(self) -> list[SourceFact]:
        """What was recognised."""
        return list(self._facts.values())

    def cell(self, cell: Parsed) -> None:
        """Walk a cell."""
        for back, older in enumerate([cell, *self._earlier]):
            if older is not None:
                for name, definition in older.definitions.items():
                    self._known.setdefault(name, (definition, older.lines, back))
        place = Place(lines=cell.lines)
        self._recognise(cell.tree, place)
        self._block(cell.tree.body, place)

    def type_of(self, name: str) -> type | None:
        """The type of the object that the notebook calls ``name``."""
        return None if self.object(name) is None else type(self.object(name))

    def object(self, name: str) -> Any:
        """That object itself, to be looked at with care."""
        if self._objects is None:
            self._objects = dict(self._names.items())
        return self._objects.get(name)

    def once(self, question: Callable[..., Any], node: ast.AST, *more: Any) -> Any:
        """What ``question`` answers on ``node``, asked once in this walk."""
        key = (question.__name__, id(node))
        if key not in self._answers:
            self._answers[key] = question(node, *more)
        return self._answers[key]

    def _block(self, body: Sequence[ast.stmt], place: Place) -> None:
        for statement in body:
            self._visit(statement, replace(place, statement=statement, target=_target(statement)))
            if place.loops and isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Continue):
                place = replace(place, guarded=True)  # what follows is under the condition's contrary

    def _visit(self, node: ast.AST, place: Place) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            return
        if place.deep or not isinstance(node, _FUNCTIONS):  # what is only defined does nothing
            self._recognise(node, place)
        if isinstance(node, _LOOPS):
            self._loop(node, place)
        elif isinstance(node, _COMPREHENSIONS):
            self._comprehension(node, place)
        elif isinstance(node, ast.If):
            self._visit(node.test, place)
            inside = replace(place, guarded=place.guarded or bool(place.loops))
            self._block(node.body, inside)
            self._block(node.orelse, inside)
        elif isinstance(node, _FUNCTIONS):
            for decorator in node.decorator_list:
                self._visit(decorator, place)
            if place.deep:  # a function within a function: as if it were used where it is written
                self._block(node.body, place)
        elif isinstance(node, ast.ClassDef):
            return
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            self._use(node, place)
        else:
            self._children(node, place)

    def _children(self, node: ast.AST, place: Place) -> None:
        if isinstance(node, ast.Call) and is_tf_function(node.func):
            place = replace(place, traced=True)
        for _field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self._block(value, place)
            elif isinstance(value, list):
                for each in value:
                    if isinstance(each, ast.AST):
                        self._visit(each, place)
            elif isinstance(value, ast.AST):
                self._visit(value, place)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, place: Place) -> None:
        inside = replace(place, loops=(*place.loops, node), guarded=False)
        if isinstance(node, ast.While):
            self._visit(node.test, inside)
        else:
            self._visit(node.iter, place)
        self._block(node.body, inside)
        self._block(node.orelse, place)

    def _comprehension(self, node: Any, place: Place) -> None:
        inside = replace(place, loops=(*place.loops, node), guarded=False)
        self._visit(node.generators[0].iter, place)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        rest = [part for each in node.generators for part in each.ifs]
        for part in [*rest, *(each.iter for each in node.generators[1:]), *parts]:
            self._visit(part, inside)

    def _use(self, node: ast.Name, place: Place) -> None:
        """A name that stands for a function or class of the notebook's, or for an object of such a class."""
        found = self._known.get(node.id) or self._class_of(node.id)
        if found is None or place.deep >= DEEPEST:
            return
        key = (id(found[0]), place.deep, bool(place.loops))
        if key not in self._seen:
            self._seen.add(key)
            self._enter(found[0], _inside(found, node, place))

    def definition(self, name: str, node: ast.Name, place: Place) -> tuple[Definition, Place] | None:
        """What the notebook defines as ``name``, and the place that it is for ``node``, which uses it in ``place``."""
        found = self._known.get(name)
        return None if found is None else (found[0], _inside(found, node, place))

    def _enter(self, definition: Definition, place: Place) -> None:
        if isinstance(definition, ast.Lambda):
            self._visit(definition.body, place)
        elif isinstance(definition, ast.ClassDef):
            self._recognise(definition, place)
            for method in definition.body:
                if isinstance(method, _FUNCTIONS):
                    self._enter(method, place)
        else:
            traced = place.traced or any(map(is_tf_function, definition.decorator_list))
            inside = replace(place, traced=traced)
            self._recognise(definition, inside)
            self._block(definition.body, inside)

    def _class_of(self, name: str) -> Known | None:
        kind = self.type_of(name)
        if kind is None or type.__dict__["__module__"].__get__(kind) != "__main__":
            return None
        found = self._known.get(type.__dict__["__name__"].__get__(kind))
        return found if found is not None and isinstance(found[0], ast.ClassDef) else None

    def _recognise(self, node: ast.AST, place: Place) -> None:
        for recogniser in self._recognisers.get(type(node), ()):
            for kind, name in recogniser(node, place, self):
                self.add(kind, name, node, place)

    def add(self, kind: str, name: str, node: Any, place: Place) -> None:
        """Note a fact."""
        if len(self._facts) >= MOST_FACTS:
            return
        own_line = getattr(node, "lineno", 1)
        statement = node if isinstance(node, ast.stmt) else place.statement
        fact = SourceFact(
            kind=kind,
            line=own_line if place.line is None else place.line,
            text=_text(node, place.lines),
            name=name,
            in_loop=bool(place.loops),
            loop_depth=len(place.loops),
            guarded=place.guarded,
            back=place.back,
            first=own_line if statement is None else statement.lineno,
            last=(own_line if statement is None else statement.end_lineno) or own_line,
        )
        key = (kind, fact.line, fact.text)
        known = self._facts.get(key)
        if known is None or known.loop_depth < fact.loop_depth:
            self._facts[key] = fact


def _inside(found: Known, node: ast.Name, place: Place) -> Place:
    definition, lines, back = found
    return replace(
        place, deep=place.deep + 1, lines=lines, back=back,
        line=node.lineno if place.line is None and back else place.line,
        traced=place.traced or any(map(is_tf_function, getattr(definition, "decorator_list", ()))),
    )  # fmt: skip


def is_tf_function(node: ast.AST) -> bool:
    """Whether it is ``tf.function``, or a call of it (``@tf.function(jit_compile=True)``)."""
    if isinstance(node, ast.Call):
        node = node.func
    return isinstance(node, ast.Attribute) and node.attr == "function" and root(node) in ("tf", "tensorflow")


def root(node: ast.AST) -> str:
    """The name at the beginning of a chain: "loss" of ``loss.detach().cpu()[0]``; "" where it begins otherwise."""
    while True:
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Await):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return node.id if isinstance(node, ast.Name) else ""


def attribute(node: ast.AST) -> str:
    """The last name of what is called: "cpu" of ``loss.cpu()``, "print" of ``print(x)``; "" for no call."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def definitions(tree: ast.Module) -> Iterator[tuple[str, Definition]]:
    """Functions and classes by name, also those under an ``if`` or ``with`` of the cell; the last of a name counts."""
    waiting: list[ast.stmt] = list(reversed(tree.body))
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            yield statement.name, statement
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Lambda):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    yield target.id, statement.value
        elif isinstance(statement, ast.If | ast.With | ast.Try):
            waiting += reversed(statement.body)


def _target(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return root(statement.targets[0])
    return root(statement.target) if isinstance(statement, ast.AnnAssign | ast.AugAssign) else ""


def _text(node: Any, lines: Sequence[str]) -> str:
    """The first line of a node's text."""
    lineno = getattr(node, "lineno", 0)
    if not 0 < lineno <= len(lines):
        return ""
    whole = lines[lineno - 1].encode("utf-8", "surrogatepass")
    ends_here = node.end_lineno == lineno
    part = whole[node.col_offset : node.end_col_offset if ends_here else None]
    return part.decode("utf-8", "replace").strip()[:120]
