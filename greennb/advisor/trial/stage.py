"""Where a way's code runs: with random numbers and flags of its own, silent, watched for effects outside."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from greennb.advisor.trial import effects
from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.base import RefusedError, Scene, Stopped
from greennb.advisor.trial.leave import interrupts

_LONGEST = 200
"""Characters of an exception's message that are shown."""


class Stage:
    """One way's surroundings. What is around it is put back whenever it is left.

    Attributes:
        ambient: as the way's code has left it, at first as it is when this is made.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.ambient = Ambient.now()

    @contextmanager
    def set(self) -> Iterator[None]:
        """For the time of a ``with`` block.

        Raises:
            RefusedError: what ran has an effect outside.
        """
        outside = Ambient.now()
        with self._scene.quiet(), effects.watched(), ExitStack() as last:
            last.callback(outside.restore)
            self.ambient.restore()
            last.callback(self._keep)
            last.enter_context(interrupts(self._scene.stop))  # signal handlers are among what surrounds a cell
            yield

    def _keep(self) -> None:
        self.ambient = Ambient.now()


def failure(error: BaseException, changed: str = "") -> str:
    """What the user's code has raised, in words; its frames let go of what they hold.

    Args:
        changed: " with the change" where that code is the changed one.

    Raises:
        RefusedError: it has no memory left, or has an effect outside.
        Stopped: somebody stopped the trial.
    """
    if isinstance(error, RefusedError | Stopped):
        raise error
    words = _said(error)
    short = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"  # PyTorch's, for a device
    traceback.clear_frames(error.__traceback__)
    if short:
        raise RefusedError(f"There was not enough memory for the cell{changed} on copies: {words}.")
    return words


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
