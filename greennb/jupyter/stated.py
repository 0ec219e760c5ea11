"""``%energy_statement``: what this kernel's work cost, for a paper or a model card."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from greennb import __version__
from greennb.carbon.given import given_intensity
from greennb.ledger.export import put
from greennb.ledger.statement import make_statement
from greennb.model.errors import BadInputError
from greennb.model.statement import Statement
from greennb.sources.computer import computer
from greennb.views.statement.formats import format_of, written
from greennb.views.statement.paragraph import paragraph

if TYPE_CHECKING:
    from greennb.jupyter.session import Session

SHOWN = "md"
"""The form that a front end sets as text; any other is shown as it is written, to be copied."""


def state(session: Session, given: argparse.Namespace) -> None:
    """Show the statement, or write it where a path is given."""
    kind = given.format or (SHOWN if given.path is None else format_of(given.path))
    statement = _statement(session, given)
    text = written(statement, kind)
    if given.path is not None:
        put(given.path, lambda stream: stream.write(text))
        print(f"{given.path} written")  # noqa: T201
    elif kind == SHOWN:
        session.publish({"text/markdown": text, "text/plain": paragraph(statement)})
    else:
        print(text)  # noqa: T201


def _statement(session: Session, given: argparse.Namespace) -> Statement:
    runtime = session.runtime
    intensity = given_intensity(runtime.settings, pue=given.pue, intensity=given.intensity, zone=given.zone)
    ledger = runtime.ledger
    if ledger.path is None:
        raise BadInputError("%energy_statement: the ledger is off, so nothing was kept. Set ledger and measure again.")
    ledger.flush(5.0)
    if ledger.problem is not None:
        raise BadInputError(ledger.problem)
    session_id, notebook = (None, _notebook(session)) if given.all else (runtime.session_id, None)
    rows = ledger.rows(session_id=session_id, notebook=notebook)
    trials = ledger.trials(session_id=session_id, notebook=notebook or "")
    if not rows:
        raise BadInputError("%energy_statement: nothing has been measured yet. Put %%energy on a cell first.")
    return make_statement(
        rows, trials, version=__version__, title=given.title, intensity=intensity, pue=given.pue,
        machines=ledger.machines(), here=computer(runtime.host), training_type=given.training_type,
    )  # fmt: skip


def _notebook(session: Session) -> str:
    if not session.runtime.notebook:
        raise BadInputError(
            "%energy_statement: this kernel was not told which notebook it runs, so earlier kernels' work cannot be "
            "found. Leave out --all."
        )
    return session.runtime.notebook
