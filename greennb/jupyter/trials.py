"""Trials in one session: planned and run when asked for, told to the notebook and the page, stopped from anywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from greennb.advisor.trial.base import ChangedError, Progress, RefusedError, Stop, Stopped
from greennb.advisor.trial.trials import BUDGET_S, Plan, Trials
from greennb.jupyter.interrupts import Interrupts, run_interruptibly
from greennb.jupyter.quiet import quiet
from greennb.jupyter.telling import Telling
from greennb.ledger.opening import files_of
from greennb.model import messages_trial as messages
from greennb.model.errors import BadInputError, GreennbError
from greennb.model.finding import Trial
from greennb.views import trial as views
from greennb.views.format import joules, seconds

if TYPE_CHECKING:
    from greennb.advisor.signals.cell import CellContext
    from greennb.jupyter.session import Session

STOPPED = "The trial was stopped. Nothing of the notebook was changed by it."

_OFF = (
    "Nothing can be tried, for no cell has been watched: turn advice on with %energy_config advice=on, and run your "
    "cells again."
)
_BUSY = "A trial runs already: wait for it, or stop it."


class Trying:
    """The trials of one session, one at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trials: Trials | None = None
        self._running: Interrupts | None = None
        self._key = ""
        self._taken_back: dict[str | None, datetime] = {}

    @property
    def running(self) -> bool:
        """Whether a trial runs."""
        return self._running is not None

    @property
    def done(self) -> tuple[tuple[str, Trial], ...]:
        """The trials that came to an end, with the keys of what they were about, oldest first."""
        return () if self._trials is None else self._trials.done

    def can_try(self, code: str) -> bool:
        """Whether some variant answers a rule; from any thread."""
        return self._session.coach.advisor is not None and self.trials.can_try(code)

    def plan(
        self, name: str = "", *, variant: str | None = None, budget_s: float = BUDGET_S, budget_j: float | None = None
    ) -> Plan:
        """What a trial would run; nothing is. From any thread.

        Raises:
            BadInputError: there is nothing of that name, or no cell has been watched.
            RefusedError: it can't be tried here, or a trial runs.
        """
        if self.running:  # the notebook's names mean copies just now
            raise RefusedError(_BUSY)
        return self.trials.plan(name, variant=variant, budget_s=budget_s, budget_j=budget_j)

    def stop(self, key: str | None = None, asked: object = None) -> bool:
        """End the trial that runs, at once; False where none does. From any thread.

        One that still waits behind a cell is taken back: a page's line is not run if it was sent before that.

        Args:
            key: what the trial is about; None for whatever it is.
            asked: when a page has asked for this, as the header of its message says.
        """
        running = self._running
        if running is not None and key in (None, self._key):
            return running.now()
        if isinstance(asked, datetime):
            self._taken_back[key] = asked
        return False

    def takes_back(self, key: str, sent: object) -> bool:
        """Whether a page's line for a trial, sent when its header says, was taken back since."""
        stops = [self._taken_back[it] for it in (key, None) if it in self._taken_back]
        return isinstance(sent, datetime) and any(sent <= it for it in stops)

    def run(self, plan: Plan, *, show: bool = True, sent: object = None) -> Trial | None:
        """Run a planned trial on this thread, tell of it, and keep what came of it.

        Args:
            show: whether the notebook is told too, and not only the page.
            sent: when a page has asked for it, which may have taken it back since; None where none has.

        Returns:
            What it showed; None where it was stopped from elsewhere than by the kernel's interrupt.

        Raises:
            GreennbError: it could not be run to its end, in one sentence; also where it was interrupted.
        """
        trials = self.trials
        return self.compared(
            plan.key, plan.change.cell_id, plan, lambda stop, tell: trials.run(plan, stop=stop, tell=tell),
            show=show, sent=sent,
        )  # fmt: skip

    def compared(
        self,
        key: str,
        cell_id: str | None,
        plan: Plan | None,
        run: Callable[[Stop, Callable[[Progress], None]], Trial],
        *,
        show: bool,
        budget_s: float = BUDGET_S,
        sent: object = None,
    ) -> Trial | None:
        """As :meth:`run`, for whatever makes a trial; without a ``plan`` the page is told nothing."""
        if self.running:
            raise RefusedError(_BUSY)
        telling = Telling(self._session, key, cell_id, plan, show=show)
        telling.at = Progress(phase="copying", budget_s=budget_s if plan is None else plan.budget_s)
        stop = Stop()
        interrupts = Interrupts(stop.set)
        try:
            with self._runs(key, interrupts):
                if self.takes_back(key, sent):
                    interrupts.from_elsewhere = True
                    stop.set()
                trial = run_interruptibly(interrupts, lambda: self._told(telling, stop, run))
        except (Stopped, KeyboardInterrupt):
            telling.ended("stopped", STOPPED, raised=not interrupts.from_elsewhere)
            if not interrupts.from_elsewhere:
                raise GreennbError(STOPPED) from None
            return None
        except GreennbError as error:
            telling.ended("void" if isinstance(error, ChangedError) else "refused", str(error))
            raise
        except BaseException as error:
            words = f"The trial failed ({type(error).__name__}: {error}). Please report it."
            telling.ended("failed", words)
            if isinstance(error, Exception):
                raise GreennbError(words) from error
            raise
        self._session.runtime.tried(trial, key=key, code="" if plan is None else plan.code)
        telling.done(trial)
        self._session.bridge.advice_changed()
        return trial

    @staticmethod
    def _told(telling: Telling, stop: Stop, run: Callable[[Stop, Callable[[Progress], None]], Trial]) -> Trial:
        telling.running(telling.at)
        stop.check()  # an interrupt while that was told is not raised there
        return run(stop, telling.running)

    @contextmanager
    def _runs(self, key: str, interrupts: Interrupts) -> Iterator[None]:
        self._key, self._running = key, interrupts
        try:
            with self._session.runtime.apart():
                yield
        finally:
            self._running = None
            self._session.bridge.idle_since_ns = time.monotonic_ns()

    @property
    def quiet(self) -> Any:
        """Makes a context in which nothing that runs shows anything."""
        return lambda: quiet(self._session.shell)

    @property
    def trials(self) -> Trials:
        """The trials of this kernel's advisor.

        Raises:
            BadInputError: there is no advisor, since no cell was watched.
        """
        advisor = self._session.coach.advisor
        if advisor is None:
            raise BadInputError(_OFF)
        if self._trials is None:
            self._trials = Trials(
                advisor,
                namespace=self._session.shell.user_ns,
                meter=lambda: self._session.runtime.meter,
                quiet=self.quiet,
                own_files=lambda: files_of(self._session.runtime.ledger.path),
            )
        return self._trials


