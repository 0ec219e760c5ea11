"""The forms that an energy statement takes, and what a file's suffix says of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from greennb.model.errors import BadInputError
from greennb.model.statement import Statement
from greennb.views.format import plain

FORMATS: Mapping[str, str] = {"html": ".html", "md": ".md", "latex": ".tex", "yaml": ".yaml"}
"""Each form's name, and the suffix of its files."""

_SUFFIXES = {suffix: kind for kind, suffix in FORMATS.items()} | {".htm": "html", ".markdown": "md", ".yml": "yaml"}


def format_of(name: str) -> str:
    """The form that the suffix of a file's name means.

    Raises:
        BadInputError: it means none.
    """
    suffix = PurePath(name).suffix
    try:
        return _SUFFIXES[suffix.lower()]
    except KeyError:
        shown = f'"{plain(suffix, 20)}"' if suffix else "no suffix"
        raise BadInputError(
            f"A report cannot be made from {shown}: end the path in one of {', '.join(FORMATS.values())}, or name a "
            "format."
        ) from None


def stem_of(name: str) -> str:
    """A file's name without a suffix that means one of the forms."""
    path = PurePath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in _SUFFIXES else name


def written(statement: Statement, kind: str) -> str:
    """The statement in the form ``kind``, one of ``FORMATS``.

    Raises:
        BadInputError: it has no grams, and the form is a model card's.
    """
    match kind:
        case "html":
            from greennb.views.statement.html import html

            return html(statement)
        case "latex":
            from greennb.views.statement.latex import latex

            return latex(statement)
        case "yaml":
            from greennb.views.statement.yaml import yaml

            return yaml(statement)
        case _:
            from greennb.views.statement.markdown import markdown

            return markdown(statement)
