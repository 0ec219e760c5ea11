"""An energy statement as LaTeX: the paragraph and a table, with no package but what LaTeX itself has."""

from __future__ import annotations

import re
import unicodedata

from greennb.model.statement import Statement
from greennb.views.format import plain
from greennb.views.statement.paragraph import paragraph
from greennb.views.statement.sections import Section, sections

_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"$\sim$", "<": r"$<$", ">": r"$>$", "|": r"$|$", '"': r"\textquotedbl{}",
    "–": "--", "—": "---", "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "µ": r"$\mu$", "≈": r"$\approx$",
    "°": r"$^\circ$", "…": r"\ldots{}", "\u2019": "'", "\u2018": "`", "“": "``", "”": "''", "₂": r"$_2$",
    "·": r"$\cdot$", "®": r"\textregistered{}", "™": r"\texttrademark{}", "'": "'", "`": r"\textasciigrave{}",
}  # fmt: skip
_LETTERS = frozenset("ßæøåœłÆØÅŒŁ")  # without a decomposition, and in LaTeX's own fonts

_HEAD = (
    "% {title}\n% Made by greennb {version} on {day}. No package is needed; LaTeX of 2020 or newer.\n"
    "% The paragraph is for the text, the table for an appendix or a supplement.\n"
)


def latex(statement: Statement) -> str:
    """The paragraph, and a ``table`` with all the rest, to be put into a document with ``\\input``."""
    head = _HEAD.format(
        title=plain(statement.title, 200), version=statement.version, day=f"{statement.made_at:%Y-%m-%d}"
    )
    return f"{head}\n{_safe(paragraph(statement))}\n\n{_table(statement)}"


def document(statement: Statement) -> str:
    """The same as a document of its own, to be compiled as it is."""
    return (
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\begin{document}\n"
        f"{latex(statement)}\\end{{document}}\n"
    )


def _table(statement: Statement) -> str:
    body = "\n\\hline\n".join(_rows(section) for section in sections(statement))
    caption = _safe(plain(statement.title, 200))
    return (
        "\\begin{table}[htbp]\n\\caption{" + caption + "}\n\\small\\raggedright\n"
        "\\begin{tabular}{@{}p{0.28\\linewidth}p{0.68\\linewidth}@{}}\n\\hline\n"
        f"{body}\n\\hline\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def _rows(section: Section) -> str:
    lines = [rf"\multicolumn{{2}}{{@{{}}l}}{{\textbf{{{_safe(section.heading)}}}}}\\"]
    lines += [rf"{_safe(name)} & {_safe(words)}\\" for name, words in section.rows]
    lines += [
        rf"\multicolumn{{2}}{{@{{}}p{{0.98\linewidth}}@{{}}}}{{{_safe(sentence)}}}\\" for sentence in section.sentences
    ]
    return "\n".join(lines)


def _safe(words: str) -> str:
    """Words as LaTeX sets them, whatever names hold; a letter that its own fonts lack is a "?"."""
    text = "".join(map(_sign, unicodedata.normalize("NFC", words)))
    return re.sub(r"CO2e", r"CO$_2$e", text)


def _sign(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    if char.isascii() or char in _LETTERS:
        return char
    base = unicodedata.normalize("NFD", char)
    known = len(base) == 2 and base[0].isascii() and base[1] in "\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327"
    return char if known and char <= "\u017f" else "?"
