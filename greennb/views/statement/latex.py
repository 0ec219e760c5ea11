"""An energy statement as LaTeX: the paragraph, tables and notes, with no package but what LaTeX itself has."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from greennb.model.statement import Statement
from greennb.views.format import plain
from greennb.views.statement.paragraph import paragraph
from greennb.views.statement.sections import Section, sections

_SIGNS = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"$\sim$", "<": r"$<$", ">": r"$>$", "|": r"$|$", '"': r"\textquotedbl{}",
    "–": "--", "—": "---", "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "µ": r"$\mu$", "≈": r"$\approx$",
    "°": r"$^\circ$", "…": r"\ldots{}", "\u2019": "'", "\u2018": "`", "“": "``", "”": "''", "₂": r"$_2$",
    "·": r"$\cdot$", "\u00a0": "~", "®": r"\textregistered{}", "™": r"\texttrademark{}",
    "`": r"\textasciigrave{}",
}  # fmt: skip
_UNIT = re.compile(r"(?<=\d) (?=[kMGTmnµ]?(?:Wh|J|W|g|s|h|d|t)\b|min\b|%)")  # no line ends between a number and it
_LETTERS = frozenset("ßæøåœłÆØÅŒŁ")  # without a decomposition, and in LaTeX's own fonts

_HEAD = (
    "% {title}\n% Made by greennb {version} on {day}. No package is needed; LaTeX of 2020 or newer.\n"
    "% The first paragraph is for the text, the rest for an appendix or a supplement.\n"
)
_LINES = 30  # of a table: a float cannot be broken, and half a page's width makes twice as many
_WIDTH = 60  # characters in a line of the right column, about


def latex(statement: Statement) -> str:
    """The paragraph, tables with the rows, and the sentences; to be put into a document with ``\\input``."""
    head = _HEAD.format(
        title=plain(statement.title, 200), version=statement.version, day=f"{statement.made_at:%Y-%m-%d}"
    )
    parts = sections(statement)
    caption = _safe(plain(statement.title, 200))
    tables = [_table(rows, caption, number) for number, rows in enumerate(_floats(parts))]
    said = [_said(section) for section in parts if section.sentences]
    return "\n".join([head, f"{_safe(paragraph(statement))}\n", *tables, "{\\small", *said, "\\par}"]) + "\n"


def _floats(parts: Sequence[Section]) -> list[list[str]]:
    """The rows of the sections, in as many tables as it takes for each to fit on a page."""
    floats: list[list[str]] = [[]]
    lines = 0
    for section in parts:
        heading = rf"\multicolumn{{2}}{{@{{}}l}}{{\textbf{{{_safe(section.heading)}}}}}\\"
        for number, (name, words) in enumerate(section.rows):
            taken = 1 + max(len(words) // _WIDTH, 2 * len(name) // _WIDTH) + (number == 0)
            if lines + taken > _LINES and floats[-1]:
                floats.append([])
                lines = 0
            if number == 0 or not floats[-1]:
                floats[-1] += [r"\hline", heading]
            floats[-1].append(rf"{_safe(name)} & {_safe(words)}\\")
            lines += taken
    return [rows for rows in floats if rows]


def _table(rows: Sequence[str], caption: str, number: int) -> str:
    body = "\n".join(rows)
    return (
        f"\\begin{{table}}[htbp]\n\\caption{{{caption}{' (continued)' if number else ''}}}\n\\small\\raggedright\n"
        "\\begin{tabular}{@{}p{0.28\\linewidth}p{0.66\\linewidth}@{}}\n"
        f"{body}\n\\hline\n\\end{{tabular}}\n\\end{{table}}\n"
    )


def _said(section: Section) -> str:
    return rf"\paragraph{{{_safe(section.heading)}.}} {_safe(' '.join(section.sentences))}"


def _safe(words: str) -> str:
    """Words as LaTeX sets them, whatever names hold; a letter that its own fonts lack is a "?"."""
    together = _UNIT.sub("\u00a0", unicodedata.normalize("NFC", words))
    text = "".join(map(_sign, together))
    return re.sub(r"CO2e", r"CO$_2$e", text)


def _sign(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    if char.isascii() or char in _LETTERS:
        return char
    base = unicodedata.normalize("NFD", char)
    known = len(base) == 2 and base[0].isascii() and base[1] in "\u0300\u0301\u0302\u0303\u0308\u030a\u030c\u0327"
    return char if known and char <= "\u017f" else "?"
