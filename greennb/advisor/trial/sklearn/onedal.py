"""What scikit-learn-intelex says of the calls that it is given: done by oneDAL, or left to scikit-learn's own code."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_LOGGER = "sklearnex"
_FIT = re.compile(r"\w+(?:\.\w+)*\.(?P<estimator>\w+)\.fit\w*: (?P<words>.+)", re.DOTALL)
_DONE, _LEFT, _CAUSE = "running accelerated version", "fallback to original", "patching failed with cause - "
"""What its messages are known by, in 2026.2 (``sklearnex/_utils.py``): the causes come before what they lead to."""


@dataclass
class Said:
    """What it said of fits.

    Attributes:
        done: classes of which oneDAL did fits; ``left`` those that were left to scikit-learn, each with the first cause
            that was named, "" for none.
    """

    done: set[str] = field(default_factory=set)
    left: dict[str, str] = field(default_factory=dict)
    _causes: dict[str, str] = field(default_factory=dict)

    def heard(self, message: str) -> None:
        """One message."""
        found = _FIT.match(message)
        if found is None:
            return
        estimator, words = found["estimator"], found["words"]
        if words.startswith(_CAUSE):
            self._causes.setdefault(estimator, words.removeprefix(_CAUSE).strip().rstrip("."))
        elif _LEFT in words:
            self.left.setdefault(estimator, self._causes.get(estimator, ""))
        elif words.startswith(_DONE):
            self.done.add(estimator)

    def notes(self) -> tuple[str, ...]:
        """A sentence on each class that it had no part in."""
        return tuple(
            f"scikit-learn-intelex left {estimator} to scikit-learn's own code{f' ({cause})' if cause else ''}: "
            + ("some fits were the same both ways." if estimator in self.done else "both ways do the same there.")
            for estimator, cause in self.left.items()
        )


@contextmanager
def listening() -> Iterator[Said]:
    """Hear what it says within the block, and keep it from being shown; its logger is as before afterwards."""
    said = Said()

    def heard(record: logging.LogRecord) -> bool:
        said.heard(record.getMessage())
        return False

    logger = logging.getLogger(_LOGGER)
    level = logger.level
    logger.addFilter(heard)
    logger.setLevel(logging.DEBUG)
    try:
        yield said
    finally:
        logger.setLevel(level)
        logger.removeFilter(heard)
