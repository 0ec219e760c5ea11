"""The bridge to the page: two comm targets, and what the cells' hooks hand over.

This file is what ``%load_ext greennb`` loads of it, so it is small: whoever sends and answers
(:mod:`greennb.jupyter.feed`, :mod:`greennb.jupyter.asks`) is loaded when a page opens a comm. Without a page there is
no thread. Why there are two comms, and what may be sent on which, is in ``docs/adr/0009``.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from greennb.jupyter.tally import Tally
from greennb.model.wire import ASK_TARGET, STREAM_TARGET

if TYPE_CHECKING:
    from greennb.jupyter.cells import CellRun
    from greennb.jupyter.feed import Feed
    from greennb.jupyter.session import Session
    from greennb.model.finding import Finding

UNLOADED = "greennb was unloaded from this kernel."

MOST_ASKERS = 32
"""Comms of pages that ask; a page has one, and one that vanished never says so. The oldest are closed."""


class Bridge:
    """One session's link to the pages that look on.

    Attributes:
        measuring: whether cells without a marker are measured for the panel; None until a page has asked for it.
        running: the cell that runs and is measured, if one does.
        idle_since_ns: when the last cell ended (monotonic).
        found: the advisor's latest findings.
        tried: the latest message on a trial that runs, None while none does.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.measuring: bool | None = None
        self.running: CellRun | None = None
        self.idle_since_ns = time.monotonic_ns()
        self.found: tuple[Finding, ...] = ()
        self.tried: dict[str, Any] | None = None
        self._outdated = False
        self.tally = Tally()
        self._feed: Feed | None = None
        self._askers: dict[str, Any] = {}
        self._comms: Any = None
        _BRIDGES.add(self)

    def register(self) -> None:
        """Offer the two targets to pages, where this shell is a kernel's: in a terminal there is no page."""
        if getattr(self.session.shell, "kernel", None) is None:
            return
        from comm import get_comm_manager  # a kernel has loaded it already

        self._comms = get_comm_manager()
        self._comms.register_target(STREAM_TARGET, self._stream_opened)
        self._comms.register_target(ASK_TARGET, self._asker_opened)

    def close(self) -> None:
        """Say good-bye to every page, close every comm, and take the targets back."""
        if self._comms is None:
            return
        for target, opened in ((STREAM_TARGET, self._stream_opened), (ASK_TARGET, self._asker_opened)):
            self._comms.unregister_target(target, opened)
        self._comms = None
        if self._feed is not None:
            self._feed.close(UNLOADED)
        askers, self._askers = self._askers, {}
        for comm in askers.values():
            _close(comm)

    def began(self, run: CellRun) -> None:
        """A cell's window has been opened; on the cell's own path."""
        if run.window.parent is None:
            self.running = run
            if self._feed is not None:
                self._feed.began(run)

    def ended(self, run: CellRun) -> None:
        """A cell has been measured; on the cell's own path."""
        if run.window.parent is not None:
            return
        self.running = None
        self.tally.add(run, settle=self._feed is None or not self._feed.open)
        if self._feed is not None:
            self._feed.ended()

    def settings_changed(self) -> None:
        """Tell the pages what is in force now."""
        if self._feed is not None:
            self._feed.settings_changed()

    def trial(self, said: dict[str, Any]) -> None:
        """Tell the pages how far a trial is (:mod:`greennb.model.messages_trial`); on the trial's own thread."""
        self.tried = said if said["state"] == "running" else None
        if self._feed is not None:
            self._feed.trial(said)

    def findings(self, found: Sequence[Finding]) -> None:
        """Show these findings, and no others, in every page that is open or will be."""
        self.found = tuple(found)
        if self._feed is not None:
            self._feed.findings()

    def advice_changed(self) -> None:
        """The advisor may have something new to say. On the cell's own path, so it is asked later, and for a page."""
        self._outdated = True
        if self._feed is not None and self._feed.open:
            self._feed.advice_changed()

    def ask_advisor(self) -> bool:
        """Ask it, if there may be something new; whether there is. On the feed's thread."""
        if not self._outdated:
            return False
        self._outdated = False
        before, self.found = self.found, self.session.coach.findings(for_page=True)
        return self.found != before

    @property
    def feed(self) -> Feed:
        """Who sends; made when a page first opens a comm."""
        if self._feed is None:
            from greennb.jupyter.feed import Feed

            self._feed = Feed(self)
        return self._feed

    def _stream_opened(self, comm: Any, _message: Any) -> None:
        self.feed.add(comm)

    def _asker_opened(self, comm: Any, _message: Any) -> None:
        from greennb.jupyter.asks import Asks

        asks = Asks(self, comm)
        comm.on_msg(asks.answer)
        comm.on_close(lambda _message: self._askers.pop(comm.comm_id, None))
        self._askers[comm.comm_id] = comm
        while len(self._askers) > MOST_ASKERS:
            _close(self._askers.pop(next(iter(self._askers))))

    def after_fork(self) -> None:
        """A forked child has no page: its parent's are not told what it does."""
        self._askers = {}
        self._feed = None
        self.running = None
        self.tally.after_fork()


def _close(comm: Any) -> None:
    try:
        comm.close()
    except Exception:  # noqa: BLE001  # the kernel is going down: nobody is left to be told
        return


_BRIDGES: weakref.WeakSet[Bridge] = weakref.WeakSet()


def _after_fork() -> None:
    for bridge in list(_BRIDGES):
        bridge.after_fork()


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_after_fork)
