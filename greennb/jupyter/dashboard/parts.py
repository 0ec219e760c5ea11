"""Widgets of the dashboard's own: buttons that are heard while a cell runs, and a pulse that says somebody looks on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ipywidgets import HTML, Button, Dropdown, Layout, Play

PULSE_MS = 45_000
"""How often a page says that it still shows the dashboard: well within what the feed waits for (``EXPIRES_S``)."""

_MOST_PULSES = 10**6  # more than a year of them, after which it begins anew


class _Heard:
    """Takes part in a widget whose messages may come on a subshell, while a cell runs.

    ipykernel 7.4 hands a comm's messages to the loop that has last sent on it, which for a widget is the one that runs
    the cells: they would wait for the cell's end. Without that memory they go where the page sent them: to a subshell
    where it has one. Other versions have no such memory, and lose nothing.
    """

    def open(self) -> None:
        """Tell the page of the widget."""
        super().open()  # type: ignore[misc]  # a widget's
        self._forget()

    def _send(self, *args: Any, **kwargs: Any) -> None:
        super()._send(*args, **kwargs)  # type: ignore[misc]  # a widget's
        self._forget()

    def _forget(self) -> None:
        comm = getattr(self, "comm", None)
        if comm is not None:
            vars(comm).pop("_reply_subshell_id", None)


class HeardButton(_Heard, Button):  # type: ignore[misc]  # ipywidgets has no types
    """A button that is heard while a cell runs, where the front end and the kernel have subshells."""


class HeardDropdown(_Heard, Dropdown):  # type: ignore[misc]  # ipywidgets has no types
    """A list to choose from that is heard while a cell runs, where the front end and the kernel have subshells."""


class Pulse(Play):  # type: ignore[misc]  # ipywidgets has no types
    """Shows nothing, and has each page that shows the dashboard say so, now and then.

    ``heard`` is called with the number of pages' views, as far as they have told, whenever one is heard of.
    """

    def __init__(self, heard: Callable[[int], None]) -> None:
        super().__init__(
            min=0, max=_MOST_PULSES, interval=PULSE_MS, repeat=True, playing=False, layout=Layout(display="none")
        )
        self._heard_of = heard
        self._view_count = 0  # from now on pages count their views in it
        self.observe(self._views, names="_view_count")
        self.observe(self._beat, names="value")

    def _views(self, change: Any) -> None:
        if (change["new"] or 0) > (change["old"] or 0):
            # A view that has just come begins to beat where it sees the change from one to the other.
            self.playing = False
            self.playing = True
        self._heard_of(change["new"] or 0)

    def _beat(self, _change: Any) -> None:
        self._heard_of(max(1, self._view_count or 0))


def text(label: str = "") -> Any:
    """A part that shows HTML."""
    return HTML(value=label, layout=Layout(width="100%", margin="0"))


def show(widget: Any, shown: bool) -> None:
    """Show a widget, or take its room away."""
    display = None if shown else "none"
    if widget.layout.display != display:
        widget.layout.display = display


def close(widget: Any) -> None:
    """Close a widget and all that is in it, its layout and its style: each has a comm of its own."""
    for child in getattr(widget, "children", ()):
        close(child)
    for part in (getattr(widget, "style", None), widget.layout):
        if part is not None:
            part.close()
    widget.close()


def on_main_thread(kernel: Any, job: Callable[[], None]) -> None:
    """Do ``job`` on the main thread: now where this is it, else once that is between two messages."""
    if threading.current_thread() is threading.main_thread():
        job()
    else:
        kernel.io_loop.add_callback(job)


@contextmanager
def interruptible() -> Iterator[None]:
    """For something that runs on the main thread as a cell does: the kernel's interrupt is heard, as within a cell."""
    main = threading.current_thread() is threading.main_thread()
    before: Any = signal.signal(signal.SIGINT, signal.default_int_handler) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, before)
