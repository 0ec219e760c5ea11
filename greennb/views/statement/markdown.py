"""An energy statement as Markdown: for a README, a model card's text, an issue."""

from __future__ import annotations

import re

from greennb.model.statement import Statement
from greennb.views.format import plain
from greennb.views.statement.paragraph import paragraph
from greennb.views.statement.sections import sections

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~#$&])")


def markdown(statement: Statement) -> str:
    """The whole statement as CommonMark with tables as GitHub and Hugging Face read them."""
    parts = [f"# {_safe(plain(statement.title, 200))}", _safe(_subscript(paragraph(statement)))]
    for section in sections(statement):
        parts.append(f"## {section.heading}")
        if section.rows:
            lines = [f"| {_safe(name)} | {_safe(_subscript(words))} |" for name, words in section.rows]
            parts.append("\n".join(["| | |", "|---|---|", *lines]))
        if section.sentences:
            parts.append("\n".join(f"- {_safe(_subscript(sentence))}" for sentence in section.sentences))
    return "\n\n".join(parts) + "\n"


def _subscript(words: str) -> str:
    return words.replace("CO2e", "CO₂e")


def _safe(words: str) -> str:
    """Words that Markdown reads as they are: names of notebooks and devices may hold any of its marks."""
    return _SPECIAL.sub(r"\\\1", words)
