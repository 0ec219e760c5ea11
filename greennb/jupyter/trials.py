"""Trials in one session: planned and run when asked for, told to the notebook and the page, stopped from anywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greennb.advisor.trial.base import ChangedError, Progress, RefusedError, Stop, Stopped
from greennb.advisor.trial.trials import BUDGET_S, Plan, Trials
from greennb.jupyter.interrupts import Interrupts
from greennb.jupyter.quiet import quiet
from greennb.model import messages_trial as messages
from greennb.model.errors import BadInputError, GreennbError
from greennb.model.finding import Trial
from greennb.views import trial as views

if TYPE_CHECKING:
    from greennb.jupyter.session import Session

STOPPED = "The trial was stopped. Nothing of the notebook was changed by it."

_OFF = (
    "Nothing can be tried, for no cell has been watched: turn advice on with %energy_config advice=on, and run your "
    "cells again."
)
_BUSY = "A trial runs already: wait for it, or stop it."

Tells = Callable[[str, Progress, str], None]
"""Told a trial's state, how far it is, and a sentence."""


class Trying:
    """The trials of one session, one at a time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._trials: Trials | None = None
        self._running: Interrupts | None = None

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
        return self._session.coach.advisor is not None and self._made().can_try(code)

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
        return self._made().plan(name, variant=variant, budget_s=budget_s, budget_j=budget_j)

    def stop(self) -> bool:
        """End the trial that runs, at once; False where none does. From any thread."""
        running = self._running
        return running is not None and running.now()

    def run(self, plan: Plan, *, show: bool = True) -> Trial | None:
        """Run a planned trial on this thread, tell of it, and keep what came of it.

        Args:
            show: whether the notebook is told too, and not only the page.

        Returns:
            What it showed; None where it was stopped from elsewhere than by the kernel's interrupt.

        Raises:
            GreennbError: it could not be run to its end, in one sentence; also where it was interrupted.
        """
        trials = self._made()
        return self.compared(
            plan.key, plan.change.cell_id, plan, lambda stop, tell: trials.run(plan, stop=stop, tell=tell), show=show
        )

    def compared(
        self,
        key: str,
        cell_id: str | None,
        plan: Plan | None,
        run: Callable[[Stop, Callable[[Progress], None]], Trial],
        *,
        show: bool,
        budget_s: float = BUDGET_S,
    ) -> Trial | None:
        """As :meth:`run`, for whatever makes a trial; without a ``plan`` the page is told nothing."""
        if self.running:
            raise RefusedError(_BUSY)
        telling = _Telling(self._session, key, cell_id, plan, show=show)
        telling.at = Progress(phase="copying", budget_s=budget_s if plan is None else plan.budget_s)
        stop = Stop()
        self._running = interrupts = Interrupts(stop.set)
        try:
            telling.running(telling.at)
            trial = run_interruptibly(interrupts, lambda: run(stop, telling.running))
        except (Stopped, KeyboardInterrupt):
            telling.ended("stopped", STOPPED)
            if interrupts.by_key:
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
        finally:
            self._running = None
            self._session.bridge.idle_since_ns = time.monotonic_ns()
        self._session.runtime.tried(trial, key=key, code=key.partition(" ")[0] if plan is None else plan.code)
        telling.done(trial)
        self._session.bridge.advice_changed()
        return trial

    @property
    def quiet(self) -> Any:
        """Makes a context in which nothing that runs shows anything."""
        return lambda: quiet(self._session.shell)

    def _made(self) -> Trials:
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
) -> None:
    """What ``%energy_try`` was asked for; ``quiet`` tells the page alone.

    Raises:
        GreennbError: it can't be planned or run, in one sentence.
    """
    trying = session.trying
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
    if not plan_only:
        trying.run(plan, show=not quiet)


def run_interruptibly(interrupts: Interrupts, run: Callable[[], Trial]) -> Trial:
    """Run a trial, which an interrupt ends; :mod:`greennb.jupyter.interrupts` knows this function by its name.

    Raises:
        Stopped, KeyboardInterrupt: it was.
    """
    with interrupts.caught():
        return run()


def as_magic(plan: Plan) -> str:
    """The line that runs a plan without a word to the notebook, as a page sends it."""
    return f"%energy_try --quiet --variant {_quoted(plan.variant)} --budget {plan.budget_s:g} {_quoted(plan.key)}"


def _quoted(text: str) -> str:
    """Text as one word of a magic's line."""
    words = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{words}"'


