"""Tells of a trial that runs, or has ended: the page through the bridge, the notebook in a line that changes."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greennb.advisor.trial.base import Progress
from greennb.model import messages_trial as messages
from greennb.model.finding import Trial
from greennb.model.reading import Method
from greennb.views import trial as views

if TYPE_CHECKING:
    from greennb.advisor.trial.trials import Plan
    from greennb.jupyter.session import Session


class Telling:
    """Tells of one trial: the page through the bridge, the notebook in one line that changes."""

    def __init__(self, session: Session, key: str, cell_id: str | None, plan: Plan | None, *, show: bool) -> None:
        self._session = session
        self._key = key
        self._cell_id = cell_id
        self._plan = plan
        # What runs is measured by what is there now; the cell may have been measured otherwise, or not at all.
        self._method = Method.worst(channel.method for channel in session.runtime.meter.channels)
        self._line = _line(session.shell) if show and not session.recording else None
        self._show = show
        self._next_s = 0.0
        self.at = Progress(phase="copying")

    def running(self, progress: Progress) -> None:
        """It is so far: told a few times a second at most, and whenever something else begins."""
        now_s = time.monotonic()
        other = progress.phase != self.at.phase
        if progress.spent_s < self.at.spent_s:  # a phase that knows no more than its name
            progress = replace(self.at, phase=progress.phase)
        self.at = progress
        if not other and now_s < self._next_s:
            return
        self._next_s = now_s + 1 / messages.MOST_PER_S
        self._page("running", "")
        if self._line is not None:
            self._line.say(self._words())

    def ended(self, state: str, words: str, *, raised: bool = True) -> None:
        """It came to no verdict; ``raised`` is whether the notebook shows the words as an error."""
        self._page(state, words)
        if self._line is not None:
            self._line.end("" if raised else words)
        elif self._show and not raised:
            self._session.publish({"text/plain": words})

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
            spent_j=at.spent_j, budget_s=at.budget_s, method=self._method,
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
            method=self._method if trial is None or trial.method is None else trial.method, words=words,
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
        if self._there or words:
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
