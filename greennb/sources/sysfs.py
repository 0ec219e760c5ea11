"""Single values from Linux's sysfs: a number a file, read afresh each time, and what a failure means in words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_MOST_BYTES = 64
"""A number in sysfs is a line of at most 21 characters; a longer file is not what we think it is."""


def number(file: Path) -> int:
    """The whole number in ``file``.

    The file is opened for each look: nothing is held, a device that came back is found again, and threads, forks and
    closes need no care. That costs about 10 us, little against the sensors' own milliseconds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is empty or holds no whole number.
    """
    fd = os.open(file, os.O_RDONLY)
    try:
        return int(os.read(fd, _MOST_BYTES))
    finally:
        os.close(fd)


def text(file: Path) -> str:
    """The words in ``file`` without their line end; "" where there are none to be had."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""  # such files are optional


def positive(file: Path) -> int | None:
    """The number in ``file`` if it is above 0; None where there is none."""
    try:
        value = number(file)
    except (OSError, ValueError):
        return None  # such files are optional
    return value if value > 0 else None


def in_words(error: OSError | ValueError) -> str:
    """Why a number could not be read, as the end of a sentence."""
    if isinstance(error, ValueError):
        return "its sensor's file is empty or holds no number"
    if error.errno == errno.EACCES:
        return "no permission to read its sensor"
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR):
        return "its sensor is gone"
    return f"reading its sensor failed ({error.strerror or error})"
