"""What the advisor saw of Keras in a cell, as its trials ask for it, and edits of a cell's source."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from greennb.advisor.signals.keras import InputSeen, KerasCall
from greennb.advisor.trial.base import Kind, RefusedError, Scene
from greennb.advisor.trial.keras.capture import Target
from greennb.advisor.trial.keras.loops import Works, opens_tape
from greennb.advisor.trial.reach import is_a

METHODS = ("fit", "evaluate")
"""Whose steps are tried; ``predict`` has no loss that could be compared."""


@dataclass(frozen=True, slots=True)
class KerasVariant:
    """A change that can be tried with Keras; see :class:`greennb.advisor.trial.base.Variant`."""

    name: ClassVar[str]
    codes: ClassVar[tuple[str, ...]]
    kind: ClassVar[Kind]
    whole_pass: ClassVar[bool] = False

    def change(self, scene: Scene) -> str:
        """The cell's source with the change in it."""
        raise NotImplementedError

    def loops(self, scene: Scene) -> bool:
        """Whether the work is a loop of the user's own, and not a method of Keras."""
        return not dearest(scene)

    def works(self, scene: Scene) -> Works:
        """What such a loop repeats."""
        return opens_tape(scene.namespace)


def dearest(scene: Scene) -> KerasCall | None:
    """The call that is tried: of the finding's model where it names one, else the longest."""
    seen = [] if scene.cell.keras is None else [it for it in scene.cell.keras.calls if it.method in METHODS]
    subject = "" if scene.finding is None else scene.finding.subject
    named = [it for it in seen if subject and subject in (it.name, it.model, it.input and it.input.name)]
    return max(named or seen, key=lambda it: it.seconds, default=None)


def target(scene: Scene) -> Target:
    """The same, as what is to be captured; ``fit`` where nothing was watched."""
    call = dearest(scene)
    return Target(method="fit") if call is None else Target(method=call.method, model=_variable(call.name))


def turns(scene: Scene) -> float | None:
    """How many gradients or batches the cell's loops had."""
    seen = scene.cell.keras
    if seen is None:
        return None
    return float((seen.tape.gradients if seen.tape else 0) or sum(it.batches for it in seen.loops)) or None


def pipeline(scene: Scene) -> tuple[InputSeen, str]:
    """The tf.data pipeline that is tried, and the user's name for it.

    Raises:
        RefusedError: there is none, or it has no name.
    """
    seen = scene.cell.keras
    subject = "" if scene.finding is None else scene.finding.subject
    call = dearest(scene)
    inputs = [call.input] if call is not None and call.input is not None else list(seen.loops if seen else ())
    inputs = [it for it in inputs if it.kind == "tf.data"]
    found = next((it for it in inputs if it.name == subject), inputs[0] if inputs else None)
    if found is None:
        raise RefusedError("No tf.data pipeline was gone through in this cell.")
    name = _variable(found.name)
    if name is None or not found.whole:
        raise RefusedError(
            "The pipeline has no name of its own: give it one (dataset = ...) and use that, then try again."
        )
    return found, name


def model_name(scene: Scene) -> str:
    """The user's name for the model whose call is tried.

    Raises:
        RefusedError: it has none, or nothing was called.
    """
    call = dearest(scene)
    if call is None:
        raise RefusedError("No model was trained with fit in this cell.")
    name = _variable(call.name)
    if name is None:
        raise RefusedError(f"The {call.model} has no name of its own: give it one (model = ...), then try again.")
    return name


def _variable(name: str | None) -> str | None:
    return name if name is not None and name.isidentifier() else None


def alias(scene: Scene, module: str) -> tuple[str, str]:
    """A name for a module in the notebook, and the line that imports it where there is none yet."""
    for name, thing in list(scene.namespace.items()):
        if is_a(thing, types.ModuleType) and thing.__name__ == module and name.isidentifier() and name[0] != "_":
            return name, ""
    short = {"tensorflow": "tf"}.get(module, module)
    return short, f"import {module} as {short}\n" if short != module else f"import {module}\n"


