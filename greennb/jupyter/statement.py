"""``%energy STATEMENT`` and ``%%energy -r N``: code that greennb runs itself, in the user's namespace."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

from greennb.jupyter.cells import CellRun
from greennb.jupyter.marker import first_line
from greennb.jupyter.options import Options
from greennb.jupyter.repeat import repeat
from greennb.model.errors import BadInputError
from greennb.model.measurement import Measurement
from greennb.plain import status_of
from greennb.views import mime

if TYPE_CHECKING:
    from greennb.jupyter.session import Session

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Statement:
    """Code to measure once or repeatedly. The value of its last expression is its value, as in a cell."""

    def __init__(self, session: Session, options: Options, code: str, kind: str) -> None:
        self._session = session
        self._options = options
        self._source = code
        self._kind = kind
        self._body, self._last = self._compiled(code)

    def run(self) -> Any:
        """Run it as asked, show what it cost, and give its value. What it raises goes on its way, once shown."""
        if self._options.repeat is None:
            return self._once(self._show)
        values: list[Any] = []

        def run_once() -> Measurement:
            measurements: list[Measurement] = []
            values[:] = [self._once(lambda run: measurements.append(run.measurement))]
            return measurements[0]

        series = repeat(self._options.name, self._options.repeat, run_once)
        if self._options.output:
            self._session.shell.user_ns[self._options.output] = series
        if not self._options.quiet:
            self._session.publish(mime.series_bundle(series))
        return values[0]

    def _once(self, finished: Callable[[CellRun], None]) -> Any:
        runtime = self._session.runtime
        window = runtime.open(self._options.name)
        window.cell_id = None if runtime.cell is None else runtime.cell.cell_id
        token = runtime.enter(window)
        error: BaseException | None = None
        try:
            return self._executed()
        except BaseException as caught:
            error = caught
            raise
        finally:
            window.close(status_of(error))
            runtime.leave(token)
            runtime.close(window, kind=self._kind, source=first_line(self._source))
            run = CellRun(window=window, options=self._options, source=self._source, auto=False)
            self._session.cells.runs.append(run)
            finished(run)

    def _executed(self) -> Any:
        namespace = self._session.shell.user_ns
        if self._body is not None:
            exec(self._body, namespace)
        return None if self._last is None else eval(self._last, namespace)

    def _show(self, run: CellRun) -> None:
        self._session.show(run)

    def _compiled(self, code: str) -> tuple[CodeType | None, CodeType | None]:
        """The statements, and the last expression if there is one, compiled as IPython compiles a cell."""
        shell = self._session.shell
        text = shell.transform_cell(code)
        name = shell.compile.cache(text, shell.execution_count)
        tree = shell.compile.ast_parse(text, filename=name)
        tree = shell.transform_ast(tree)
        last: CodeType | None = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            expression = ast.Expression(tree.body.pop().value)
            last = self._code(expression, name, "eval") if not text.rstrip().endswith(";") else last
            if last is None:
                tree.body.append(ast.copy_location(ast.Expr(expression.body), expression.body))
        body = self._code(tree, name, "exec") if tree.body else None
        return body, last

    def _code(self, tree: ast.Module | ast.Expression, name: str, mode: str) -> CodeType:
        code: CodeType = compile(tree, name, mode, flags=_FLAGS)
        if code.co_flags & inspect.CO_COROUTINE:
            raise BadInputError(
                "await cannot be repeated or measured as a statement: put %%energy alone on the first line of a cell."
            )
        return code
