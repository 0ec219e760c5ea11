"""Files that commands read and write: runs as JSON, and outputs that are either whole or not there."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from greennb.model.errors import BadInputError
from greennb.model.run import NotebookRun
from greennb.views.format import plain

STDOUT = "-"
"""The name that means standard output."""


def read_run(path: Path) -> NotebookRun:
    """The run in a file that ``greennb run --json`` wrote.

    Raises:
        BadInputError: the file cannot be read, or has no run in it.
    """
    name = plain(str(path), 200)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInputError(f"There is no file {name}: check the path.") from None
    except OSError as error:
        raise BadInputError(f"{name} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise BadInputError(f"{name} is not JSON: give a file that `greennb run --json` wrote.") from None
    if not isinstance(data, dict):
        raise BadInputError(f"{name} has no run in it: give a file that `greennb run --json` wrote.")
    try:
        return NotebookRun.from_dict(data)
    except BadInputError as error:
        raise BadInputError(f"{name}: {error}") from None


def check_writable(name: str) -> None:
    """Refuse a file that cannot be written, before there is anything that could be lost.

    Raises:
        BadInputError: with what stands in the way.
    """
    if name == STDOUT:
        return
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInputError(f"The folder of {plain(name, 200)} cannot be made: {error.strerror}.") from None
    if path.is_dir():
        raise BadInputError(f"{plain(name, 200)} is a folder: give the name of a file.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise BadInputError(f"{plain(name, 200)} cannot be written: its place is read-only for you.")


def write_text(name: str, text: str) -> None:
    """Write ``text`` to the file ``name``, wholly or not at all; "-" is standard output.

    Raises:
        BadInputError: it cannot be written.
    """
    if name == STDOUT:
        print(text)
        return
    path = Path(name)
    try:
        if path.exists() and not path.is_file():  # a pipe or a device has nothing to replace
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path.resolve(), text)
    except OSError as error:
        raise BadInputError(f"{plain(name, 200)} could not be written: {error.strerror}.") from None


def json_text(value: Any) -> str:
    """``value`` as JSON for people and programs: indented, no NaN."""
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=not _utf8_out())


def _utf8_out() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"


def _replace(path: Path, text: str) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _umask() -> int:
    """What new files may not have; there is no way to ask but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
