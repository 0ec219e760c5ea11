"""The words and signs of a source, where a syntax tree has none: commas, parentheses."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Sequence
from typing import NamedTuple

from greennb.advisor.trial.base import RefusedError

_NOTHING = frozenset(
    (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
)


class Token(NamedTuple):
    """A word or sign, and where it begins and ends in the text."""

    begin: int
    end: int
    text: str


def tokens(text: str, starts: Sequence[int]) -> list[Token]:
    """All but comments, line breaks and indents; ``starts`` says where each line begins.

    Raises:
        RefusedError: it is no Python.
    """
    try:
        return [
            Token(starts[it.start[0] - 1] + it.start[1], starts[it.end[0] - 1] + it.end[1], it.string)
            for it in tokenize.generate_tokens(io.StringIO(text).readline)
            if it.type not in _NOTHING
        ]
    except (tokenize.TokenError, SyntaxError):
        raise RefusedError("The cell can't be read as Python, so that no change of it can be made.") from None