class _Telling:
    """Tells of one trial: the page through the bridge, the notebook in one line that changes."""

    def __init__(self, session: Session, key: str, cell_id: str | None, plan: Plan | None, *, show: bool) -> None:
        self._session = session
        self._key = key
        self._cell_id = cell_id
        self._plan = plan
        self._line = _line(session.shell) if show and not session.recording else None
        self._show = show
        self._next_s = 0.0
        self.at = Progress(phase="copying")

    def running(self, progress: Progress) -> None:
        """It is so far: told a few times a second at most, and whenever something else begins."""
        now_s = time.monotonic()
        other = progress.phase != self.at.phase
        self.at = progress
        if not other and now_s < self._next_s:
            return
        self._next_s = now_s + 1 / messages.MOST_PER_S
        self._page("running", "")
        if self._line is not None:
            self._line.say(self._words())

    def ended(self, state: str, words: str) -> None:
        """It came to no verdict."""
        self._page(state, words)
        if self._line is not None:
            self._line.end(words if state == "stopped" else "")

    def done(self, trial: Trial) -> None:
        """It came to a verdict, which the notebook shows; a change that saves is offered as a cell below."""
        self._page("done", "", trial)
        if not self._show:
            return
        told = trial.to_dict()
        offered = trial.change is not None and views.is_proven(told)
        if offered and trial.change is not None:
            self._session.shell.set_next_input(trial.change.after, replace=False)
        shown = views.bundle(told, self._key, views.APPLY if offered else "")
        if isinstance(self._line, _Line):
            self._line.show(shown)
            return
        if self._line is not None:
            self._line.end("")
        self._session.publish(shown)

    def _words(self) -> str:
        at = self.at
        return views.progress(
            phase=at.phase, rounds=at.rounds, ratio=at.ratio, interval=at.interval, spent_s=at.spent_s,
            spent_j=at.spent_j, budget_s=at.budget_s, method=None if self._plan is None else self._plan.method,
        )  # fmt: skip

    def _page(self, state: str, words: str, trial: Trial | None = None) -> None:
        plan, at = self._plan, self.at
        if plan is None:
            return
        spent_s = at.spent_s if trial is None or trial.spent_s is None else trial.spent_s
        said = messages.trial(
            key=plan.key, code=plan.code, variant=plan.variant, cell_id=self._cell_id, state=state, phase=at.phase,
            rounds=at.rounds if trial is None else len(trial.order) // 4,
            ratio=at.ratio if trial is None else trial.ratio,
            interval=at.interval if trial is None else trial.interval,
            spent_s=spent_s, spent_j=at.spent_j if trial is None else trial.spent_j, budget_s=at.budget_s,
            method=plan.method if trial is None or trial.method is None else trial.method, words=words,
        )  # fmt: skip
        self._session.bridge.trial(said)


class _Line:
    """One line of a notebook's output that changes."""

    def __init__(self, shell: Any) -> None:
        # Bound now: while a trial runs, a quiet context may stand in the publisher's place.
        self._publish = shell.display_pub.publish
        self._id = f"greennb-trial-{time.monotonic_ns()}"
        self._there = False

    def say(self, words: str) -> None:
        """Show ``words`` in it."""
        self.show({"text/plain": words})

    def show(self, bundle: dict[str, Any]) -> None:
        """Show a bundle in its place."""
        self._publish(data=bundle, metadata={}, transient={"display_id": self._id}, update=self._there)
        self._there = True

    def end(self, words: str) -> None:
        """Leave ``words`` in it, or nothing."""
        if self._there:
            self.say(words)


class _Terminal:
    """One line of a terminal that changes."""

    def __init__(self) -> None:
        self._stream = sys.stdout
        self._width = 0

    def say(self, words: str) -> None:
        """Show ``words`` in it."""
        self._stream.write(f"\r{words:<{self._width}}")
        self._stream.flush()
        self._width = len(words)

    def end(self, words: str) -> None:
        """Leave ``words`` in it, or nothing."""
        if self._width:
            self.say(words)
            self._stream.write("\n" if words else "\r")


def _line(shell: Any) -> _Line | _Terminal | None:
    """Where progress is shown; nowhere where nobody looks on."""
    if getattr(shell, "kernel", None) is not None:
        return _Line(shell)
    return _Terminal() if sys.stdout.isatty() else None
