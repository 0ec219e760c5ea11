"""Keeps the forward hook out of the compiler's sight.

What was measured on PyTorch 2.13: a model compiled while a global forward hook is there is compiled a second time when
the hook goes; one compiled without is not when a hook comes. Every call of ``torch.compile(model)`` warns the user
while there is a global hook, and a strict ``torch.export`` fails. So the hook is taken away while something is
compiled, which PyTorch tells of; hidden from the question that the warning is about; off for a cell once it exports.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

COMPILERS = ("torch._dynamo.callback", "torch._dynamo.convert_frame")
"""Modules that tell of compilations, and begin exports; loaded with the first optimizer or ``torch.compile``."""

TRACED = ("torch._dynamo.convert_frame", "torch._dynamo.functional_export")
"""Modules that have ``get_traced_fn``, the second by import from the first."""


class Compiling:
    """What is asked of the compiler, and taken back by :meth:`remove`.

    Args:
        hide: takes the hook away and says whether it was there. ``show``: puts it back. ``hold``: takes it away for the
            rest of the cell.

    Attributes:
        seen: whether anything was compiled since :meth:`install`.
    """

    def __init__(
        self, torch: Any, hide: Callable[[], bool], show: Callable[[], None], hold: Callable[[], None]
    ) -> None:
        self._torch = torch
        self._hide = hide
        self._show = show
        self._hold = hold
        self._hidden = False
        self._taken: list[tuple[Any, str, Any, Any]] = []
        self.seen = False

    def install(self) -> None:
        """Take the question that comes before a warning, and be told of compilations where their module is there."""
        self._put("torch.nn.modules.module", "_has_any_global_hook", self._asked)
        self.listen()

    def remove(self) -> None:
        """Put back what is still ours."""
        for owner, name, ours, theirs in self._taken:
            if getattr(owner, name, None) is ours:
                setattr(owner, name, theirs)
            for module in map(sys.modules.get, TRACED):
                if getattr(module, name, None) is ours:
                    setattr(module, name, theirs)
        self._taken = []
        handler = self._handler()
        if handler is not None:
            for callbacks, own in ((handler.start_callbacks, self._begins), (handler.end_callbacks, self._ends)):
                if own in callbacks:
                    callbacks.remove(own)

    def listen(self) -> None:
        """Ask to be told of compilations, where one can; ``torch._dynamo.reset()`` makes PyTorch forget it."""
        handler = self._handler()
        if handler is not None and self._begins not in handler.start_callbacks:
            handler.register_start_callback(self._begins)
            handler.register_end_callback(self._ends)
        if not any(name == "get_traced_fn" for _, name, _, _ in self._taken):
            self._put(TRACED[0], "get_traced_fn", self._traced)

    def _handler(self) -> Any:
        return getattr(sys.modules.get(COMPILERS[0]), "callback_handler", None)

    def _begins(self, _: Any) -> None:
        self.seen = True
        self._hidden = self._hide() or self._hidden

    def _ends(self, _: Any) -> None:
        if self._hidden:
            self._hidden = False
            self._show()

    def _put(self, module: str, name: str, wrapped: Callable[[Any], Any]) -> None:
        owner = sys.modules.get(module)
        theirs = getattr(owner, name, None)
        if theirs is not None:
            ours = wrapped(theirs)
            self._taken.append((owner, name, ours, theirs))
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

    def _traced(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """An export begins; with a hook in place it would not look at the model's ``forward``."""
        hold = self._hold

        @functools.wraps(original)
        def get_traced_fn(*args: Any, **kwargs: Any) -> Any:
            hold()
            return original(*args, **kwargs)

        return get_traced_fn
