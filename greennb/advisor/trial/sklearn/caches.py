"""Caches of a pipeline's steps (``memory=``): every fit of a trial has empty ones of its own, as in a first run.

Without that a fit would find what the one before it has left, and a trial write into the user's own folders.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

NOTE = "Each fit began with an empty cache, in a folder that is gone; the cell's own stays until somebody deletes it."

TICK_NS = 20_000_000
"""A file's times stand still between two ticks of the kernel, of 10 ms at most on Linux (CONFIG_HZ is 100 or more)."""


class Caches:
    """The folders that a way's fits have used."""

    def __init__(self) -> None:
        self._folders: list[str] = []
        self._made: list[Path] = []

    def of(self, estimator: Any) -> dict[str, Any]:
        """Parameters of the estimator, and of what is in it, that say where steps are cached."""
        every = estimator.get_params(deep=True)
        return {name: it for name, it in every.items() if name.rpartition("__")[2] == "memory" and _location(it)}

    def adopt(self, estimator: Any, since_ns: int) -> bool:
        """Folders that a replay of the cell has made for temporary files go with the others. Whether there are caches.

        Args:
            since_ns: when the replay began, in wall time: what was there before is the user's.
        """
        found = self.of(estimator)
        for it in found.values():
            folder = Path(_location(it))
            is_temporary = folder.parent == Path(tempfile.gettempdir()) and folder.is_dir()
            if is_temporary and folder.stat().st_ctime_ns >= since_ns - TICK_NS and not any(folder.iterdir()):
                self._made.append(folder)
        return bool(found)

    def empty(self, estimator: Any) -> None:
        """Give the estimator empty ones."""
        for name, it in self.of(estimator).items():
            folder = tempfile.mkdtemp(prefix="greennb-")
            self._folders.append(folder)
            known = isinstance(it, str)
            estimator.set_params(**{name: folder if known else sys.modules["joblib"].Memory(folder, verbose=0)})

    def clear(self) -> None:
        """Delete those of the fits up to now."""
        while self._folders:
            shutil.rmtree(self._folders.pop(), ignore_errors=True)

    def close(self) -> None:
        """Delete all of them; may be called twice."""
        self.clear()
        while self._made:
            shutil.rmtree(self._made.pop(), ignore_errors=True)


def _location(memory: Any) -> str:
    """Where a cache is; "" for none."""
    found = memory if isinstance(memory, str) else getattr(memory, "location", None)
    return str(found) if found else ""
