"""Keeps the forward hook out of ``torch.compile``'s sight.

What was measured on PyTorch 2.13: a model compiled while a global forward hook is there is compiled a second time when
the hook goes; one compiled without is not when a hook comes. And every call of ``torch.compile(model)`` warns the user
while there is a global hook. So the hook is taken away while something is compiled, which PyTorch tells of, and hidden
from the question that the warning is about.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

CALLBACKS = "torch._dynamo.callback"
"""The module that tells of compilations; loaded with the first optimizer, or the first ``torch.compile``."""


class Compiling:
    """Three things that are taken back by :meth:`remove`.

    Args:
        hide: takes the hook away and says whether it was there. ``show``: puts it back.

    Attributes:
        seen: whether anything was compiled since :meth:`install`.
    """

    def __init__(self, torch: Any, hide: Callable[[], bool], show: Callable[[], None]) -> None:
        self._torch = torch
        self._hide = hide
        self._show = show
        self._hidden = False
        self._taken: list[tuple[Any, str, Any, Any]] = []
        self.seen = False

    def install(self) -> None:
        """Be told, now or when ``torch.compile`` is first called."""
        module = sys.modules.get("torch.nn.modules.module")
        if hasattr(module, "_has_any_global_hook"):
            self._put(module, "_has_any_global_hook", self._asked(module._has_any_global_hook))  # type: ignore[union-attr]
        if not self.listen() and hasattr(self._torch, "compile"):
            self._put(self._torch, "compile", self._first(self._torch.compile))

    def remove(self) -> None:
        """Put back what is still ours."""
        for owner, name, ours, theirs in self._taken:
            if getattr(owner, name, None) is ours:
                setattr(owner, name, theirs)
        self._taken = []
        handler = self._handler()
        if handler is not None:
            for callbacks, own in ((handler.start_callbacks, self._begins), (handler.end_callbacks, self._ends)):
                if own in callbacks:
                    callbacks.remove(own)

    def listen(self) -> bool:
        """Ask to be told of compilations; whether that could be. ``torch._dynamo.reset()`` makes PyTorch forget it."""
        handler = self._handler()
        if handler is None:
            return False
        if self._begins not in handler.start_callbacks:
            handler.register_start_callback(self._begins)
            handler.register_end_callback(self._ends)
        return True

    def _handler(self) -> Any:
        return getattr(sys.modules.get(CALLBACKS), "callback_handler", None)

    def _begins(self, _: Any) -> None:
        self.seen = True
        self._hidden = self._hide() or self._hidden

    def _ends(self, _: Any) -> None:
        if self._hidden:
            self._hidden = False
            self._show()

    def _put(self, owner: Any, name: str, ours: Any) -> None:
        self._taken.append((owner, name, ours, getattr(owner, name)))
        setattr(owner, name, ours)

    def _asked(self, original: Callable[[], bool]) -> Callable[[], bool]:
        """Whether there are global hooks: the user's, that is."""
        torch, hide, show = self._torch, self._hide, self._show

        @functools.wraps(original)
        def _has_any_global_hook() -> bool:
            if torch.compiler.is_compiling():
                return original()
            hidden = hide()
            try:
                return original()
            finally:
                if hidden:
                    show()

        return _has_any_global_hook

    def _first(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """``torch.compile`` until it was called once: it loads what tells of compilations."""

        @functools.wraps(original)
        def compile(*args: Any, **kwargs: Any) -> Any:  # noqa: A001  # its name
            made = original(*args, **kwargs)
            if self._taken and self.listen() and self._torch.compile is compile:
                self._torch.compile = original
            return made

        return compile
