"""Cells that do something outside of themselves are not tried: found in their source, and stopped while they run.

The source knows calls by name; what goes through Python's own doors unseen (a file opened for writing, a socket, a
process) is stopped by an audit hook (:pep:`578`). Libraries that write from C++ by a name that is not known here pass
both, and are found by the fingerprint if the file lies in the working directory.
"""

from __future__ import annotations

import inspect
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from greennb.advisor.trial.base import RefusedError, Stopped
from greennb.advisor.trial.effects_source import first_effect
from greennb.advisor.trial.reach import is_installed

_HELP = "take it out of the cell, or put it into a cell of its own."

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_EVENTS = {
    "open": "writes a file", "os.remove": "removes a file", "os.rename": "renames a file", "os.mkdir": "makes a folder",
    "os.rmdir": "removes a folder", "os.link": "links a file", "os.symlink": "links a file",
    "os.truncate": "cuts a file", "os.chmod": "changes a file", "os.chown": "changes a file",
    "os.utime": "changes a file", "os.setxattr": "changes a file", "shutil.rmtree": "removes a folder",
    "shutil.move": "moves files", "shutil.copyfile": "copies a file", "shutil.make_archive": "writes a file",
    "os.system": "starts a program", "os.exec": "starts a program", "os.posix_spawn": "starts a program",
    "os.spawn": "starts a program", "os.startfile": "starts a program", "subprocess.Popen": "starts a program",
    "pty.spawn": "starts a program", "os.fork": "starts a process", "os.forkpty": "starts a process",
    "socket.connect": "uses the network", "socket.bind": "uses the network", "socket.sendto": "uses the network",
    "socket.getaddrinfo": "uses the network", "urllib.Request": "uses the network",
    "http.client.connect": "uses the network", "ftplib.connect": "uses the network",
    "smtplib.connect": "uses the network", "sqlite3.connect": "opens a database", "webbrowser.open": "opens a page",
    "os.kill": "sends a signal", "builtins.input": "asks for input",
}  # fmt: skip
"""Python's audit events (docs.python.org, "Audit events table") that leave something behind, and how that is said."""

_ALLOWED = (
    "importlib", "torch._inductor", "torch._dynamo", "torch._functorch", "torch.utils.data", "torch.utils._triton",
    "triton", "joblib.parallel", "joblib._parallel", "joblib._memmapping", "joblib.pool", "joblib.externals", "sklearn",
    "multiprocessing.resource_tracker", "multiprocessing.heap", "matplotlib.font_manager", "matplotlib.texmanager",
    "matplotlib_inline", "keras.src.saving", "tensorflow", "tempfile", "linecache", "py_compile", "platform",
    "ctypes.util", "uuid", "numba", "greennb", "IPython", "ipykernel", "traitlets",
)  # fmt: skip
"""Who may: compilers and their caches, workers of loaders and of n_jobs, temporary files, and those around the cell."""

_watching: dict[int, _Watch] = {}
"""By thread. It is all that the hook looks at while nothing is tried."""

_installed = False


class _SeenError(BaseException):
    """An effect; no ``Exception``, so that what runs does not catch it by chance. It leaves as a RefusedError."""


class _Watch:
    """One block that is watched; ``seen`` is the first effect, also where the cell's own code has caught it.

    Args:
        frame: whoever has begun it. Where that frame does not run any more, an interrupt has fallen between two
            instructions of Python's and the block has no end: it is none, then.
    """

    def __init__(self, frame: FrameType | None) -> None:
        self.seen: str | None = None
        self.frame = frame

    def runs(self, frame: FrameType | None) -> bool:
        """Whether it was begun from somewhere further out."""
        while frame is not None and frame is not self.frame:
            frame = frame.f_back
        return frame is not None


def refuse(code: str, namespace: dict[str, Any]) -> None:
    """Look whether a cell, or a function of the notebook's that it reaches, does something outside.

    Reading files, printing, showing figures and progress bars are no effects.

    Raises:
        RefusedError: it does; the sentence names the line.
    """
    found = first_effect(code, namespace)
    if found is not None:
        raise RefusedError(f"{found}: {_HELP}")


