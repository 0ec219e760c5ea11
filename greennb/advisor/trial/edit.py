"""Changes of a cell's source, as text: what is found by its syntax tree is replaced in place, all else stays as typed.

Nothing is written anew from the tree, so that comments, quotes and line breaks are the user's. Whatever comes out is
parsed again; what can't be done safely is refused in words.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from greennb.advisor.trial.base import RefusedError, Scene

INDENT = "    "

Node = ast.expr | ast.stmt | ast.keyword
"""Anything with a place in the text."""


class Cell:
    """A cell's source and its tree.

    Attributes:
        text: the source; ``tree`` its syntax tree.

    Raises:
        RefusedError: it does not parse.
    """

    def __init__(self, text: str) -> None:
        try:
            self.tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise RefusedError("The cell can't be read as Python, so that no change of it can be made.") from None
        self.text = text
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    # Where things are.

    def at(self, line: int, column_b: int) -> int:
        """The place in :attr:`text` of a line (from 1) and a column in bytes of UTF-8, as trees have them."""
        before = self._lines[line - 1].encode()[:column_b].decode()
        return self._starts[line - 1] + len(before)

    def span(self, node: Node) -> tuple[int, int]:
        """Where ``node`` begins and ends in :attr:`text`."""
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno or 1, node.end_col_offset or 0)

    def source(self, node: Node) -> str:
        """What the user typed for it."""
        begin, end = self.span(node)
        return self.text[begin:end]

    # What is there.

    def calls(self, *names: str) -> list[ast.Call]:
        """Calls of these, in the order of the text: ``DataLoader`` under whatever module or alias it was imported."""
        wanted = set(names)
        found = [it for it in self.every_call() if self.name_of(it) in wanted]
        return sorted(found, key=lambda it: (it.lineno, it.col_offset))

    def every_call(self) -> list[ast.Call]:
        """All calls."""
        return [it for it in ast.walk(self.tree) if isinstance(it, ast.Call)]

    def name_of(self, call: ast.Call) -> str:
        """The last part of what is called, with import aliases resolved; "" for what has no name."""
        func = call.func
        if isinstance(func, ast.Attribute):
            return func.attr
        return self._aliases.get(func.id, func.id) if isinstance(func, ast.Name) else ""

    @property
    def _aliases(self) -> dict[str, str]:
        return {
            alias.asname: alias.name.rpartition(".")[2]
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.asname
        }

    def maker(self, name: str, *classes: str) -> ast.Call | None:
        """The call that makes ``name`` (``name = DataLoader(...)``), the last one; None where it is made elsewhere.

        With ``classes``, a call of one of these, also one within the value: ``name = Adam(...)`` in a function too.
        """
        found: ast.Call | None = None
        for node in ast.walk(self.tree):
            if not (isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _binds(node, name)):
                continue
            for call in ast.walk(node.value):
                if isinstance(call, ast.Call) and (not classes or self.name_of(call) in classes):
                    found = call
                    break
        return found

    def work(self, names: Sequence[str] = ()) -> ast.stmt:
        """The top-level statement in which the work is: the first loop, or else the last that mentions ``names``.

        Raises:
            RefusedError: there is none.
        """
        after = max((n for n, it in enumerate(self.tree.body) if any(_binds(it, name) for name in names)), default=-1)
        rest = self.tree.body[after + 1 :]
        for statement in rest:
            if not isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and _loops(statement):
                return statement
        for statement in rest:
            if _mentions(statement, names) and not isinstance(statement, ast.FunctionDef | ast.ClassDef):
                return statement
        raise RefusedError("Where the work begins in this cell can't be seen: put its loop at the top level.")

    def statement_of(self, node: ast.AST, within: Sequence[ast.stmt] | None = None) -> ast.stmt:
        """The innermost statement that holds ``node``.

        Raises:
            RefusedError: it is in none.
        """
        best: ast.stmt | None = None
        for statement in ast.walk(ast.Module(body=list(within or self.tree.body), type_ignores=[])):
            if isinstance(statement, ast.stmt) and any(it is node for it in ast.walk(statement)):
                best = statement  # walked from the outside to the inside
        if best is None:
            raise RefusedError("The place of the change can't be found in the cell.")
        return best

    # What comes out.

    def replaced(self, *changes: tuple[Node, str]) -> str:
        """The text with each node's text replaced; no two may overlap."""
        text = self.text
        for node, new in sorted(changes, key=lambda it: self.span(it[0])[0], reverse=True):
            begin, end = self.span(node)
            text = text[:begin] + new + text[end:]
        return checked(text)

    def with_keyword(self, call: ast.Call, **values: str) -> str:
        """The text with keywords of ``call`` set to these (source of their values)."""
        text = self.text
        end = self.span(call)[1]
        new = {name: value for name, value in values.items() if all(it.arg != name for it in call.keywords)}
        if new:
            at = end - 1  # the closing parenthesis
            inner = text[:at].rstrip()
            comma = "" if inner.endswith((",", "(")) else ", "
            if inner.endswith(","):
                comma = "" if text[len(inner) : at] else " "
            told = ", ".join(f"{name}={value}" for name, value in new.items())
            if text[len(inner) : at].count("\n"):  # each argument on a line of its own
                first = (call.args or [it.value for it in call.keywords])[0]
                indent = " " * (len(self._lines[first.lineno - 1]) - len(self._lines[first.lineno - 1].lstrip()))
                told = f"{'' if inner.endswith((',', '(')) else ','}\n{indent}{told},"
                text = inner + told + text[len(inner) :]
            else:
                text = text[:at] + comma + told + text[at:]
        for keyword in sorted(call.keywords, key=lambda it: -self.span(it.value)[0]):
            if keyword.arg in values:
                first_at, last_at = self.span(keyword.value)
                text = text[:first_at] + values[keyword.arg] + text[last_at:]
        return checked(text)

    def without_keyword(self, call: ast.Call, *names: str) -> str:
        """The text without these keywords of ``call``."""
        kept = [self.source(it) for it in call.args]
        kept += [self.source(it) for it in call.keywords if it.arg not in names]
        return self.replaced((call, f"{self.source(call.func)}({', '.join(kept)})"))

    def before(self, statement: ast.stmt, lines: Sequence[str]) -> str:
        """The text with ``lines`` put before ``statement``, as far in as it is."""
        first = _first_line(statement)
        text = self._lines[first - 1]
        indent = text[: len(text) - len(text.lstrip())]
        if not text[: self._column(statement)].strip() == "":
            raise RefusedError("Several statements stand on one line where the change would go: give each a line.")
        new = [indent + line for line in lines]
        return checked("\n".join([*self._lines[: first - 1], *new, *self._lines[first - 1 :]]))

    def _column(self, statement: ast.stmt) -> int:
        first = _first_line(statement)
        if first != statement.lineno:
            return 0  # a decorator has its own line
        return len(self._lines[first - 1].encode()[: statement.col_offset].decode())

    def at_top(self, lines: Sequence[str]) -> str:
        """The text with ``lines`` put before its first statement that is no import and no docstring."""
        for number, statement in enumerate(self.tree.body):
            docstring = number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if not isinstance(statement, ast.Import | ast.ImportFrom) and not docstring:
                return self.before(statement, lines)
        return checked("\n".join([self.text.rstrip("\n"), *lines]))

    def wrapped(self, first: ast.stmt, last: ast.stmt, header: str) -> str:
        """The text with the lines from ``first`` to ``last`` put under ``header``, such as ``with x:``."""
        begin, end = _first_line(first), last.end_lineno or last.lineno
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Constant | ast.JoinedStr) or not begin <= node.lineno <= end:
                continue
            if node.lineno != node.end_lineno and isinstance(getattr(node, "value", ""), str | bytes):
                raise RefusedError("A text over several lines stands where lines would be moved in: take it out.")
        line = self._lines[begin - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if self._lines[begin - 1][: self._column(first)].strip() or self._shares_line(last):
            raise RefusedError("Several statements stand on one line where the change would go: give each a line.")
        step = "\t" if "\t" in indent else INDENT
        moved = [step + it if it.strip() else it for it in self._lines[begin - 1 : end]]
        return checked("\n".join([*self._lines[: begin - 1], indent + header, *moved, *self._lines[end:]]))

    def _shares_line(self, last: ast.stmt) -> bool:
        end = last.end_lineno or last.lineno
        return any(
            isinstance(it, ast.stmt) and it is not last and it.lineno == end and it.col_offset > last.col_offset
            and not any(it is inner for inner in ast.walk(last))
            for it in ast.walk(self.tree)
        )  # fmt: skip


def checked(text: str) -> str:
    """``text`` if it is Python.

    Raises:
        RefusedError: it is none.
    """
    try:
        compile(text, "<change>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError):
        raise RefusedError("The change does not fit into the cell as it is written: make it by hand.") from None
    return text


def with_import(scene: Scene, code: str, *lines: str) -> str:
    """``code`` with these imports first, where neither the notebook nor the cell has the names that they bind."""
    known = set(scene.namespace) | {name for statement in Cell(code).tree.body for name in _imported(statement)}
    needed = [line for line in lines if not set(_imported(ast.parse(line).body[0])) <= known]
    if not needed:
        return code
    cell = Cell(code)
    body = cell.tree.body
    skip = int(bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant))
    while skip < len(body) and isinstance(node := body[skip], ast.ImportFrom) and node.module == "__future__":
        skip += 1
    return cell.before(body[skip], needed) if skip < len(body) else checked("\n".join([code, *needed]))


def apply_to_source(scene: Scene, changed: str) -> str:
    """The cell's whole new source: ``changed``, with the lines of IPython's own back where they were.

    Raises:
        RefusedError: the change touches one of these.
    """
    source, code, new = (text.split("\n") for text in (scene.cell.source, scene.code, changed))
    if len(source) != len(code):
        raise RefusedError("The cell's lines can't be told from IPython's own: take its magics out.")
    result: list[str] = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, code, new, autojunk=False).get_opcodes():
        if tag == "equal":
            result += source[i1:i2]
            continue
        own = [line for line, plain in zip(source[i1:i2], code[i1:i2], strict=True) if line != plain]
        blank = [line for line in own if line.lstrip()[:1] in "%!"]
        if len(own) != len(blank) or any(not plain.strip() == "" for plain in _changed(source, code, i1, i2)):
            raise RefusedError("The change would go into a line with a magic: take the magic out of the cell first.")
        result += own  # a marker above what is put first stays first
        result += new[j1:j2]
    if source and source[0] != code[0] and result and result[0] != source[0]:
        result.remove(source[0])
        result.insert(0, source[0])
    return "\n".join(result)


def _changed(source: Sequence[str], code: Sequence[str], begin: int, end: int) -> Iterator[str]:
    return (plain for line, plain in zip(source[begin:end], code[begin:end], strict=True) if line != plain)


def diff(before: str, after: str) -> str:
    """What changes, line by line, as a unified diff without its head."""
    lines = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=2))
    return "\n".join(line for line in lines[2:] if not line.startswith("@@"))


def _binds(node: ast.AST, name: str) -> bool:
    """Whether this statement assigns to ``name`` directly."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return any(isinstance(it, ast.Name) and it.id == name for target in targets for it in ast.walk(target))


def _loops(statement: ast.stmt) -> bool:
    return any(isinstance(it, ast.For | ast.While) for it in ast.walk(statement))


def _mentions(statement: ast.stmt, names: Sequence[str]) -> bool:
    return any(isinstance(it, ast.Name) and it.id in names for it in ast.walk(statement))


def _imported(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0]


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(it.lineno for it in decorators)])


def is_name(node: ast.AST | None, name: str) -> TypeGuard[ast.Name]:
    """Whether it is that name."""
    return isinstance(node, ast.Name) and node.id == name
