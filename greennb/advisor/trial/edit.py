"""Changes of a cell's source, as text: what is found by its syntax tree is replaced in place, all else stays as typed.

Nothing is written anew from the tree, so that comments, quotes and line breaks are the user's. Whatever comes out is
parsed again; what can't be done safely is refused in words.
"""

from __future__ import annotations

import ast
import difflib
import functools
from collections.abc import Iterator, Mapping, Sequence

from greennb.advisor.trial.base import RefusedError, Scene
from greennb.advisor.trial.tokens import Token, tokens
from greennb.advisor.trial.tree import (
    DEFINITIONS,
    binds,
    changes,
    first_line,
    imported,
    loops,
    mentions,
    place,
    reads,
)

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
        if "\r" in text.replace("\r\n", "\n"):
            raise RefusedError("The cell has carriage returns, so that its lines can't be told: take them out.")
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

    @functools.cached_property
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
            if not (isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and binds(node, name)):
                continue
            for call in ast.walk(node.value):
                if isinstance(call, ast.Call) and (not classes or self.name_of(call) in classes):
                    found = call
                    break
        return found

    def work(self, names: Sequence[str] = ()) -> ast.stmt:
        """The top-level statement in which the work is: the first loop, or else the first that mentions ``names``.

        Looked for after the last statement that assigns to one of ``names``, or to a part of it; where nothing follows
        that, after each has been assigned to once; or from the first on, where they were there before the cell.

        Raises:
            RefusedError: there is none.
        """
        body = self.tree.body
        made = {name: [n for n, it in enumerate(body) if changes(it, name)] for name in names}
        bound = [it for it in made.values() if it]
        last, first = max((it[-1] for it in bound), default=-1), max((it[0] for it in bound), default=-1)
        there = all(reads(body[: it[0] + 1], name) for name, it in made.items() if it)
        for after in (last, first, -1) if there else (last, first):
            rest = [it for it in body[after + 1 :] if not isinstance(it, DEFINITIONS)]
            for statement in rest:
                if loops(statement):
                    return statement
            for statement in rest:
                if mentions(statement, names):
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

    def replaced(self, *pairs: tuple[Node, str]) -> str:
        """The text with each node's text replaced; no two may overlap."""
        text = self.text
        for node, new in sorted(pairs, key=lambda it: self.span(it[0])[0], reverse=True):
            begin, end = self.span(node)
            text = text[:begin] + new + text[end:]
        return checked(text)

    def with_keyword(self, call: ast.Call, **values: str) -> str:
        """The text with keywords of ``call`` set to these (source of their values)."""
        text = self.text
        new = {name: value for name, value in values.items() if all(it.arg != name for it in call.keywords)}
        if new:
            text = self._with_new(call, ", ".join(f"{name}={value}" for name, value in new.items()))
        for keyword in sorted(call.keywords, key=lambda it: -self.span(it.value)[0]):
            if keyword.arg in values:
                first_at, last_at = self.span(keyword.value)
                text = text[:first_at] + values[keyword.arg] + text[last_at:]
        return checked(text)

    def _with_new(self, call: ast.Call, told: str) -> str:
        """The text with an argument more; on a line of its own where the closing parenthesis has one."""
        text, close = self.text, self.span(call)[1] - 1
        last = [it for it in self._tokens if it.end <= close][-1]
        if not call.args and not call.keywords:
            return text[: last.end] + told + text[last.end :]
        comma = last.text == ","
        if "\n" not in text[last.end : close]:
            return text[: last.end] + (" " + told + text[close:] if comma else ", " + told + text[last.end :])
        begin = text.rfind("\n", 0, last.begin) + 1
        line = text[begin : last.end]
        indent = line[: len(line) - len(line.lstrip())]
        if begin <= self.span(call.func)[1]:  # the arguments begin on the call's own line
            indent += INDENT
        end = text.index("\n", last.end)  # behind a comment
        return f"{text[: last.end]}{'' if comma else ','}{text[last.end : end]}\n{indent}{told},{text[end:]}"

    def with_argument(self, call: ast.Call, places: Mapping[str, int], **values: str) -> str:
        """As :meth:`with_keyword`, where some may be given by their place: ``places`` has a name's, from 0."""
        plain = next((n for n, it in enumerate(call.args) if isinstance(it, ast.Starred)), len(call.args))
        placed = {name: call.args[places[name]] for name in values if places.get(name, plain) < plain}
        cell = Cell(self.replaced(*((node, values[name]) for name, node in placed.items())))
        rest = {name: value for name, value in values.items() if name not in placed}
        return cell.with_keyword(cell._same(call), **rest) if rest else cell.text

    def without_keyword(self, call: ast.Call, *names: str) -> str:
        """The text without these keywords of ``call``; a comment behind one that has a line of its own goes with it."""
        cell, here = self, call
        for name in names:
            found = next((it for it in here.keywords if it.arg == name), None)
            if found is not None:
                cell = Cell(checked(cell._without(found)))
                here = cell._same(call)
        return cell.text

    def _without(self, keyword: ast.keyword) -> str:
        text, begin = self.text, self.span(keyword)[0]
        at = next(n for n, it in enumerate(self._tokens) if it.begin == begin)
        depth, stop = 0, at
        while depth or self._tokens[stop].text not in (",", ")"):
            depth += (self._tokens[stop].text in ("(", "[", "{")) - (self._tokens[stop].text in (")", "]", "}"))
            stop += 1
        follows = self._tokens[stop].text == ","
        end = self._tokens[stop].end if follows else self._tokens[stop - 1].end
        line, after = text.rfind("\n", 0, begin) + 1, text.find("\n", end)
        alone = not text[line:begin].strip()
        ends = after >= 0 and text[end:after].strip()[:1] in ("", "#")
        if alone and ends:
            return text[:line] + text[after + 1 :]
        if follows:
            return text[:begin].rstrip(" \t") + text[end:] if ends else text[:begin] + text[end:].lstrip(" \t")
        earlier = self._tokens[at - 1]
        kept = earlier.begin if earlier.text == "," and "#" not in text[earlier.end : begin] else begin
        return text[:kept] + text[end:]

    @functools.cached_property
    def _tokens(self) -> list[Token]:
        """All but comments and line breaks."""
        return tokens(self.text, self._starts)

    def _same(self, call: ast.Call) -> ast.Call:
        """The call that stands here where ``call`` stood before a change of its arguments."""
        return next(it for it in self.every_call() if place(it) == place(call))

    def before(self, statement: ast.stmt, lines: Sequence[str]) -> str:
        """The text with ``lines`` put before ``statement``, as far in as it is."""
        first = first_line(statement)
        text = self._lines[first - 1]
        indent = text[: len(text) - len(text.lstrip())]
        if not text[: self._column(statement)].strip() == "":
            raise RefusedError("Several statements stand on one line where the change would go: give each a line.")
        new = [indent + line for line in lines]
        return checked("\n".join([*self._lines[: first - 1], *new, *self._lines[first - 1 :]]))

    def _column(self, statement: ast.stmt) -> int:
        first = first_line(statement)
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
        begin, end = first_line(first), last.end_lineno or last.lineno
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Constant | ast.JoinedStr) or not begin <= node.lineno <= end:
                continue
            if node.lineno != node.end_lineno and isinstance(getattr(node, "value", ""), str | bytes):
                raise RefusedError("A text over several lines stands where lines would be moved in: take it out.")
        line = self._lines[begin - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if self._lines[begin - 1][: self._column(first)].strip() or self._shares_line(last):
            raise RefusedError("Several statements stand on one line where the change would go: give each a line.")
        step = "\t" if any(it.startswith("\t") for it in self._lines[begin - 1 : end]) else INDENT
        moved = [step + it if it.strip() else it for it in self._lines[begin - 1 : end]]
        return checked("\n".join([*self._lines[: begin - 1], indent + header, *moved, *self._lines[end:]]))

    def _shares_line(self, last: ast.stmt) -> bool:
        end = last.end_lineno or last.lineno
        return any(
            isinstance(it, ast.stmt) and it.lineno == end and it.col_offset >= (last.end_col_offset or 0)
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
    known = set(scene.namespace) | {name for statement in Cell(code).tree.body for name in imported(statement)}
    needed = [line for line in lines if not set(imported(ast.parse(line).body[0])) <= known]
    return lines_first(code, needed)


def lines_first(code: str, lines: Sequence[str]) -> str:
    """``code`` with these lines first, after a docstring and what comes from ``__future__``."""
    if not lines:
        return code
    cell = Cell(code)
    body = cell.tree.body
    skip = int(bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant))
    while skip < len(body) and isinstance(node := body[skip], ast.ImportFrom) and node.module == "__future__":
        skip += 1
    return cell.before(body[skip], lines) if skip < len(body) else checked("\n".join([code, *lines]))


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
        if i2 - i1 == j2 - j1:  # line by line: what is IPython's stays where it is
            lines = list(zip(source[i1:i2], code[i1:i2], new[j1:j2], strict=True))
            if all(line == plain or (_is_own(line) and not plain and not now.strip()) for line, plain, now in lines):
                result += [now if line == plain else line for line, plain, now in lines]
                continue
        own = [line for line, plain in zip(source[i1:i2], code[i1:i2], strict=True) if line != plain]
        if not all(map(_is_own, own)) or any(not plain.strip() == "" for plain in _changed(source, code, i1, i2)):
            raise RefusedError("The change would go into a line with a magic: take the magic out of the cell first.")
        result += own  # a marker above what is put first stays first
        result += new[j1:j2]
    if source and source[0] != code[0] and result and result[0] != source[0]:
        result.remove(source[0])
        result.insert(0, source[0])
    return "\n".join(result)


def _is_own(line: str) -> bool:
    """Whether it is a magic, or goes to the shell."""
    return line.lstrip()[:1] in ("%", "!")


def _changed(source: Sequence[str], code: Sequence[str], begin: int, end: int) -> Iterator[str]:
    return (plain for line, plain in zip(source[begin:end], code[begin:end], strict=True) if line != plain)


def diff(before: str, after: str) -> str:
    """What changes, line by line, as a unified diff without its head."""
    lines = list(difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=2))
    return "\n".join(line for line in lines[2:] if not line.startswith("@@"))
