"""Which hardware a process runs on, and which of a host's processes meters it.

Two processes share a machine where its boot id is the same, whatever their containers call it. One of those that also
share a temporary folder holds a lock and meters; the others wait for it. Where they share none (two containers), each
meters, and whoever adds up counts a device once (:mod:`greennb.cluster.merge`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Drawn anew at each boot; the same in all containers of a machine (Linux, Documentation/admin-guide/sysctl/kernel)."""


def boot_id() -> str:
    """Names this machine from its boot to its shutdown; its network name, where the system tells no better."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return platform.node()


class HostLock:
    """A lock that one process of a host holds for ``devices``, until it ends, however it ends."""

    def __init__(self, devices: Iterable[str], folder: Path | None = None) -> None:
        what = "\n".join([boot_id(), *sorted(devices)])
        name = f"greennb-meter-{_user()}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.lock"
        self.path = (folder or Path(tempfile.gettempdir())) / name
        self._file: IO[bytes] | None = None

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._file is not None

    def take(self) -> bool:
        """Try to have it, without waiting; True where it is held then.

        Where there are no such locks, or the file can't be made, everybody has it: better metered twice and counted
        once than not at all.
        """
        if self._file is not None:
            return True
        try:
            import fcntl

            file = open(self.path, "ab")  # noqa: SIM115  # kept open as long as the lock is held
        except (ImportError, OSError):
            self._file = open(os.devnull, "rb")  # noqa: SIM115
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def give(self) -> None:
        """Let the next one have it. The file stays: to remove it would let two hold "the" lock."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()


def _user() -> str:
    """Locks are each user's own: others may not open the file."""
    return str(os.getuid()) if hasattr(os, "getuid") else "user"