class Edits:
    """Edits of a source, found by its tree and made as text, so that everything else stays as the user wrote it."""

    def __init__(self, code: str) -> None:
        self.tree = ast.parse(code)
        self._lines = [it.encode() for it in code.splitlines(keepends=True)] or [b""]
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        self._edits: list[tuple[int, int, str]] = []

    def replace(self, node: Any, text: str) -> None:
        """Other text for a node."""
        self._edits.append((*self._span(node), text))

    def after(self, node: Any, text: str) -> None:
        """Text right behind a node."""
        end = self._span(node)[1]
        self._edits.append((end, end, text))

    def before(self, statement: ast.stmt, text: str) -> None:
        """Lines before a statement, in its column.

        Raises:
            RefusedError: it does not begin its line.
        """
        first = min([statement.lineno, *(it.lineno for it in getattr(statement, "decorator_list", ()))])
        line = self._lines[first - 1]
        indent = line[: len(line) - len(line.lstrip())].decode()
        if statement.lineno == first and line[: statement.col_offset].strip():
            raise RefusedError("Several statements stand in one line: put each in a line of its own, then try again.")
        at = self._starts[first - 1]
        self._edits.append((at, at, "".join(f"{indent}{it}\n" if it else "\n" for it in text.split("\n"))))

    def text(self, node: Any) -> str:
        """A node as it is written."""
        start, end = self._span(node)
        return b"".join(self._lines)[start:end].decode()

    def lines(self, first: int, last: int) -> list[str]:
        """Whole lines, from 1, without their ends."""
        return [it.decode().rstrip("\r\n") for it in self._lines[first - 1 : last]]

    def replace_lines(self, first: int, last: int, text: str) -> None:
        """Other lines for these."""
        self._edits.append((self._starts[first - 1], self._starts[last], text))

    def keyword(self, call: ast.Call, name: str, value: str) -> None:
        """Give a call an argument by keyword, another value where it has it."""
        for it in call.keywords:
            if it.arg == name:
                self.replace(it.value, value)
                return
        end = self._span(call)[1] - 1
        given = [*call.args, *call.keywords]
        tail = b"".join(self._lines)[self._span(given[-1])[1] : end] if given else b","
        comma = "" if b"," in tail.split(b"#")[0] else ", "
        at = self._span(given[-1])[1] if given and comma else end
        self._edits.append((at, at, f"{comma}{name}={value}"))

    def done(self) -> str:
        """The source with all edits in it.

        Raises:
            RefusedError: it is no Python any more, so that the cell is written in a way that is not known here.
        """
        whole = b"".join(self._lines)
        for start, end, text in sorted(self._edits, key=lambda it: (it[0], it[1]), reverse=True):
            whole = whole[:start] + text.encode() + whole[end:]
        code = whole.decode()
        try:
            ast.parse(code)
        except SyntaxError:
            raise RefusedError("The cell is written in a way in which the change can't be made for you.") from None
        return code

    def _span(self, node: Any) -> tuple[int, int]:
        return self._starts[node.lineno - 1] + node.col_offset, self._starts[node.end_lineno - 1] + node.end_col_offset


def calls(tree: ast.AST, method: str, on: str | None = None) -> Iterator[ast.Call]:
    """Calls of a method, on a variable where that is named, in the source's order."""
    found = [
        it for it in ast.walk(tree)
        if isinstance(it, ast.Call) and isinstance(it.func, ast.Attribute) and it.func.attr == method
        and (on is None or (isinstance(it.func.value, ast.Name) and it.func.value.id == on))
    ]  # fmt: skip
    yield from sorted(found, key=lambda it: (it.lineno, it.col_offset))


def statement(tree: ast.Module, has: Callable[[ast.AST], bool]) -> ast.stmt | None:
    """The first statement at the top level that has such a node in it."""
    return next((it for it in tree.body if any(has(inner) for inner in ast.walk(it))), None)


def uses(name: str) -> Callable[[ast.AST], bool]:
    """Whether a node reads that name."""
    return lambda node: isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)


def assigned(tree: ast.Module, name: str) -> list[ast.stmt]:
    """Statements at the top level that bind a name."""
    return [
        it for it in tree.body
        if isinstance(it, ast.Assign | ast.AnnAssign)
        and any(isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Store)
                for inner in ast.walk(it))
    ]  # fmt: skip


def user_of(tree: ast.Module, name: str) -> ast.stmt | None:
    """The first statement at the top level that reads a name, and does not bind it anew."""
    made = assigned(tree, name)
    return next((it for it in tree.body if it not in made and any(map(uses(name), ast.walk(it)))), None)
