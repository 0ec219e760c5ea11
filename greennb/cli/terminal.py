"""What a terminal can show: its width, its characters, and what stands in for those that it lacks."""

from __future__ import annotations

import codecs
import shutil
import sys
from typing import TextIO

_STAND_INS = {"–": "-", "—": "-", "−": "-", "±": "+/-", "µ": "u", "…": "...", "─": "-", "·": "|", "×": "x", "≤": "<="}
_NEEDED = "".join(_STAND_INS)
_ERRORS = "greennb.stand-ins"

WIDTH = 100
"""Columns where the terminal does not say, as in a file or a pipe."""


def forgive(stream: TextIO) -> None:
    """Let ``stream`` write what its encoding lacks as the nearest ASCII, instead of failing."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        codecs.register_error(_ERRORS, _stand_in)
        reconfigure(errors=_ERRORS)


def unicode_in(stream: TextIO) -> bool:
    """Whether ``stream`` can write the signs that tables use."""
    try:
        _NEEDED.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def width() -> int:
    """Columns of the terminal, at least 60."""
    return max(60, shutil.get_terminal_size((WIDTH, 24)).columns)


def say(text: str) -> None:
    """Tell the person something that is no result: one line on stderr."""
    print(f"greennb: {text}", file=sys.stderr)


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_STAND_INS.get(char, "?") for char in error.object[error.start : error.end]), error.end
