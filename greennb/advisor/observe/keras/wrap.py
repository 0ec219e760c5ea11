"""Methods of a framework's classes wrapped and given back, without a trace in the user's tracebacks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Method = Callable[..., Any]


class Wraps:
    """Methods that were wrapped, and the way back."""

    def __init__(self) -> None:
        self._done: list[tuple[type, str, Method, Method]] = []

    def has(self, owner: type, name: str) -> bool:
        """Whether this method of this class is wrapped already."""
        return any(it[0] is owner and it[1] == name for it in self._done)

    def wrap(self, owner: type, name: str, around: Callable[[Method], Method]) -> None:
        """Put ``around(method)`` in the place of ``owner.name``, which ``owner`` itself must define."""
        original = vars(owner).get(name)
        if original is None or self.has(owner, name):
            return
        wrapper = functools.wraps(original)(around(original))
        setattr(owner, name, wrapper)
        self._done.append((owner, name, original, wrapper))

    def remove(self) -> None:
        """Put the originals back. Where somebody has wrapped over us, ours stays below theirs and must be inert."""
        while self._done:
            owner, name, original, wrapper = self._done.pop()
            if vars(owner).get(name) is wrapper:
                setattr(owner, name, original)


def before(act: Method) -> Callable[[Method], Method]:
    """A wrapper that calls ``act(self)`` first; ``act`` must not raise."""

    def around(original: Method) -> Method:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            act(self)
            try:
                return original(self, *args, **kwargs)
            except BaseException as error:
                drop_frame(error)
                raise

        return method

    return around


def drop_frame(error: BaseException) -> None:
    """Take the frame that caught ``error``, ours, off its traceback; a bare ``raise`` then adds no other."""
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next
