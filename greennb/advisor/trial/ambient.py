"""What surrounds a cell: random numbers, flags, the environment. Read before a trial and put back after it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from greennb.advisor.trial.ambient_keras import keras_flags
from greennb.advisor.trial.ambient_part import Part
from greennb.advisor.trial.ambient_parts import libraries, python, randomness
from greennb.advisor.trial.ambient_torch import torch_flags
from greennb.advisor.trial.shadow import surely


@dataclass(frozen=True, slots=True)
class Ambient:
    """What surrounded a cell at one moment, of the libraries that were imported then.

    Flags of a thread (gradients, autocast, numpy's errors) are those of the thread that asks, so ask and restore on the
    notebook's own. What can't be read on this machine is left out. It takes about a millisecond.
    """

    _values: tuple[tuple[Part, Any], ...]

    @classmethod
    def now(cls) -> Ambient:
        """Everything, as it is."""
        return cls(tuple(_read(itertools.chain(randomness(), python(), libraries(), torch_flags(), keras_flags()))))

    @classmethod
    def random(cls) -> Ambient:
        """The random numbers alone: what each of two ways keeps for itself between its blocks."""
        return cls(tuple(_read(randomness())))

    def restore(self) -> None:
        """Make everything as it was; what differs, and only that, is written. May be called again.

        An interrupt in it is raised after its end. What can't be written stays, and is in :meth:`differences`.
        """
        for part, value in self._values:
            if part.write is not None:
                surely(_writing(part, part.write, value))

    def differences(self, later: Ambient) -> list[str]:
        """In words, what is not the same; what only one of both knows is left out, for importing makes it known."""
        known = {part.words: value for part, value in later._values}
        return [
            part.words
            for part, value in self._values
            if part.words in known and not _same(part, value, known[part.words])
        ]

    @contextmanager
    def kept(self) -> Iterator[Ambient]:
        """Restore at the end of the block, however it ends."""
        try:
            yield self
        finally:
            self.restore()


def _read(parts: Iterable[Part]) -> Iterator[tuple[Part, Any]]:
    for part in parts:
        try:
            value = part.read()
        except Exception:  # noqa: BLE001  # a flag that this machine or version does not have
            continue
        yield part, value


def _same(part: Part, one: Any, other: Any) -> bool:
    try:
        return bool(part.same(one, other))
    except Exception:  # noqa: BLE001  # values of different kinds, an array of another length
        return False


def _writing(part: Part, write: Callable[[Any], object], value: Any) -> Callable[[], None]:
    def written() -> None:
        try:
            if not _same(part, value, part.read()):
                write(value)
        except Exception:  # noqa: BLE001  # it is found by differences()
            return

    return written