def answer(
    session: Session,
    name: str,
    *,
    variant: str | None,
    budget_s: float,
    budget_j: float | None,
    plan_only: bool,
    quiet: bool,
    output: str = "",
) -> None:
    """What ``%energy_try`` was asked for; ``quiet`` tells the page alone.

    Args:
        output: the notebook's name for the trial, None where there is none in the end; "" for no name.

    Raises:
        GreennbError: it can't be planned or run, in one sentence.
    """
    trying = session.trying
    sent = _sent(session.shell) if quiet else None
    if trying.takes_back(name, sent):
        return  # the page has shown its end when it was stopped
    if output:  # what an earlier trial has left there is not this one's
        session.shell.user_ns[output] = None
    try:
        plan = trying.plan(name, variant=variant, budget_s=budget_s, budget_j=budget_j)
    except GreennbError as error:
        if quiet:  # the page has seen a plan, and waits
            said = messages.trial(
                key=name, code=name.partition(" ")[0], variant=variant or "", cell_id=None, state="refused",
                phase="copying", rounds=0, ratio=None, interval=None, spent_s=0.0, spent_j=None, budget_s=budget_s,
                method=None, words=str(error),
            )  # fmt: skip
            session.bridge.trial(said)
        raise
    if not quiet:
        session.publish(views.plan_bundle(plan))
    if plan_only:
        return
    trial = trying.run(plan, show=not quiet, sent=sent)
    if output:
        session.shell.user_ns[output] = trial


def _sent(shell: Any) -> object:
    """When the request that runs was sent, by the clock of who did; None where there is none."""
    parent = getattr(shell, "parent_header", None) or {}
    return parent.get("header", {}).get("date")


def compare_code(session: Session, a: str, b: str, *, budget_s: float, budget_j: float | None) -> None:
    """What ``%energy_compare --code`` was asked for.

    Raises:
        GreennbError: there is no such cell, or the two can't be compared, in one sentence.
    """
    first, second = _cell(session, a), _cell(session, b)
    session.publish({"text/plain": _said_of_cells(a, b, budget_s, budget_j)})
    trying = session.trying
    trying.compared(
        f"{b} against {a}",
        second.cell_id,
        None,
        lambda stop, tell: trying.trials.compare_cells(
            first, second, budget_s=budget_s, budget_j=budget_j, stop=stop, tell=tell
        ),
        show=True,
        budget_s=budget_s,
    )


def _said_of_cells(a: str, b: str, budget_s: float, budget_j: float | None) -> str:
    most = seconds(budget_s) if budget_j is None else f"{seconds(budget_s)} or {joules(budget_j)}"
    return (
        f"This runs {a} and {b} on copies of what they use, by turns, each from its first line to its last, until it "
        f"is safe to say which takes fewer joules, or {most} are spent. What they give is not compared. Nothing of the "
        "notebook is changed by it: that is checked afterwards."
    )


def _cell(session: Session, name: str) -> CellContext:
    """The latest run of the cell that an execution count, a cell's id or a label names.

    Raises:
        BadInputError: none was watched that is called so.
    """
    advisor = session.coach.advisor
    if advisor is None:
        raise BadInputError(_OFF)
    labelled = {
        (run.window.cell_id, run.window.execution_count) for run in session.cells.runs if run.window.label == name
    }
    for cell in reversed(advisor.cells):
        count = "" if cell.execution_count is None else str(cell.execution_count)
        if name in (count, f"[{count}]", cell.cell_id) or (cell.cell_id, cell.execution_count) in labelled:
            return cell
    raise BadInputError(
        f'No cell that has run is called "{name[:60]}": give the number in the brackets beside it, its label or its id.'
    )


def as_magic(plan: Plan) -> str:
    """The line that runs a plan without a word to the notebook, as a page sends it."""
    return f"%energy_try --quiet --variant {_quoted(plan.variant)} --budget {plan.budget_s:g} {_quoted(plan.key)}"


def _quoted(text: str) -> str:
    """Text as one word of a magic's line."""
    words = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{words}"'
