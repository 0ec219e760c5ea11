"""A cell as statements that can be run one by one, and which of them does the work.

What stands before the work is run once; the work is run again and again, and is left in its middle. Line numbers are
the cell's own, and each script has a file name under which tracebacks and ``inspect`` find its source.
"""

from __future__ import annotations
import __future__

import ast
import itertools
import linecache
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType

from greennb.advisor.trial.base import RefusedError

ENOUGH = 5
"""Units in one statement that make it the work: a single step before the loop, to try it, is not it."""

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement at a cell's top level.

    Attributes:
        line: its first line in the cell, from 1.
        binds: names of the notebook that running it may bind, also through ``global`` in a function of the cell.
    """

    code: CodeType
    line: int
    binds: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """``prefix`` is run once, ``work`` again and again; what stands after it is not run."""

    prefix: tuple[Statement, ...]
    work: Statement


class Script:
    """A cell's source, ready to be run by statement.

    Args:
        source: Python, without magics.
        label: what its file name tells of it.

    Attributes:
        file: the name under which its source is found while it is open.

    Raises:
        RefusedError: it is no Python, awaits at the top level, or has no statement.
    """

    def __init__(self, source: str, label: str = "") -> None:
        self.source = source
        self.file = f"<greennb trial {label or 'script'} {next(_numbers)}>"
        self.statements = tuple(self._statements())
        lines = [f"{line}\n" for line in source.split("\n")]
        linecache.cache[self.file] = (
            len(source),
            None,
            lines,
            self.file,
        )  # without a time it is never looked for on disk

    def _statements(self) -> list[Statement]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the user has seen them when the cell ran
                tree = ast.parse(self.source, self.file)
                found = [
                    Statement(code=self._compiled([it], _future(tree)), line=it.lineno, binds=binds)
                    for it, binds in zip(tree.body, _binds(tree), strict=True)
                ]
        except (SyntaxError, ValueError, RecursionError) as error:
            if "await" in str(error) or "outside function" in str(error):
                raise RefusedError(
                    "The cell awaits outside a function, which can't be repeated: put its work into a function."
                ) from None
            raise RefusedError(f"The cell's source can't be compiled ({error}).") from None
        if not found:
            raise RefusedError("The cell has nothing to run.")
        return found

    def _compiled(self, body: list[ast.stmt], flags: int) -> CodeType:
        code: CodeType = compile(ast.Module(body, []), self.file, "exec", flags=flags, dont_inherit=True)
        return code

    def close(self) -> None:
        """Forget the source; may be called twice."""
        linecache.cache.pop(self.file, None)


def split(script: Script, run: Callable[[Statement], int], unit: str) -> Split:
    """Find the work by running: the first statement with :data:`ENOUGH` units in it, else the one with most.

    Args:
        run: runs a statement, leaves it after :data:`ENOUGH` units, and says how many it saw. All are run in order
            until the work is found.
        unit: what a unit is called.

    Raises:
        RefusedError: none has any.
    """
    most, found = 0, -1
    for index, statement in enumerate(script.statements):
        seen = run(statement)
        if seen > most:
            most, found = seen, index
        if seen >= ENOUGH:
            break
    if found < 0:
        raise RefusedError(
            f"Run again on copies, the cell came to its end without any {unit} that could be seen, so that there is "
            "nothing to compare."
        )
    return Split(prefix=script.statements[:found], work=script.statements[found])


def _future(tree: ast.Module) -> int:
    """Flags of its ``from __future__ import``: they hold for every statement."""
    flags = 0
    for it in tree.body:
        if isinstance(it, ast.ImportFrom) and it.module == "__future__":
            for alias in it.names:
                flags |= getattr(getattr(__future__, alias.name, None), "compiler_flag", 0)
    return flags


def _binds(tree: ast.Module) -> list[frozenset[str]]:
    every = list(ast.walk(tree))
    declared = {name for it in every if isinstance(it, ast.Global) for name in it.names}
    return [frozenset(declared | _stored(it)) for it in tree.body]


def _stored(statement: ast.stmt) -> set[str]:
    """More than it binds: locals of its functions too, which does no harm."""
    return {it.id for it in ast.walk(statement) if isinstance(it, ast.Name) and not isinstance(it.ctx, ast.Load)}