@contextmanager
def watched() -> Iterator[None]:
    """Stop effects of what this thread runs within the block, before they happen. May be nested.

    The hook is installed once a process, with the first trial, and stays, for Python can't take one back. While nothing
    is watched it looks at one empty dictionary. What an event costs then is what Python takes to call any hook: 0.4 to
    0.6 us instead of 0.03 us on the shared two-core machine where this was written (CPython 3.11; opening a file there
    takes 17 us). ``id()``, imports and ``compile`` are events as well.

    Raises:
        RefusedError: there was one; nothing of it was done.
    """
    _install()
    thread = threading.get_ident()
    outer = _watching.get(thread)
    watch = _watching[thread] = _Watch(_beginner(sys._getframe(1)))
    try:
        yield
    except (KeyboardInterrupt, Stopped):
        raise
    except BaseException as error:
        if watch.seen is None:
            raise
        raise RefusedError(f"{watch.seen}: {_HELP}") from (None if isinstance(error, _SeenError) else error)
    finally:
        watch.frame = None
        if outer is None:
            _watching.pop(thread, None)
        else:
            _watching[thread] = outer
    if watch.seen is not None:
        raise RefusedError(f"{watch.seen}: {_HELP}")


def _install() -> None:
    global _installed  # a hook can't be taken back: there is one for all
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching and event in _EVENTS:
        watch = _watching.get(threading.get_ident())
        if watch is not None:
            _judge(watch, event, arguments)


def _judge(watch: _Watch, event: str, arguments: tuple[Any, ...]) -> None:
    """Raise, unless it leaves nothing behind or somebody does it who may.

    Raises:
        _SeenError: it is an effect of the user's code.
    """
    if event == "open" and not _opens_for_writing(arguments):
        return
    if not watch.runs(sys._getframe(2)):
        _watching.pop(threading.get_ident(), None)
        return
    frame = _users(sys._getframe(2))
    if frame is None:
        return
    what = _named(arguments)
    words = f"{_where(frame)} {_EVENTS[event]}{what}"
    watch.seen = watch.seen or words
    raise _SeenError(words)


def _beginner(frame: FrameType | None) -> FrameType | None:
    """The frame with the ``with`` in it, past context managers that are written as generators."""
    while frame is not None and (
        frame.f_globals.get("__name__") == "contextlib" or frame.f_code.co_flags & inspect.CO_GENERATOR
    ):
        frame = frame.f_back
    return frame


def _opens_for_writing(arguments: tuple[Any, ...]) -> bool:
    path, mode, flags = (*arguments, None, None, None)[:3]
    if not isinstance(path, str | bytes | os.PathLike):
        return False  # a descriptor that is open already
    if os.fsdecode(path).startswith("/dev/"):
        return False
    if isinstance(mode, str):
        return not set(mode).isdisjoint("wax+")
    return isinstance(flags, int) and bool(flags & _WRITES)


def _users(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's own code, unless one who may is further in."""
    while frame is not None:
        module = frame.f_globals.get("__name__")
        if isinstance(module, str) and module.startswith(_ALLOWED):
            return None
        if module == "__main__" or not is_installed(frame.f_code.co_filename):
            return frame
        frame = frame.f_back
    return None


def _where(frame: FrameType) -> str:
    function = frame.f_code.co_name
    return f"line {frame.f_lineno}" + ("" if function == "<module>" else f" of {function}()")


def _named(arguments: tuple[Any, ...]) -> str:
    """The file, program or address that an event is about, in brackets; none where it has no short name."""
    first = next((it for it in arguments if isinstance(it, str | bytes | os.PathLike)), None)
    if first is None:
        return ""
    return f" ({os.path.basename(os.fsdecode(first))[:60]})"  # noqa: PTH119  # it need not be a path
