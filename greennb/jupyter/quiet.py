"""A context in which nothing that runs prints, shows or displays anything, and nothing is kept of it either."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO


@contextmanager
def quiet(shell: Any) -> Iterator[None]:
    """Prints, displays, figures, progress bars, widgets and logging to the screen of ``shell`` go nowhere meanwhile.

    What writes to a file, or straight to the process's file descriptors, is not touched.
    """
    with ExitStack() as undo:
        nowhere = undo.enter_context(open(os.devnull, "w", encoding="utf-8"))
        screens = (sys.stdout, sys.stderr)
        _logging(undo, screens, nowhere)
        _instead(undo, sys, "stdout", nowhere)
        _instead(undo, sys, "stderr", nowhere)
        _instead(undo, sys, "displayhook", _nothing)
        # On the instance: whoever holds the publisher, a kernel say, goes on with it.
        _instead(undo, shell.display_pub, "publish", _nothing)
        _instead(undo, shell.display_pub, "clear_output", _nothing)
        _figures(undo)
        _widgets(undo)
        yield


def _nothing(*_args: Any, **_kwargs: Any) -> None:
    """In place of what would show something."""


def _instead(undo: ExitStack, of: Any, name: str, value: Any) -> None:
    """Put ``value`` in the place of an attribute until ``undo``; one of the class's own is not made the instance's."""
    own = name in vars(of)
    before = getattr(of, name)

    def put_back() -> None:
        if own:
            setattr(of, name, before)
        else:
            delattr(of, name)

    undo.callback(put_back)
    setattr(of, name, value)


def _logging(undo: ExitStack, screens: tuple[TextIO, TextIO], nowhere: TextIO) -> None:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    handlers = {handler for logger in loggers for handler in getattr(logger, "handlers", ())}
    for handler in handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream in screens and "stream" in vars(handler):
            _instead(undo, handler, "stream", nowhere)


def _figures(undo: ExitStack) -> None:
    """No figure is shown, and those that were made meanwhile are closed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    before = set(pyplot.get_fignums())
    current = pyplot.gcf().number if before else None

    def close() -> None:
        for number in set(pyplot.get_fignums()) - before:
            pyplot.close(number)
        if current in pyplot.get_fignums():
            pyplot.figure(current)

    undo.callback(close)
    _instead(undo, pyplot, "show", _nothing)


def _widgets(undo: ExitStack) -> None:
    """Widgets that are made meanwhile, a progress bar's say, reach no page."""
    comm = sys.modules.get("comm")
    if comm is None:
        return
    made: list[Any] = []

    def create(*args: Any, **kwargs: Any) -> Any:
        made.append(comm.DummyComm(*args, **kwargs))
        return made[-1]

    def close() -> None:
        for one in made:
            one.close()

    undo.callback(close)
    _instead(undo, comm, "create_comm", create)
